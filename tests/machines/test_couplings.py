"""What couples the machines: the table names what there is, and a real call shows it."""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict

import pytest

from fsm_rtc.engine import Entry
from fsm_rtc.machines import CHARTS, DERIVED
from fsm_rtc.machines.couplings import COUPLINGS, Coupling, Way
from fsm_rtc.messages import read_journal


def named(coupling: Coupling) -> str:
    return f"{coupling.source} to {coupling.target} by {', '.join(coupling.by) or 'rules'}"


@pytest.fixture(scope="module")
def call() -> dict[str, list[Entry]]:
    """The accepted events of a call over aiortc, by peer."""
    done = subprocess.run([sys.executable, "-m", "fsm_rtc.cli", "demo", "--json"], capture_output=True)
    assert done.returncode == 0, done.stderr
    peers: dict[str, list[Entry]] = defaultdict(list)
    for record in read_journal(done.stdout.splitlines()).records:
        if isinstance(record, Entry) and record.accepted:
            peers[record.label.partition(".")[0]].append(record)
    return peers


@pytest.mark.parametrize("coupling", COUPLINGS, ids=named)
def test_a_coupling_names_machines_triggers_and_guards_that_there_are(coupling: Coupling) -> None:
    assert coupling.source in {**CHARTS, **DERIVED}
    if coupling.target in DERIVED:
        assert coupling.by == ()
        return
    table = CHARTS[coupling.target].chart
    guards = {guard.__name__ for trigger in table.triggers.values() for row in trigger.rows for guard in row.when}
    assert coupling.by
    assert set(coupling.by) <= (guards if coupling.way is Way.READS else table.triggers.keys())


SHOWN = [one for one in COUPLINGS if one.way is Way.FIRES and one.in_every_call]


@pytest.mark.parametrize("coupling", SHOWN, ids=named)
@pytest.mark.live
def test_a_call_shows_the_coupling(call: dict[str, list[Entry]], coupling: Coupling) -> None:
    sources = {"ice", "dtls"} if coupling.source in DERIVED else {coupling.source}  # a journal has no derived state
    names, target = {CHARTS[name].__name__ for name in sources}, CHARTS[coupling.target].__name__
    for trigger in coupling.by:
        followed = [
            peer
            for peer, entries in call.items()
            for place, entry in enumerate(entries)
            if (entry.machine, entry.trigger) == (target, trigger)
            and any(before.machine in names for before in entries[:place])
        ]
        assert followed, trigger
