"""The semantics of a chart, interpreted naively from a description of its rows: what the compiled engine is held to.

Nothing here is fast, and nothing is shared with the engine.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class World:
    """A context: flags for the guards, how long a timer takes, and when something was heard."""

    flags: list[bool] = field(default_factory=lambda: [True, False])
    patience: float = 2.0
    heard: float | None = None


@dataclass(frozen=True)
class RowSpec:
    """A row; `target` is None for one that stays, `flag` the number of the flag that must be set."""

    sources: tuple[str, ...]
    target: str | None
    flag: int | None = None
    then: tuple[str, ...] = ()
    first: str | None = None
    reenters: bool = False
    restarts: tuple[str, ...] = ()


@dataclass(frozen=True)
class TriggerSpec:
    """A trigger; `after` is None, seconds, or ``patience`` for the context's."""

    rows: tuple[RowSpec, ...]
    after: float | str | None = None
    per: str = "state"
    since: bool = False
    late: str = "fire"


@dataclass(frozen=True)
class ChartSpec:
    """A chart: triggers in their order, and the effects of states."""

    states: tuple[str, ...]
    triggers: dict[str, TriggerSpec]
    entry: dict[str, tuple[str, ...]]
    exit: dict[str, tuple[str, ...]]


class Naive:
    """One machine."""

    def __init__(self, chart: ChartSpec, world: World, now: float, state: str | None = None) -> None:
        self.chart = chart
        self.world = world
        self.now = now
        self.state = state or chart.states[0]
        self.timers: dict[str, list[float]] = {}
        for name in self.timed_in(self.state):
            self.arm(name)

    def timed_in(self, state: str) -> list[str]:
        return [
            name
            for name, trigger in self.chart.triggers.items()
            if trigger.after is not None and state in self.sources(name)
        ]

    def sources(self, trigger: str) -> set[str]:
        return {source for row in self.chart.triggers[trigger].rows for source in row.sources}

    def arm(self, trigger: str) -> None:
        after = self.chart.triggers[trigger].after
        seconds = self.world.patience if after == "patience" else float(after or 0)
        self.timers[trigger] = [self.now + seconds, seconds]

    def choose(self, trigger: str, state: str) -> RowSpec | None:
        for row in self.chart.triggers[trigger].rows:
            if state not in row.sources or (row.flag is not None and not self.world.flags[row.flag]):
                continue
            if row.first is None or self.choose(row.first, state) is not None:
                return row
            # Only the first refusal is told, but the next row is tried all the same.
        return None

    def fire(self, trigger: str, event: Any) -> tuple[bool, list[Any]]:
        """Whether it is accepted, and the requests."""
        row = self.choose(trigger, self.state)
        if row is None:
            return False, []
        requests: list[Any] = []
        way, moved = [self.state], False
        for step, payload in [*([(self.choose(row.first, self.state), None)] if row.first else []), (row, event)]:
            assert step is not None
            source = way[-1]
            target = source if step.target is None else step.target
            moves = step.target is not None and (target != source or step.reenters)
            requests += [(effect, payload) for effect in (self.chart.exit.get(source, ()) if moves else ())]
            requests += [(effect, payload) for effect in step.then]
            requests += [(effect, payload) for effect in (self.chart.entry.get(target, ()) if moves else ())]
            moved = moved or moves
            way.append(target)
        if moved:
            self.move(way)
        else:
            for name in row.restarts:
                self.arm(name)
        return True, requests

    def move(self, way: list[str]) -> None:
        kept = {
            name: timer
            for name, timer in self.timers.items()
            if self.chart.triggers[name].per == "sources" and set(way) <= self.sources(name)
        }
        running_on = {
            name
            for name, trigger in self.chart.triggers.items()
            if trigger.per == "sources" and set(way) <= self.sources(name)
        }
        self.timers, self.state = kept, way[-1]
        for name in self.timed_in(self.state):
            if name not in running_on:
                self.arm(name)

    def tick(self, now: float) -> list[tuple[str, bool, list[Any]]]:
        """What fired, and what became of each."""
        self.now = now
        names = list(self.chart.triggers)
        due = sorted((timer[0], names.index(name), name) for name, timer in self.timers.items() if timer[0] <= now)
        known = {name: self.timers[name] for _, _, name in due}
        fired = []
        for _, _, name in due:
            if self.timers.get(name) is not known[name]:
                continue
            seconds = known[name][1]
            if self.chart.triggers[name].since and self.world.heard is not None and self.world.heard + seconds > now:
                self.timers[name] = [self.world.heard + seconds, seconds]
                continue
            del self.timers[name]
            fired.append((name, *self.fire(name, None)))
        return fired

    def stood_still(self, seconds: float, *, clock_ran: bool) -> None:
        for name, timer in self.timers.items():
            postpones = self.chart.triggers[name].late == "postpone"
            heard = self.world.heard if self.chart.triggers[name].since else None
            if clock_ran and postpones:
                if heard is not None and heard <= self.now - seconds:
                    timer[0] = max(timer[0], heard + timer[1])
                timer[0] += seconds
            elif not clock_ran and not postpones:
                timer[0] -= seconds
