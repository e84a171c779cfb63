"""machine_test tries every cell of a chart, whatever the seed, before any random order."""

from __future__ import annotations

import io
import unittest
import warnings
from collections import Counter
from dataclasses import dataclass
from typing import Any

import hypothesis
import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st

from fsm_rtc.conformance import machine_test
from fsm_rtc.conformance.coverage_report import taken
from fsm_rtc.engine import Chart, On, Row, stay
from tests.conformance.door_chart import KEYS, LOCKED, OPEN, SHUT, Door, DoorChart, DoorState
from tests.conformance.loan_chart import OPTIONS, Desk, LoanChart, desk_with

LATE = "LoanChart: deadline_passed in 'secured'"
FORGOTTEN = "LoanChart: withdraw in 'wrapped'"


@pytest.fixture(autouse=True)
def untold() -> Any:
    """What these tests leave untried is no matter of the run's end."""
    before = list(taken)
    yield
    taken[:] = before


def told_by(machine: Any) -> str:
    """What unittest says of a default run; empty if it passes."""
    result = unittest.TextTestRunner(stream=io.StringIO()).run(machine.TestCase())
    return "".join(told for _, told in (*result.failures, *result.errors))


@pytest.mark.parametrize("seed", range(20))
def test_what_is_wrong_far_from_the_beginning_is_found_by_each_seed(seed: int) -> None:
    for faults, expected in [(["late deadline"], LATE), (["wrapped is forgotten"], FORGOTTEN)]:
        machine = hypothesis.seed(seed)(machine_test(LoanChart, desk_with(*faults), **OPTIONS))
        assert expected in told_by(machine)
    both = told_by(
        hypothesis.seed(seed)(machine_test(LoanChart, desk_with("late deadline", "wrapped is forgotten"), **OPTIONS))
    )
    assert LATE in both or FORGOTTEN in both


@pytest.mark.parametrize("seed", range(20))
def test_what_is_right_passes_with_each_seed(seed: int) -> None:
    machine = hypothesis.seed(seed)(machine_test(LoanChart, Desk, **OPTIONS))
    machine.TestCase.settings = settings(machine.TestCase.settings, max_examples=10)
    assert told_by(machine) == ""


class Counting(Desk):
    tried: Counter[tuple[str, str, bool]]

    def fire(self, trigger: str, event: Any) -> None:
        before = self.at
        try:
            super().fire(trigger, event)
        except RuntimeError:
            self.tried[before, trigger, False] += 1
            raise
        self.tried[before, trigger, True] += 1


def only_cells(machine: Any) -> Any:
    machine.TestCase.settings = settings(machine.TestCase.settings, phases=[Phase.explicit])
    return machine


def counted() -> type[Counting]:
    return type("Counted", (Counting,), {"tried": Counter()})


def test_every_cell_is_tried_and_both_branches_of_a_guard() -> None:
    desk = counted()
    machine = only_cells(machine_test(LoanChart, desk, **OPTIONS))
    assert told_by(machine) == ""
    assert len({(state, trigger) for state, trigger, _ in desk.tried}) == 12 * 13
    assert {("draft", "submit"), ("deposit-due", "pay_in")} <= {
        (state, trigger) for state, trigger, accepted in desk.tried if accepted and desk.tried[state, trigger, False]
    }
    assert machine._setup.coverage.report()[1:] == (158, 158, ())


def test_the_walk_is_the_same_each_time() -> None:
    def steps(seed: int) -> list[tuple[str, Any]]:
        done: list[tuple[str, Any]] = []

        class Noting(Desk):
            def fire(self, trigger: str, event: Any) -> None:
                done.append((trigger, event))
                super().fire(trigger, event)

        options = OPTIONS | {"payloads": {"pay_in": st.integers(-(2**40), 2**40)}}
        assert told_by(hypothesis.seed(seed)(only_cells(machine_test(LoanChart, Noting, **options)))) == ""
        return done

    assert steps(1) == steps(2)


def test_a_difference_is_told_with_the_shortest_steps_that_lead_there() -> None:
    told = told_by(machine_test(LoanChart, desk_with("late deadline"), **OPTIONS))
    assert (
        f"{LATE}\n  expected: refused (no row), still 'secured'\n  observed: accepted, 'withdrawn'\n"
        "state = LoanChartTest()\nstate.add_title(event=None)\nstate.submit(event=None)\n"
        "state.demand_deposit(event=None)\nstate.pay_in(event=10)\nstate.deadline_passed(event=None)\n"
        "state.teardown()\n"
    ) in told


@pytest.mark.parametrize(("wrong", "did"), [(11, "refused with RuntimeError"), (9, "accepted")])
def test_the_bound_of_a_guard_is_tried_from_both_sides(wrong: int, did: str) -> None:
    class OffByOne(Desk):
        def fire(self, trigger: str, event: Any) -> None:
            if trigger == "pay_in" and self.at == "deposit-due":
                event += 10 - wrong
            super().fire(trigger, event)

    machine: Any = machine_test(LoanChart, OffByOne, **OPTIONS)
    with pytest.raises(AssertionError, match=f"pay_in in 'deposit-due'\n.*\n  observed: {did}"):
        machine._try_every_cell(machine.TestCase.settings)


class Sulking(Door):
    """One that a refusal changes."""

    sulks = False

    def fire(self, trigger: str, event: Any) -> None:
        if trigger == "knock" and self.at == "open" and self.sulks:
            self.at = "shut"
            return
        self.sulks = self.sulks or (trigger == "lock" and self.at == "open")
        super().fire(trigger, event)


def test_a_refusal_that_leaves_a_trace_is_told_without_those_that_dont() -> None:
    told = told_by(machine_test(DoorChart, Sulking, payloads=KEYS))
    assert "state = DoorChartTest()\nstate.lock(event=6)\nstate.knock(event=None)\nstate.teardown()" in told


def three_coins(box: Any, event: object) -> bool:
    """There must be three coins in the box."""
    return bool(box.coins >= 3)


class Turnstile(Chart[DoorState, Any]):
    """A turnstile."""

    initial = SHUT
    insert = On[Any, int](stay(SHUT))
    push = On(Row(SHUT, OPEN, when=(three_coins,)))
    bolt = On(Row(OPEN, LOCKED))


class Box:
    """A turnstile that opens as it should, and can't be bolted."""

    bolts = True

    def __init__(self) -> None:
        self.coins = 0
        self.at = "shut"

    def fire(self, trigger: str, event: Any) -> None:
        if trigger == "insert" and self.at == "shut":
            self.coins += event
        elif trigger == "push" and self.at == "shut" and self.coins >= 3:
            self.at = "open"
        elif trigger == "bolt" and self.at == "open":
            self.at = "locked" if self.bolts else "open"
        else:
            raise ValueError(trigger)

    def state(self) -> str:
        return self.at

    def stop(self) -> None:
        pass


def test_what_needs_the_same_event_several_times_is_reached() -> None:
    options: dict[str, Any] = {"payloads": {"insert": st.integers(0, 1)}, "context": lambda box: box}
    machine = only_cells(machine_test(Turnstile, Box, **options))
    assert told_by(machine) == ""
    assert machine._setup.coverage.missing() == ()
    told = told_by(machine_test(Turnstile, type("Boltless", (Box,), {"bolts": False}), **options))
    assert "Turnstile: bolt in 'open'" in told


@dataclass
class Purse:
    coins: int = 0


def a_dozen_coins(purse: Purse, event: object) -> bool:
    """There must be a dozen coins in the purse."""
    return purse.coins >= 12


class DearTurnstile(Chart[DoorState, Purse]):
    """A turnstile for a dozen coins, which can be shaken."""

    initial = SHUT
    insert = On(stay(SHUT))
    shake = On(stay(SHUT))
    push = On(Row(SHUT, OPEN, when=(a_dozen_coins,)))
    bolt = On(Row(OPEN, LOCKED))


class DearBox(Box):
    """One that is open a coin too early."""

    def __init__(self) -> None:
        super().__init__()
        self.purse = Purse()

    def fire(self, trigger: str, event: Any) -> None:
        if trigger != "shake" or self.at != "shut":
            super().fire(trigger, 3)
            self.purse.coins += trigger == "insert"


def test_a_context_that_writes_what_it_holds_shows_what_is_new() -> None:
    with pytest.raises(AssertionError, match="push in 'shut'\n  expected: refused"):
        only_cells(machine_test(DearTurnstile, DearBox, context=lambda box: box.purse)).TestCase().runTest()

    class Exact(DearBox):
        def fire(self, trigger: str, event: Any) -> None:
            if trigger == "push" and self.purse.coins < 12:
                raise ValueError("too little")
            super().fire(trigger, event)

    machine: Any = machine_test(DearTurnstile, Exact, context=lambda box: box.purse)
    machine._try_every_cell(machine.TestCase.settings)
    assert machine._setup.coverage.missing() == ()


class Listed(Door):
    """One that takes what it is given apart."""

    def fire(self, trigger: str, event: Any) -> None:
        super().fire(trigger, event.pop() if event else None)


def right_list(context: object, keys: list[int]) -> bool:
    """The list must end with the right key."""
    return keys[-1:] == [7]


class ListChart(Chart[DoorState, None]):
    """A door with a list of keys."""

    initial = OPEN
    shut = On(Row(OPEN, SHUT), idempotent=True)
    open = On(Row(SHUT, OPEN))
    lock = On(Row(SHUT, LOCKED, when=(right_list,)))
    unlock = On(Row(LOCKED, SHUT, when=(right_list,)))
    knock = On(stay(SHUT, LOCKED))


def test_a_system_may_change_the_events_that_it_is_given() -> None:
    keys = st.lists(st.just(7), max_size=2)
    machine = only_cells(machine_test(ListChart, Listed, payloads={"lock": keys, "unlock": keys}))
    assert told_by(machine) == ""
    assert machine._setup.coverage.missing() == ()


class Unhinged(Door):
    async def fire(self, trigger: str, event: Any) -> None:  # type: ignore[override]
        super().fire(trigger, event)
        if trigger == "unlock":
            self.at = "open"


def test_an_asynchronous_driver_is_held_to_every_cell_too() -> None:
    assert "DoorChart: unlock in 'locked'" in told_by(machine_test(DoorChart, Unhinged, payloads=KEYS))


class Assuming(Door):
    def fire(self, trigger: str, event: Any) -> None:
        hypothesis.assume(trigger != "open")
        hypothesis.note("so be it")
        super().fire(trigger, event)


def test_what_a_driver_leaves_out_is_missing_with_that_reason() -> None:
    machine = only_cells(machine_test(DoorChart, Assuming, payloads=KEYS))
    assert told_by(machine) == ""
    assert machine._setup.coverage.report().missing == (
        "open in 'open', refused: the driver's assumptions left it out",
        "open in 'shut', accepted: the driver's assumptions left it out",
        "open in 'locked', refused: the driver's assumptions left it out",
    )


def test_the_guards_that_kept_a_state_from_being_reached_are_named() -> None:
    machine = only_cells(machine_test(DoorChart, Door, payloads={"lock": st.integers(8, 9), "unlock": st.just(7)}))
    assert told_by(machine) == ""
    report = machine._setup.coverage.report()
    assert report.missing == (
        "'locked', 6 cells: no way there was found",
        "lock in 'shut', accepted as right_key: right_key refused all 2 events tried",
    )
    assert report.line() == "DoorChart with Door: 10 of 17 cells tried, 58 %"


def test_outside_pytest_what_is_missing_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTEST_CURRENT_TEST")
    machine = only_cells(machine_test(DoorChart, Door, payloads={"lock": st.just(8), "unlock": st.just(7)}))
    with pytest.warns(UserWarning, match="lock in 'shut', accepted as right_key: right_key refused each time"):
        machine.TestCase().runTest()
    complete = only_cells(machine_test(DoorChart, Door, payloads=KEYS))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        complete.TestCase().runTest()


def test_settings_hold_for_the_random_orders_and_can_leave_the_walk_out() -> None:
    made: list[Door] = []

    def make() -> Door:
        made.append(Door())
        return made[-1]

    machine = settings(phases=[Phase.generate], max_examples=3, database=None)(
        machine_test(DoorChart, make, payloads=KEYS)
    )
    machine.TestCase().runTest()
    assert 0 < len(made) < 10, "without the walk there is no place to begin again at either"


def test_a_subclass_of_the_machine_has_the_walk_too() -> None:
    class Mine(machine_test(DoorChart, Unhinged, payloads=KEYS)):  # type: ignore[misc]
        pass

    assert Mine.TestCase is Mine.TestCase
    assert "state = Mine()" in told_by(Mine)


def test_random_orders_begin_again_at_the_places_that_the_walk_found() -> None:
    desk = counted()
    machine: Any = hypothesis.seed(1)(machine_test(LoanChart, desk, **OPTIONS))
    machine._try_every_cell(machine.TestCase.settings)
    desk.tried.clear()
    enough = hypothesis.settings(max_examples=100, deadline=None)
    hypothesis.stateful.run_state_machine_as_test(machine, settings=enough)
    assert {state for state, _, accepted in desk.tried if accepted} >= {"wrapped", "lent", "coming-back"}
