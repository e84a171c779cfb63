"""What a store is given, checked where it comes in."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from fsm_rtc.engine import Chart
from fsm_rtc.errors import InvalidDescriptionError, Reason, Rejected
from fsm_rtc.peer.description import IceCandidate, SessionDescription

__all__ = ["ANSWERS", "OFFERS", "as_candidate", "as_description", "as_key", "demand_status", "raise_if_refused"]

OFFERS = ("offer",)
ANSWERS = ("answer", "pranswer")


def as_description(description: object, types: tuple[str, ...]) -> SessionDescription:
    """A description of one of these types, from the browser's form if need be.

    Raises:
        InvalidDescriptionError: it is none.
    """
    if not isinstance(description, SessionDescription):
        description = SessionDescription.from_dict(description)
    if description.type not in types:
        raise InvalidDescriptionError(
            f"an {types[0]} is expected here, not a description of type {description.type!r}; offers go to "
            "process_offer, answers to process_answer",
            detail="type",
        )
    return description


def as_candidate(candidate: IceCandidate | Mapping[str, object] | None) -> IceCandidate | None:
    """A candidate that says which section it belongs to, from the browser's form if need be."""
    if candidate is None:
        return None
    parsed = candidate if isinstance(candidate, IceCandidate) else IceCandidate.from_dict(candidate)
    if parsed.candidate and parsed.sdp_mid is None and parsed.sdp_m_line_index is None:
        raise TypeError("a candidate needs sdpMid or sdpMLineIndex; pass the other side's candidate whole")
    return parsed


def as_key(key: object) -> bytes | None:
    """A public key's bytes."""
    if key is None or isinstance(key, bytes | bytearray | memoryview):
        return None if key is None else bytes(key)
    raise TypeError(f"a public key is bytes or None, not {type(key).__name__}; decode it first")


def demand_status(machine: Chart[Any, Any], statuses: type[StrEnum], status: object) -> None:
    """Raise if `status` is in no table; its spelling counts."""
    if status not in tuple(statuses):
        raise Rejected(
            type(machine).__name__,
            machine.state,
            f"on_{status}",
            Reason.UNKNOWN_REPORT,
            allowed=machine.allowed(),
            event=status,
        )


def raise_if_refused(outcome: object) -> None:
    """Raise what a table has refused, unless it stands there already."""
    if isinstance(outcome, Rejected) and outcome.reason is not Reason.ALREADY:
        raise outcome
