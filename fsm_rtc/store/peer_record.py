"""PeerRecord: what the snapshot holds of the peer connection.

- `peer_status` follows the present peer connection; what an earlier one still tells is stale.
- What a connection put into the snapshot is cleared when the next one is made; what the user put there stays.
- A connection that is over lets go of the early candidates, which are for the next one, and, unless a
  call over signalling has others after it, of who reads its messages.

While nobody else follows the peer connection it is told itself what that does (`PeerEvents`).
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from fsm_rtc.connection.endpoint import Endpoint
from fsm_rtc.connection.exchange.candidates import EarlyCandidates
from fsm_rtc.connection.options import CallOptions
from fsm_rtc.connection.peer_session import PeerSession
from fsm_rtc.connection.peers import PeerEvents
from fsm_rtc.engine import Accepted, Chart
from fsm_rtc.errors import Reason, Rejected
from fsm_rtc.machines.peer_status import PeerConnectionStatus, PeerStatus
from fsm_rtc.peer.data_channel import DataChannel
from fsm_rtc.peer.description import IceCandidate, SessionDescription
from fsm_rtc.store.snapshot import ConnectionSnapshot
from fsm_rtc.store.subscriptions import Subscriptions

__all__ = ["PeerRecord"]

logger = logging.getLogger("fsm_rtc.store")


class PeerRecord(PeerEvents):
    """See the module.

    Args:
        options: how the peer connections are made.
        subscriptions: holds the snapshot.

    Attributes:
        endpoint: the peer connections, one at a time, and what else outlives a call.
        peer_status: the machine behind `ConnectionSnapshot.peer_connection_status`.
        early: the remote candidates that come before their description.
    """

    def __init__(self, options: CallOptions, subscriptions: Subscriptions) -> None:
        self._subscriptions = subscriptions
        self._of_connection: set[str] = set()
        self.endpoint = Endpoint(options, self, options.label, self)
        self.peer_status = self.endpoint.machines.make(PeerStatus, "peer_status")
        self.peer_status.observe(lambda machine, _: subscriptions.update(peer_connection_status=machine.state))
        self.early = EarlyCandidates(self.endpoint.machines)

    # The fields.

    def set(self, **fields: object) -> None:
        """Change fields that hold what the user said, rather than what the connection did."""
        self._of_connection.difference_update(fields)
        self._subscriptions.update(**fields)

    def set_of_connection(self, **fields: object) -> None:
        """Change fields that hold what the connection did."""
        self._of_connection.update(fields)
        self._subscriptions.update(**fields)

    def clear(self) -> None:
        """Put every field back to its beginning but those that a machine has."""
        initial = ConnectionSnapshot()
        names = ("is_offer_received", "connection_id", "offer", "answer", "remote_public_key", "local_public_key")
        self.set(**{name: getattr(initial, name) for name in (*names, "ice_candidates")})

    # What the peer connections tell (`PeerFollower`).

    def leaving(self, session: PeerSession) -> None:
        """Its late events count no more."""
        self._finish(session)

    def present(self, session: PeerSession | None) -> None:
        """There is another one, or none."""
        with self._subscriptions.together():
            if self.peer_status.permits("close_connection"):
                self.peer_status.close_connection()
            if session is None:
                self._subscriptions.update(peer_connection=None, data_channel=None)
            else:
                self._begin(session)

    def described(self, description: SessionDescription) -> None:
        """This side has made an offer or an answer."""
        self.set_of_connection(**{description.type: description})

    def adopted(self, session: PeerSession, channel: DataChannel) -> None:
        """A data channel was set up."""
        session.listen(channel, "statechange", lambda: self._subscriptions.touch(channel))
        self.set_of_connection(data_channel=channel)

    def _begin(self, session: PeerSession) -> None:
        self.peer_status.generation = self.early.machine.generation = session.generation
        if self._is_alone:
            self.endpoint.messages.forget()
        initial = ConnectionSnapshot()
        cleared = {name: getattr(initial, name) for name in {*self._of_connection, "data_channel"}}
        self._subscriptions.update(peer_connection=session.connection, **cleared)
        self.peer_status.create()
        connection = session.connection
        session.own(connection.negotiation.observe(self._negotiation_moved))
        session.listen(connection, "icecandidate", self.found)
        session.listen(connection, "datachannel", self.set_up)
        session.listen(connection, "connectionstatechange", lambda: self.read_status(session))
        for event in ("iceconnectionstatechange", "icegatheringstatechange", "signalingstatechange"):
            session.listen(connection, event, lambda: self._subscriptions.touch(connection))

    def found(self, candidate: IceCandidate | None) -> None:
        """This side has found a candidate; None when there are no more."""
        known = self._subscriptions.snapshot.ice_candidates
        if self.endpoint.peers.session is not None and candidate is not None and candidate not in known:
            self.set_of_connection(ice_candidates=(*known, candidate))

    def _negotiation_moved(self, _: Chart[Any, Any], outcome: Accepted | Rejected) -> None:
        if isinstance(outcome, Accepted) and outcome.trigger == "set_remote_offer":
            self.set_of_connection(is_offer_received=True)

    def read_status(self, session: PeerSession | None) -> None:
        """Report a connection's state; if the table doesn't expect it, read it once more in the next turn."""
        if session is None:
            self.peer_status.report("unknown")
            return
        outcome = self.peer_status.report(session.connection.connection_state.value, generation=session.generation)
        if isinstance(outcome, Rejected) and outcome.reason in (Reason.NO_ROW, Reason.GUARD):
            asyncio.get_running_loop().call_soon(self._read_status_again, session)
        if session.connection.negotiation.is_final:
            self._finish(session)

    def _read_status_again(self, session: PeerSession) -> None:
        state = PeerConnectionStatus(session.connection.connection_state.value)
        if session.life.permits("use") and state != self.peer_status.state:
            outcome = self.peer_status.fire("on_desync", state, generation=session.generation)
            for request in outcome.effects if isinstance(outcome, Accepted) else ():
                logger.warning("%s: %s", self.endpoint.machines.label_of(self.peer_status), request)

    def _finish(self, session: PeerSession) -> None:
        if session.life.finish():
            self.early.reset()
            if self._is_alone:
                self.endpoint.messages.end()

    # Who follows the peer connection by hand (`PeerEvents`).

    @property
    def _is_alone(self) -> bool:
        """Whether no call over signalling follows the peer connection."""
        return self.endpoint.peers.events is self

    def set_up(self, channel: DataChannel) -> None:
        """Hear a data channel's messages and states."""
        peers = self.endpoint.peers
        session = peers.session
        with self._subscriptions.together():
            if session is not None and session.add_channel(channel):
                self.adopted(session, channel)
                session.listen(channel, "message", self.endpoint.messages.received)
            self.set_of_connection(data_channel=channel)
        if self._is_alone:
            peers.channel = channel

    def message_received(self, message: str | bytes) -> None:
        """A message came on the data channel."""
        self.endpoint.messages.received(message)
