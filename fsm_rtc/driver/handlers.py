"""Handlers: what carries out which request, in which lane, and what becomes of its result."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fsm_rtc.engine import Chart, ChartTable
from fsm_rtc.engine.effects import Effect
from fsm_rtc.errors import ChartError

__all__ = ["HandlerFailure", "Handler", "Handlers", "handlers_for"]


@dataclass(frozen=True, slots=True)
class Handler:
    """What carries out one kind of request.

    Attributes:
        call: takes the request; a plain function or a coroutine function.
        lane: requests of one lane are carried out one after the other, in the order of the events that asked. A lane of
            that name is shared by all machines of a driver; without a name, it is the machine's own.
        done: the trigger to which what `call` returns is the event, or None.
        failed: the trigger to which the exception of `call` is the event, or None: the driver's `on_error` is told.
        shielded: it runs to its end, although the caller of `Driver.run` is cancelled or the driver closes.
        cuts_in: what waits in its lane is dropped, and what runs there is cancelled, unless it is shielded.
    """

    call: Callable[[Any], Any]
    lane: str | None = None
    done: str | None = None
    failed: str | None = None
    shielded: bool = False
    cuts_in: bool = False


@dataclass(frozen=True, slots=True)
class HandlerFailure:
    """Something that went wrong where nobody waited for it.

    Attributes:
        machine: the machine that asked, or whose timer was due.
        what: the request's class, or the timers.
        error: the exception.
    """

    machine: Chart[Any, Any]
    what: str
    error: Exception


Handlers = Mapping[type[Any], Handler]
"""By the requests' class."""


def handlers_for(chart: ChartTable, given: Mapping[type[Any], Handler | Callable[[Any], Any]]) -> Handlers:
    """The handlers of a machine, of which each request of its table has one.

    Raises:
        ChartError: a request has none; an effect doesn't say what it returns; `done` or `failed` is no trigger.
    """
    handlers = {kind: one if isinstance(one, Handler) else Handler(one) for kind, one in given.items()}
    for kind, handler in handlers.items():
        for word, trigger in (("done", handler.done), ("failed", handler.failed)):
            if trigger is not None and trigger not in chart.triggers:
                known = ", ".join(chart.triggers)
                raise ChartError(
                    f"{chart.name}: the handler of {kind.__name__} has {word}={trigger!r}, which is no trigger; "
                    f"it has {known}"
                )
    for effect in _effects_of(chart):
        for request in _requests_of(chart, effect):
            if handler_of(handlers, request) is None:
                raise ChartError(
                    f"{chart.name}: nobody carries out {request.__name__}, which effect {effect.__name__} asks for; "
                    f"give a handler for it: {{{request.__name__}: …}}"
                )
    return handlers


def handler_of(handlers: Handlers, request: type[Any]) -> Handler | None:
    """The handler of a request's class, or of the nearest of its bases."""
    return next((handlers[one] for one in request.__mro__ if one in handlers), None)


def _effects_of(chart: ChartTable) -> Iterator[Effect]:
    """Each effect of a table, once."""
    of_rows = [effect for trigger in chart.triggers.values() for row in trigger.rows for effect in row.then]
    of_states = [effect for by_state in (chart.entry, chart.exit) for some in by_state.values() for effect in some]
    yield from dict.fromkeys([*of_rows, *of_states])


def _requests_of(chart: ChartTable, effect: Effect) -> Iterator[type[Any]]:
    """The classes of what an effect returns, as its annotation says."""
    if isinstance(effect, type):
        yield effect
        return
    where = f"{chart.name}: effect {effect.__name__}"
    try:
        returned = _returned_by(effect)
    except NameError as unknown:
        raise ChartError(
            f"{where}: what it returns can't be read ({unknown}); import it outside TYPE_CHECKING"
        ) from unknown
    for one in _members(returned):
        if one is types.NoneType:
            continue
        if one in (object, Any) or not isinstance(one, type):
            raise ChartError(f"{where} must say which request it returns, as in `-> SendMail`, not {one!r}")
        yield one


def _returned_by(effect: Callable[..., object]) -> Any:
    """The annotation alone: what it takes may be known to type checkers only."""
    alone = types.SimpleNamespace(__annotations__={"return": effect.__annotations__.get("return", object)})
    return typing.get_type_hints(alone, getattr(effect, "__globals__", {})).get("return", object)


def _members(annotation: Any) -> Iterator[Any]:
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is typing.Union:
        for one in typing.get_args(annotation):
            yield from _members(one)
    else:
        yield typing.get_origin(annotation) or annotation
