"""What the specification's own text says to each kind of finding, read before the finding was published.

The rules that `Difference` names come from the tables. So that no fault of a table is blamed on a stack, each finding
of docs/findings.md was read against W3C webrtc-pc, Editor's Draft 2026-05-04, and what was read stands here in one
sentence.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from fsm_rtc.conformance.difference import Difference

__all__ = ["READINGS", "Reading", "reading_of"]


@dataclass(frozen=True, slots=True)
class Reading:
    """What the text says, for the findings that fit the patterns.

    Attributes:
        machine: the machine's name, or a pattern.
        operation: the operation, or a pattern; brackets stand for themselves.
        expected: the expectation, or a pattern.
        text: the passage, in our words.
        state: the state, or a pattern.
    """

    machine: str
    operation: str
    expected: str
    text: str
    state: str = "*"

    def fits(self, difference: Difference) -> bool:
        """Whether it is about this finding."""
        return (
            fnmatchcase(difference.machine, self.machine)
            and fnmatchcase(difference.operation, self.operation)
            and fnmatchcase(difference.expected, self.expected)
            and fnmatchcase(difference.state, self.state)
        )


MODIFIED = (
    "setLocalDescription's chained steps reject an SDP that is neither empty nor [[LastCreatedOffer]] or "
    "[[LastCreatedAnswer]] with InvalidModificationError, before a state is looked at."
)
PENDING = "“Chain an operation”: when its operation is done and [[IsClosed]] is true, the promise is left as it is."
INVALID = (
    "“Set the session description”: if applying fails, a type that is invalid for the signaling state comes first "
    "(InvalidStateError), then SDP syntax (RTCError, an OperationError), then invalid content (InvalidAccessError)."
)
ROLLED_BACK_FIRST = (
    "setRemoteDescription with an offer that is invalid for the state sets a local rollback first, and only then the "
    "offer; what fails after that doesn't undo it. " + INVALID
)
CLOSE = (
    "“Close the connection” sets every one of these slots to closed by itself, and says of each that no event is fired."
)

HLO = "have-local-offer"

READINGS = (
    Reading("negotiation", "*close", "a promise that never settles", PENDING),
    Reading(
        "negotiation",
        "close by the other side*",
        "*",
        "Only the connection's own close() sets [[SignalingState]] to closed.",
    ),
    Reading("negotiation", "*setLocalDescription(*", "rejected with InvalidModificationError*", MODIFIED),
    Reading("negotiation", "*setRemoteDescription(garbage)*", "*", ROLLED_BACK_FIRST, HLO),
    Reading("negotiation", "*setRemoteDescription(no fingerprint)*", "*", ROLLED_BACK_FIRST, HLO),
    Reading("negotiation", "*setRemoteDescription(garbage)*", "*", INVALID),
    Reading("negotiation", "*setRemoteDescription(no fingerprint)*", "*", INVALID),
    Reading(
        "negotiation",
        "*Description(rollback)",
        "fulfilled*",
        "A rollback is rejected in stable and the two pranswer states alone; else it drops the pending description, "
        "“whichever one is not null”, whichever side's method is called.",
    ),
    Reading(
        "negotiation",
        "*Description(rollback)",
        "rejected*",
        "A rollback in stable is rejected with InvalidStateError; on a closed connection every chained operation is.",
    ),
    Reading(
        "negotiation",
        "*createOffer*",
        "rejected with InvalidStateError*",
        "createOffer's operation is rejected unless the state is stable or have-local-offer.",
    ),
    Reading(
        "negotiation",
        "*setRemoteDescription(offer)*",
        "fulfilled*",
        "An offer that is invalid for the state (have-local-offer) is preceded by an implicit local rollback.",
    ),
    Reading(
        "negotiation",
        "*Description(*",
        "no signalingstatechange",
        "signalingstatechange is fired if the signaling state changed above, so not for the same state again.",
    ),
    Reading(
        "negotiation",
        "*Description(pranswer)*",
        "fulfilled*",
        "A provisional answer sets the pending description, and the state to have-local- or have-remote-pranswer.",
    ),
    Reading("negotiation", "*Description(pranswer)*", "rejected with InvalidStateError*", INVALID),
    Reading(
        "api",
        "addIceCandidate(no mid)",
        "rejected with TypeError",
        "A candidate that isn't empty, with neither sdpMid nor sdpMLineIndex: TypeError, before anything is chained.",
    ),
    Reading(
        "api",
        "addIceCandidate(*",
        "rejected with InvalidStateError",
        "Chained on a closed connection: InvalidStateError; with remoteDescription null: InvalidStateError, the empty "
        "candidate not excepted.",
    ),
    Reading(
        "api",
        "addIceCandidate(*",
        "rejected with OperationError",
        "An sdpMid, sdpMLineIndex or usernameFragment that the remote description doesn't have, and a candidate that "
        "can't be added, reject with OperationError.",
    ),
    Reading(
        "api",
        "createDataChannel",
        "thrown with InvalidStateError",
        "createDataChannel: if [[IsClosed]] is true, throw an InvalidStateError.",
    ),
    Reading("api", "*close", "*", CLOSE),
    Reading(
        "data_channel",
        "connect",
        "open",
        "A channel that the other side made is announced as open too: open is fired behind datachannel.",
    ),
    Reading(
        "data_channel",
        "close*",
        "*close",
        "The closing procedure sets closing and fires the event closing unless it was begun by this channel's close(); "
        "the end is announced by close on both sides.",
    ),
    Reading(
        "ice_connection_state",
        "*",
        "*",
        "RTCIceConnectionState: new only if all transports are new or closed; checking if any is new or checking.",
    ),
    Reading("connection_state", "*", "*", "RTCPeerConnectionState: the first of its definitions that applies."),
    Reading("sctp", "sctp.state", "*", "RTCSctpTransportState has three values; a transport begins as connecting."),
)
"""The first that fits counts."""


def reading_of(difference: Difference) -> str:
    """What the text says to this difference; empty if nobody has read it yet."""
    return next((reading.text for reading in READINGS if reading.fits(difference)), "")
