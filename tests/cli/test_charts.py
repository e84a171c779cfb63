"""`machines`, `matrix` and `diagram`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from fsm_rtc.diagrams import all_machines, matrix, mermaid
from fsm_rtc.engine import Journal
from fsm_rtc.machines import CHARTS
from fsm_rtc.machines.negotiation import Negotiation
from tests.cli.conftest import Run


def test_machines_lists_every_machine_with_kind_and_size(run: Run) -> None:
    rows = [line.split() for line in run("machines").output.splitlines()]
    found = {row[0]: row[1:4] for row in rows if row and row[0] in all_machines()}
    assert set(found) == set(all_machines())
    assert found["negotiation"] == ["commanded", "6", "11"]
    assert found["ice_reported"][0] == "observed"
    assert found["connection_state"][0] == "derived"


def test_matrix_prints_the_matrix_as_it_is(run: Run) -> None:
    assert run("matrix", "negotiation").output == matrix(Negotiation)


def test_matrix_of_a_users_chart(run: Run) -> None:
    assert "open [has_key]" in run("matrix", "house.door:Door").output
    assert "somebody pushes" in run("matrix", "house.door:Swing").output


@pytest.mark.parametrize("name", ["nothing", "house.door:Dor", "unsound:Door", "loud:Door"])
@pytest.mark.parametrize("command", ["matrix", "diagram"])
def test_a_bad_name_is_told_on_stderr_and_exits_with_2(run: Run, command: str, name: str) -> None:
    result = run(command, name)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("fsm-rtc: ")
    assert result.stderr.count("\n") <= 2


def test_diagram_prints_mermaid_by_default(run: Run) -> None:
    assert run("diagram", "negotiation").output == mermaid(Negotiation)


@pytest.mark.parametrize(
    ("language", "opening"), [("dot", "digraph"), ("svg", "<?xml"), ("mermaid", "---\ntitle: Door")]
)
def test_diagram_prints_a_users_chart_in_each_language(run: Run, language: str, opening: str) -> None:
    assert run("diagram", "house.door:Door", "--format", language).output.startswith(opening)


def test_diagram_writes_one_file_and_checks_it(run: Run, workplace: Path) -> None:
    arguments = ("diagram", "house.door:Door", "--format", "dot", "-o", "drawn")
    assert run(*arguments, "--check").exit_code == 1
    assert run(*arguments).stderr == "1 file written to drawn\n"
    assert run(*arguments, "--check").exit_code == 0
    (workplace / "drawn" / "Door.dot").write_text("digraph {}")
    stale = run(*arguments, "--check")
    assert stale.exit_code == 1
    assert "stale: drawn/Door.dot" in stale.stderr
    assert "mend them with: fsm-rtc diagram house.door:Door --format dot -o drawn" in stale.stderr


def test_diagram_all_writes_everything_and_checks_it(run: Run, workplace: Path) -> None:
    assert run("diagram", "--all", "-o", "out").exit_code == 0
    assert len(list((workplace / "out").iterdir())) == 3 * len(all_machines()) + 2, "three of each, two of the overview"
    assert run("diagram", "--all", "-o", "out", "--check").exit_code == 0
    (workplace / "out" / "ice.svg").unlink()
    (workplace / "out" / "window.md").write_text("old")
    result = run("diagram", "--all", "-o", "out", "--check")
    assert result.exit_code == 1
    assert "missing: out/ice.svg\nsuperfluous: out/window.md\n" in result.stderr
    assert "fsm-rtc diagram --all -o out" in result.stderr


def test_diagram_all_in_one_language(run: Run, workplace: Path) -> None:
    assert run("diagram", "--all", "--format", "dot").exit_code == 0
    assert {path.stem for path in (workplace / "diagrams").iterdir()} == set(all_machines())


@pytest.mark.parametrize("arguments", [(), ("negotiation", "--all")])
def test_diagram_wants_either_a_name_or_all(run: Run, arguments: tuple[str, ...]) -> None:
    result = run("diagram", *arguments)
    assert result.exit_code == 2
    assert "either one NAME or --all" in result.stderr


def test_diagram_without_graphviz_says_what_to_install(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    result = run("diagram", "negotiation", "--format", "svg")
    assert result.exit_code == 2
    assert "pip install pygraphviz" in result.stderr


def test_a_directory_that_can_not_be_written_is_told(run: Run, workplace: Path) -> None:
    (workplace / "file").write_text("")
    result = run("diagram", "negotiation", "-o", "file/below")
    assert result.exit_code == 2
    assert "choose another directory" in result.stderr


@pytest.fixture
def call(workplace: Path) -> Path:
    """A journal of one machine: an offer, and an answer that nobody had asked for."""
    journal = Journal(lambda: 1.0)
    machine = Negotiation(None)
    journal.watch(machine, "alice.negotiation")
    machine.fire("set_remote_answer")
    machine.fire("set_remote_offer")
    path = workplace / "call.jsonl"
    path.write_text("\n".join(journal.lines()) + "\n")
    return path


def test_diagram_with_a_journal_counts_and_names_what_was_rejected(run: Run, call: Path) -> None:
    said = run("diagram", "negotiation", "--journal", "call.jsonl").stdout
    assert "1× set_remote_offer" in said
    assert "rejected 1× set_remote_answer: no row" in said


def test_diagram_all_with_a_journal_draws_the_machines_that_it_has(run: Run, call: Path, workplace: Path) -> None:
    assert run("diagram", "--all", "--journal", "call.jsonl", "-o", "drawn").stderr == "1 file written to drawn\n"
    assert [path.name for path in (workplace / "drawn").iterdir()] == ["negotiation.mmd"]


def test_diagram_of_a_call_as_a_sequence(run: Run, call: Path, workplace: Path) -> None:
    said = run("diagram", "--sequence", "call.jsonl").stdout
    assert said.startswith('---\ntitle: "The call in call.jsonl"\n---\nsequenceDiagram\n')
    assert "rejected set_remote_answer in stable: no row" in said
    assert run("diagram", "--sequence", "call.jsonl", "-o", "drawn").exit_code == 0
    assert (workplace / "drawn" / "call.sequence.mmd").read_text() == said


@pytest.mark.parametrize(
    "arguments",
    [
        ("negotiation", "--sequence", "call.jsonl"),
        ("--all", "--journal", "call.jsonl", "--check"),
        ("--sequence", "call.jsonl", "--format", "svg"),
        ("--sequence", "nowhere.jsonl"),
        ("ice", "--journal", "call.jsonl"),
        ("connection_state", "--format", "scxml"),
    ],
)
def test_what_diagram_can_not_do_is_told_on_stderr_and_exits_with_2(
    run: Run, call: Path, arguments: tuple[str, ...]
) -> None:
    result = run("diagram", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("fsm-rtc: ")


def test_diagram_all_as_scxml_leaves_out_what_is_derived(run: Run, workplace: Path) -> None:
    assert run("diagram", "--all", "--format", "scxml", "-o", "out").exit_code == 0
    assert {path.name for path in (workplace / "out").iterdir()} == {f"{name}.scxml" for name in CHARTS}
