"""When a relay is asked for anew because its credentials end."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from fsm_rtc.engine import Accepted
from fsm_rtc.machines.relay_credentials import RelayCredentials, RelayCredentialsState, ReplaceRelay
from tests.machines.handwritten_tables import asked, triggers_of, written


@dataclass(frozen=True)
class Relayed:
    is_relayed: bool


RELAYED = """
                    newest     replacing
on_credentials      replacing  =
on_agreed           =          newest
on_peer_connection  =          newest
"""

DIRECT = """
                    newest     replacing
on_credentials      =          newest
on_agreed           =          newest
on_peer_connection  =          newest
"""


@pytest.mark.parametrize(("table", "is_relayed"), [(RELAYED, True), (DIRECT, False)])
def test_every_cell_is_as_the_documentation_says(table: str, is_relayed: bool) -> None:
    assert asked(RelayCredentials, triggers_of(table), Relayed(is_relayed)) == written(table)
    assert {*RelayCredentials.chart.triggers} == {*triggers_of(table)}


def test_ice_is_restarted_each_time_that_a_relayed_call_gets_credentials_and_never_else() -> None:
    machine = RelayCredentials()
    assert machine.state is RelayCredentialsState.NEWEST
    for is_relayed, effects in [(False, ()), (True, (ReplaceRelay(),)), (True, (ReplaceRelay(),)), (False, ())]:
        outcome = machine.on_credentials(Relayed(is_relayed))
        assert isinstance(outcome, Accepted)
        assert outcome.effects == effects
