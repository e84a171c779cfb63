"""Effects: what a step asks its owner to do. Those of a row, and those of the states that it leaves and enters.

An effect is a function ``(context, event) -> request``, or the request's class: one without fields is made once and
shared, one with one field takes the event. A step's requests stand in the order exit, row, entry; a row that stays
leaves and enters nothing.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from enum import StrEnum
from typing import Any

from fsm_rtc.errors import ChartError, sentence_of

__all__ = ["Effect", "StateEffects", "effects_by_state", "maker_of", "sentence_of_effect", "several_effects"]

Effect = Callable[[Any, Any], object] | type[object]

StateEffects = Mapping[StrEnum, tuple[Effect, ...]]
"""By state, what is asked for when it is entered, or left."""


def several_effects(effects: object, where: str) -> tuple[Effect, ...]:
    """One effect or several, as written.

    Raises:
        ChartError: it is neither a function, a class, nor a collection of them.
    """
    if isinstance(effects, type):
        return (effects,)
    if callable(effects) or isinstance(effects, str) or not isinstance(effects, Collection):
        raise ChartError(f"{where} is {effects!r}; write a tuple, with a comma: ({getattr(effects, '__name__', 'f')},)")
    return tuple(effects)


def effects_by_state(written: object, name: str, kind: str, states: Collection[StrEnum]) -> StateEffects:
    """The effects of a chart's `entry` or `exit`.

    Raises:
        ChartError: it is no mapping of states.
    """
    if not isinstance(written, Mapping):
        raise ChartError(f"{name}.{kind} is {written!r}; write {{STATE: (effect,)}}")
    for state in written:
        if state not in states or not isinstance(state, StrEnum):
            raise ChartError(
                f"{name}.{kind}: {state!r} is no state; the states are {', '.join(s.value for s in states)}"
            )
    return {state: several_effects(effects, f"{name}.{kind}[{state!r}]") for state, effects in written.items()}


def maker_of(effect: Effect, where: str) -> Callable[[Any, Any], object]:
    """The function that makes an effect's request.

    Raises:
        ChartError: it is a class that wants more than the event.
    """
    if not isinstance(effect, type):
        return effect
    request = effect
    try:
        parameters = inspect.signature(request).parameters.values()
    except ValueError:
        raise ChartError(f"{where}: effect {request.__name__} is no request; write a class of your own") from None
    fields = [one for one in parameters if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)]
    wanted = [one for one in fields if one.default is one.empty]
    if (len(fields) > 1 and len(wanted) != 1) or any(one.kind is one.KEYWORD_ONLY for one in wanted):
        raise ChartError(
            f"{where}: effect {request.__name__} has the fields {', '.join(one.name for one in fields)}; a class as "
            "effect takes nothing or the event, so write a function (context, event) that makes it"
        )
    if not fields:
        shared = request()
        return lambda context, event: shared
    return lambda context, event: request(event)


def sentence_of_effect(effect: Effect) -> str:
    """What a reader is told of an effect; of a class without a docstring, nothing."""
    told = sentence_of(effect)
    made_up = isinstance(effect, type) and told.startswith(f"{effect.__name__}(")  # by dataclass
    return "" if made_up else told
