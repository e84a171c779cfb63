"""What the chart expects against what the system did, and the words in which a difference is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fsm_rtc.engine import Accepted, Chart
from fsm_rtc.engine.effects import sentence_of_effect
from fsm_rtc.errors import Reason, Rejected, sentence_of

__all__ = ["Seen", "compare_event", "compare_start", "compare_time"]

AnyChart = type[Chart[Any, Any]]


@dataclass(frozen=True, slots=True)
class Seen:
    """What the system did.

    Attributes:
        state: where it is.
        refusal: with what it refused, if it did.
        effects: its requests; None if its driver doesn't tell.
    """

    state: str
    refusal: Exception | None = None
    effects: tuple[object, ...] | None = None


def compare_start(chart: AnyChart, initial: StrEnum, seen: Seen) -> None:
    """Fail if the system begins elsewhere than the chart."""
    if seen.state != initial.value:
        raise AssertionError(
            f"{chart.__name__}: before anything was done\n  expected: {initial.value!r}\n"
            f"  observed: {_named(chart, seen.state)}\n  the rule: initial = {initial.value!r}"
        )


def compare_event(chart: AnyChart, before: StrEnum, trigger: str, outcome: Accepted | Rejected, seen: Seen) -> None:
    """Fail if the system did otherwise than the table."""
    where = f"{chart.__name__}: {trigger} in {before.value!r}"
    did = "accepted" if seen.refusal is None else f"refused with {type(seen.refusal).__name__}"
    if isinstance(outcome, Accepted):
        target, effects = outcome.target.value, outcome.effects
        should, is_as_it_should = f"accepted, {target!r}", seen.refusal is None and seen.state == target
    else:
        effects = ()
        should = f"refused ({outcome.explanation or outcome.reason.value}), still {before.value!r}"
        is_as_it_should = seen.state == before.value and (seen.refusal is not None or outcome.reason is Reason.ALREADY)
    if not is_as_it_should:
        rule = _rule_of(chart, before, trigger, outcome)
        raise AssertionError(_told(where, should, f"{did}, {_named(chart, seen.state)}", rule)) from seen.refusal
    _compare_effects(where, effects, seen, _requests_of(chart, [outcome]))


def compare_time(
    chart: AnyChart, before: StrEnum, seconds: float, outcomes: Sequence[Any], after: StrEnum, due: str, seen: Seen
) -> None:
    """Fail if the system did otherwise than the chart while time passed.

    Args:
        chart: the protocol's table.
        before: the state before.
        seconds: how much time passed.
        outcomes: what the chart's timers fired.
        after: the state after.
        due: which timers are to be waited for yet, and how long.
        seen: what the system did.
    """
    where = f"{chart.__name__}: {seconds:g} s passed in {before.value!r}"
    fired = ", ".join(outcome.trigger for outcome in outcomes)
    if seen.state != after.value:
        should = f"{fired}, {after.value!r}" if fired else f"still {after.value!r}"
        rule = [f"{name} {chart.chart.timers[name].describe()}" for name in fired.split(", ") if name] or [due]
        raise AssertionError(_told(where, should, _named(chart, seen.state), "; ".join(rule)))
    effects = tuple(effect for outcome in outcomes if isinstance(outcome, Accepted) for effect in outcome.effects)
    _compare_effects(where, effects, seen, _requests_of(chart, outcomes))


def _compare_effects(where: str, expected: tuple[object, ...], seen: Seen, rule: str) -> None:
    if seen.effects is None:
        return
    if len(seen.effects) != len(expected) or not all(map(_is_same, expected, seen.effects)):
        raise AssertionError(_told(where, _requests(expected), _requests(seen.effects), rule))


def _is_same(expected: object, observed: object) -> bool:
    """Equal; requests of a class that doesn't say what that means, if all that they hold is."""
    kind = type(expected)
    if kind is not type(observed) or kind.__eq__ is not object.__eq__:
        return bool(expected == observed)
    return expected is observed or getattr(expected, "__dict__", None) == getattr(observed, "__dict__", None)


def _requests(effects: tuple[object, ...]) -> str:
    return f"the requests {', '.join(map(_request, effects))}" if effects else "no request"


def _request(effect: object) -> str:
    return f"{type(effect).__name__}()" if type(effect).__repr__ is object.__repr__ else repr(effect)


def _requests_of(chart: AnyChart, outcomes: Sequence[Any]) -> str:
    """What the table says of the effects: their sentences, and the source."""
    accepted = [outcome for outcome in outcomes if isinstance(outcome, Accepted)]
    told = [sentence_of_effect(one) for it in accepted for one in chart.chart.effects(it.row, it.source)]
    return "; ".join(dict.fromkeys(filter(None, [*told, *(outcome.row.cite for outcome in accepted)])))


def _told(where: str, expected: str, observed: str, rule: str) -> str:
    return f"{where}\n  expected: {expected}\n  observed: {observed}" + (f"\n  the rule: {rule}" if rule else "")


def _named(chart: AnyChart, state: str) -> str:
    """A state of the system, with the chart's own if it is none of them: most likely a matter of spelling."""
    states = [one.value for one in chart.chart.states]
    return repr(state) if state in states else f"{state!r}, which is no state of the chart ({', '.join(states)})"


def _rule_of(chart: AnyChart, before: StrEnum, trigger: str, outcome: Accepted | Rejected) -> str:
    """What the table says here: the sentences that allowed it, and the source; a refusal has its sentence already."""
    declared = chart.chart.triggers[trigger]
    if isinstance(outcome, Accepted):
        sentences = [sentence_of(one) for one in (*declared.checks, *outcome.row.when)]
        return "; ".join(filter(None, [*sentences, outcome.row.cite]))
    rows = chart.chart.rows(trigger, before) if outcome.reason is Reason.GUARD else ()
    return rows[0].cite if rows else declared.cite
