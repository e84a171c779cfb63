"""Offers of an aiortc connection that can be taken back. The numbers are those of the facts measured on aiortc 1.16.0.

aiortc accepts a rollback and doesn't do it (2). So once a first negotiation is complete, an offer of this side is held
back from aiortc until its answer comes (30): to take it back is to forget it, and the live connection never knew of it.
Nothing is lost by that: its one transport has gathered already, so the offer has its candidates as it was created.
The first offer of a connection can't be held back, since aiortc gathers when it is given one.
"""

from __future__ import annotations

from typing import Any

import aiortc

from fsm_rtc.errors import OperationError
from fsm_rtc.peer.aiortc_private import create_offer_without_trace, number_lines
from fsm_rtc.peer.description import SessionDescription
from fsm_rtc.peer.sdp import sections_of

__all__ = ["AiortcOffers"]


class AiortcOffers:
    """The offer that was created last, and the one that is held back.

    Args:
        connection: an aiortc RTCPeerConnection.
    """

    def __init__(self, connection: aiortc.RTCPeerConnection) -> None:
        self._connection = connection
        self._lines: tuple[tuple[Any, int], ...] = ()
        self._held: SessionDescription | None = None

    @property
    def holds(self) -> bool:
        """Whether there is an offer that aiortc wasn't given yet."""
        return self._held is not None

    def can_roll_back(self) -> bool:
        """Whether this side's offer can be taken back: it is held back, or would be."""
        return self.holds or self._has_negotiated()

    async def create(self) -> SessionDescription:
        """An offer; aiortc stays as if it had not been asked."""
        description, self._lines = await create_offer_without_trace(self._connection)
        return SessionDescription("offer", description.sdp)

    def hold(self, offer: SessionDescription) -> bool:
        """Keep the offer from aiortc; False if it must be given to it."""
        if not self.can_roll_back():
            return False
        self._held = offer
        return True

    def forget(self) -> None:
        """Take the offer back."""
        self._held = None

    async def give(self, offer: SessionDescription) -> None:
        """Let aiortc apply the offer that was created last."""
        number_lines(self._lines)
        await self._connection.setLocalDescription(aiortc.RTCSessionDescription(offer.sdp, "offer"))

    async def give_held(self) -> None:
        """Let aiortc apply the offer that was held back."""
        if self._held is not None:
            held, self._held = self._held, None
            await self.give(held)

    def check_answer(self, answer: SessionDescription) -> None:
        """Refuse what aiortc would refuse, while the offer can still be taken back.

        Raises:
            OperationError: the answer's media sections are not those of the offer that is held back.
        """
        if self._held is None:
            return
        offered, answered = (
            [(section.kind, section.mid) for section in sections_of(description.sdp)]
            for description in (self._held, answer)
        )
        if offered != answered:
            raise OperationError(
                "this answer's media sections are not those of the offer; it answers another one: drop it, "
                "and wait for the answer to this offer"
            )

    def _has_negotiated(self) -> bool:
        connection = self._connection
        described = None not in (connection.localDescription, connection.remoteDescription)
        return described and connection.signalingState == "stable"
