"""The errors: their sentences, their families, their fields."""

from __future__ import annotations

import pickle

import pytest

from fsm_rtc import errors
from fsm_rtc.errors import (
    FileRefusal,
    FsmRtcError,
    InvalidDescriptionError,
    InvalidModificationError,
    InvalidStateError,
    JournalError,
    Malformed,
    OperationError,
    Reason,
    Rejected,
    SpecificationError,
    sentence_of,
)
from tests.engine.door_chart import GONE, LOCKED, OPEN, SHUT, Door, House, key_fits


def rejected(outcome: object) -> Rejected:
    assert isinstance(outcome, Rejected)
    return outcome


def test_a_rejected_is_false_and_an_exception() -> None:
    outcome = rejected(Door(House()).open(None))
    assert not outcome
    with pytest.raises(Rejected) as caught:
        raise outcome
    assert caught.value is outcome


@pytest.mark.parametrize(
    ("outcome", "sentence"),
    [
        (
            Door(House(), state=SHUT).lock(2),
            "Door rejected lock in 'shut': guard key_fits refused (The key must be the house's). "
            "Possible here: jam, knock, lock, open, remove, toggle.",
        ),
        (
            Door(House(), state=SHUT).lock(0),
            "Door rejected lock in 'shut': check key_is_positive refused (The key must be a positive number). "
            "Possible here: jam, knock, lock, open, remove, toggle.",
        ),
        (
            Door(House(), state=GONE).lock(0),
            "Door rejected lock in 'gone': this state is final. Nothing is possible here any more.",
        ),
        (
            Door(House(), state=LOCKED).slam(),
            "Door rejected slam in 'locked': its implicit shut is not possible here; the table has no row for it. "
            "Possible here: jam, knock, remove, unlock.",
        ),
        (
            Door(House()).fire("open", generation=3),
            "Door rejected open in 'open': it belongs to an earlier peer connection. "
            "Possible here: jam, lock, remove, shut, slam, toggle.",
        ),
    ],
)
def test_a_rejected_says_why_and_what_is_possible(outcome: object, sentence: str) -> None:
    assert str(outcome) == sentence


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_a_sentence(reason: Reason) -> None:
    assert ": . " not in str(Rejected("Door", OPEN, "shut", reason))


def test_the_set_of_reasons_is_closed() -> None:
    assert {reason.value for reason in Reason} == {
        *("no row", "check refused", "guard refused", "already there", "closed", "stale", "unknown report")
    }


def test_a_rejected_survives_pickling() -> None:
    outcome = rejected(Door(House()).lock(2))
    assert vars(pickle.loads(pickle.dumps(outcome))) == vars(outcome)


def test_a_specification_error_carries_the_refusal() -> None:
    outcome = rejected(Door(House()).open(None))
    error = InvalidStateError.from_rejected(outcome)
    assert isinstance(error, InvalidStateError)
    assert error.rejected is outcome
    assert str(error) == str(outcome)
    assert InvalidModificationError("why").rejected is None


def test_every_error_is_ours_and_documented() -> None:
    for name in errors.__all__:
        error = getattr(errors, name)
        assert error.__doc__
        assert error in (FileRefusal, Malformed, Reason) or issubclass(error, FsmRtcError)


@pytest.mark.parametrize(
    ("name", "family"),
    [
        *[("InvalidStateError", SpecificationError), ("InvalidDescriptionError", OperationError)],
        *[("InvalidDescriptionError", ValueError), ("InvalidCandidateError", ValueError)],
        *[("ChannelClosedError", InvalidStateError), ("ConnectTimeoutError", TimeoutError)],
        *[("NoUsableAddressError", OSError), ("UnknownTriggerError", LookupError), ("JournalError", ValueError)],
        *[("UnknownMachineError", LookupError), ("UnknownEngineError", ValueError), ("RunawayError", RuntimeError)],
    ],
)
def test_an_error_is_also_of_the_family_in_which_it_is_expected(name: str, family: type[Exception]) -> None:
    assert issubclass(getattr(errors, name), family)


def test_a_description_error_says_its_detail() -> None:
    assert InvalidDescriptionError("no media").detail == "sdp-syntax-error"
    assert InvalidDescriptionError("no media", detail="no-media").detail == "no-media"


def test_a_journal_error_says_its_line() -> None:
    assert str(JournalError("not JSON", line=3)) == "line 3: not JSON"
    assert str(JournalError("no such file")) == "no such file"
    assert JournalError("not JSON", line=3).line == 3


def test_a_sentence_is_a_docstrings_first_line() -> None:
    assert sentence_of(key_fits) == "The key must be the house's"
    assert sentence_of(lambda: None) == ""
