"""Observed: a machine that follows what a library reports.

Reality can't be refused. So a report that the table doesn't expect is `Rejected` (and journalled), the owner reads the
library's state once more in its next turn, and if it still differs fires `on_desync`, whose rows are in the table like
any others.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from copy import copy
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from fsm_rtc.engine.cells import Cell
from fsm_rtc.engine.chart import Chart
from fsm_rtc.engine.outcome import Outcome
from fsm_rtc.engine.row import Row
from fsm_rtc.engine.table import On
from fsm_rtc.errors import ChartError, Reason, Rejected

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    S = TypeVar("S", bound=StrEnum)
    C = TypeVar("C", default=None, covariant=True)
else:
    from typing import TypeVar

    S = TypeVar("S", bound=StrEnum)
    C = TypeVar("C")

__all__ = ["Observed", "adopt", "report_trigger"]

_UNKNOWN = 0
"""The index of no trigger."""


def report_trigger(value: str) -> str:
    """The trigger for a reported state: ``on_`` and the state's own string, with ``_`` for ``-``."""
    return f"on_{value}".replace("-", "_")


class Observed(Chart[S, C]):
    """A chart with a trigger ``on_<state>`` for each state that the library can report, and ``on_desync``."""

    def report(self, value: str, *, generation: int | None = None) -> Outcome:
        """Tell the machine what the library says.

        Args:
            value: the state's string as the library has it.
            generation: of which peer connection the report is.

        Returns:
            Accepted; or Rejected with `Reason.ALREADY` if it is the present state (nothing to do),
            `Reason.UNKNOWN_REPORT` if the value is no state that can be reported, or why the table refuses it.
        """
        index = self._indices.get(report_trigger(value), _UNKNOWN) if value in self.chart.states else _UNKNOWN
        if index == _UNKNOWN:
            return self._handle(index, value, self.generation if generation is None else generation)
        return self._handle(index, None, generation)

    @classmethod
    def _declared_as(cls, name: str, on: On[Any, Any]) -> On[Any, Any]:
        # A report of the present state is nothing new; to be found in it is what on_desync is not for.
        if on.after is not None and any(row.target is not None for row in on.rows):
            raise ChartError(
                f"{cls.__name__}.{name}: a chart that follows a library's reports doesn't move by time; "
                "stay(…) may have after="
            )
        if name.startswith("on_") and name != "on_desync" and not on.idempotent:
            on = copy(on)
            on.idempotent = True
        return on

    def _decide(self, index: int, event: Any, generation: int | None) -> Cell | Rejected:
        if index != _UNKNOWN:
            return super()._decide(index, event, generation)
        stale = generation != self.generation
        return Rejected(
            type(self).__name__,
            self.state,
            report_trigger(event),
            Reason.STALE if stale else Reason.UNKNOWN_REPORT,
            allowed=self.allowed(),
            event=event,
        )


def adopt(
    sources: Collection[S],
    targets: Collection[S],
    *,
    then: Collection[Callable[[Any, S], object]] = (),
    cite: str = "",
) -> On[Any, S]:
    """The `on_desync` trigger: from any of `sources` to whichever of `targets` the library is in.

    Its payload is the library's state. `then` are its effects, usually one that tells recovery.
    """
    if not targets:
        raise ChartError("adopt(…) needs the states that the library may be found in")
    rows = [
        Row([source for source in sources if source is not target], target, when=(library_is(target),), then=then)
        for target in targets
    ]
    return On[Any, Any](*rows, cite=cite)


def library_is(target: S) -> Callable[[Any, S], bool]:
    """The guard of a row of `adopt`."""

    def guard(context: object, reported: S) -> bool:
        return reported == target

    guard.__name__ = f"library_is_{target.value.replace('-', '_')}"
    guard.__qualname__ = guard.__name__
    guard.__doc__ = f"The library must be in {target.value!r}."
    return guard
