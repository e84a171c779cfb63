"""What can't stand in a chart's body beside its table, because it would do nothing, or something else than it says."""

from __future__ import annotations

import inspect
import re
from collections.abc import Collection, Iterable, Mapping
from types import MemberDescriptorType
from typing import Any, ClassVar, Final, get_origin

from fsm_rtc.engine.row import Row
from fsm_rtc.engine.table import On
from fsm_rtc.errors import ChartError

__all__ = ["WORDS", "check_body", "check_hidden"]

WORDS = ("initial", "final", "entry", "exit")
"""What a table says beside its triggers."""


def check_body(
    name: str, body: Mapping[str, Any], base: type, triggers: Collection[str], reserved: Collection[str]
) -> None:
    """Refuse what stands in a body in vain.

    Args:
        name: the chart's.
        body: what stands there, without the triggers.
        base: the class from which the chart inherits first.
        triggers: the names of those that it inherits.
        reserved: the names of what every machine has.

    Raises:
        ChartError: with what to write instead.
    """
    for key, value in body.items():
        if key in triggers:
            raise ChartError(f"{name}.{key}: a trigger can only be replaced by another On(…)")
        if isinstance(value, Row) or (isinstance(value, tuple | list) and any(isinstance(one, Row) for one in value)):
            raise ChartError(f"{name}.{key} is a row, which does nothing there; write {key} = On(Row(…))")
        if isinstance(value, tuple | list) and any(isinstance(one, On) for one in value):
            raise ChartError(f"{name}.{key} is a {type(value).__name__}; is there a comma behind On(…)?")
        if key in reserved and _is_in_the_way(key, value, base):
            raise ChartError(f"{name}.{key}: this name belongs to every machine; choose another")
    fields = {slot for one in base.__mro__ for slot in vars(one).get("__slots__", ())} | {*body.get("__slots__", ())}
    for key, written in body.get("__annotations__", {}).items():
        if key in triggers:
            raise ChartError(f"{name}.{key}: a trigger can only be replaced by another On(…)")
        if not (key in fields or key in (*WORDS, "source") or _is_constant(written)):
            raise ChartError(
                f"{name}.{key}: a machine has no fields of its own; what it knows belongs in its context. "
                f"For a constant write {key}: ClassVar[…]"
            )


def check_hidden(name: str, triggers: Iterable[str], bases: Iterable[type]) -> None:
    """Refuse a trigger that would hide something of a base that is no trigger.

    Raises:
        ChartError: naming both.
    """
    for base in bases:
        if lost := sorted(key for key, value in vars(base).items() if isinstance(value, On)):
            raise ChartError(
                f"{name}: {base.__name__}.{lost[0]} is no trigger there; derive {base.__name__} from Chart"
            )
        hidden = vars(base).keys() - vars(base).get("_declared", {}).keys()
        for key in triggers:
            if key in hidden:
                raise ChartError(f"{name}.{key}: the trigger hides {base.__name__}.{key}; rename one of them")


def _is_in_the_way(key: str, value: object, base: type) -> bool:
    """Whether this stands where every machine has something else; a method may replace a method."""
    if key in (*WORDS, "source") or key.startswith("_"):
        return False
    is_method = inspect.isroutine(value) or isinstance(value, property)
    return not is_method or isinstance(inspect.getattr_static(base, key, None), MemberDescriptorType)


def _is_constant(annotation: object) -> bool:
    if isinstance(annotation, str):
        return re.match(r"(\w+\.)?(ClassVar|Final)\b", annotation) is not None
    return annotation in (ClassVar, Final) or get_origin(annotation) in (ClassVar, Final)
