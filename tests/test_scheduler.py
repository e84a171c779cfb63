"""What the workers of a parallel run are given."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scheduler import LONGEST_FIRST, PARTS, browses, rank, unit_of

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(
    ("nodeid", "unit"),
    [
        ("tests/engine/test_chart.py::TestRows::test_one[a-b]", "tests/engine/test_chart.py"),
        ("tests/interop/test_table.py::test_data[pion-we offer-round 1]", "tests/interop/test_table.py pion"),
        ("tests/interop/test_table.py::test_glare[pion-they offer-round 2]", "tests/interop/test_table.py pion"),
        (
            "tests/interop/test_table.py::test_data[@roamhq/wrtc-we offer-round 1]",
            "tests/interop/test_table.py @roamhq/wrtc",
        ),
        ("tests/end_to_end/test_sleep.py::test_one[chrome:sleepy]", "tests/end_to_end/test_sleep.py ::test_one"),
        ("tests/cli/test_send_receive.py::test_one[x]", "tests/cli/test_send_receive.py ::test_one[x]"),
    ],
)
def test_a_worker_runs_a_file_or_a_part_of_it(nodeid: str, unit: str) -> None:
    assert unit_of(nodeid) == unit


def test_what_lasts_longest_begins_first() -> None:
    units = [
        "tests/engine/test_chart.py",
        "tests/cli/test_keys.py",
        "tests/cli/test_demo.py",
        "tests/interop/test_table.py wrtc",
    ]
    assert sorted(units, key=rank) == [units[3], units[2], units[1], units[0]]


def test_every_name_is_of_something_that_is_there() -> None:
    for start in (*LONGEST_FIRST, *PARTS):
        assert (ROOT / start).exists(), start


def test_what_drives_browsers_is_known_by_its_folder() -> None:
    assert browses("tests/end_to_end/test_sleep.py ::test_one")
    assert not browses("tests/interop/test_table.py pion")
