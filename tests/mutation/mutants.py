"""Every way of getting one thing in one table wrong.

A mutant changes a chart's class in this very process, and the classes that inherit the changed trigger with it, as
editing the file would. `Mutant.apply` is called in a forked child, so nothing is ever put back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from fsm_rtc.engine import Chart, Derived, On, Row, Rule

AnyChart = type[Chart[Any, Any]]
AnyDerived = type[Derived[Any, Any]]
AnyOn = On[Any, Any]
AnyRow = Row[Any, Any, Any]
Rules = tuple[Rule[Any, Any], ...]


@dataclass(frozen=True, slots=True)
class Mutant:
    """One wrong table.

    Attributes:
        machine: the chart's class name.
        name: what is wrong, in words.
        apply: makes it so, in this process; raises ChartError if the engine refuses such a table.
    """

    machine: str
    name: str
    apply: Callable[[], None]

    def __str__(self) -> str:
        return f"{self.machine}: {self.name}"


def mutants_of_chart(cls: AnyChart) -> Iterator[Mutant]:
    """The mutants of what this class itself declares: triggers, effects of states, initial and final states."""
    for trigger, on in own_triggers(cls).items():
        for name, changed in mutations_of_trigger(cls, trigger, on):
            yield Mutant(cls.__name__, f"{trigger}: {name}", _redeclare(cls, {trigger: changed}))
        if on.after is not None:
            yield Mutant(cls.__name__, f"{trigger}: drop after", _redeclare(cls, without_timer(cls, trigger)))
            for name, changed in mutations_of_timer(cls, on):
                yield Mutant(cls.__name__, f"{trigger}: {name}", _redeclare(cls, {trigger: changed}))
    yield from mutants_of_states(cls)
    for state in cls.chart.states:
        if "initial" in vars(cls) and state is not cls.initial:
            yield Mutant(cls.__name__, f"initial is {state.value!r}", _reassign(cls, initial=state))
    if "final" in vars(cls) and cls.final:
        yield Mutant(cls.__name__, "no final state", _reassign(cls, final=frozenset()))


def own_triggers(cls: AnyChart) -> Mapping[str, AnyOn]:
    """The triggers that a class declares in its own body: a profile's inherited ones are the base's mutants."""
    inherited: list[AnyOn] = [on for base in cls.__mro__[1:] for on in vars(base).get("_declared", {}).values()]
    return {name: on for name, on in cls._declared.items() if not any(on is other for other in inherited)}


def mutations_of_trigger(cls: AnyChart, trigger: str, on: AnyOn) -> Iterator[tuple[str, AnyOn | None]]:
    """(what is wrong, the wrong On), None for a trigger that is gone."""
    for index, row in enumerate(on.rows):
        for name, mutated in mutations_of_row(cls, trigger, row):
            rows = (*on.rows[:index], *([] if mutated is None else [mutated]), *on.rows[index + 1 :])
            yield f"{name} in the row {row.describe()!r}", changed_on(on, rows=rows) if rows else None
    for check in on.checks:
        yield (
            f"drop check {check.__name__}",
            changed_on(on, checks=tuple(other for other in on.checks if other is not check)),
        )
    dropped = changed_on(on, idempotent=False)
    if on.idempotent and not cls._declared_as(trigger, dropped).idempotent:
        yield "drop idempotent", dropped
    if on.error is not None:
        yield "drop error", changed_on(on, error=None)


def mutations_of_row(cls: AnyChart, trigger: str, row: AnyRow) -> Iterator[tuple[str, AnyRow | None]]:
    """(what is wrong, the wrong row), None for a row that is gone."""
    yield "drop the row", None
    if len(row.sources) > 1:
        for source in row.sources:
            yield (
                f"drop source {source.value!r}",
                changed_row(row, sources=tuple(other for other in row.sources if other is not source)),
            )
    yield from mutations_of_options(cls, row)
    if row.resolves is not None:
        for other in cls.chart.triggers:
            if other not in (trigger, row.resolves):
                yield f"resolve to {other}", changed_row(row, resolves=other)
        return
    for state in cls.chart.states:
        if any(row.target_from(source) is not state for source in row.sources):
            reenters = row.reenters and state in row.sources
            yield f"target {state.value!r}", changed_row(row, target=state, reenters=reenters, restarts=())
    if row.target is not None and any(source is not row.target for source in row.sources):
        yield "stay", changed_row(row, target=None, reenters=False)


def mutations_of_options(cls: AnyChart, row: AnyRow) -> Iterator[tuple[str, AnyRow]]:
    """(what is wrong, the wrong row) with the same sources and target."""
    for guard in row.when:
        yield (
            f"drop guard {guard.__name__}",
            changed_row(row, when=tuple(other for other in row.when if other is not guard)),
        )
    for effect in row.then:
        yield (
            f"drop effect {effect.__name__}",
            changed_row(row, then=tuple(other for other in row.then if other is not effect)),
        )
    if row.first is not None:
        yield f"drop first {row.first}", changed_row(row, first=None)
    if row.reenters:
        yield "drop reenters", changed_row(row, reenters=False)
    for name in row.restarts:
        yield f"drop restarts {name}", changed_row(row, restarts=_without(row.restarts, name))
    if row.target is None and row.resolves is None:
        for timer in cls.chart.timers.values():
            if timer.trigger not in row.restarts and timer.sources.issuperset(row.sources):
                yield f"add restarts {timer.trigger}", changed_row(row, restarts=(*row.restarts, timer.trigger))


def mutations_of_timer(cls: AnyChart, on: AnyOn) -> Iterator[tuple[str, AnyOn]]:
    """(what is wrong, the wrong On) of a timed trigger that stays one."""
    if callable(on.after):
        yield f"twice {on.after.__name__}", changed_on(on, after=_twice(on.after))
    elif on.after is not None:
        for seconds in (on.after * 2, on.after / 2) if on.after else (1.0,):
            yield f"after {seconds:g} s", changed_on(on, after=seconds)
    functions = {timer.after.__name__: timer.after for timer in cls.chart.timers.values() if callable(timer.after)}
    for name, after in functions.items():
        if after is not on.after:
            yield f"after {name}", changed_on(on, after=after)
    per = "state" if on.per == "sources" else "sources"
    yield f"per {per}", changed_on(on, per=per)
    late = "postpone" if on.late == "fire" else "fire"
    yield f"late {late}", changed_on(on, late=late)
    if on.since is not None:
        yield f"drop since {on.since.__name__}", changed_on(on, since=None)
    if on.jitter != "none":
        yield "drop jitter", changed_on(on, jitter="none")


def without_timer(cls: AnyChart, trigger: str) -> Mapping[str, AnyOn]:
    """The changed triggers of a chart in which one isn't timed any more, so that none restarts it either."""
    changed = {}
    for name, on in cls._declared.items():
        if any(trigger in row.restarts for row in on.rows):
            rows = tuple(changed_row(row, restarts=_without(row.restarts, trigger)) for row in on.rows)
            changed[name] = changed_on(on, rows=rows)
    plain = changed.get(trigger, cls._declared[trigger])
    return {**changed, trigger: changed_on(plain, after=None, per="state", since=None, late="fire", jitter="none")}


def mutants_of_states(cls: AnyChart) -> Iterator[Mutant]:
    """Each effect of entering or leaving a state dropped, neighbours swapped, and entry exchanged with exit."""
    for kind in ("entry", "exit"):
        effects = getattr(cls.chart, kind) if kind in vars(cls) else {}
        for state, several in effects.items():
            for index, effect in enumerate(several):
                rest = (*several[:index], *several[index + 1 :])
                name = f"{kind} of {state.value!r}: drop effect {effect.__name__}"
                yield Mutant(cls.__name__, name, _reassign(cls, **{kind: {**effects, state: rest}}))
                if rest[index:]:
                    swapped = (*several[:index], several[index + 1], effect, *several[index + 2 :])
                    name = f"{kind} of {state.value!r}: swap {effect.__name__} and {several[index + 1].__name__}"
                    yield Mutant(cls.__name__, name, _reassign(cls, **{kind: {**effects, state: swapped}}))
    entry, exit_ = dict(cls.chart.entry), dict(cls.chart.exit)
    if {"entry", "exit"} & vars(cls).keys():
        for state in cls.chart.states:
            coming, going = entry.get(state, ()), exit_.get(state, ())
            if coming != going:
                exchanged = {"entry": {**entry, state: going}, "exit": {**exit_, state: coming}}
                if not coming:
                    del exchanged["exit"][state]
                name = f"exchange the entry and exit of {state.value!r}"
                yield Mutant(cls.__name__, name, _reassign(cls, **exchanged))


def _twice(after: Callable[[Any], float]) -> Callable[[Any], float]:
    def twice(context: Any) -> float:
        return 2 * after(context)

    twice.__name__ = f"twice_{after.__name__}"
    return twice


def _without(names: tuple[str, ...], name: str) -> tuple[str, ...]:
    return tuple(other for other in names if other != name)


def mutants_of_derived(cls: AnyDerived) -> Iterator[Mutant]:
    """Each rule dropped, neighbours swapped, each target changed or exchanged with another."""
    for name, rules in mutations_of_rules(cls.rules):
        yield Mutant(cls.__name__, name, _rerule(cls, rules))


def mutations_of_rules(rules: Rules) -> Iterator[tuple[str, Rules]]:
    """(what is wrong, the wrong rules)."""
    for index, rule in enumerate(rules):
        label = rule.sentence if rule.when is None else f"if {rule.sentence}"
        yield f"drop the rule {rule.target.value!r} {label}", (*rules[:index], *rules[index + 1 :])
        for state in type(rule.target):
            if state is not rule.target:
                changed = Rule(state, rule.when)
                yield f"target {state.value!r} {label}", (*rules[:index], changed, *rules[index + 1 :])
        if index + 1 < len(rules):
            later = rules[index + 1]
            yield (
                f"swap the rules {rule.target.value!r} and {later.target.value!r}",
                (*rules[:index], later, rule, *rules[index + 2 :]),
            )
    for (one, first), (other, second) in combinations(enumerate(rules), 2):
        if first.target is not second.target:
            exchanged = list(rules)
            exchanged[one], exchanged[other] = Rule(second.target, first.when), Rule(first.target, second.when)
            yield f"exchange the targets {first.target.value!r} and {second.target.value!r}", tuple(exchanged)


def changed_row(row: AnyRow, **fields: object) -> AnyRow:
    """A copy of an unbound row, with these fields instead."""
    copy: AnyRow = object.__new__(Row)
    for name in Row.__slots__:
        setattr(copy, name, fields.get(name, getattr(row, name)))
    return copy


def changed_on(on: AnyOn, **fields: object) -> AnyOn:
    """A copy of a trigger's declaration, with these fields instead."""
    copy: AnyOn = object.__new__(On)
    for name in On.__slots__:
        setattr(copy, name, fields.get(name, getattr(on, name)))
    return copy


def _redeclare(cls: AnyChart, changed: Mapping[str, AnyOn | None]) -> Callable[[], None]:
    def apply() -> None:
        originals = {name: cls._declared[name] for name in changed}
        for affected in _with_heirs(cls):
            new = {name: on for name, on in changed.items() if affected._declared.get(name) is originals[name]}
            if new:
                declared = {**affected._declared, **new}
                _compile(affected, {name: on for name, on in declared.items() if on is not None})
                for name, on in new.items():
                    if on is None and name in vars(affected):
                        delattr(affected, name)

    return apply


def _reassign(cls: AnyChart, **attributes: object) -> Callable[[], None]:
    def apply() -> None:
        for name, value in attributes.items():
            type.__setattr__(cls, name, value)  # past the metaclass, which refuses it
        for affected in _with_heirs(cls):
            _compile(affected, affected._declared)

    return apply


def _rerule(cls: AnyDerived, rules: Rules) -> Callable[[], None]:
    def apply() -> None:
        cls.rules = rules
        cls.__init_subclass__()

    return apply


def _with_heirs(cls: AnyChart) -> Iterator[AnyChart]:
    yield cls
    for heir in cls.__subclasses__():
        yield from _with_heirs(heir)


def _compile(cls: AnyChart, declared: Mapping[str, AnyOn]) -> None:
    """Compile a class again, as its metaclass did when it was made."""
    type(cls)._compile(cls, declared)
