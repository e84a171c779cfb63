"""A kept state is gone on with by the same table, by another one only through a migration, and never misread."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

import pytest

from fsm_rtc.engine import Chart, On, Row
from fsm_rtc.engine.snapshot import restored_state, snapshot_of
from fsm_rtc.errors import SnapshotError
from fsm_rtc.machines import CHARTS
from fsm_rtc.testing import ManualClock


class LampState(StrEnum):
    OFF = "off"
    ON = "on"


class Lamp(Chart[LampState, None]):
    """A lamp."""

    source = "the kitchen"
    initial = LampState.OFF

    switch = On(Row(LampState.OFF, LampState.ON), Row(LampState.ON, LampState.OFF), cite="the switch")


def test_a_machine_goes_on_in_the_state_that_was_kept() -> None:
    lamp = Lamp()
    lamp.switch()
    state = restored_state(snapshot_of(lamp), Lamp)
    assert state is LampState.ON
    again = Lamp(state=state)
    again.switch()
    assert again.state is LampState.OFF


def test_a_changed_table_is_refused_by_name() -> None:
    kept = replace(snapshot_of(Lamp()), digest="0123456789abcdef")
    with pytest.raises(SnapshotError, match=r"Lamp has changed .* give a migration for '0123456789abcdef'"):
        restored_state(kept, Lamp)


def test_or_migrated() -> None:
    kept = replace(snapshot_of(Lamp()), digest="0123456789abcdef", state="bright")
    assert restored_state(kept, Lamp, {"0123456789abcdef": {"bright": "on"}.__getitem__}) is LampState.ON


def test_a_migration_to_a_state_that_is_not_there_is_refused() -> None:
    kept = replace(snapshot_of(Lamp()), digest="0123456789abcdef")
    with pytest.raises(SnapshotError, match=r"Lamp has no state 'dim'; it has off, on"):
        restored_state(kept, Lamp, {"0123456789abcdef": lambda _: "dim"})


def test_a_snapshot_of_another_machine_is_refused() -> None:
    with pytest.raises(SnapshotError, match="of Lamp, not of Recovery"):
        restored_state(snapshot_of(Lamp()), CHARTS["recovery"])


@pytest.mark.parametrize("name", CHARTS)
def test_every_machine_can_be_kept_in_every_state(name: str) -> None:
    chart = CHARTS[name]
    for state in chart.chart.states:
        machine = chart(None, state=state, clock=ManualClock(), armed={})
        assert restored_state(snapshot_of(machine), chart) is state
