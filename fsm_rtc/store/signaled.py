"""A store whose descriptions and candidates go over signalling, instead of through its user's hands."""

from __future__ import annotations

import logging

from fsm_rtc.connection.channel import IceServersChanged, LinkDown, LinkUp, SignalingChannel
from fsm_rtc.connection.driver import SignalingDriver
from fsm_rtc.connection.given import check_channel
from fsm_rtc.connection.peers import ROLLBACK
from fsm_rtc.connection.session import Session
from fsm_rtc.engine.own_thread import on_own_thread
from fsm_rtc.errors import ConnectionFailedError, InvalidStateError, OperationError, Rejected
from fsm_rtc.messages import Identity, Introduction
from fsm_rtc.messages.trust import Trust
from fsm_rtc.peer.description import IceCandidate, SessionDescription
from fsm_rtc.peer.sdp import fingerprints_of
from fsm_rtc.store.operations import Operations

__all__ = ["Signaled"]

logger = logging.getLogger("fsm_rtc.store")

SIGNALING = "signaling"


class Signaled(Operations):
    """Negotiation by signalling; see `ConnectionStore`."""

    async def connect(
        self,
        channel: SignalingChannel,
        identity: Identity | None = None,
        *,
        name: str = "",
        trust: Trust | None = None,
    ) -> None:
        """Let a signalling channel find the other side, and negotiate with it until `close_connection` or `reset`.

        ``signaling_status`` follows the channel's link; ``local_public_key``, ``remote_public_key`` and
        ``connection_id`` (this side's session) are filled. Returns when the channel has been opened; await
        `wait_for_connected` for the call.

        Args:
            channel: what carries the messages.
            identity: this side's key; None for a channel that is trusted: then nothing is signed or verified.
            name: how this side calls itself.
            trust: whom it talks to; whoever comes first under a name, if None.

        Raises:
            TypeError: the channel is none.
            InvalidStateError: the store is connected already, or has a connection that was made by hand.
        """
        check_channel(channel)
        with self._errors.operation("connect"):
            if self._driver is not None or self._session is not None:
                raise InvalidStateError("connect: this store has a connection already; close_connection() first")
            driver = self._driver = SignalingDriver(
                channel,
                _Negotiating(self),
                self,
                machines=self._machines,
                identity=identity,
                name=name,
                trust=trust,
            )
            with self._subscriptions.together():
                self._set(connection_id=driver.me.introduction.session)
                if identity is not None:
                    self._set(local_public_key=identity.public_key)
            try:
                await driver.start()
            except BaseException:
                await self._disconnect("opening the channel failed")
                raise

    @on_own_thread
    def negotiate(self) -> None:
        """Make a new offer over the signalling: now, or when the present exchange is settled.

        Raises:
            InvalidStateError: the store isn't connected by signalling.
        """
        with self._errors.operation("negotiate"):
            if self._driver is None:
                raise InvalidStateError("negotiate: connect(channel) first, or make offers by hand")
            self._driver.negotiate()

    async def close_connection(self) -> None:
        """Close the peer connection and wait until nothing of it is left; without one there is nothing to do.

        The status is ``Disconnected`` at once. Offer, answer and candidates stay until the next connection. A store
        that is connected by signalling says goodbye and leaves it.
        """
        await self._disconnect("closed")
        await super().close_connection()

    async def reset(self) -> None:
        """Close the peer connection, leave the signalling, and put every field back to its beginning.

        The state is reset at once; the call returns when nothing of the connection is left.
        """
        driver, self._driver = self._driver, None
        self._offered_servers = ()
        try:
            await super().reset()
        finally:
            if driver is not None:
                await driver.aclose("reset")

    async def _disconnect(self, reason: str) -> None:
        driver, self._driver = self._driver, None
        if driver is not None:
            try:
                await driver.aclose(reason)
            finally:
                if self.signaling_link.permits("on_disconnected"):
                    self.signaling_link.on_disconnected()

    # What the signalling tells. Nothing of this raises.

    def link_changed(self, event: LinkUp | LinkDown) -> None:
        """The channel's link is up or down; an error is stored until it is up again."""
        with self._subscriptions.together():
            if isinstance(event, LinkUp):
                self._use_servers(event.ice_servers, are_due=not event.resumed)
                self.signaling_link.fire("on_connected")
                self._errors.clear(SIGNALING)
            elif event.error is not None:
                self.signaling_link.fire("on_error")
                self._errors.put(event.error, SIGNALING)
            else:
                self.signaling_link.fire("on_disconnected")

    def ice_servers_changed(self, event: IceServersChanged) -> None:
        """The credentials that the signalling told end soon: these instead."""
        self._use_servers(event.ice_servers, are_due=True)

    def peer_joined(self, peer: Introduction) -> None:
        """Somebody to talk to is there."""
        with self._subscriptions.together():
            self._errors.clear(SIGNALING)
            self._set(remote_public_key=peer.public_key or None)

    def peer_refused(self, peer: Introduction, rejected: Rejected) -> None:
        """Somebody joined who isn't talked to; that is stored until somebody else joins."""
        self._errors.put(rejected, SIGNALING)

    def peer_busy(self, peer: Introduction) -> None:
        """The peer is in a call with somebody else, and calls when that is over."""
        self._errors.put(
            OperationError("the other side is in a call with somebody else; wait, or use another room"), SIGNALING
        )

    def peer_left(self, peer: Introduction) -> None:
        """The peer left the signalling; the call goes on."""

    def settled(self, offer_id: str) -> None:
        """Both sides agree."""
        self._relaying.agreed()

    def failed(self, error: Exception) -> None:
        """An operation failed; the exchange has ended."""
        self._errors.put(error, SIGNALING)

    def will_retry(self, error: Exception) -> bool:
        """A store doesn't recover by itself."""
        return False

    def attempt_failed(self, error: Exception) -> None:
        """It makes none."""

    def peer_wants_nothing(self, peer: Introduction) -> None:
        """The peer has said goodbye, when the exchange was over already; nothing is kept for it here."""

    def ended(self, reason: str, by_peer: bool, for_good: bool) -> None:
        """The exchange is over, and with it the peer connection; a new session of the peer may begin another."""
        with self._subscriptions.together():
            if self._driver is not None:
                self._leave(f"the call ended: {reason}")
                if not by_peer and self._subscriptions.snapshot.error is None:
                    self._errors.put(ConnectionFailedError(reason), SIGNALING)


class _Negotiating:
    """The store as the exchange uses it: a `NegotiatingPeer`."""

    def __init__(self, store: Signaled) -> None:
        self._store = store

    async def begin(self) -> None:
        self._store._leave("the other side began anew")

    async def make_offer(self) -> SessionDescription:
        return await self._store._in_lane("create_offer", self._store._make_offer)

    async def yield_offer(self) -> None:
        store = self._store
        session = store._session
        if session is not None and session.connection.can_roll_back:
            await store._in_lane("create_offer", _roll_back, session)
        else:
            store.create_peer_connection()

    async def apply_offer(self, offer: SessionDescription) -> None:
        store = self._store
        before = store._session.connection.remote_description if store._session is not None else None
        if before is not None and fingerprints_of(before).isdisjoint(fingerprints_of(offer)):
            store.create_peer_connection()
        await store._in_lane("process_offer", lambda session: store._set_remote(session, offer))

    async def make_answer(self) -> SessionDescription:
        return await self._store._in_lane("process_offer", self._store._answer)

    async def apply_answer(self, answer: SessionDescription) -> None:
        await self._store._process_answer(answer)

    async def add_candidate(self, candidate: IceCandidate | None) -> None:
        await self._store._add_candidate(candidate)

    def needs_negotiation(self) -> bool:
        session = self._store._session
        return session is not None and session.connection.negotiation_needed


async def _roll_back(session: Session) -> None:
    await session.connection.set_local_description(ROLLBACK)
