"""A machine's state, to be kept and read again by another run, which may have another table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fsm_rtc.engine.chart import Chart
from fsm_rtc.errors import SnapshotError

__all__ = ["MachineSnapshot", "Migrations", "restored_state", "snapshot_of"]

Migrations = Mapping[str, Callable[[str], str]]
"""By the digest of an earlier table: from its states to those of the present one."""


@dataclass(frozen=True, slots=True)
class MachineSnapshot:
    """A machine at one moment.

    Attributes:
        machine: the chart's class name.
        digest: the table's, see `ChartTable.digest`.
        state: the state's value.
    """

    machine: str
    digest: str
    state: str


def snapshot_of(machine: Chart[Any, Any]) -> MachineSnapshot:
    """What a machine is in."""
    table = machine.chart
    return MachineSnapshot(table.name, table.digest, machine.state.value)


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
