"""Every error that fsm_rtc raises or returns, by name.

Three families:

- `Rejected` is both an outcome and an exception. A machine *returns* it when its table doesn't allow an event; the
  layers above *raise* it when the event was their caller's own request. Either way nothing changed.
- The errors that the WebRTC specification names (`InvalidStateError` …), raised by peer connections in the places where
  the specification raises them. `rejected` on them says which table refused.
- Errors of fsm_rtc's own doors: a chart that is not sound, a journal file that can't be read, a host without an
address.

Each message ends with what to do about it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "AdapterError",
    "ChannelClosedError",
    "ChartError",
    "ConformanceError",
    "ConnectTimeoutError",
    "ConnectionFailedError",
    "DriverClosedError",
    "DriverError",
    "FileRefusal",
    "FileTransferError",
    "FsmRtcError",
    "IdentityError",
    "InvalidAccessError",
    "InvalidCandidateError",
    "InvalidDescriptionError",
    "InvalidModificationError",
    "InvalidStateError",
    "JournalError",
    "KnownPeersError",
    "LinkDownError",
    "Malformed",
    "MessageError",
    "NoUsableAddressError",
    "NotSupportedError",
    "OperationError",
    "RTCError",
    "Reason",
    "Rejected",
    "RequestDroppedError",
    "RunawayError",
    "SdpSyntaxError",
    "SignalingError",
    "SnapshotError",
    "SpecificationError",
    "TokenError",
    "UnknownEngineError",
    "UnknownMachineError",
    "UnknownTriggerError",
    "WrongThreadError",
]


_new = Exception.__new__


class FsmRtcError(Exception):
    """Base of every error that fsm_rtc defines."""


class Reason(StrEnum):
    """Why a machine rejected an event. The set is closed: a program may match on it."""

    NO_ROW = "no row"
    CHECK = "check refused"
    GUARD = "guard refused"
    ALREADY = "already there"
    CLOSED = "closed"
    STALE = "stale"
    UNKNOWN_REPORT = "unknown report"


class Rejected(FsmRtcError):
    """An event that a machine's table doesn't allow. Nothing changed.

    Attributes:
        machine: the chart's name, e.g. ``Negotiation``.
        state: the state the machine was, and still is, in.
        trigger: the event's name.
        reason: one of `Reason`.
        guard: the name of the guard or check that refused, or None.
        explanation: that guard's sentence, or None.
        allowed: the triggers that have a row in this state, sorted.
        event: the event's payload.
        error: the error class that the chart names for a refused check, or None.
        first: the implicit trigger (such as ``rollback``) whose refusal made the row fail, or None.
    """

    def __init__(
        self,
        machine: str,
        state: StrEnum,
        trigger: str,
        reason: Reason,
        *,
        guard: str | None = None,
        explanation: str | None = None,
        allowed: tuple[str, ...] = (),
        event: object = None,
        error: type[SpecificationError] | None = None,
        first: str | None = None,
    ) -> None:
        super().__init__(machine, state, trigger, reason)
        self.machine = machine
        self.state = state
        self.trigger = trigger
        self.reason = reason
        self.guard = guard
        self.explanation = explanation
        self.allowed = allowed
        self.event = event
        self.error = error
        self.first = first

    def of(self, event: object) -> Rejected:
        """The same refusal of another event."""
        # A machine that is flooded refuses all day long; so what is the same each time is worked out once.
        one: Rejected = _new(Rejected, *self.args)
        one.__dict__.update(self.__dict__)
        one.event = event
        return one

    def __bool__(self) -> bool:
        return False

    def __str__(self) -> str:
        return f"{self.machine} rejected {self.trigger} in {self.state.value!r}: {self._because()}. {self._advice()}"

    def _because(self) -> str:
        via = f"its implicit {self.first} is not possible here; " if self.first else ""
        if self.guard is not None:
            kind = "check" if self.reason is Reason.CHECK else "guard"
            return f"{via}{kind} {self.guard} refused ({self.explanation})"
        return via + _REASON_SENTENCES[self.reason]

    def _advice(self) -> str:
        if self.allowed:
            return f"Possible here: {', '.join(self.allowed)}."
        return "Nothing is possible here any more."


_REASON_SENTENCES = {
    Reason.NO_ROW: "the table has no row for it",
    Reason.CHECK: "a check refused",
    Reason.GUARD: "a guard refused",
    Reason.ALREADY: "it is already there, nothing to do",
    Reason.CLOSED: "this state is final",
    Reason.STALE: "it belongs to an earlier peer connection",
    Reason.UNKNOWN_REPORT: "the reported value is no state of this machine",
}


class ChartError(FsmRtcError):
    """A chart whose table is not sound; raised while its class is made, so it can never run."""


class UnknownTriggerError(FsmRtcError, LookupError):
    """A trigger name that the chart doesn't declare."""


class UnknownMachineError(FsmRtcError, LookupError):
    """A machine or chart name that can't be found."""


class UnknownEngineError(FsmRtcError, ValueError):
    """An engine name that is neither ``compiled`` nor ``transitions``."""


class RunawayError(FsmRtcError, RuntimeError):
    """Observers of one machine kept answering events with events; the step was cut off."""


class WrongThreadError(FsmRtcError, RuntimeError):
    """Something was called on another thread than its event loop's; nothing was done."""


class SpecificationError(FsmRtcError):
    """Base of the errors that the WebRTC specification names.

    Attributes:
        rejected: the table's refusal behind this error, where there is one.
    """

    def __init__(self, message: str, *, rejected: Rejected | None = None) -> None:
        super().__init__(message)
        self.rejected = rejected

    @classmethod
    def from_rejected(cls, rejected: Rejected) -> SpecificationError:
        """The error for a refused event, with the refusal's own sentence."""
        return cls(str(rejected), rejected=rejected)


class InvalidStateError(SpecificationError):
    """The operation is not possible in the present state."""


class InvalidModificationError(SpecificationError):
    """The description was changed in a way that is not allowed."""


class UrlSyntaxError(SpecificationError, ValueError):
    """The specification's SyntaxError: a URL is none of a STUN or TURN server, or a server has none."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


class InvalidAccessError(SpecificationError):
    """The description's content is not acceptable."""


class OperationError(SpecificationError):
    """The operation failed in the library for a reason the specification doesn't single out."""


class RTCError(OperationError):
    """An error of WebRTC's own, with a detail.

    Attributes:
        errorDetail: RTCErrorDetailType, e.g. ``sdp-syntax-error``.
        sdpLineNumber: the line of the SDP, from 1, or None.
    """

    def __init__(self, message: str, *, error_detail: str = "sdp-syntax-error", line: int | None = None) -> None:
        super().__init__(message)
        self.errorDetail = error_detail
        self.sdpLineNumber = line


class CredentialsError(InvalidAccessError, ValueError):
    """A TURN server without a name or password that it could check."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


class NotSupportedError(SpecificationError):
    """The specification allows the operation, the library underneath can't do it."""


class InvalidDescriptionError(OperationError, ValueError):
    """A session description that can't be used: not SDP, no media, or without ICE or DTLS parameters.

    Attributes:
        detail: ``sdp-syntax-error`` as in RTCError.errorDetail, or what is missing.
    """

    def __init__(self, message: str, *, detail: str = "sdp-syntax-error") -> None:
        SpecificationError.__init__(self, message)
        self.detail = detail


class SdpSyntaxError(InvalidDescriptionError, RTCError):
    """A session description that is no SDP."""

    def __init__(self, message: str, *, line: int | None = None) -> None:
        super().__init__(message)
        self.errorDetail = "sdp-syntax-error"
        self.sdpLineNumber = line


class InvalidCandidateError(OperationError, ValueError):
    """An ICE candidate that can't be parsed or names no media section."""


class ChannelClosedError(InvalidStateError):
    """A message was given to a data channel that is not open."""


class Malformed(StrEnum):
    """Why a signalling frame is no message. The set is closed."""

    OVERSIZED = "oversized"
    NOT_UTF8 = "not UTF-8"
    NOT_JSON = "not JSON"
    TOO_DEEP = "nested too deep"
    UNKNOWN_TYPE = "unknown type"
    WRONG_SHAPE = "wrong shape"


class MessageError(FsmRtcError, ValueError):
    """A signalling frame that is no message of the protocol.

    Attributes:
        reason: one of `Malformed`.
    """

    def __init__(self, message: str, *, reason: Malformed) -> None:
        super().__init__(message)
        self.reason = reason


class IdentityError(FsmRtcError, ValueError):
    """A key file that can't be read, decrypted or written, or that holds no P-256 key."""


class KnownPeersError(FsmRtcError, ValueError):
    """A known-peers file that can't be read or written.

    Attributes:
        line: the line's number in the file, counted from 1, or None.
    """

    def __init__(self, message: str, *, line: int | None = None) -> None:
        super().__init__(message if line is None else f"line {line}: {message}")
        self.line = line


class SignalingError(FsmRtcError, ConnectionError):
    """The signalling server can't be reached, or refused.

    Attributes:
        code: the server's code for it (``room_full`` …), or None if it said nothing.
    """

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code


class LinkDownError(SignalingError):
    """The signalling link is down just now."""


class TokenError(FsmRtcError, ValueError):
    """A secret that no join token can be made or checked with, or the library for tokens is missing."""


class ExplainedFailure(Protocol):
    """What is known of a failed connection; see `fsm_rtc.connection.Failure`, which has more."""

    @property
    def phase(self) -> StrEnum:
        """How far it came."""

    @property
    def reason(self) -> str:
        """Why it ended."""

    @property
    def by_peer(self) -> bool:
        """Whether the other side ended it."""

    @property
    def advice(self) -> str:
        """What to do."""

    def to_dict(self) -> dict[str, Any]:
        """All of it, for JSON."""


class ConnectionFailedError(FsmRtcError, ConnectionError):
    """The connection to the other side has failed or was ended; its message says why.

    Attributes:
        failure: how far it came, what was tried, and what to do; None if this side closed it.
    """

    def __init__(self, message: str = "", *, failure: ExplainedFailure | None = None) -> None:
        super().__init__(message)
        self.failure = failure


class ConnectTimeoutError(FsmRtcError, TimeoutError):
    """The connection did not reach the awaited state in time.

    Attributes:
        failure: how far it came, what was tried, and what to do; None if it isn't known.
    """

    def __init__(self, message: str = "", *, failure: ExplainedFailure | None = None) -> None:
        super().__init__(message)
        self.failure = failure


class FileRefusal(StrEnum):
    """Why a file doesn't cross a call. The set is closed."""

    BAD_NAME = "bad name"
    BAD_SIZE = "bad size"
    EXISTS = "exists"
    BUSY = "busy"
    DISK_FULL = "disk full"
    NOT_READABLE = "not readable"
    NOT_WRITABLE = "not writable"
    CHANGED = "changed"
    WRONG_CHECKSUM = "wrong checksum"
    WITHDRAWN = "withdrawn"
    UNKNOWN = "unknown"


class FileTransferError(FsmRtcError):
    """A file that can't be sent or received.

    Attributes:
        reason: one of `FileRefusal`.
        by_peer: whether the other side said so.
    """

    def __init__(self, message: str, *, reason: FileRefusal, by_peer: bool = False) -> None:
        super().__init__(message)
        self.reason = reason
        self.by_peer = by_peer


class DriverError(FsmRtcError, RuntimeError):
    """A `Driver` that is used in a way in which it can't work."""


class RequestDroppedError(DriverError):
    """What `Driver.run` waits for isn't carried out: another request cut in, or the machine or the driver is gone."""


class DriverClosedError(DriverError):
    """The driver is closed, and runs nothing any more."""


class NoRunningLoopError(FsmRtcError, RuntimeError):
    """Something that the library underneath can only do on a running event loop."""


class NoUsableAddressError(FsmRtcError, OSError):
    """The host has no address that ICE can use, so no candidate can be gathered."""


class ConformanceError(FsmRtcError):
    """A conformance run that can't be made, or a file of findings that can't be read."""


class AdapterError(ConformanceError):
    """A stack's adapter that could not be started, ended, or broke the adapter protocol.

    Attributes:
        has_ended: whether the program is gone, or hangs, so that the stack below it may be the cause.
    """

    def __init__(self, message: str, *, has_ended: bool = False) -> None:
        super().__init__(message)
        self.has_ended = has_ended


class SnapshotError(FsmRtcError, ValueError):
    """What was kept of a machine or a call can't be gone on with: another table, format or owner, or no such thing."""


class JournalError(FsmRtcError, ValueError):
    """A journal file that can't be read, or that doesn't agree with the charts.

    Attributes:
        line: the line's number in the file, counted from 1, or None.
    """

    def __init__(self, message: str, *, line: int | None = None) -> None:
        super().__init__(message if line is None else f"line {line}: {message}")
        self.line = line


def sentence_of(function: Callable[..., object]) -> str:
    """The first line of a function's docstring: the sentence that a user reads when it refuses."""
    return (function.__doc__ or "").strip().partition("\n")[0].rstrip(".")
