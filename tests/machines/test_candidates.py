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
from tests.machines.handwritten_tables import reaction

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

    machine: Candidates = field(default_factory=lambda: Candidates(Fragment()))
    kept: list[object] = field(default_factory=list)
    given: list[object] = field(default_factory=list)
    described: bool = False

    def fire(self, trigger: str, event: object) -> bool:
        outcome = self.machine.fire(trigger, event)
        for request in outcome.effects if isinstance(outcome, Accepted) else ():
            match request:
                case BufferCandidate(candidate):
                    self.kept.append(candidate)
                case ApplyCandidate(candidate):
                    assert self.described
                    self.given.append(candidate)
                case ReleaseCandidates():
                    kept, self.kept = self.kept, []
                    for candidate in kept:
                        self.take(candidate)
        return bool(outcome)

    def take(self, candidate: object) -> bool:
        return self.fire("end_of_candidates" if candidate is None else "add_candidate", candidate)

    def describe(self, description: RemoteDescription) -> bool:
        self.described = True
        return self.fire("remote_description_set", description)


@given(st.lists(st.integers(0, 9)), st.data())
def test_every_candidate_is_given_once_in_order_and_none_before_the_description(
    candidates: list[int], data: st.DataObject
) -> None:
    early = data.draw(st.integers(0, len(candidates) + 1))
    owner = Library()
    for candidate in [*candidates, None][:early]:
        assert owner.take(candidate)
    assert owner.given == []
    assert owner.describe(SAME)
    for candidate in [*candidates, None][early:]:
        assert owner.take(candidate)
    assert owner.given == [*candidates, None]
    assert owner.kept == []
    assert owner.machine.state is ENDED


@given(st.lists(st.sampled_from(["one", "two", None]), max_size=8))
def test_what_comes_behind_the_end_is_not_given_however_early_it_came(candidates: list[str | None]) -> None:
    owner = Library()
    for candidate in candidates:
        owner.take(candidate)
    owner.describe(SAME)
    ends = candidates.index(None) + 1 if None in candidates else len(candidates)
    assert owner.given == candidates[:ends]


def test_a_restart_takes_candidates_again() -> None:
    owner = Library()
    owner.describe(SAME)
    assert owner.take(None)
    assert not owner.take("late")
    assert owner.describe(SAME)
    assert not owner.take("late")
    assert owner.describe(OTHER)
    assert owner.take("again")
    assert owner.given == [None, "again"]
