"""RTCSignalingState: where one peer connection stands between offer and answer."""
from __future__ import annotations
from enum import StrEnum
from typing import Protocol
from fsm_rtc.engine import Chart, On, Row, resolves_to, stay
from fsm_rtc.errors import InvalidModificationError

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
    @property
    def sdp(self) -> str: ...
class LastCreated(Protocol):
    @property
    def last_created_offer(self) -> str: ...
    @property
    def last_created_answer(self) -> str: ...

def unmodified_offer(context: LastCreated, description: Description) -> bool:
    """The offer's SDP must be the one that createOffer returned last."""
    return description.sdp in ("", context.last_created_offer)
def unmodified_answer(context: LastCreated, description: Description) -> bool:
    """The answer's SDP must be the one that createAnswer returned last."""
    return description.sdp in ("", context.last_created_answer)

class Negotiation(Chart[SignalingState, LastCreated]):
    """RTCSignalingState of one peer connection."""
    initial = STABLE
    final = frozenset({CLOSED})
    create_offer = On(stay(STABLE, HLO), cite="#dom-rtcpeerconnection-createoffer")
    create_answer = On(stay(HRO, HLP))
    set_local_offer = On(Row((STABLE, HLO), HLO), checks=(unmodified_offer,), error=InvalidModificationError)
    set_local_pranswer = On(Row((HRO, HLP), HLP), checks=(unmodified_answer,), error=InvalidModificationError)
    set_local_answer = On(Row((HRO, HLP), STABLE), checks=(unmodified_answer,), error=InvalidModificationError)
    set_remote_offer = On(Row((STABLE, HRO), HRO), Row((HLO, HLP, HRP), HRO, first="rollback"))
    set_remote_pranswer = On(Row((HLO, HRP), HRP))
    set_remote_answer = On(Row((HLO, HRP), STABLE))
    rollback = On(Row((HLO, HRO), STABLE))
    close = On(Row(LIVE, CLOSED), idempotent=True)
    set_local_description = On[LastCreated, Description](resolves_to("set_local_offer", STABLE, HLO, HRP), resolves_to("set_local_answer", HRO, HLP))

class NegotiationJsep(Negotiation):
    """JSEP"""
    rollback = On(Row((HLO, HRO, HLP, HRP), STABLE))
