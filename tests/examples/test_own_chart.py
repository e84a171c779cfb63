"""The example of a machine of one's own runs, and shows what it says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def test_it_shows_a_reason_an_effect_and_a_diagram() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "examples.own_chart"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    refused, taken, muted, *diagram = done.stdout.splitlines()
    assert "guard has_seat refused (The room must have a free seat for a speaker)" in refused
    assert taken == "off -> live: (SendTrack(enabled=True),)"
    assert "Possible here: host_allow, leave." in muted
    assert "    off --> live: unmute [has_seat] / start_track" in diagram
