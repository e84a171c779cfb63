"""The pytest plugin, and ConformanceTest: a test for each cell, the known ones expected."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fsm_rtc.conformance.cells import PAIR_CELLS, cells

pytestmark = pytest.mark.live

ROOT = Path(__file__).parents[2]

ADAPTER = """
import sys
sys.path.insert(0, {root!r})
from fsm_rtc.conformance.adapters.session import serve
from tests.conformance.memory_stack import MemoryStack

serve(MemoryStack({fault!r}))
"""

CLASS = """
from fsm_rtc.conformance import ConformanceTest


class TestMine(ConformanceTest):
    adapter = [{python!r}, {adapter!r}]
    examples = 0
    reruns = 1
    known = {known!r}
"""


def run(folder: Path, fault: str, known: dict[tuple[str, str, str], str], *arguments: str) -> tuple[int, str]:
    adapter = folder / "adapter.py"
    adapter.write_text(ADAPTER.format(root=str(ROOT), fault=fault))
    code = CLASS.format(python=sys.executable, adapter=str(adapter), known=known)
    (folder / "test_mine.py").write_text(code)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def test_a_stack_that_keeps_the_text_passes_a_test_for_each_cell(tmp_path: Path) -> None:
    code, said = run(tmp_path, "", {})
    assert code == 0, said
    assert f"{len([*cells('webrtc-pc'), *PAIR_CELLS]) + 1} passed" in said


def test_a_mistake_fails_in_its_cell_with_the_finding(tmp_path: Path) -> None:
    code, said = run(tmp_path, "missing error", {})
    assert code == 1
    assert "1 failed" in said
    assert "test_cell[negotiation-stable-createAnswer]" in said
    assert "expected: rejected with InvalidStateError, in stable" in said
    assert "sequence: createDataChannel; createAnswer" in said


def test_what_no_cell_plans_fails_apart(tmp_path: Path) -> None:
    code, said = run(tmp_path, "need lost", {})
    assert code == 1
    assert "test_everything_else" in said
    assert "negotiation_needed, clear: addTransceiver" in said


def test_a_known_difference_is_expected_and_a_stale_one_fails(tmp_path: Path) -> None:
    known = {("negotiation", "stable", "createAnswer"): "issue 7"}
    code, said = run(tmp_path, "missing error", known, "-rx")
    assert code == 0
    assert "1 xfailed" in said
    assert "issue 7" in said
    code, said = run(tmp_path, "", known)
    assert code == 1
    assert "does not differ any more; take it out of `known`" in said


def test_the_command_line_chooses_another_adapter(tmp_path: Path) -> None:
    other = tmp_path / "other.py"
    other.write_text(ADAPTER.format(root=str(ROOT), fault="missing error"))
    code, said = run(tmp_path, "", {}, "--conform-adapter", f"{sys.executable} {other}")
    assert code == 1
    assert "test_cell[negotiation-stable-createAnswer]" in said


def test_without_an_adapter_it_says_how_to_give_one(tmp_path: Path) -> None:
    (tmp_path / "test_none.py").write_text(
        "from fsm_rtc.conformance import ConformanceTest\n\nclass TestNone(ConformanceTest):\n    pass\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert "TestNone has no adapter; give it one, or pytest --conform-adapter COMMAND" in done.stdout


BROKEN = """
import pathlib, sys
with pathlib.Path(__file__).with_name("started").open("a") as file:
    file.write("x")
sys.exit("no library here")
"""


def test_an_adapter_that_fails_is_started_once_and_tells_its_last_words_in_each_test(tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text(BROKEN)
    code, said = run(tmp_path, "", {}, "--conform-adapter", f"{sys.executable} {broken}")
    assert code == 1
    assert "It said: no library here" in said
    assert "Traceback" not in said
    assert " passed" not in said
    assert (tmp_path / "started").read_text() == "x"


@pytest.mark.parametrize(
    ("place", "why"),
    [
        (("negotiation", "stabel", "createAnswer"), "negotiation has the states stable, have-local-offer"),
        (("connection_state", "fine", "close"), "connection_state has the states "),
        (("negotiatoin", "stable", "createAnswer"), "there is no machine 'negotiatoin'"),
    ],
)
def test_a_known_place_that_does_not_exist_is_told(tmp_path: Path, place: tuple[str, str, str], why: str) -> None:
    code, said = run(tmp_path, "", {place: "issue 7"})
    assert code == 1
    assert "1 failed" in said
    assert f"`known` has {place}; {why}" in said


def test_what_no_cell_plans_may_be_known_too(tmp_path: Path) -> None:
    known = {("negotiation_needed", "clear", "addTransceiver"): "issue 8"}
    code, said = run(tmp_path, "need lost", known)
    assert code == 0, said
    assert "negotiation_needed · clear · addTransceiver  (1/1, known: issue 8)" in said
    code, said = run(tmp_path, "", known)
    assert code == 0
    assert "known, but not seen in this run: negotiation_needed · clear · addTransceiver" in said


def test_the_run_ends_with_a_line_for_each_finding(tmp_path: Path) -> None:
    _, said = run(tmp_path, "missing error", {})
    _, _, summary = said.partition("WebRTC conformance: TestMine")
    assert "memory 1, webrtc-pc: " in summary
    assert "verdict negotiation · stable · createAnswer  (1/1)" in summary


def test_a_profile_that_does_not_exist_is_refused_when_the_tests_are_collected(tmp_path: Path) -> None:
    (tmp_path / "test_none.py").write_text(
        "from fsm_rtc.conformance import ConformanceTest\n\n"
        "class TestNone(ConformanceTest):\n    adapter = 'x'\n    profile = 'jseb'\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode != 0
    assert "TestNone has the profile 'jseb'; choose one of webrtc-pc, jsep" in done.stdout


def test_a_run_without_conformance_tests_has_no_summary_and_imports_nothing(tmp_path: Path) -> None:
    (tmp_path / "test_other.py").write_text(
        "import sys\n\ndef test_nothing_came():\n"
        "    assert 'fsm_rtc.conformance.plugin' in sys.modules\n"
        "    assert not {'aiortc', 'msgspec', 'fsm_rtc.conformance.testcase'} & sys.modules.keys()\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert "WebRTC conformance" not in done.stdout


def test_the_plugin_loads_nothing_until_it_is_used() -> None:
    code = (
        "import sys, fsm_rtc.conformance.plugin\n"
        "print(sorted({'hypothesis', 'aiortc', 'msgspec', 'pytest'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("option", ["--conform-adapter", "--conform-examples", "--conform-seed"])
def test_the_options_are_there(option: str, pytestconfig: pytest.Config) -> None:
    assert pytestconfig.getoption(option.removeprefix("--").replace("-", "_")) is None
