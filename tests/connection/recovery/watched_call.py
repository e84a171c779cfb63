"""A call as its recovery driver sees it: what is there is set by a test; what is asked of it is noted with its time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

from fsm_rtc.connection.delivery.frames import StreamGoodbye
from fsm_rtc.connection.events import GaveUp, PeerLost, Recovered, Recovering
from fsm_rtc.connection.recovery.driver import RecoveryDriver
from fsm_rtc.connection.recovery.policy import RecoveryPolicy
from fsm_rtc.machines.data_channel import DataChannelState
from fsm_rtc.machines.exchange import ExchangeState
from fsm_rtc.machines.signaling_link import SignalingStatus
from fsm_rtc.messages import EndCode, Introduction
from fsm_rtc.peer.machine_set import MachineSet


def introduction(who: str) -> Introduction:
    """Of an id and a session."""
    id_, session = who.split()
    return Introduction(id=id_, session=session, name="", public_key=b"", signature=b"")


@dataclass
class Settable:
    """Something whose state a test sets."""

    state: Any


class WatchedCall:
    """See the module.

    Args:
        me: this side's id and session.
        peer: the peer's, or None for nobody.

    Attributes:
        done: what was asked of the call, but for its heart's beats.
        times: when each of it was.
        beats: when each of the heart's beats was.
        checked: when the link was to be checked.
    """

    def __init__(self, me: str = "b s", peer: str | None = "a s") -> None:
        self.done: list[object] = []
        self.times: list[float] = []
        self.beats: list[float] = []
        self.checked: list[float] = []
        self.signaling_link = cast(Any, Settable(SignalingStatus.CONNECTED))
        self.channel = SimpleNamespace(ready_state=DataChannelState.OPEN)
        self.negotiation = SimpleNamespace(is_final=False)
        connection = SimpleNamespace(negotiation=self.negotiation, restart_ice=lambda: self._note("restart_ice"))
        self.peers = cast(
            Any,
            SimpleNamespace(
                connection=connection, channel=self.channel, give_up=lambda reason: self._note("give up the connection")
            ),
        )
        self.link = cast(Any, SimpleNamespace(is_numbered=True, channel=self.channel, ping=self._beat, goodbye=None))
        self.exchange = Settable(ExchangeState.IDLE)
        self.driver = cast(
            Any,
            SimpleNamespace(
                peer_is_there=True,
                exchanger=self.exchange,
                me=SimpleNamespace(introduction=introduction(me)),
                peer=None if peer is None else introduction(peer),
                check_link=lambda: self.checked.append(now()),
                negotiate=lambda: self._note("negotiate"),
                leave=self._leave,
                end_by_peer=lambda reason, *, for_good: self._note(("end by peer", reason, for_good)),
            ),
        )

    def keep_alive(self) -> None:
        """It is noted with the beat."""

    def recovery_told(self, event: PeerLost | Recovering | Recovered | GaveUp) -> None:
        self._note(event)

    def peer_says_goodbye(self, reason: str, *, failed: bool = False) -> None:
        """What the data channel has brought."""
        self.link.goodbye = StreamGoodbye(reason, failed)

    def when(self, what: object) -> list[float]:
        """At which times that was asked for, or an event of that class told."""
        return [
            at
            for at, one in zip(self.times, self.done, strict=True)
            if one == what or (isinstance(what, type) and isinstance(one, what))
        ]

    def _leave(self, reason: str, code: EndCode | None = None) -> None:
        self._note(("leave", reason, code))

    def _beat(self) -> None:
        self.beats.append(now())

    def _note(self, what: object) -> None:
        self.done.append(what)
        self.times.append(now())


def recoverer_of(call: WatchedCall, policy: RecoveryPolicy | None = None) -> RecoveryDriver:
    """Its recovery; what is drawn at random is the longest."""
    machines = MachineSet("it", generation=0, engine="compiled", journal=None)
    return RecoveryDriver(call, policy or RecoveryPolicy(), machines, uniform=lambda low, high: high)


def now() -> float:
    """The loop's time."""
    return asyncio.get_running_loop().time()
