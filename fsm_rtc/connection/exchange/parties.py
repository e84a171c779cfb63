"""Whom a signalling driver works with: the peer connection's side, and who wants to know what becomes of the call."""

from __future__ import annotations

from typing import Protocol

from fsm_rtc.connection.channel import IceServersChanged, LinkDown, LinkUp
from fsm_rtc.connection.exchange.requests import ExchangeEnded
from fsm_rtc.errors import Rejected
from fsm_rtc.messages import Introduction
from fsm_rtc.peer.description import IceCandidate, SessionDescription

__all__ = ["NegotiatingPeer", "SignalingObserver"]


class NegotiatingPeer(Protocol):
    """What an exchange does with a peer connection; one call at a time."""

    async def begin(self) -> None:
        """A new session of the peer: what there was with an earlier one is over."""

    async def make_offer(self) -> SessionDescription:
        """This side's offer, applied, with the candidates that are known."""

    async def yield_offer(self) -> None:
        """Take the offer back; where the library can't, by a new peer connection."""

    async def apply_offer(self, offer: SessionDescription) -> None: ...
    async def make_answer(self) -> SessionDescription:
        """The answer, applied, with the candidates that are known."""

    async def apply_answer(self, answer: SessionDescription) -> None: ...
    async def add_candidate(self, candidate: IceCandidate | None) -> None: ...
    def needs_negotiation(self) -> bool:
        """Whether something was added that the descriptions don't hold."""


class SignalingObserver(Protocol):
    """Who wants to know. None of these may raise."""

    def link_changed(self, event: LinkUp | LinkDown) -> None: ...
    def ice_servers_changed(self, event: IceServersChanged) -> None:
        """The signalling offers other servers, for what it told of ends soon."""

    def peer_joined(self, peer: Introduction) -> None: ...
    def peer_back(self, peer: Introduction) -> bool:
        """The peer of before is there again; whether the call of an earlier run goes on with it, by a new offer."""

    def peer_refused(self, peer: Introduction, rejected: Rejected) -> None:
        """Somebody is not talked to."""

    def peer_left(self, peer: Introduction) -> None: ...
    def peer_busy(self, peer: Introduction) -> None:
        """The peer is in a call with somebody else, and will call when that is over."""

    def settled(self, offer_id: str) -> None: ...
    def failed(self, error: Exception) -> None:
        """An operation on the peer connection failed; the exchange has ended."""

    def will_retry(self, error: Exception) -> bool:
        """Whether an offer that could not be made is asked for again, so that the exchange need not end with it."""

    def attempt_failed(self, error: Exception) -> None:
        """The offer could not be made; ask for it again when that is due."""

    def ended(self, end: ExchangeEnded) -> None:
        """The exchange is over."""

    def peer_wants_nothing(self, peer: Introduction) -> None:
        """The peer has said goodbye, when the exchange was over already."""
