"""Driver: what `machine_test` needs of the system under test."""

from __future__ import annotations

from typing import Any, Protocol

__all__ = ["StackDriver"]


class StackDriver(Protocol):
    """What drives the system under test: one for each order of events that is tried, made without arguments.

    Each method may be a coroutine function; then they run in one event loop per driver. Two more are optional:

    - ``effects()`` returns the requests that the system made since it was last asked, in order; they must be equal to
      those of the chart (`Accepted.effects`). What the system asked for before the first event isn't compared.
    - ``advance(seconds)`` lets so much time pass for the system, and what is due meanwhile happen. A chart with timers
      needs it; its timed triggers are never given to `fire`. The chart's clock shows the seconds since the driver was
      made; a timer with jitter takes its longest time, so let the system draw that too.
    """

    def fire(self, trigger: str, event: Any) -> Any:
        """Do on the system what the trigger stands for; raise if the system refuses it."""

    def state(self) -> Any:
        """The state the system is in, as the chart's states are written, or a member of an enum with such values."""

    def stop(self) -> Any:
        """Let the system go."""
