"""How a chart's class is made: its table is compiled, and a plain function takes the place of each `On`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from fsm_rtc.engine.compile import ChartTable, build_places, build_table
from fsm_rtc.engine.table import On
from fsm_rtc.errors import ChartError, Reason

if TYPE_CHECKING:
    from fsm_rtc.engine.chart import Chart
    from fsm_rtc.engine.outcome import Outcome

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
        plain.setdefault("__slots__", ())
        cls = super().__new__(mcls, name, bases, plain, **kwargs)
        inherited: dict[str, On[Any, Any]] = {}
        for base in reversed(cls.__mro__[1:]):
            inherited.update(vars(base).get("_declared", {}))
        for key in sorted(inherited.keys() & plain.keys()):
            raise ChartError(f"{name}.{key}: a trigger can only be replaced by another On(…)")
        declared = {**inherited, **declared}
        if declared or "initial" in namespace:
            cls._compile(declared)
        return cls

    def _compile(cls, declared: Mapping[str, On[Any, Any]]) -> None:
        initial = getattr(cls, "initial", None)
        final: frozenset[Any] = getattr(cls, "final", frozenset())
        declared = {name: cls._declared_as(name, on) for name, on in declared.items()}  # type: ignore[attr-defined]
        table = build_table(cls.__name__, inspect.cleandoc(cls.__doc__ or ""), initial, final, declared, cls.reserved)
        cls._declared = declared
        cls.chart = table
        cls._trigger_names = (REPORT, *table.triggers)
        cls._indices = {name: index for index, name in enumerate(table.triggers, start=1)}
        cls._places = build_places(table, hot=cls._hot)  # type: ignore[attr-defined]
        for name, index in cls._indices.items():
            function = _trigger_function(index)
            function.__name__ = name
            function.__qualname__ = f"{cls.__qualname__}.{name}"
            function.__module__ = cls.__module__
            function.__doc__ = _trigger_doc(table, name)
            setattr(cls, name, function)


def _trigger_function(index: int) -> Callable[..., Outcome]:
    # The hot path of the whole project: each line here is paid for by every event. An entry is there only for a cell
    # with one row, at most one guard and effect, no check and no observer; all else goes the general way.
    def trigger(self: Chart[Any, Any], event: Any = None) -> Outcome:
        if entry := self._here[index]:
            guard, effect, target, accepted = entry
            if guard is None or guard(self.context, event):
                request = None if effect is None else effect(self.context, event)
                self._here = target
                return accepted((event, request))  # type: ignore[no-any-return]
            return self._reject(index, event, Reason.GUARD, guard)
        return self._handle(index, event, None)

    return trigger


def _trigger_doc(table: ChartTable, name: str) -> str:
    trigger = table.triggers[name]
    rows = "\n".join(f"    {row.describe()}" for row in trigger.rows)
    return f"Fire {name} of {table.name}.\n\n{rows}\n" + (f"\nSource: {trigger.cite}\n" if trigger.cite else "")
