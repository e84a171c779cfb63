"""NegotiationByHand: the documented operations of negotiation, one at a time and in order.

They are those of the call's `ReplaceablePeer`, each in the lane of the peer connection that was there when it was asked
for. A caller who is cancelled leaves an operation that has begun to be carried to its end; one that waits never begins.
When the peer connection is given up (closed, reset, replaced by the user) its operations end with InvalidStateError:
what still runs of them looks, after each step, whether it counts, and touches no later peer connection.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

from fsm_rtc.connection.peer_session import PeerSession
from fsm_rtc.errors import InvalidStateError
from fsm_rtc.machines.candidates import ApplyCandidate
from fsm_rtc.peer.description import IceCandidate, SessionDescription
from fsm_rtc.store.error_field import ErrorField
from fsm_rtc.store.peer_record import PeerRecord

__all__ = ["NegotiationByHand"]

logger = logging.getLogger("fsm_rtc.store")

T = TypeVar("T")

Counts = Callable[[], bool]
"""Whether an operation still counts."""


class NegotiationByHand:
    """See the module.

    Args:
        record: the peer connections, and what the snapshot holds of them.
        errors: where what fails is stored.
    """

    def __init__(self, record: PeerRecord, errors: ErrorField) -> None:
        self._early = record.early
        self._peers = record.endpoint.peers
        self._errors = errors

    async def make_offer(self) -> SessionDescription:
        """This side's offer, applied; makes the peer connection if there is none."""
        return await self._in_lane("create_offer", lambda _: self._peers.make_offer())

    async def answer(self, offer: SessionDescription) -> SessionDescription:
        """The answer to the other side's offer; both applied. Makes the peer connection if there is none."""

        async def answer(counts: Counts) -> SessionDescription:
            await self._peers.apply_offer(offer)
            await self._apply_early(offer, counts)
            return await self._peers.make_answer()

        return await self._in_lane("process_offer", answer)

    async def apply_answer(self, answer: SessionDescription) -> None:
        """Apply the other side's answer."""

        async def apply(counts: Counts) -> None:
            await self._peers.apply_answer(answer)
            if self._peers.wants_offer:
                raise InvalidStateError(
                    "process_answer: it is no answer for this peer connection, since a side has begun anew; another "
                    "peer connection has taken its place: create_offer() again"
                )
            await self._apply_early(answer, counts)

        await self._in_lane("process_answer", apply, self.demand("process_answer"))

    async def add_candidate(self, candidate: IceCandidate | None) -> None:
        """Use a candidate of the other side, or keep it until its description has come."""
        with self._errors.storing("add_ice_candidate"):
            requests = self._early.take(candidate)

        async def apply(_: Counts) -> None:
            for request in requests:
                await self._apply(request)

        if requests:
            await self._in_lane("add_ice_candidate", apply, self.demand("add_ice_candidate"))

    def demand(self, operation: str) -> PeerSession:
        """The present peer connection.

        Raises:
            InvalidStateError: there is none.
        """
        with self._errors.storing(operation):
            if (session := self._peers.session) is None:
                raise InvalidStateError(f"{operation}: there is no peer connection; create or process an offer first")
            return session

    async def _in_lane(
        self, name: str, operation: Callable[[Counts], Awaitable[T]], session: PeerSession | None = None
    ) -> T:
        """The result of an operation on the present peer connection, once its turn has come and it is done."""
        with self._errors.storing(name):
            lane = (session or self._peers.to_go_on_with()).lane

        def counts() -> bool:
            return self._peers.session is not None and self._peers.session.lane is lane

        async def run() -> T:
            with self._errors.operation(name, counts):
                return await operation(counts)

        return await lane.run(run)

    async def _apply_early(self, description: SessionDescription, counts: Counts) -> None:
        """The description is applied: now the candidates that came before it."""
        for request in self._early.remote_description_set(description) if counts() else ():
            try:
                with self._errors.storing("add_ice_candidate", counts):
                    await self._apply(request)
            except Exception as error:
                logger.warning("an early candidate failed: %s", error)
            if not counts():
                break
        if not counts():
            raise InvalidStateError("the peer connection was given up during this operation")

    async def _apply(self, request: ApplyCandidate) -> None:
        await self._peers.add_candidate(cast("IceCandidate | None", request.candidate))
