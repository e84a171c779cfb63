"""Endpoint: one side of the calls that come one after the other; what each of them finds there and leaves behind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fsm_rtc.connection.delivery.messages import Messages
from fsm_rtc.connection.options import CallOptions
from fsm_rtc.connection.peers import PeerEvents, PeerFollower, ReplaceablePeer
from fsm_rtc.engine import Chart
from fsm_rtc.machines.signaling_link import SignalingLink
from fsm_rtc.peer.machine_set import MachineSet

__all__ = ["Endpoint"]


class Endpoint:
    """See the module.

    Args:
        options: how calls are made.
        events: who is told what the peer connection does.
        label: how the peer connections' machines are called.
        follower: keeps a record of the peer connections, or None.

    Attributes:
        machines: makes the machines of this side and of its calls.
        signaling_link: the machine of the link to the signalling.
        messages: the messages of the other side, on their way to the user.
        peers: the peer connections, one at a time.
    """

    def __init__(
        self, options: CallOptions, events: PeerEvents, label: str, follower: PeerFollower | None = None
    ) -> None:
        self.machines = MachineSet(options.label, generation=0, engine=options.engine, journal=options.journal)
        self.signaling_link = self.machines.make(SignalingLink, "signaling_link")
        self.messages = Messages()
        self.peers = ReplaceablePeer(options, events, self.machines, label, follower)

    @property
    def every_machine(self) -> Mapping[str, Chart[Any, Any]]:
        """Every machine, those of the present peer connection included, by label."""
        connection = self.peers.connection
        return {**self.machines.by_label(), **(connection.machines if connection is not None else {})}
