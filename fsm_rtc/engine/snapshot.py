"""A machine's state and its timers, to be kept and read again by another run, which may have another table."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from fsm_rtc.engine.chart import Chart
from fsm_rtc.errors import SnapshotError

__all__ = ["MachineSnapshot", "Migrations", "remaining_seconds", "restored_state", "snapshot_of"]

Migrations = Mapping[str, Callable[[str], str]]
"""By the digest of an earlier table: from its states to those of the present one."""


@dataclass(frozen=True, slots=True)
class MachineSnapshot:
    """A machine at one moment.

    Attributes:
        machine: the chart's class name.
        digest: the table's, see `ChartTable.digest`.
        state: the state's value.
        timers: by trigger, in how many seconds a timer that runs is due.
        taken_at: when, in seconds since 1970; 0 of a machine without timers.
    """

    machine: str
    digest: str
    state: str
    timers: Mapping[str, float] = field(default_factory=dict)
    taken_at: float = 0.0


def snapshot_of(machine: Chart[Any, Any], wall: Callable[[], float] = time.time) -> MachineSnapshot:
    """What a machine is in.

    Args:
        machine: the machine.
        wall: seconds since 1970.
    """
    table, ticking = machine.chart, machine._ticking
    if ticking is None:
        return MachineSnapshot(table.name, table.digest, machine.state.value)
    return MachineSnapshot(table.name, table.digest, machine.state.value, ticking.remaining(), wall())


def restored_state(
    snapshot: MachineSnapshot, chart: type[Chart[Any, Any]], migrations: Migrations | None = None
) -> Any:
    """The state of `chart` in which a kept machine goes on: ``chart(context, state=restored_state(…))``.

    Raises:
        SnapshotError: it is of another machine, or of another table and there is no migration for that; or it is in a
            state that the table doesn't have.
    """
    table, state = chart.chart, snapshot.state
    if snapshot.machine != table.name:
        raise SnapshotError(
            f"this is a snapshot of {snapshot.machine}, not of {table.name}; read it with its own chart"
        )
    if snapshot.digest != table.digest:
        migrate = (migrations or {}).get(snapshot.digest)
        if migrate is None:
            raise SnapshotError(
                f"{table.name} has changed since this snapshot was taken (its table was {snapshot.digest} and is "
                f"{table.digest}); give a migration for {snapshot.digest!r}, or begin anew without the snapshot"
            )
        state = migrate(state)
    for known in table.states:
        if known.value == state:
            return known
    raise SnapshotError(f"{table.name} has no state {state!r}; it has {', '.join(one.value for one in table.states)}")


def remaining_seconds(
    snapshot: MachineSnapshot,
    *,
    asleep: Literal["pause", "run"] = "pause",
    wall: Callable[[], float] = time.time,
) -> dict[str, float]:
    """In how many seconds a kept machine's timers are due: ``chart(…, armed=remaining_seconds(snapshot))``.

    Args:
        snapshot: the kept machine.
        asleep: whether the time in which nobody ran the machine counts (``run``) or not (``pause``).
        wall: seconds since 1970. A clock that was put back counts as no time.
    """
    if asleep not in ("pause", "run"):
        raise ValueError(f"asleep is {asleep!r}; give 'pause' or 'run'")
    slept = max(0.0, wall() - snapshot.taken_at) if asleep == "run" else 0.0
    return {name: max(0.0, seconds - slept) for name, seconds in snapshot.timers.items()}
