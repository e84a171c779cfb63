"""Who comes while a machine is in a step: an observer waits, guards and effects are refused, so are other threads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest

from fsm_rtc.engine import Accepted, Chart, On, Queued, Row, stay
from fsm_rtc.errors import ChartError, Rejected, WrongThreadError
from tests.engine.door_chart import GONE, LOCKED, OPEN, SHUT, DoorState

LIMIT_SECONDS = 20


@dataclass
class House:
    """What a guard and an effect do besides."""

    meddle: Callable[[], object] = lambda: None
    results: list[object] = field(default_factory=list)


def meddles(context: House, event: object) -> bool:
    """It may do nothing but answer."""
    context.results.append(context.meddle())
    return True


def meddling(context: House, event: object) -> object:
    """It may do nothing but ask."""
    context.results.append(context.meddle())
    return None


def patience(context: House) -> float:
    context.results.append(context.meddle())
    return 1.0


class Door(Chart[DoorState, House]):
    """A door whose guards meddle."""

    initial = OPEN
    shut = On(Row(OPEN, SHUT, when=(meddles,)))
    open = On(Row(SHUT, OPEN, then=(meddling,)))
    lock = On(Row((OPEN, SHUT), LOCKED, when=(meddles, meddles)))
    knock = On(stay(OPEN, SHUT))
    remove = On(Row(LOCKED, GONE))


class TimedDoor(Door):
    """It locks itself."""

    lock = On(Row((OPEN, SHUT), LOCKED, when=(meddles, meddles)), Row((OPEN, SHUT), LOCKED), after=patience)


def bare(cls: type[Door], context: House, state: DoorState) -> Door:
    return cls(context, state=state, clock=lambda: 0.0)


def watched(cls: type[Door], context: House, state: DoorState) -> Door:
    machine = bare(cls, context, state)
    machine.observe(lambda *_: None)
    return machine


ways = pytest.mark.parametrize("make", [bare, watched])
triggers = pytest.mark.parametrize(("trigger", "state"), [("shut", OPEN), ("open", SHUT), ("lock", OPEN)])
meddlers: dict[str, Callable[[Door], object]] = {
    "one that moves": lambda door: door.lock(),
    "one that stays": lambda door: door.knock(),
    "one that is refused": lambda door: door.remove(),
    "by its name": lambda door: door.fire("knock"),
    "of a generation": lambda door: door.fire("knock", generation=5),
    "time": lambda door: door.tick(9.0),
    "an observer": lambda door: door.observe(lambda *_: None),
}

meddling_with = pytest.mark.parametrize(
    ("cls", "meddle"),
    [
        pytest.param(cls, meddle, id=f"{cls.__name__}, {name}")
        for cls in (Door, TimedDoor)
        for name, meddle in meddlers.items()
        if cls is TimedDoor or name != "time"  # of which the other one has none
    ],
)


@ways
@meddling_with
@triggers
def test_a_guard_or_effect_that_meddles_with_its_machine_is_refused_and_nothing_moves(
    make: Callable[..., Door], cls: type[Door], trigger: str, state: DoorState, meddle: Callable[[Door], object]
) -> None:
    context = House()
    door = make(cls, context, state)
    armed = door.armed()
    context.meddle = lambda: meddle(door)
    asked: list[Callable[[], object]] = [getattr(door, trigger), lambda: door.fire(trigger)]
    if trigger != "open":  # which has no guard, and an effect isn't asked then
        asked.append(lambda: door.permits(trigger))
    for ask in asked:
        with pytest.raises(
            ChartError, match=r"a guard or effect fired the machine that asked it, by|tick\(\) within a"
        ):
            ask()
    assert (door.state, door.armed()) == (state, armed)
    context.meddle = lambda: None
    assert door.fire(trigger)
    assert getattr(door, "knock" if door.state is not LOCKED else "remove")()


def test_one_that_swallows_the_refusal_gets_its_own_step() -> None:
    context = House()
    door = Door(context)

    def swallow() -> object:
        try:
            return door.knock()
        except ChartError as error:
            return str(error)

    context.meddle = swallow
    outcome = door.shut()
    assert isinstance(outcome, Accepted)
    assert context.results == [
        "Door: a guard or effect fired the machine that asked it, by knock; it is to return a request, which the "
        "machine's owner carries out"
    ]
    context.meddle = lambda: None
    assert door.open()


def test_what_a_guard_may_do_is_ask_and_read() -> None:
    context = House()
    door = Door(context)
    context.meddle = lambda: (door.state, door.allowed(), bool(door.permits("knock")), repr(door))
    door.shut()
    assert context.results == [(OPEN, ("knock", "lock", "shut"), True, "<Door 'open'>")]
    door.open()
    assert isinstance(door.permits("lock"), Row)
    assert door.knock()


def test_a_time_that_meddles_is_refused_and_nothing_moves() -> None:
    context = House()
    door = TimedDoor(context, state=LOCKED, clock=lambda: 0.0)

    class Back(TimedDoor):
        """It can be unlocked."""

        unlock = On(Row(LOCKED, OPEN))

    door = Back(context, state=LOCKED, clock=lambda: 0.0)
    context.meddle = door.knock
    with pytest.raises(ChartError, match="a guard or effect fired the machine that asked it, by knock"):
        door.unlock()
    assert door.state is LOCKED
    assert door.armed() == {}


# Threads.


class Meeting:
    """A guard that waits, in one thread, until another thread has tried something."""

    def __init__(self) -> None:
        self.is_within = threading.Event()
        self.is_over = threading.Event()

    def __call__(self) -> None:
        self.is_within.set()
        assert self.is_over.wait(LIMIT_SECONDS)


@ways
@meddling_with
@triggers
def test_another_thread_within_a_step_is_refused_and_nothing_is_done(
    make: Callable[..., Door], cls: type[Door], trigger: str, state: DoorState, meddle: Callable[[Door], object]
) -> None:
    context, meeting = House(), Meeting()
    door = make(cls, context, state)
    heard: list[object] = []
    if make is watched:
        door.observe(lambda _, outcome: heard.append(outcome))
    context.meddle = meeting
    with ThreadPoolExecutor(1) as pool:
        stepping = pool.submit(getattr(door, trigger))
        assert meeting.is_within.wait(LIMIT_SECONDS)
        try:
            with pytest.raises(
                WrongThreadError, match=r"Door: .* was called while a step of the machine is under way on"
            ):
                meddle(door)
        finally:
            meeting.is_over.set()
        outcome = stepping.result(LIMIT_SECONDS)
    assert isinstance(outcome, Accepted)
    assert heard == ([outcome] if make is watched else [])
    context.meddle = lambda: None
    assert getattr(door, "knock" if door.state is not LOCKED else "remove")()


def test_another_thread_within_an_observer_is_refused_while_the_observers_own_event_waits() -> None:
    door = Door(House())
    answers: list[object] = []

    def observer(machine: Any, outcome: Accepted | Rejected) -> None:
        if outcome.trigger == "shut":
            with ThreadPoolExecutor(1) as pool:
                answers.extend(pool.submit(attempt).result(LIMIT_SECONDS) for _ in range(2))
            answers.append(machine.knock())
            with ThreadPoolExecutor(1) as pool:
                answers.append(pool.submit(attempt).result(LIMIT_SECONDS))

    def attempt() -> object:
        try:
            return door.knock()
        except WrongThreadError as error:
            return type(error)

    door.observe(observer)
    door.shut()
    assert [one if isinstance(one, type) else type(one) for one in answers] == [
        *(WrongThreadError, WrongThreadError),
        Queued,
        WrongThreadError,
    ]
    assert attempt()


def test_a_thread_may_ask_meanwhile() -> None:
    context, meeting = House(), Meeting()
    door = Door(context)
    context.meddle = meeting
    with ThreadPoolExecutor(1) as pool:
        stepping = pool.submit(door.shut)
        assert meeting.is_within.wait(LIMIT_SECONDS)
        permitted = door.permits("knock")
        meeting.is_over.set()
        assert stepping.result(LIMIT_SECONDS)
    assert isinstance(permitted, Row)
    assert door.state is SHUT
    context.meddle = lambda: None
    assert door.open()
