"""The specification's errors, which are aiortc's as well: who catches either catches them.

Their text is aiortc's where aiortc has one for the case; the table's own sentence, with what to do, is added as a note.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, cast

from aiortc import exceptions

from fsm_rtc import errors
from fsm_rtc.machines.negotiation import Negotiation

AIORTC = (
    (errors.InvalidAccessError, (exceptions.InvalidAccessError, ValueError)),
    (errors.InvalidStateError, (exceptions.InvalidStateError,)),
    (errors.InvalidDescriptionError, (exceptions.OperationError,)),
    (errors.OperationError, (exceptions.OperationError,)),
    (errors.NotSupportedError, (exceptions.InternalError,)),
)
"""What aiortc raises where the specification raises this."""

CLOSED = "RTCPeerConnection is closed"


class BadArgumentError(TypeError, ValueError):
    """A TypeError of the specification's, where aiortc raises a ValueError."""


class BadCodecError(errors.InvalidModificationError, ValueError):
    """An InvalidModificationError of the specification's, where aiortc raises a ValueError."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


class BadKindError(TypeError, exceptions.InternalError):
    """A TypeError of the specification's, where aiortc raises an InternalError."""


@contextmanager
def specified() -> Iterator[None]:
    """Raise the specification's errors as aiortc's too."""
    try:
        yield
    except errors.SpecificationError as error:
        raise _both(error) from error.__cause__


AIORTC_SENTENCES = {
    sentence: re.compile(pattern)
    for sentence, pattern in (
        ("RTCP mux is not enabled", "RTCP mux is not enabled "),
        ("Media sections in answer do not match offer", "Media sections in answer do not match offer:"),
        (
            "DTLS setup attribute must be 'active' or 'passive' for an answer",
            "DTLS setup attribute must be 'active' or 'passive' for an answer;",
        ),
        ("ICE username fragment or password is missing", "this [a-z]+ has no ice-(ufrag|pwd)"),
    )
}
"""aiortc's own words, which its users' tests compare, for what is told here with line and rule."""


@contextmanager
def worded_as_aiortc() -> Iterator[None]:
    """Say of a description what aiortc says of it, and the rest in a note."""
    try:
        yield
    except errors.SpecificationError as error:
        text = str(error)
        for sentence, pattern in AIORTC_SENTENCES.items():
            if pattern.match(text):
                error.args = (sentence,)
                error.add_note(text)
        raise


@contextmanager
def argued() -> Iterator[None]:
    """Raise a TypeError over an argument as aiortc's ValueError too."""
    try:
        yield
    except (TypeError, ValueError) as error:
        if isinstance(error, errors.SpecificationError | BadArgumentError | BadKindError):
            raise
        raise BadArgumentError(str(error)) from error


def _both(error: errors.SpecificationError) -> errors.SpecificationError:
    kind: type[errors.SpecificationError] = _kind(cast("Any", type(error)))
    sentence = _sentence(error.rejected) if error.rejected is not None else None
    both = kind.__new__(kind)
    both.__dict__.update(error.__dict__)
    both.args = (sentence or str(error),)
    for note in (str(error),) if sentence is not None else ():
        both.add_note(note)
    return both


@cache
def _kind(kind: Any) -> type[errors.SpecificationError]:
    """The error's class and aiortc's in one, of the same name."""
    others: tuple[type[Exception], ...] = next((others for base, others in AIORTC if issubclass(kind, base)), ())
    return type(kind.__name__, (kind, *(other for other in others if not issubclass(kind, other))), {})


def _sentence(rejected: errors.Rejected) -> str | None:
    """What aiortc says when it refuses this."""
    state = rejected.state.value
    if state == "closed":
        return CLOSED
    verb, _, what = rejected.trigger.partition("_")
    if rejected.machine != Negotiation.__name__:
        return None
    if verb == "create":
        return f'Cannot create {what} in signaling state "{state}"'
    if verb == "set" and rejected.guard is None:
        return f'Cannot handle {what.rpartition("_")[2]} in signaling state "{state}"'
    return None
