"""The examples of charts with time run, and show what they say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fsm_rtc.diagrams import mermaid
from fsm_rtc.engine import Chart

ROOT = Path(__file__).parent.parent.parent

SHOWN = {
    "order": [
        "guard has_items refused (There must be something in the cart)",
        "guard covers_total refused (The payment must cover the total)",
        "due at 900 s",
        "Accepted(OrderChart: awaiting-payment --payment_timeout--> cancelled)",
    ],
    "traffic_light": [
        "30 s: wake, red-amber",
        "32 s: go, green",
        "52 s: warn, amber",
        "55 s: stop, red",
        "flashing, next at 56 s",
    ],
    "connection_pool": [
        "5 s: connect_timeout, backing-off",
        "6 s: retry, connecting Dial",
        "36 s: check, checking Ping",
        "38 s: check_timeout, closed HangUp",
    ],
}


@pytest.mark.parametrize("name", SHOWN)
def test_it_shows_what_the_time_does(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", f"examples.{name}"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    assert len(lines) == len(SHOWN[name])
    for line, words in zip(lines, SHOWN[name], strict=True):
        assert words in line


def test_they_can_be_drawn() -> None:
    from examples.connection_pool import Pooled
    from examples.order import OrderChart
    from examples.traffic_light import Light

    charts: list[type[Chart[Any, Any]]] = [Pooled, OrderChart, Light]
    for chart in charts:
        assert "(after " in mermaid(chart)
        assert "entry / " in mermaid(chart)
