"""RTCSignalingState: where one peer connection stands between offer and answer.

Source: W3C webrtc-pc, Editor's Draft 2026-05-04: #rtcsignalingstate-enum, #set-description,
#dom-rtcpeerconnection-createoffer and -createanswer, #dom-peerconnection-setlocaldescription,
#dom-rtcpeerconnection-close. It is the oracle for other stacks, so it holds what that text says and nothing else.

The two norms disagree on one thing, so there are two profiles. webrtc-pc (`Negotiation`) refuses to roll back a
provisional answer; RFC 9429 (`NegotiationJsep`) allows it. A remote offer that meets a local one rolls back first, as
an event of its own; where the rollback is refused, so is the offer.

Whether a description is unmodified is checked before the state is looked at, as in the text; but a closed connection
refuses before that, as the text's operations chain does. `set_local_description` is the call without a description;
one with an SDP and no type must be given its type by the owner, who then fires that type's trigger, for its checks.

A return to stable asks for an update of the negotiation-needed flag (`negotiation_needed`).

Left out: signatures, sessions and offer ids (`exchange`); what a description contains; which candidates belong to it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Protocol

from fsm_rtc.engine import Chart, On, Row, resolves_to, stay
from fsm_rtc.errors import InvalidModificationError

__all__ = [
    "Description",
    "LastCreated",
    "Negotiation",
    "NegotiationJsep",
    "SignalingState",
    "UpdateNegotiationNeeded",
]


class SignalingState(StrEnum):
    """RTCSignalingState."""

    STABLE = "stable"
    HAVE_LOCAL_OFFER = "have-local-offer"
    HAVE_REMOTE_OFFER = "have-remote-offer"
    HAVE_LOCAL_PRANSWER = "have-local-pranswer"
    HAVE_REMOTE_PRANSWER = "have-remote-pranswer"
    CLOSED = "closed"


STABLE, HLO, HRO, HLP, HRP, CLOSED = SignalingState
LIVE = (STABLE, HLO, HRO, HLP, HRP)


class Description(Protocol):
    """The payload: a description; its SDP may be empty, which stands for the one that was created last."""

    @property
    def sdp(self) -> str: ...


class LastCreated(Protocol):
    """The context: what createOffer and createAnswer returned last; empty if nothing."""

    @property
    def last_created_offer(self) -> str: ...
    @property
    def last_created_answer(self) -> str: ...


class UpdateNegotiationNeeded:
    """Clear the negotiation-needed flag, and update it."""


def unmodified_offer(context: LastCreated, description: Description) -> bool:
    """The offer's SDP must be the one that createOffer returned last."""
    return description.sdp in ("", context.last_created_offer)


def unmodified_answer(context: LastCreated, description: Description) -> bool:
    """The answer's SDP must be the one that createAnswer returned last."""
    return description.sdp in ("", context.last_created_answer)


class Negotiation(Chart[SignalingState, LastCreated]):
    """RTCSignalingState of one peer connection, as webrtc-pc has it."""

    source = "W3C webrtc-pc, Editor's Draft 2026-05-04, #rtcsignalingstate-enum"
    initial = STABLE
    final = frozenset({CLOSED})
    entry: ClassVar = {STABLE: (UpdateNegotiationNeeded,)}

    create_offer = On(stay(STABLE, HLO), cite="#dom-rtcpeerconnection-createoffer")
    create_answer = On(stay(HRO, HLP), cite="#dom-rtcpeerconnection-createanswer")

    set_local_description = On[LastCreated, Description | None](
        resolves_to("set_local_offer", STABLE, HLO, HRP),
        resolves_to("set_local_answer", HRO, HLP),
        cite="#dom-peerconnection-setlocaldescription, without a type",
    )
    set_local_offer = On(
        Row((STABLE, HLO), HLO), checks=(unmodified_offer,), error=InvalidModificationError, cite="#set-description"
    )
    set_local_pranswer = On(
        Row((HRO, HLP), HLP), checks=(unmodified_answer,), error=InvalidModificationError, cite="#set-description"
    )
    set_local_answer = On(
        Row((HRO, HLP), STABLE), checks=(unmodified_answer,), error=InvalidModificationError, cite="#set-description"
    )

    set_remote_offer = On[LastCreated, Description](
        Row((STABLE, HRO), HRO),
        Row((HLO, HLP, HRP), HRO, first="rollback"),
        cite="#set-description",
    )
    set_remote_pranswer = On[LastCreated, Description](Row((HLO, HRP), HRP), cite="#set-description")
    set_remote_answer = On[LastCreated, Description](Row((HLO, HRP), STABLE), cite="#set-description")

    rollback = On(Row((HLO, HRO), STABLE), cite="#set-description")
    close = On(Row(LIVE, CLOSED), idempotent=True, cite="#dom-rtcpeerconnection-close")


class NegotiationJsep(Negotiation):
    """RTCSignalingState of one peer connection, as RFC 9429 (JSEP) has it: a provisional answer can be rolled back."""

    source = "RFC 9429 (JSEP), processing a rollback; the rest as webrtc-pc"

    rollback = On(Row((HLO, HRO, HLP, HRP), STABLE), cite="RFC 9429, processing a rollback")
