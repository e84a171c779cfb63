"""The compiled engine does what the naive interpreter does: random charts, with time, in any order of what happens."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any

from hypothesis import event as seen
from hypothesis import given
from hypothesis import strategies as st

from fsm_rtc.engine import Accepted, Chart, On, Row, stay
from fsm_rtc.engine.chart_class import ChartMeta
from tests.engine.naive_interpreter import ChartSpec, Naive, RowSpec, TriggerSpec, World

STATES = ("a", "b", "c", "d")
State = StrEnum("State", {name.upper(): name for name in STATES})  # type: ignore[misc]
EFFECTS = ("ring", "tell", "note")
LEAPS = tuple(f"to_{state}" for state in STATES)


def effect_named(name: str) -> Callable[[Any, Any], object]:
    def effect(context: object, event: object) -> object:
        return name, event

    effect.__name__, effect.__doc__ = name, f"Asks to {name}."
    return effect


def flag_is_set(number: int) -> Callable[[World, Any], bool]:
    def guard(context: World, event: object) -> bool:
        return context.flags[number]

    guard.__name__, guard.__doc__ = f"flag_{number}", f"Flag {number} must be set."
    return guard


def patience(context: World) -> float:
    return context.patience


def heard(context: World) -> float | None:
    return context.heard


MAKES = {name: effect_named(name) for name in EFFECTS}
GUARDS = [flag_is_set(0), flag_is_set(1)]


def chart_of(spec: ChartSpec) -> type[Chart[Any, World]]:
    """The spec as a chart."""

    def row(one: RowSpec) -> Any:
        sources = [State(source) for source in one.sources]
        when = [GUARDS[one.flag]] if one.flag is not None else []
        then = [MAKES[name] for name in one.then]
        if one.target is None:
            return stay(*sources, when=when, then=then, restarts=one.restarts)
        return Row(sources, State(one.target), when=when, then=then, first=one.first, reenters=one.reenters)

    def on(trigger: TriggerSpec) -> On[Any, Any]:
        after: Any = patience if trigger.after == "patience" else trigger.after
        told: dict[str, Any] = {"per": trigger.per, "since": heard if trigger.since else None, "late": trigger.late}
        return On(*(row(one) for one in trigger.rows), after=after, **told)

    body: dict[str, Any] = {name: on(trigger) for name, trigger in spec.triggers.items()}
    for kind, effects in (("entry", spec.entry), ("exit", spec.exit)):
        body[kind] = {State(state): tuple(MAKES[name] for name in names) for state, names in effects.items()}
    return ChartMeta("Drawn", (Chart,), {"__doc__": "Drawn.", "initial": State("a"), **body})  # type: ignore[return-value]


some_states = st.lists(st.sampled_from(STATES), min_size=1, max_size=3, unique=True).map(tuple)
some_effects = st.lists(st.sampled_from(EFFECTS), max_size=2).map(tuple)
effects_of_states = st.dictionaries(st.sampled_from(STATES), some_effects, max_size=4)


@st.composite
def charts(draw: st.DrawFn) -> ChartSpec:
    """From every state something leads to each other one, so that no state is out of reach."""
    triggers: dict[str, TriggerSpec] = {}
    timed: dict[str, set[str]] = {}
    for number in range(draw(st.integers(1, 3))):
        sources = draw(some_states)
        target = draw(st.sampled_from([*STATES, None]))
        rows: tuple[RowSpec, ...]
        rows = (RowSpec(sources, target, None, draw(some_effects), reenters=target in sources and draw(st.booleans())),)
        if draw(st.booleans()):
            rows = (RowSpec(sources, draw(st.sampled_from(STATES)), draw(st.integers(0, 1))), *rows)
        name = f"timer_{number}"
        timed[name] = set(sources)
        afters: list[float | str] = [0.0, 1.0, 2.0, "patience"]
        triggers[name] = TriggerSpec(
            rows,
            draw(st.sampled_from(afters)),
            draw(st.sampled_from(["state", "sources"])),
            draw(st.booleans()),
            draw(st.sampled_from(["fire", "postpone"])),
        )
    for leap, state in zip(LEAPS, STATES, strict=True):
        triggers[leap] = TriggerSpec((RowSpec(STATES, state, reenters=draw(st.booleans()), then=draw(some_effects)),))
    triggers["perhaps"] = TriggerSpec((RowSpec(STATES, draw(st.sampled_from(STATES)), 1, draw(some_effects)),))
    triggers["either"] = TriggerSpec(
        (
            RowSpec(draw(some_states), draw(st.sampled_from(STATES)), 0, draw(some_effects)),
            RowSpec(draw(some_states), draw(st.sampled_from(STATES)), None, draw(some_effects)),
        )
    )
    sources = draw(some_states)
    triggers["twofold"] = TriggerSpec(
        (
            RowSpec(
                sources,
                draw(st.sampled_from(STATES)),
                draw(st.sampled_from([None, 0])),
                draw(some_effects),
                first=draw(st.sampled_from([*LEAPS, "perhaps"])),
            ),
        )
    )
    sources = tuple(sorted(timed[draw(st.sampled_from(sorted(timed)))]))
    fitting = sorted(name for name, where in timed.items() if where.issuperset(sources))
    restarts = tuple(draw(st.lists(st.sampled_from(fitting), unique=True, min_size=1)))
    triggers["stays"] = TriggerSpec((RowSpec(sources, None, None, draw(some_effects), restarts=restarts),))
    return ChartSpec(STATES, triggers, draw(effects_of_states), draw(effects_of_states))


class Both:
    """A machine of the engine and the naive one, to which the same happens."""

    def __init__(self, spec: ChartSpec, *, is_watched: bool) -> None:
        self.spec = spec
        self.now = 10.0
        self.world = World()
        self.chart = chart_of(spec)
        self.machine = self.chart(self.world, clock=lambda: self.now)
        self.naive = Naive(spec, self.world, self.now)
        self.told: list[Accepted] = []
        self.is_heard = False
        if is_watched:
            self.watch()

    def agree(self) -> None:
        deadlines = {name: timer[0] for name, timer in self.naive.timers.items()}
        assert self.machine.state.value == self.naive.state
        assert self.machine.armed() == deadlines
        assert self.machine.next_timeout() == min(deadlines.values(), default=None)

    def fire(self, trigger: str, payload: int, *, by_name: bool) -> None:
        self.told.clear()
        # A call of the method goes the hot path, if nobody watches.
        outcome = self.machine.fire(trigger, payload) if by_name else getattr(self.machine, trigger)(payload)
        self.same(outcome, *self.naive.fire(trigger, payload))
        # An implicit first transition is told, but each request is in one outcome only.
        assert [one.effects for one in self.told[:-1]] == [()] * len(self.told[:-1])

    def tick(self, seconds: float) -> None:
        self.now += seconds
        at, self.naive.now = self.now, self.now
        fired = self.naive.tick(at)
        self.now += 0.25  # it took the owner a while to get there
        outcomes = self.machine.tick(at)
        self.now = at
        assert [one.trigger for one in outcomes if isinstance(one, Accepted)] == [name for name, _, _ in fired]
        for outcome, (_, accepted, requests) in zip(outcomes, fired, strict=True):
            self.same(outcome, accepted, requests)

    def same(self, outcome: object, accepted: bool, requests: list[Any]) -> None:
        assert isinstance(outcome, Accepted) == accepted
        if isinstance(outcome, Accepted):
            assert list(outcome.effects) == requests

    def set_flag(self, number: int, value: bool) -> None:
        self.world.flags[number] = value

    def hear(self, ago: float) -> None:
        self.world.heard = self.now - ago

    def be_patient(self, seconds: float) -> None:
        self.world.patience = seconds

    def stand_still(self, seconds: float, clock_ran: bool) -> None:
        self.machine.stood_still(seconds, clock_ran=clock_ran)
        self.naive.stood_still(seconds, clock_ran=clock_ran)

    def watch(self) -> None:
        self.machine.observe(self.hear_out if not self.is_heard else lambda *_: None)
        self.is_heard = True

    def hear_out(self, _: object, outcome: object) -> None:
        if isinstance(outcome, Accepted):
            self.told.append(outcome)

    def restore(self) -> None:
        remaining = {name: deadline - self.now for name, deadline in self.machine.armed().items()}
        self.machine = self.chart(self.world, state=self.machine.state, clock=lambda: self.now, armed=remaining)
        self.told.clear()
        self.is_heard = False
        for timer in self.naive.timers.values():
            timer[:] = [max(timer[0], self.now), max(timer[0] - self.now, 0.0)]


times = st.sampled_from([0.0, 0.5, 1.0, 1.5, 3.0])
happenings = st.one_of(
    st.tuples(st.just("fire"), st.integers(0, 20), st.integers(0, 9), st.booleans()),
    st.tuples(st.just("stay"), st.booleans()),
    st.tuples(st.just("tick"), times),
    st.tuples(st.just("tick"), times),
    st.tuples(st.just("set_flag"), st.integers(0, 1), st.booleans()),
    st.tuples(st.just("hear"), st.sampled_from([0.0, 0.5, 1.0, 2.0])),
    st.tuples(st.just("be_patient"), times),
    st.tuples(st.just("stand_still"), times, st.booleans()),
    st.tuples(st.just("watch")),
    st.tuples(st.just("restore")),
)


@given(charts(), st.lists(happenings, max_size=25), st.booleans())
def test_it_does_what_the_naive_interpreter_does(spec: ChartSpec, story: list[Any], is_watched: bool) -> None:
    both = Both(spec, is_watched=is_watched)
    both.agree()
    for kind, *details in story:
        seen(kind)
        match kind, details:
            case "fire", [number, payload, by_name]:
                both.fire(list(spec.triggers)[number % len(spec.triggers)], payload, by_name=by_name)
            case "stay", [by_name]:
                both.fire("stays", 0, by_name=by_name)
            case _:
                getattr(both, kind)(*details)
        both.agree()
