"""The other side's candidates: kept, given, ended."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from fsm_rtc.engine import Accepted
from fsm_rtc.machines.candidates import (
    ApplyCandidate,
    BufferCandidate,
    Candidates,
    CandidatesState,
    ReleaseCandidates,
    RemoteDescription,
)
from tests.machines.tables import reaction

BUFFERING, LIVE, ENDED = CandidatesState


@dataclass
class Fragment:
    """The context."""

    remote_ice_ufrag: str = "first"


SAME, OTHER = RemoteDescription("first"), RemoteDescription("second")


def effects(state: CandidatesState, trigger: str, event: object = None) -> tuple[object, ...] | None:
    outcome = Candidates(Fragment(), state=state).fire(trigger, event)
    return outcome.effects if isinstance(outcome, Accepted) else None


def test_every_cell_is_as_reviewed() -> None:
    table = {
        (state.value, name): reaction(Candidates, state, trigger, event, Fragment())
        for state in CandidatesState
        for name, trigger, event in [
            ("same description", "remote_description_set", SAME),
            ("restart", "remote_description_set", OTHER),
            ("candidate", "add_candidate", "one"),
            ("end", "end_of_candidates", None),
            ("reset", "reset", None),
        ]
    }
    assert table == {
        ("buffering", "same description"): "live",
        ("buffering", "restart"): "live",
        ("buffering", "candidate"): "=",
        ("buffering", "end"): "=",
        ("buffering", "reset"): "=",
        ("live", "same description"): "=",
        ("live", "restart"): "=",
        ("live", "candidate"): "=",
        ("live", "end"): "ended",
        ("live", "reset"): "buffering",
        ("ended", "same description"): "=",
        ("ended", "restart"): "live",
        ("ended", "candidate"): "-",
        ("ended", "end"): "already",
        ("ended", "reset"): "buffering",
    }
    assert {*Candidates.chart.triggers} == {"remote_description_set", "add_candidate", "end_of_candidates", "reset"}
    assert Candidates(Fragment()).state is BUFFERING
    assert not Candidates.final


def test_what_is_asked_of_the_owner() -> None:
    assert effects(BUFFERING, "add_candidate", "one") == (BufferCandidate("one"),)
    assert effects(BUFFERING, "end_of_candidates") == (BufferCandidate(None),)
    assert effects(BUFFERING, "remote_description_set", SAME) == (ReleaseCandidates(),)
    assert effects(LIVE, "add_candidate", "one") == (ApplyCandidate("one"),)
    assert effects(LIVE, "end_of_candidates") == (ApplyCandidate(None),)
    assert effects(LIVE, "remote_description_set", SAME) == ()
    assert effects(ENDED, "remote_description_set", OTHER) == ()
    assert effects(ENDED, "remote_description_set", SAME) == ()
    assert effects(LIVE, "reset") == effects(ENDED, "reset") == effects(BUFFERING, "reset") == ()


@dataclass
class Library:
    """An owner that does what it is asked."""

    kept: list[object] = field(default_factory=list)
    given: list[object] = field(default_factory=list)

    def carry_out(self, requests: tuple[object, ...]) -> None:
        for request in requests:
            match request:
                case BufferCandidate(candidate):
                    self.kept.append(candidate)
                case ApplyCandidate(candidate):
                    self.given.append(candidate)
                case ReleaseCandidates():
                    self.given += self.kept
                    self.kept.clear()


@given(st.lists(st.integers(0, 9)), st.data())
def test_every_candidate_is_given_once_in_order_and_none_before_the_description(
    candidates: list[int], data: st.DataObject
) -> None:
    early = data.draw(st.integers(0, len(candidates)))
    machine, library = Candidates(Fragment()), Library()
    for number, candidate in enumerate([*candidates, None]):
        if number == early:
            assert library.given == []
            outcome = machine.remote_description_set(SAME)
            assert isinstance(outcome, Accepted)
            library.carry_out(outcome.effects)
        outcome = machine.fire("end_of_candidates" if candidate is None else "add_candidate", candidate)
        assert isinstance(outcome, Accepted)
        library.carry_out(outcome.effects)
    assert library.given == [*candidates, None]
    assert library.kept == []
