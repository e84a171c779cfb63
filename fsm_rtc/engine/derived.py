"""Derived: a status that is computed from others, as an ordered table; the first rule that matches wins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Generic

from fsm_rtc.errors import ChartError, sentence_of

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    S = TypeVar("S", bound=StrEnum)
    Inputs = TypeVar("Inputs")
else:
    from typing import TypeVar

    S = TypeVar("S", bound=StrEnum)
    Inputs = TypeVar("Inputs")

__all__ = ["Derived", "Rule"]


@dataclass(frozen=True, slots=True)
class Rule(Generic[S, Inputs]):
    """`target` if `when` says so of the inputs; `when` is None on the last rule alone, which always matches."""

    target: S
    when: Callable[[Inputs], bool] | None = None

    @property
    def sentence(self) -> str:
        """When the rule applies, in words."""
        return "otherwise" if self.when is None else sentence_of(self.when)


class Derived(Generic[S, Inputs]):
    """A derived status. A subclass gives `rules`, most urgent first; the last has no condition.

    Attributes:
        rules: the table.
        cite: its source.
    """

    rules: ClassVar[tuple[Rule[Any, Any], ...]]
    cite: ClassVar[str] = ""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        rules = getattr(cls, "rules", ())
        if not rules or rules[-1].when is not None:
            raise ChartError(
                f"{cls.__name__}: the last rule must be without condition, so that a state is always found"
            )
        for rule in rules[:-1]:
            if rule.when is None:
                raise ChartError(f"{cls.__name__}: the rules behind {rule.target.value!r} are never reached")
            if not getattr(rule.when, "__name__", "").isidentifier():
                raise ChartError(f"{cls.__name__}: a condition must be a named function; found {rule.when!r}")
            if not rule.sentence:
                raise ChartError(f"{cls.__name__}: {rule.when.__name__} has no docstring; it is what a user reads")
        states: type[StrEnum] = type(rules[-1].target)
        missing = set(states) - {rule.target for rule in rules}
        if missing:
            raise ChartError(f"{cls.__name__}: no rule gives {', '.join(sorted(state.value for state in missing))}")

    @classmethod
    def rule_for(cls, inputs: Inputs) -> Rule[S, Inputs]:
        """The first rule that matches."""
        for rule in cls.rules:
            if rule.when is None or rule.when(inputs):
                return rule
        raise AssertionError("unreachable: the last rule has no condition")

    @classmethod
    def of(cls, inputs: Inputs) -> S:
        """The status that these inputs give."""
        return cls.rule_for(inputs).target
