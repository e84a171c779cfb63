"""The servers of a peer connection while it lives: what the signalling offers anew is used, before the old ends.

A relay that carries the call is bound to the credentials that it was made with, so ICE is restarted for new ones; the
old relay carries the call until the new one does. See `RelayCredentials`.
"""

from __future__ import annotations

import logging

from fsm_rtc.engine import Accepted
from fsm_rtc.machines.relay_credentials import RelayCredentials, ReplaceRelay
from fsm_rtc.peer.configuration import Configuration
from fsm_rtc.peer.machine_set import MachineSet
from fsm_rtc.peer.peer_connection import PeerConnection

__all__ = ["Relaying"]

logger = logging.getLogger("fsm_rtc.connection")


class Relaying:
    """Keeps the present peer connection's servers up to date.

    Args:
        machines: makes its machine.

    Attributes:
        credentials: the machine.
    """

    def __init__(self, machines: MachineSet) -> None:
        self.credentials = machines.make(RelayCredentials, "relay_credentials")

    def replaced(self) -> None:
        """There is another peer connection, made with the newest servers."""
        self.credentials.on_peer_connection()

    def agreed(self) -> None:
        """Both sides' descriptions are in force."""
        self.credentials.on_agreed()

    def offered(self, connection: PeerConnection | None, configuration: Configuration, *, are_due: bool) -> None:
        """The signalling offers other servers.

        Args:
            connection: the present peer connection, or None.
            configuration: its own, with these servers.
            are_due: whether what was offered before ends soon, so that a relay is asked for anew.
        """
        if connection is None or connection.negotiation.is_final:
            return
        try:
            connection.set_configuration(configuration)
        except ValueError as error:
            logger.warning("the signalling's new servers can't be used, the call keeps those before: %s", error)
            return
        if not are_due:
            return
        outcome = self.credentials.on_credentials(connection)
        for request in outcome.effects if isinstance(outcome, Accepted) else ():
            match request:
                case ReplaceRelay():
                    connection.restart_ice()
