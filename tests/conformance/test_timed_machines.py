"""machine_test with charts that have timers and effects: time passes for both, and the requests are compared."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from fsm_rtc.conformance import machine_test
from fsm_rtc.conformance.side_by_side import ComparedStep, Setup, SideBySide, Wait
from fsm_rtc.engine import Chart, On, Row, stay
from fsm_rtc.errors import ConformanceError
from tests.conformance.door_chart import LOCKED, OPEN, SHUT, Door, DoorState, run
from tests.conformance.handwritten_shop import OPTIONS, HandShop, shop_with
from tests.engine.order_chart import Order


@pytest.mark.parametrize("habits", [(), ("the bank answers",)])
def test_a_system_whose_timers_run_as_the_charts_passes(habits: tuple[str, ...]) -> None:
    run(Order, shop_with(*habits), **OPTIONS)


def test_every_cell_is_reached_by_events_and_time_but_for_what_the_context_never_refuses() -> None:
    machine: Any = machine_test(Order, HandShop, **OPTIONS)
    machine._try_every_cell(machine.TestCase.settings)
    assert machine._setup.coverage.report().missing == (
        "pay in 'reserved', refused by is_solvent: it agreed each time",
    )


@pytest.mark.parametrize(
    ("habit", "message"),
    [
        ("patience begins anew", "expected: give_up, 'gone'\n  observed: "),
        ("news don't count", "expected: poll, 'paying'\n  observed: 'reserved'\n  the rule: poll after 2 s"),
        ("polls for ever", "10 s passed in 'paid'\n  expected: no request\n  observed: the requests AskBank()"),
        ("keeps the goods", "expected: the requests Release()\n  observed: no request\n  the rule: Put the goods back"),
        ("mixes up the goods", "the requests Reserve(goods='a')\n  observed: the requests Reserve(goods='others')"),
        (
            "takes before it gives",
            "the requests Release(), Reserve(goods='a')\n  observed: the requests Reserve(goods='a')",
        ),
        (
            "is impatient",
            "passed in 'reserved'\n  expected: still 'reserved'\n  observed: 'gone'\n  the rule: give_up is",
        ),
    ],
)
def test_one_whose_timers_or_requests_differ_fails(habit: str, message: str) -> None:
    with pytest.raises(AssertionError) as failed:
        run(Order, shop_with(habit), **OPTIONS)
    assert message in str(failed.value)


def test_random_orders_let_time_pass_too() -> None:
    # The patience lasts over both states, and Python's version decides by which of them the orders come to its end.
    with pytest.raises(AssertionError, match=r"expected: give_up, 'gone'\n  observed: '(reserved|paying)'"):
        run(Order, shop_with("patience begins anew"), walks=False, examples=1000, **OPTIONS)


class StairwellChart(Chart[DoorState, None]):
    """A light that each press keeps on for another while."""

    initial = SHUT
    press = On(Row(SHUT, OPEN), stay(OPEN, restarts=("go_out",)))
    go_out = On(Row(OPEN, SHUT), after=90.0)
    burn_out = On(Row(OPEN, LOCKED))


class Stairwell(Door):
    """One on which it counts from the first press."""

    def __init__(self) -> None:
        super().__init__()
        self.at, self.left = "shut", 0.0

    def fire(self, trigger: str, event: Any) -> None:
        if self.at == "locked" or (trigger == "burn_out" and self.at == "shut"):
            raise RuntimeError("there is no light")
        self.left = self.left or 90.0
        self.at = "open" if trigger == "press" else "locked"

    def advance(self, seconds: float) -> None:
        self.left -= seconds
        if self.at == "open" and self.left <= 0:
            self.at, self.left = "shut", 0.0


def test_a_timer_that_should_have_begun_anew_is_waited_for() -> None:
    machine: Any = machine_test(StairwellChart, Stairwell)
    with pytest.raises(AssertionError, match=r"passed in 'open'\n  expected: still 'open'") as failed:
        machine._try_every_cell(machine.TestCase.settings)
    assert failed.value.__notes__ == [
        "state = StairwellChartTest()\nstate.press(event=None)\nstate.wait_until_just_before_timeout()\n"
        "state.press(event=None)\nstate.wait_until_just_before_timeout()\nstate.teardown()"
    ]


class Lantern(Chart[DoorState, None]):
    """A lantern that blinks by itself, by a time that is drawn; nobody can do anything about it."""

    initial = OPEN
    turn = On(Row(OPEN, SHUT), Row(SHUT, OPEN), after=4.0, jitter="full")
    rust = On(Row((OPEN, SHUT), LOCKED), after=9.0, per="sources")


class TurningLantern(Door):
    """One that draws its longest time."""

    rusts_after = 9.0

    def __init__(self) -> None:
        super().__init__()
        self.lit, self.next = 0.0, 4.0

    async def advance(self, seconds: float) -> None:
        await asyncio.sleep(0)
        self.lit += seconds
        while self.next <= min(self.lit, self.rusts_after):
            self.at = "shut" if self.at == "open" else "open"
            self.next += 4.0
        if self.lit >= self.rusts_after:
            self.at = "locked"


def test_a_chart_without_a_trigger_to_fire_is_tried_by_time_alone() -> None:
    run(Lantern, TurningLantern)
    machine: Any = machine_test(Lantern, TurningLantern)
    machine._try_every_cell(machine.TestCase.settings)
    report = machine._setup.coverage.report()
    assert report.missing == ("rust in 'shut', accepted: it was never due there",)


def test_a_timer_with_jitter_takes_its_longest_time() -> None:
    class Hasty(TurningLantern):
        def __init__(self) -> None:
            super().__init__()
            self.next = 3.0

    with pytest.raises(
        AssertionError, match=r"3\.999 s passed in 'open'\n  expected: still 'open'\n  observed: 'shut'"
    ):
        run(Lantern, Hasty)


def test_a_driver_that_can_not_let_time_pass_is_told_what_it_needs() -> None:
    with pytest.raises(ConformanceError, match=r"Lantern has timers \(turn after up to 4 s, rust after 9 s in all .*"):
        run(Lantern, Door)


class Names(Chart[DoorState, None]):
    """A trigger that is called as a step of the test is, and one that is called as a rule of its own."""

    initial = SHUT
    wait_until_timeout = On(Row(SHUT, OPEN))
    begin_again = On(Row(OPEN, LOCKED))
    rest = On(Row(OPEN, SHUT), after=1.0)


class Named(Door):
    fired: set[str] = set()

    def __init__(self) -> None:
        super().__init__()
        self.at, self.open_for = "shut", 0.0

    def fire(self, trigger: str, event: Any) -> None:
        if (self.at, trigger) not in {("shut", "wait_until_timeout"), ("open", "begin_again")}:
            raise RuntimeError(self.at)
        self.fired.add(trigger)
        self.at, self.open_for = ("open" if self.at == "shut" else "locked"), 0.0

    def advance(self, seconds: float) -> None:
        self.open_for += seconds
        if self.at == "open" and self.open_for >= 1.0:
            self.at = "shut"


def test_triggers_may_be_called_as_the_steps_of_the_test_are() -> None:
    run(Names, Named, walks=False)
    assert Named.fired == {"wait_until_timeout", "begin_again"}
    run(Names, Named)


class Restless(Chart[DoorState, None]):
    """Two timers of no seconds that never come to rest."""

    initial = OPEN
    go = On(Row(OPEN, SHUT), after=0)
    come = On(Row(SHUT, OPEN), after=0)
    bolt = On(Row(SHUT, LOCKED))


def test_timers_that_never_come_to_rest_are_told() -> None:
    with pytest.raises(ConformanceError, match=r"Restless: its timers fire without end at one time; give (come|go) an"):
        run(Restless, TurningLantern)


def test_the_system_is_looked_at_just_before_a_deadline_and_behind_it() -> None:
    passed: list[float] = []

    class Noting(HandShop):
        def advance(self, seconds: float) -> None:
            passed.append(seconds)
            super().advance(seconds)

    machine: Any = machine_test(Order, Noting, **OPTIONS)
    setup: Setup = machine._setup
    side = SideBySide(setup)
    for step in (ComparedStep("check_out", "a"), ComparedStep(Wait.BEFORE), ComparedStep(Wait.UNTIL)):
        assert side.can_wait(step.name) if isinstance(step.name, Wait) else True
        side.do(step)
    assert passed == pytest.approx([29.999, 0.001001])
    assert not side.can_wait(Wait.BEFORE), "no timer runs"
    assert side.can_wait(Wait.UNTIL), "and none is to come late"


class Telling(Door):
    """One that tells of what it did while it was made, which no chart does."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[object] = ["hello"]

    async def effects(self) -> list[object]:
        said, self.said = self.said, []
        return said


class Chatty(Telling):
    def fire(self, trigger: str, event: Any) -> None:
        self.said.append(trigger)
        super().fire(trigger, event)


class Latch(Chart[DoorState, None]):
    """A lock that turns round."""

    initial = OPEN
    shut = On(Row(OPEN, SHUT), idempotent=True)
    open = On(Row(SHUT, OPEN))
    lock = On(Row(SHUT, LOCKED))
    unlock = On(Row(LOCKED, SHUT))


def with_the_key(door: type[Door]) -> type[Door]:
    class Opened(door):  # type: ignore[misc, valid-type]
        def fire(self, trigger: str, event: Any) -> None:
            super().fire(trigger, 7)

    return Opened


def test_a_refusal_asks_for_nothing_and_neither_does_a_new_machine() -> None:
    run(Latch, with_the_key(Telling))
    with pytest.raises(AssertionError, match="open in 'open'\n  expected: no request\n  observed: the requests 'open'"):
        run(Latch, with_the_key(Chatty))
