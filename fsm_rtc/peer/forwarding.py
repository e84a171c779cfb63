"""Attributes that one object has from another: a face's from what stands behind it."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, Generic, Self, TypeVar, cast, overload

T = TypeVar("T")


class Forwarded(Generic[T]):
    """A read-only attribute: ``label = Forwarded[str]("channel.label")``.

    Args:
        path: where its value is, from the object that has the attribute on.
        convert: makes it of what is there; None for the very value.
    """

    __slots__ = ("__orig_class__", "_convert", "_read")
    __orig_class__: Any
    """Where typing keeps the type argument."""

    def __init__(self, path: str, convert: Callable[[Any], T] | None = None) -> None:
        self._read = attrgetter(path)
        self._convert = convert

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object, owner: type) -> Self | T:
        if instance is None:
            return self
        value = self._read(instance)
        return self._convert(value) if self._convert is not None else cast("T", value)

    def __set__(self, instance: object, value: object) -> None:
        raise AttributeError("this attribute can't be set")
