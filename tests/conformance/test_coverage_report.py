"""pytest tells at the end of a run which cells of a chart were tried, and can fail for those that weren't."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from fsm_rtc.conformance.chart_coverage import ChartCoverage, CoverageReport
from fsm_rtc.conformance.coverage_report import forget, handed_over, note_coverage, take_over, taken, under
from tests.conformance.door_chart import DoorChart

pytestmark = pytest.mark.live

ROOT = Path(__file__).parents[2]

TEST = """
from hypothesis import settings, strategies as st

from fsm_rtc.conformance import machine_test
from tests.conformance.door_chart import Door, DoorChart

keys = {keys}
TestDoor = machine_test(DoorChart, Door, payloads={{"lock": keys, "unlock": keys}}).TestCase
TestDoor.settings = settings(max_examples=2, database=None)
"""
ALL, WRONG = "st.integers(6, 8)", "st.just(8)"


def run(folder: Path, keys: str, *arguments: str) -> tuple[int, str]:
    (folder / "test_door.py").write_text(TEST.format(keys=keys))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


MISSING = """\
DoorChart with Door: 10 of 17 cells tried, 58 %
  not tried: 'locked', 6 cells: no way there was found
  not tried: lock in 'shut', accepted as right_key: right_key refused each time
"""


def test_what_was_not_tried_is_named_in_any_case(tmp_path: Path) -> None:
    code, said = run(tmp_path, WRONG)
    assert code == 0, said
    assert MISSING in said
    _, said = run(tmp_path, ALL)
    assert "cells" not in said


def test_the_option_tells_of_all_charts(tmp_path: Path) -> None:
    code, said = run(tmp_path, ALL, "--fsm-coverage")
    assert code == 0, said
    assert "DoorChart with Door: 17 of 17 cells tried, 100 %" in said


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_too_little_fails_the_run_with_workers_too(tmp_path: Path, workers: tuple[str, ...]) -> None:
    code, said = run(tmp_path, WRONG, "--fsm-fail-under=59", *workers)
    assert code == 1
    assert "1 passed" in said
    assert MISSING in said
    assert "FAIL DoorChart with Door: 58.8 % of the cells were tried, less than 59 %" in said
    code, said = run(tmp_path, WRONG, "--fsm-fail-under=58", *workers)
    assert code == 0
    assert MISSING in said


def test_the_random_orders_count_their_cells_as_events_of_hypothesis(tmp_path: Path) -> None:
    _, said = run(tmp_path, ALL, "--hypothesis-show-statistics")
    assert re.search(r"%, \w+ in 'open', (accepted|refused)", said), said


def test_after_a_failure_the_rest_of_the_table_is_not_listed() -> None:
    coverage = ChartCoverage(DoorChart, "Door")
    coverage.has_failed = True
    assert coverage.report().missing == ("a difference or an error ended the walk over the cells",)


def test_each_is_told_once_and_nothing_after_the_run() -> None:
    before = list(taken)
    taken.clear()
    coverage = ChartCoverage(DoorChart, "Door")
    for _ in range(2):
        note_coverage(coverage)
    note = handed_over()
    assert len(note) == 1
    take_over([("Other with Driver", 1, 2, ("x",))])
    assert under(50) == [coverage.report()]
    assert under(51) == [coverage.report(), CoverageReport("Other with Driver", 1, 2, ("x",))]
    assert under(None) == []
    forget()
    assert under(100) == []
    taken[:] = before


@pytest.mark.parametrize(("option", "value"), [("fsm_coverage", False), ("fsm_fail_under", None)])
def test_the_options_are_there(option: str, value: object, pytestconfig: pytest.Config) -> None:
    assert pytestconfig.getoption(option) is value
