"""How a chart's class is made: its table is compiled, and a plain function takes the place of each `On`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from math import inf
from typing import TYPE_CHECKING, Any

from fsm_rtc.engine.body import WORDS, check_body, check_hidden
from fsm_rtc.engine.cells import build_places
from fsm_rtc.engine.compile import ChartTable, build_table
from fsm_rtc.engine.outcome import Outcome
from fsm_rtc.engine.table import On
from fsm_rtc.errors import ChartError, Reason

__all__ = ["REPORT", "ChartMeta"]

REPORT = "report"
"""Stands at index 0, in a trigger's place, for a report that no trigger takes; see `Observed`."""


class ChartMeta(type):
    """Compiles the table in a class body; gives every chart empty slots, so that machines stay small.

    Attributes:
        reserved: the names that every machine has, which no trigger may take.
    """

    reserved: frozenset[str] = frozenset()

    def __new__(mcls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **kwargs: Any) -> ChartMeta:
        declared = {key: value for key, value in namespace.items() if isinstance(value, On)}
        plain = {key: value for key, value in namespace.items() if key not in declared}
        # A machine without timers has no room for them: it stays at nine words.
        is_timed = any(on.after is not None for on in declared.values())
        if is_timed and not any(getattr(base, "_has_room", False) for base in bases):
            plain.update(__slots__=(*plain.get("__slots__", ()), "_ticking"), _has_room=True)
        plain.setdefault("__slots__", ())
        cls = super().__new__(mcls, name, bases, plain, **kwargs)
        inherited: dict[str, On[Any, Any]] = {}
        for base in reversed(cls.__mro__[1:]):
            inherited.update(vars(base).get("_declared", {}))
        if mcls.reserved:  # so this isn't Chart itself
            check_body(name, plain, cls.__mro__[1], inherited, mcls.reserved)
            check_hidden(name, {**inherited, **declared}.keys() - mcls.reserved, cls.__mro__[1:])
        declared = {**inherited, **declared}
        if declared or "initial" in namespace:
            cls._compile(declared)
        return cls

    if not TYPE_CHECKING:  # for a type checker would allow any attribute then

        def __setattr__(cls, key, value):
            if key in WORDS or key in vars(cls).get("_declared", ()):
                raise ChartError(
                    f"{cls.__name__}.{key} belongs to the table, which is made once; write a subclass that has another"
                )
            super().__setattr__(key, value)

    def _compile(cls, declared: Mapping[str, On[Any, Any]]) -> None:
        initial = getattr(cls, "initial", None)
        final: frozenset[Any] = getattr(cls, "final", frozenset())
        declared = {name: cls._declared_as(name, on) for name, on in declared.items()}  # type: ignore[attr-defined]
        table = build_table(
            cls.__name__,
            inspect.cleandoc(cls.__doc__ or ""),
            initial,
            final,
            declared,
            cls.reserved,
            getattr(cls, "entry", {}),
            getattr(cls, "exit", {}),
        )
        cls._declared = declared
        cls.chart = table
        cls._trigger_names = (REPORT, *table.triggers)
        cls._indices = {name: index for index, name in enumerate(table.triggers, start=1)}
        cls._timers_of = {
            state: tuple(timer for timer in table.timers.values() if state in timer.sources) for state in table.states
        }
        cls._places = build_places(table, hot=cls._hot)  # type: ignore[attr-defined]
        home = getattr(cls, "_stands_for", cls)
        for place in cls._places.values():
            for index, cells in enumerate(place.cells):
                for number, cell in enumerate(cells):
                    for kind in ("accepted", "passed"):
                        getattr(cell, kind)._home = (home, place.state, index, number, kind)
        make = _timed_trigger_function if table.timers else _trigger_function
        for name, index in cls._indices.items():
            function = make(index)
            function.__name__ = name
            function.__qualname__ = f"{cls.__qualname__}.{name}"
            function.__module__ = cls.__module__
            function.__doc__ = _trigger_doc(table, name)
            super().__setattr__(name, function)


def _trigger_function(index: int) -> Callable[..., Outcome]:
    # The hot path of the whole project: each line here is paid for by every event. An entry is there only for a cell
    # with one row, at most one guard and effect, no check and no observer; all else goes the general way. While guard
    # and effect are asked the machine stands on `watched`, so who fires it then goes there too, and is found. `self` is
    # a Chart, which is made by this module.
    def trigger(self: Any, event: Any = None) -> Any:
        here = self._here
        if entry := here[index]:
            guard, effect, target, accepted, self._here, _, _ = entry
            try:
                if guard is None or guard(self.context, event):
                    request = None if effect is None else effect(self.context, event)
                    here = target
                    return accepted((event, request))
                return self._reject(index, event, Reason.GUARD, guard)
            finally:
                self._here = here
        return self._handle(index, event, None)

    return trigger


def _timed_trigger_function(index: int) -> Callable[..., Outcome]:
    # The same for a chart with timers.
    def trigger(self: Any, event: Any = None) -> Any:
        here = self._here
        if entry := here[index]:
            guard, effect, target, accepted, self._here, arming, seconds = entry
            try:
                if guard is None or guard(self.context, event):
                    request = None if effect is None else effect(self.context, event)
                    if seconds is not None:
                        ticking = self._ticking
                        ticking.next = inf if seconds is inf else ticking.clock() + seconds
                        ticking.last_step = arming
                    elif arming is not None:
                        self._ticking.apply(arming, self.context)
                    here = target
                    return accepted((event, request))
                return self._reject(index, event, Reason.GUARD, guard)
            finally:
                self._here = here
        return self._handle(index, event, None)

    return trigger


def _trigger_doc(table: ChartTable, name: str) -> str:
    trigger = table.triggers[name]
    rows = "\n".join(f"    {row.describe()}" for row in trigger.rows)
    return f"Fire {name} of {table.name}.\n\n{rows}\n" + (f"\nSource: {trigger.cite}\n" if trigger.cite else "")
