"""machine_test: an implementation held to a chart by Hypothesis."""

from __future__ import annotations

import asyncio
import re
from enum import Enum
from typing import Any

import pytest
from hypothesis import assume
from hypothesis import strategies as st

from fsm_rtc.conformance import machine_test
from fsm_rtc.engine import Chart, On, Row
from fsm_rtc.errors import ConformanceError, UnknownTriggerError
from tests.conformance.door_chart import KEYS, LOCKED, OPEN, SHUT, Door, DoorChart, DoorState, run


def test_a_system_that_keeps_to_the_chart_passes() -> None:
    run(DoorChart, Door, payloads=KEYS)


class Ajar(Door):
    def fire(self, trigger: str, event: Any) -> None:
        super().fire(trigger, event)
        if trigger == "unlock":
            self.at = "open"


class Weak(Door):
    def fire(self, trigger: str, event: Any) -> None:
        super().fire(trigger, 7)


class Stiff(Door):
    def fire(self, trigger: str, event: Any) -> None:
        if trigger == "open":
            raise RuntimeError("it is stuck")
        super().fire(trigger, event)


class Slamming(Door):
    def fire(self, trigger: str, event: Any) -> None:
        try:
            super().fire(trigger, event)
        except ValueError:
            self.at = "shut"
            raise


@pytest.mark.parametrize("walks", [True, False])
@pytest.mark.parametrize(
    ("driver", "message", "steps"),
    [
        (
            Ajar,
            "unlock in 'locked'\n  expected: accepted, 'shut'\n  observed: accepted, 'open'",
            ["shut", "lock", "unlock"],
        ),
        (
            Weak,
            "lock in 'shut'\n  expected: refused (The key must be the right one), still 'shut'\n"
            "  observed: accepted, 'locked'",
            ["shut", "lock"],
        ),
        (
            Stiff,
            "open in 'shut'\n  expected: accepted, 'open'\n  observed: refused with RuntimeError, 'shut'",
            ["shut", "open"],
        ),
        (
            Slamming,
            "'open'\n  expected: refused (no row), still 'open'\n  observed: refused with ValueError, 'shut'",
            [],
        ),
    ],
)
def test_one_that_does_not_fails_with_the_rule_and_the_shortest_order(
    driver: type[Door], message: str, steps: list[str], walks: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(AssertionError) as failed:
        run(DoorChart, driver, payloads=KEYS, walks=walks)
    told = str(failed.value) + "".join(getattr(failed.value, "__notes__", []))
    assert message in str(failed.value)
    assert "the rule: " in str(failed.value)
    done = re.findall(r"state\.(\w+)\(event", told + capsys.readouterr().out)
    assert done[: len(steps)] == steps


class Slow(Door):
    async def fire(self, trigger: str, event: Any) -> None:  # type: ignore[override]
        await asyncio.sleep(0)
        super().fire(trigger, event)

    async def state(self) -> str:  # type: ignore[override]
        return super().state()


def test_a_driver_may_be_asynchronous() -> None:
    run(DoorChart, Slow, payloads=KEYS)


def test_every_system_is_let_go() -> None:
    made: list[Door] = []

    def make() -> Door:
        made.append(Door())
        return made[-1]

    run(DoorChart, make, payloads=KEYS)
    assert made
    assert all(door.stopped for door in made)


def test_a_trigger_that_does_not_exist_is_refused_at_once() -> None:
    with pytest.raises(UnknownTriggerError, match="DoorChart has no trigger bolt; it has shut, open"):
        machine_test(DoorChart, Door, payloads={"bolt": st.none()})


class Shut(Door):
    """One that is shut when it is made."""

    def __init__(self) -> None:
        super().__init__()
        self.at = "shut"


def test_a_system_that_begins_elsewhere_than_the_chart_fails_before_anything_is_done() -> None:
    with pytest.raises(AssertionError) as failed:
        run(DoorChart, Shut, payloads=KEYS)
    assert "DoorChart: before anything was done\n  expected: 'open'\n  observed: 'shut'" in str(failed.value)


class Spanish(Door):
    def state(self) -> str:
        return {"open": "abierta"}.get(self.at, self.at)


def test_a_state_that_the_chart_does_not_have_is_told_with_those_it_has() -> None:
    with pytest.raises(AssertionError, match=r"'abierta', which is no state of the chart \(open, shut, locked\)"):
        run(DoorChart, Spanish, payloads=KEYS)


class Position(Enum):
    OPEN = "open"
    SHUT = "shut"
    LOCKED = "locked"


class WithEnum(Door):
    def state(self) -> Position:  # type: ignore[override]
        return Position(self.at)


def test_the_state_may_be_a_member_of_the_systems_own_enum() -> None:
    run(DoorChart, WithEnum, payloads=KEYS)


class Hesitant(Door):
    def fire(self, trigger: str, event: Any) -> None:
        assume(trigger != "open")
        super().fire(trigger, event)


def test_what_a_driver_assumes_is_no_refusal() -> None:
    run(DoorChart, Hesitant, payloads=KEYS)


class StiffLock(Door):
    def fire(self, trigger: str, event: Any) -> None:
        if trigger == "lock":
            raise RuntimeError("it is stuck")
        super().fire(trigger, event)


def test_what_should_have_been_accepted_is_told_with_the_guards_sentence() -> None:
    with pytest.raises(AssertionError) as failed:
        run(DoorChart, StiffLock, payloads=KEYS)
    assert "the rule: The key must be the right one; the manual, page 2" in str(failed.value)


class Revolving(Chart[DoorState, None]):
    """A door whose row has a source of its own, and a trigger that Hypothesis has a method for."""

    initial = OPEN
    shut = On(Row(OPEN, SHUT, cite="the supplement"), Row(LOCKED, SHUT), cite="the manual")
    teardown = On(Row(SHUT, LOCKED), cite="the manual")


class Revolves(Door):
    ways = {("open", "shut"): "shut", ("locked", "shut"): "shut", ("shut", "teardown"): "locked"}

    def fire(self, trigger: str, event: Any) -> None:
        self.at = self.ways[self.at, trigger]


class StuckOpen(Revolves):
    ways = {("open", "shut"): "open"}


def test_a_row_with_a_source_of_its_own_is_told_by_that() -> None:
    with pytest.raises(AssertionError, match="the rule: the supplement"):
        run(Revolving, StuckOpen)


class TornWrong(Revolves):
    ways = Revolves.ways | {("shut", "teardown"): "open"}


def test_a_trigger_may_be_called_as_a_method_of_hypothesis() -> None:
    made: list[Door] = []

    def make() -> Door:
        made.append(Revolves())
        return made[-1]

    run(Revolving, make)
    assert all(door.stopped for door in made)
    with pytest.raises(AssertionError, match="Revolving: teardown in 'shut'"):
        run(Revolving, TornWrong)


def test_a_guard_that_reads_the_event_needs_a_strategy_for_it() -> None:
    with pytest.raises(
        ConformanceError, match=r"DoorChart\.unlock needs an event, which right_key reads; give payloads"
    ):
        machine_test(DoorChart, Door, payloads={"lock": st.integers()})
    machine_test(DoorChart, Door, payloads={"lock": st.integers(), "unlock": st.none()})


def number_of(context: object, key: Any) -> int:
    """Note the key's number."""
    return int(key.number)


class NeedsEvent(Chart[DoorState, None]):
    """A door that notes which key was used."""

    initial = SHUT
    lock = On[None, Any](Row(SHUT, LOCKED, then=(number_of,)), cite="x")
    unlock = On(Row(LOCKED, SHUT), cite="x")
    open = On(Row(SHUT, OPEN), cite="x")


def test_an_effect_that_can_not_do_without_an_event_says_how_to_give_it() -> None:
    with pytest.raises(ConformanceError, match=r"NeedsEvent\.lock needs an event"):
        run(NeedsEvent, Shut)
