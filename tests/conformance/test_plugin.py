"""The pytest plugin, and ConformanceTest: a test for each cell, the known ones expected."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fsm_rtc.conformance.cells import PAIR_CELLS, cells

ROOT = Path(__file__).parents[2]

ADAPTER = """
import sys
sys.path.insert(0, {root!r})
from fsm_rtc.conformance.adapters.base import serve
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
