"""`conform`: stacks held to the tables from the command line."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import pytest

from fsm_rtc.cli import conforming
from fsm_rtc.conformance import stacks
from tests.cli.conftest import Run
from tests.conformance.adapter_conversation import installed

pytestmark = pytest.mark.live

ROOT = Path(__file__).parents[2]

ADAPTER = """
import sys
sys.path.insert(0, {root!r})
from fsm_rtc.conformance.adapters.session import serve
from tests.conformance.memory_stack import MemoryStack

serve(MemoryStack({fault!r}))
"""


@pytest.fixture
def adapter(workplace: Path) -> str:
    """The command of a stack with one mistake."""
    return written(workplace / "adapter.py", "missing error")


def written(file: Path, fault: str) -> str:
    file.write_text(ADAPTER.format(root=str(ROOT), fault=fault))
    return shlex.join([sys.executable, str(file)])


def test_a_finding_is_told_with_what_was_expected_and_observed(run: Run, adapter: str) -> None:
    result = run("conform", "--adapter", adapter, "--examples", "0")
    assert result.exit_code == 0
    assert "memory 1, webrtc-pc: 179 of 179 cells; " in result.stdout
    assert "verdict negotiation · stable · createAnswer  (10/10)" in result.stdout
    assert "expected rejected with InvalidStateError, in stable; observed fulfilled, in stable" in result.stdout


def test_a_stack_that_keeps_the_text_is_told_so(run: Run, workplace: Path) -> None:
    command = written(workplace / "right.py", "")
    result = run("conform", "--adapter", command, "--examples", "20", "--strict")
    assert result.exit_code == 0
    assert "It does what the tables say." in result.stdout


def test_strict_exits_with_one_if_there_is_a_finding(run: Run, adapter: str) -> None:
    assert run("conform", "--adapter", adapter, "--examples", "0", "--strict").exit_code == 1


def test_it_writes_the_three_files(run: Run, adapter: str, workplace: Path) -> None:
    result = run(
        "conform", "--adapter", adapter, "--examples", "0", "--seed", "4",
        "--json", "f.json", "--html", "f.html", "--markdown", "f.md",
    )  # fmt: skip
    assert result.exit_code == 0
    (report,) = json.loads((workplace / "f.json").read_text())
    assert (report["name"], report["version"], report["profile"]) == ("memory", "1", "webrtc-pc")
    assert report["coverage"]["cells"] == report["coverage"]["of"] == 179
    (finding,) = report["findings"]
    assert finding["operation"] == "createAnswer"
    assert finding["sequence"] == ["createDataChannel", "createAnswer"]
    assert finding["reproduced"] == "10/10"
    assert finding["kind"] == "verdict"
    assert report["command"].endswith("--examples 0 --seed 4")
    assert "<title>WebRTC conformance</title>" in (workplace / "f.html").read_text()
    assert (workplace / "f.md").read_text().startswith("# Findings")


def test_a_file_that_can_not_be_written_is_told(run: Run, adapter: str) -> None:
    result = run("conform", "--adapter", adapter, "--examples", "0", "--json", "nowhere/f.json")
    assert result.exit_code == 2
    assert "nowhere/f.json can't be written: No such file or directory" in result.stderr


def test_a_findings_sequence_is_replayed_until_it_is_gone(run: Run, adapter: str, workplace: Path) -> None:
    run("conform", "--adapter", adapter, "--examples", "0", "--json", "f.json")
    result = run("conform", "--adapter", adapter, "--replay", "f.json")
    assert result.exit_code == 1
    assert "shows  memory: createDataChannel; createAnswer" in result.stdout
    written(workplace / "adapter.py", "")
    result = run("conform", "--adapter", adapter, "--replay", "f.json")
    assert result.exit_code == 0
    assert "gone   memory: createDataChannel; createAnswer" in result.stdout


def test_only_the_named_stacks_findings_are_replayed(run: Run, adapter: str) -> None:
    installed("aiortc")
    run("conform", "--adapter", adapter, "--examples", "0", "--json", "f.json")
    result = run("conform", "aiortc", "--replay", "f.json")
    assert result.exit_code == 0
    assert result.stdout == "memory: left out\n"


def test_the_jsep_profile_lets_a_provisional_answer_be_rolled_back(run: Run, workplace: Path) -> None:
    command = written(workplace / "right.py", "")
    result = run("conform", "--adapter", command, "--examples", "0", "--profile", "jsep")
    assert "negotiation · have-local-pranswer · setLocalDescription(rollback)" in result.stdout


def test_the_self_test_says_yes_to_each_check(run: Run, adapter: str) -> None:
    result = run("conform", "--adapter", adapter, "--self-test")
    assert result.exit_code == 0
    assert result.stdout.count("yes  ") == 9


def test_the_self_test_of_a_program_that_is_no_adapter_fails(run: Run) -> None:
    result = run("conform", "--adapter", "true", "--self-test")
    assert result.exit_code == 2
    assert "the adapter 'true': it ended (exit code 0)" in result.stderr


def test_known_stacks_go_by_name(run: Run) -> None:
    installed("aiortc")
    result = run("conform", "aiortc", "--examples", "10")
    assert result.exit_code == 0
    assert "aiortc 1." in result.stdout
    assert "Its API has no: " in result.stdout


def test_an_unknown_stack_is_told_with_the_known_ones(run: Run) -> None:
    result = run("conform", "firefox3")
    assert result.exit_code == 2
    assert "no stack is called 'firefox3'; there are aiortc, fsm_rtc, wrtc, chromium" in result.stderr


def test_a_stack_that_is_not_installed_is_told_with_how_to_get_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacks.KnownStack, "version", lambda _: None)
    result = run("conform", "wrtc")
    assert result.exit_code == 2
    assert "wrtc is not installed; run: pip install wrtc" in result.stderr


def test_without_hypothesis_it_says_how_to_go_on(run: Run, adapter: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conforming, "find_spec", lambda _: None)
    result = run("conform", "--adapter", adapter)
    assert result.exit_code == 2
    assert "pip install hypothesis" in result.stderr
    assert run("conform", "--adapter", adapter, "--examples", "0").exit_code == 0


def test_names_and_an_adapter_are_one_too_many(run: Run, adapter: str) -> None:
    result = run("conform", "aiortc", "--adapter", adapter)
    assert result.exit_code == 2
    assert "name stacks, or give --adapter, not both" in result.stderr


def test_the_help_names_every_option(run: Run) -> None:
    said = run("conform", "--help").stdout
    for option in ("--adapter", "--self-test", "--seconds", "--seed", "--json", "--html", "--replay", "--profile"):
        assert option in said
