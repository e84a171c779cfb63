"""The life of a store's peer connections: made, listened to, replaced, closed; and what they tell.

There is one connection at a time. The next one gets the next generation; what an earlier one still tells is stale.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from fsm_rtc.connection.candidates import EarlyCandidates
from fsm_rtc.connection.driver import SignalingDriver
from fsm_rtc.connection.messages import Messages
from fsm_rtc.connection.peers import PeerConnectionFactory
from fsm_rtc.connection.relaying import Relaying
from fsm_rtc.connection.session import Session
from fsm_rtc.connection.tracks import Tracks
from fsm_rtc.engine import Accepted, Chart, Journal
from fsm_rtc.engine.own_thread import OwnThread, on_own_thread
from fsm_rtc.errors import InvalidStateError, Reason, Rejected
from fsm_rtc.machines.negotiation import SignalingState
from fsm_rtc.machines.peer_status import PeerConnectionStatus, PeerStatus
from fsm_rtc.machines.signaling_link import SignalingLink
from fsm_rtc.peer.configuration import Configuration, IceServer
from fsm_rtc.peer.data_channel import DataChannel
from fsm_rtc.peer.description import IceCandidate
from fsm_rtc.peer.machine_set import MachineSet
from fsm_rtc.peer.peer_connection import PeerConnection
from fsm_rtc.store.error_field import ErrorField
from fsm_rtc.store.setters import Setters
from fsm_rtc.store.snapshot import ConnectionSnapshot
from fsm_rtc.store.subscriptions import Subscriptions

__all__ = ["DEFAULT_CONFIGURATION", "Lifecycle"]

logger = logging.getLogger("fsm_rtc.store")

T = TypeVar("T")

DEFAULT_CONFIGURATION = Configuration(
    ice_servers=(IceServer("stun:stun.l.google.com:19302"),), gather_timeout_seconds=2.0
)
"""The documented STUN server; gathering is bounded, so that a dead server costs two seconds and not ten."""


class Lifecycle(Setters):
    """A store's peer connections, one at a time; see `ConnectionStore`."""

    def __init__(
        self,
        configuration: Configuration | None = None,
        *,
        peer_connection_factory: PeerConnectionFactory = PeerConnection,
        engine: str = "compiled",
        journal: Journal | None = None,
        label: str = "store",
    ) -> None:
        self.configuration = configuration or DEFAULT_CONFIGURATION
        self._offered_servers: tuple[IceServer, ...] = ()
        self._factory = peer_connection_factory
        self._engine = engine
        self._journal = journal
        self._label = label
        self._own_thread = OwnThread()
        self._subscriptions = Subscriptions()
        self._errors = ErrorField(self._subscriptions)
        self._messages = Messages()
        self._tracks = Tracks()
        self._machines = MachineSet(label, generation=0, engine=engine, journal=journal)
        self.signaling_link = self._machines.make(SignalingLink, "signaling_link")
        self.signaling_link.observe(lambda machine, _: self._subscriptions.update(signaling_status=machine.state))
        self.peer_status = self._machines.make(PeerStatus, "peer_status")
        self._relaying = Relaying(self._machines)
        self.peer_status.observe(lambda machine, _: self._subscriptions.update(peer_connection_status=machine.state))
        self._early = EarlyCandidates(self._machines)
        self.candidates = self._early.machine
        self._session: Session | None = None
        self._driver: SignalingDriver | None = None
        self._generation = 0
        self._closings: set[asyncio.Task[None]] = set()
        self._of_connection: set[str] = set()

    @on_own_thread
    def create_peer_connection(self) -> PeerConnection:
        """A new peer connection. An earlier one is closed; what the snapshot holds of it is cleared.

        Must be called while the event loop runs.
        """
        with self._errors.operation("create_peer_connection"), self._subscriptions.together():
            return self._open().connection

    async def close_connection(self) -> None:
        """Close the peer connection and wait until nothing of it is left; without one there is nothing to do.

        The status is ``Disconnected`` at once. Offer, answer and candidates stay until the next connection.
        """
        with self._errors.operation("close_connection"):
            self._leave("the connection was closed during this operation; create or process an offer to begin again")
        await self._closed()

    async def reset(self) -> None:
        """Close the peer connection, and put every field back to its beginning.

        The state is reset at once; the call returns when nothing of the connection is left.
        """
        with self._subscriptions.together():
            self._leave("the store was reset during this operation", trigger="reset")
            self._early.reset()
            self._messages.forget()
            self._tracks.forget()
            if self.signaling_link.permits("reset"):
                self.signaling_link.reset()
            self._errors.put(None)
            initial = ConnectionSnapshot()
            self._set(
                is_offer_received=False,
                connection_id=None,
                offer=None,
                answer=None,
                remote_public_key=None,
                local_public_key=None,
                ice_candidates=initial.ice_candidates,
            )
        await self._closed()

    def setup_data_channel(self, channel: DataChannel) -> None:
        """Make `channel` the store's: its messages and states are heard here.

        Raises:
            InvalidStateError: there is no peer connection.
            TypeError: it is no DataChannel.
        """
        with self._errors.operation("setup_data_channel"):
            if not isinstance(channel, DataChannel):
                raise TypeError(f"a DataChannel is set up here, not {channel!r}; make one with create_data_channel")
            session = self._demand_session("setup_data_channel")
            with self._subscriptions.together():
                self._set_of_connection(data_channel=channel)
                is_new = session.add_channel(channel)
            if is_new:
                session.listen(channel, "statechange", lambda: self._subscriptions.touch(channel))
                session.listen(channel, "message", self._messages.received)

    # What the peer connection tells. Handlers never raise.

    def handle_ice_candidate(self, candidate: IceCandidate | None) -> None:
        """This side has found a candidate; None when there are no more."""
        known = self._subscriptions.snapshot.ice_candidates
        if self._session is not None and candidate is not None and candidate not in known:
            self._set_of_connection(ice_candidates=(*known, candidate))
        if self._driver is not None:
            self._driver.candidate_found(candidate)

    def handle_connection_state_change(self) -> None:
        """The peer connection's state has changed; without one, the report ``unknown`` is rejected."""
        session = self._session
        if session is None:
            self.peer_status.report("unknown")
        else:
            self._read_status(session)

    def handle_ice_connection_state_change(self) -> None:
        """A state of the peer connection that is no field of its own has changed; subscribers are told."""
        if self._session is not None:
            self._subscriptions.touch(self._session.connection)

    def handle_data_channel(self, channel: DataChannel) -> None:
        """The other side made a data channel."""
        if self._session is not None:
            self.setup_data_channel(channel)

    def _read_status(self, session: Session) -> None:
        """Report the connection's state; if the table doesn't expect it, read it once more in the next turn."""
        outcome = self.peer_status.report(session.connection.connection_state.value, generation=session.generation)
        if isinstance(outcome, Rejected) and outcome.reason in (Reason.NO_ROW, Reason.GUARD):
            asyncio.get_running_loop().call_soon(self._read_status_again, session)
        if session.connection.negotiation.is_final:
            self._finish(session)
            if self._driver is not None:
                self._driver.leave("the connection was lost: the other side is gone")

    def _read_status_again(self, session: Session) -> None:
        state = PeerConnectionStatus(session.connection.connection_state.value)
        if not session.is_over and state != self.peer_status.state:
            outcome = self.peer_status.fire("on_desync", state, generation=session.generation)
            for request in outcome.effects if isinstance(outcome, Accepted) else ():
                logger.warning("%s: %s", self._machines.label_of(self.peer_status), request)

    def _negotiation_moved(self, _: Chart[Any, Any], outcome: Accepted | Rejected) -> None:
        if isinstance(outcome, Accepted) and outcome.target is SignalingState.HAVE_REMOTE_OFFER:
            self._set_of_connection(is_offer_received=True)

    def _negotiation_needed(self) -> None:
        if self._driver is not None:
            self._driver.negotiate_if_needed()

    def _use_servers(self, servers: tuple[IceServer, ...], *, are_due: bool) -> None:
        """Use these of the signalling's; if what it told before ends soon, a relay is asked for anew."""
        self._offered_servers = servers
        connection = self._session.connection if self._session is not None else None
        self._relaying.offered(connection, self.configuration.with_servers(servers), are_due=are_due)

    # The life of a session.

    def _open(self) -> Session:
        """Make a connection; only when that has worked is the earlier one given up."""
        generation = self._generation + 1
        connection = self._factory(
            self.configuration.with_servers(self._offered_servers),
            engine=self._engine,
            journal=self._journal,
            label=self._label if generation == 1 else f"{self._label}.{generation}",
            generation=generation,
        )
        session = Session(connection, generation)
        try:
            for track in self._tracks.to_send():
                connection.add_track(track)
        except BaseException:
            self._close_later(session)
            raise
        self._leave("the connection was replaced during this operation")
        self._begin(session)
        return session

    def _begin(self, session: Session) -> None:
        self._generation = self.peer_status.generation = self.candidates.generation = session.generation
        self._session = session
        self._messages.forget()
        self._tracks.forget_remote()
        initial = ConnectionSnapshot()
        self._subscriptions.update(
            peer_connection=session.connection, **{name: getattr(initial, name) for name in self._of_connection}
        )
        self.peer_status.create()
        self._relaying.replaced()
        connection = session.connection
        session.own(connection.negotiation.observe(self._negotiation_moved))
        session.listen(connection, "icecandidate", self.handle_ice_candidate)
        session.listen(connection, "connectionstatechange", lambda: self._read_status(session))
        for event in ("iceconnectionstatechange", "icegatheringstatechange", "signalingstatechange"):
            session.listen(connection, event, self.handle_ice_connection_state_change)
        session.listen(connection, "negotiationneeded", self._negotiation_needed)
        session.listen(connection, "datachannel", self.handle_data_channel)
        session.listen(connection, "track", lambda event: self._tracks.came(event.track))

    def _demand_session(self, operation: str) -> Session:
        if self._session is None:
            raise InvalidStateError(f"{operation}: there is no peer connection; create or process an offer first")
        return self._session

    def _present_session(self) -> Session:
        """The session to go on with; a new one if there is none, or if the library closed it by itself."""
        if self._session is None or self._session.connection.negotiation.is_final:
            with self._subscriptions.together():
                return self._open()
        return self._session

    async def _in_lane(
        self, name: str, operation: Callable[[Session], Awaitable[T]], session: Session | None = None
    ) -> T:
        """The result of an operation on the present connection, once its turn has come and it is done."""
        with self._errors.storing(name):
            chosen = session or self._present_session()

        async def run() -> T:
            with self._errors.operation(name, chosen):
                return await operation(chosen)

        return await chosen.lane.run(run)

    def _leave(self, reason: str, trigger: str = "close_connection") -> None:
        session = self._session
        if session is None:
            return
        asyncio.get_running_loop()  # raises before anything has changed
        with self._subscriptions.together():
            self._session = None
            session.give_up(reason)
            self._finish(session)
            self.peer_status.fire(trigger)
            self._subscriptions.update(peer_connection=None, data_channel=None)
        self._close_later(session)

    def _finish(self, session: Session) -> None:
        """The connection is closed, by us or by the library: readers end, candidates are for the next one."""
        if not session.is_finished:
            session.is_finished = True
            self._early.reset()
            self._messages.end()

    def _close_later(self, session: Session) -> None:
        closing = asyncio.create_task(session.close(), name=f"fsm_rtc close {session.connection.label}")
        self._closings.add(closing)
        closing.add_done_callback(self._closings.discard)

    async def _closed(self) -> None:
        """Wait until nothing is left of the connections that were given up; a cancelled caller leaves that to go on."""
        while self._closings:
            await asyncio.wait(set(self._closings))

    def _set(self, **fields: object) -> None:
        self._of_connection.difference_update(fields)
        self._subscriptions.update(**fields)

    def _set_of_connection(self, **fields: object) -> None:
        self._of_connection.update(fields)
        self._subscriptions.update(**fields)
