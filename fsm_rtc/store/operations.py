"""The documented operations of negotiation: offers, answers and candidates, each in the lane of its connection."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import cast

from fsm_rtc.connection.peers import SECURE_CHANNEL, expects_channel
from fsm_rtc.connection.session import Session
from fsm_rtc.errors import InvalidStateError
from fsm_rtc.machines.candidates import ApplyCandidate
from fsm_rtc.peer.description import IceCandidate, SessionDescription
from fsm_rtc.store.lifecycle import Lifecycle
from fsm_rtc.store.setters import ANSWERS, OFFERS, as_description

__all__ = ["SECURE_CHANNEL", "Operations"]

logger = logging.getLogger("fsm_rtc.store")


class Operations(Lifecycle):
    """Negotiation by hand; see `ConnectionStore`."""

    async def create_offer(self) -> SessionDescription:
        """The offer to send, with this side's candidates; it has been applied and stored.

        Makes the peer connection if there is none, and the data channel ``secure-channel``; receives audio and video.

        Raises:
            InvalidStateError: the table doesn't permit an offer now, the connection was closed meanwhile, or the store
                negotiates by signalling (`connect`).
            NoUsableAddressError: the host has no address to be reached at.
            OperationError: the library failed.
        """
        self._demand_by_hand("create_offer")
        return await self._in_lane("create_offer", self._make_offer)

    async def process_offer(self, offer: SessionDescription | Mapping[str, object]) -> SessionDescription:
        """The answer to send, with this side's candidates; offer and answer have been applied, the answer stored.

        Makes the peer connection if there is none.

        Raises:
            InvalidDescriptionError: it is no usable offer.
            InvalidStateError: the table doesn't permit it now, or the connection was closed meanwhile.
            OperationError: the library failed.
        """
        self._demand_by_hand("process_offer")
        with self._errors.storing("process_offer"):
            remote = as_description(offer, OFFERS)
        return await self._in_lane("process_offer", lambda session: self._make_answer(session, remote))

    async def process_answer(self, answer: SessionDescription | Mapping[str, object]) -> None:
        """Apply the other side's answer.

        Raises:
            InvalidDescriptionError: it is no usable answer.
            InvalidStateError: no offer waits for an answer, or the connection was closed meanwhile.
            OperationError: the library failed.
        """
        self._demand_by_hand("process_answer")
        await self._process_answer(answer)

    async def _process_answer(self, answer: SessionDescription | Mapping[str, object]) -> None:
        with self._errors.storing("process_answer"):
            remote = as_description(answer, ANSWERS)
            session = self._demand_session("process_answer")
        await self._in_lane("process_answer", lambda session: self._set_remote(session, remote), session)

    async def add_ice_candidate(self, candidate: IceCandidate | Mapping[str, object] | None) -> None:
        """Use a candidate of the other side; None says that there are no more.

        One that comes before the other side's description is kept (up to 256) and applied right after it; if that
        fails, the error is in the snapshot.

        Raises:
            InvalidCandidateError: it is no candidate.
            TypeError: it names neither a media section's mid nor its index.
            OperationError: the remote description has no such section, too many are kept, or the library failed.
            Rejected: the other side had said that there are no more.
            InvalidStateError: the connection was closed meanwhile.
        """
        self._demand_by_hand("add_ice_candidate")
        await self._add_candidate(candidate)

    async def _add_candidate(self, candidate: IceCandidate | Mapping[str, object] | None) -> None:
        with self._errors.storing("add_ice_candidate"):
            requests = self._early.take(_as_candidate(candidate))
            session = self._demand_session("add_ice_candidate") if requests else None

        async def apply(session: Session) -> None:
            for request in requests:
                await self._apply(session, request)

        if session is not None:
            await self._in_lane("add_ice_candidate", apply, session)

    def _demand_by_hand(self, operation: str) -> None:
        """Refuse what the signalling does."""
        with self._errors.storing(operation):
            if self._driver is not None:
                raise InvalidStateError(
                    f"{operation}: this store negotiates by its signalling; negotiate(), or close_connection() first"
                )

    # The operations, as they run in the lane.

    async def _make_offer(self, session: Session) -> SessionDescription:
        connection = session.connection
        channel = self._subscriptions.snapshot.data_channel
        if channel.machine.is_final if channel is not None else not expects_channel(connection):
            self.setup_data_channel(connection.create_data_channel(SECURE_CHANNEL))
        connection.receive("audio", "video")
        await connection.set_local_description(await connection.create_offer())
        offer = session.applied_description()
        self._set_of_connection(offer=offer)
        return offer

    async def _make_answer(self, session: Session, offer: SessionDescription) -> SessionDescription:
        await self._set_remote(session, offer)
        return await self._answer(session)

    async def _answer(self, session: Session) -> SessionDescription:
        connection = session.connection
        await connection.set_local_description(await connection.create_answer())
        answer = session.applied_description()
        self._set_of_connection(answer=answer)
        return answer

    async def _set_remote(self, session: Session, description: SessionDescription) -> None:
        """Apply the other side's description, and then the candidates that came before it."""
        await session.connection.set_remote_description(description)
        session.demand()
        for request in self._early.remote_description_set(description):
            try:
                with self._errors.storing("add_ice_candidate", session):
                    await self._apply(session, request)
            except Exception as error:
                logger.warning("an early candidate failed: %s", error)
        session.demand()

    async def _apply(self, session: Session, request: ApplyCandidate) -> None:
        await session.connection.add_ice_candidate(cast("IceCandidate | None", request.candidate))


def _as_candidate(candidate: IceCandidate | Mapping[str, object] | None) -> IceCandidate | None:
    if candidate is None:
        return None
    parsed = candidate if isinstance(candidate, IceCandidate) else IceCandidate.from_dict(candidate)
    if parsed.candidate and parsed.sdp_mid is None and parsed.sdp_m_line_index is None:
        raise TypeError("a candidate needs sdpMid or sdpMLineIndex; pass the other side's candidate whole")
    return parsed
