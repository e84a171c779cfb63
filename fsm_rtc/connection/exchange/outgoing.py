"""OutgoingMessages: this side's messages, numbered, signed and kept until they are acknowledged."""

from __future__ import annotations

import msgspec

from fsm_rtc.connection.exchange.context import ExchangeContext
from fsm_rtc.connection.exchange.retransmission import Outgoing
from fsm_rtc.machines.exchange_requests import Farewell
from fsm_rtc.messages import (
    CODES_FEATURE,
    Ack,
    Answer,
    Bye,
    Candidate,
    EndCode,
    EndOfCandidates,
    Member,
    Offer,
    PeerMessage,
    encode,
    written_end,
)
from fsm_rtc.peer.description import IceCandidate, SessionDescription

__all__ = ["BUSY", "OutgoingMessages"]

BUSY = "busy"
"""The offer id of an acknowledgement that says so. Source: docs/protocol.md, ``ack``."""


class OutgoingMessages:
    """Writes the texts of one exchange.

    Args:
        me: this side, who signs.
        memory: whom it writes to.

    Attributes:
        outgoing: what was written and is not acknowledged.
    """

    def __init__(self, me: Member, memory: ExchangeContext) -> None:
        self.outgoing = Outgoing()
        self._me = me
        self._memory = memory

    def description(
        self,
        kind: type[Offer] | type[Answer],
        description: SessionDescription,
        offer_id: str,
        found: list[IceCandidate | None],
        now: float,
    ) -> list[str]:
        """An offer or answer, and the candidates found meanwhile that it doesn't hold."""
        first = self._numbered(kind, offer_id, description.sdp, now)
        missing = [one for one in found if one is None or one.candidate not in description.sdp]
        return [first, *(self.candidate(one, offer_id, now) for one in missing)]

    def candidate(self, candidate: IceCandidate | None, offer_id: str, now: float) -> str:
        """A candidate, or None for the end of them."""
        if candidate is None:
            return self._numbered(EndOfCandidates, offer_id, "", now)
        return self._numbered(Candidate, offer_id, msgspec.json.encode(candidate.to_dict()).decode(), now)

    def bye(self, farewell: Farewell, now: float) -> str:
        """That this side leaves; from now on it is given the full time to be acknowledged."""
        text = self._numbered(Bye, farewell.offer_id, self._payload(farewell), now)
        self.outgoing.restart(now)
        return text

    def ack(self, sequence: int) -> str:
        """Every message up to this number has arrived."""
        return encode(self._signed(Ack, 0, "", str(sequence)))

    def busy(self) -> str:
        """What somebody gets who comes while this side is in a call with somebody else: nothing of it has arrived."""
        return encode(self._signed(Ack, 0, BUSY, "0"))

    def turn_away(self, farewell: Farewell) -> str:
        """The only message that somebody gets whom this side doesn't talk to; it isn't repeated."""
        return encode(self._signed(Bye, 1, farewell.offer_id, self._payload(farewell)))

    def _payload(self, farewell: Farewell) -> str:
        """Its reason, with the code for a peer that reads codes; an earlier version knows the sentences alone."""
        peer = self._memory.peer
        reads_codes = peer is not None and CODES_FEATURE in peer.features
        return written_end(farewell.reason, EndCode(farewell.code) if farewell.code and reads_codes else None)

    def _numbered(self, kind: type[PeerMessage], offer_id: str, payload: str, now: float) -> str:
        self.outgoing.sequence += 1
        text = encode(self._signed(kind, self.outgoing.sequence, offer_id, payload))
        self.outgoing.sent(text, now)
        return text

    def _signed(self, kind: type[PeerMessage], sequence: int, offer_id: str, payload: str) -> PeerMessage:
        memory = self._memory
        return self._me.sign(
            kind(
                room=memory.room,
                sender=memory.id,
                recipient=memory.peer_id,
                sender_session=memory.session,
                recipient_session=memory.peer_session,
                sequence=sequence,
                offer_id=offer_id,
                payload=payload,
                signature=b"",
            )
        )
