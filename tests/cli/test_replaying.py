"""`replay`."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from fsm_rtc.cli.lookup import find_chart
from fsm_rtc.engine import Journal
from fsm_rtc.machines.negotiation import Negotiation
from tests.cli.conftest import Run


@pytest.fixture
def call(workplace: Path) -> Path:
    """The journal of a negotiation that went well, with one refusal."""
    journal = Journal()
    negotiation = Negotiation(SimpleNamespace(last_created_offer="o", last_created_answer="a"))
    journal.watch(negotiation, "offerer.negotiation")
    negotiation.fire("create_offer")
    negotiation.fire("set_local_offer", SimpleNamespace(sdp="o"))
    negotiation.fire("create_answer")
    negotiation.fire("set_remote_answer", SimpleNamespace(sdp="a"))
    negotiation.fire("close")
    return written(workplace / "call.jsonl", journal)


@pytest.fixture
def door(workplace: Path) -> Path:
    """The journal of a user's chart."""
    journal = Journal()
    machine = find_chart("house.door:Door")()
    journal.watch(machine, "front")
    machine.fire("unlock", "fits")
    return written(workplace / "door.jsonl", journal)


def written(path: Path, journal: Journal) -> Path:
    path.write_text("".join(f"{line}\n" for line in journal.lines()))
    return path


def test_a_journal_that_agrees_exits_with_0_and_names_each_final_state(run: Run, call: Path) -> None:
    result = run("replay", str(call))
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1].split() == ["offerer.negotiation", "Negotiation", "4", "1", "closed", "yes"]


def test_a_journal_is_read_from_standard_input_too(run: Run, call: Path) -> None:
    assert run("replay", "-", stdin=call.read_bytes()).exit_code == 0


def test_a_record_that_the_table_does_not_allow_is_told_and_exits_with_1(run: Run, call: Path) -> None:
    call.write_text(call.read_text().replace("have-local-offer", "have-remote-pranswer"))
    result = run("replay", str(call))
    assert result.exit_code == 1
    assert "no, 1 times" in result.stdout
    assert "line 3: offerer.negotiation: set_local_offer from 'stable'" in result.stdout


def test_the_result_as_json(run: Run, call: Path) -> None:
    shown = json.loads(run("replay", str(call), "--json").stdout)
    assert shown == {
        "agrees": True,
        "records": 6,
        "walks": [
            {
                "label": "offerer.negotiation",
                "machine": "Negotiation",
                "events": 5,
                "accepted": 4,
                "rejected": 1,
                "state": "closed",
                "agrees": True,
            }
        ],
        "mismatches": [],
    }


def test_the_mismatches_are_in_the_json(run: Run, call: Path) -> None:
    call.write_text(call.read_text().replace("create_answer", "create_tea"))
    result = run("replay", str(call), "--json")
    assert result.exit_code == 1
    (mismatch,) = json.loads(result.stdout)["mismatches"]
    assert (mismatch["line"], mismatch["label"]) == (4, "offerer.negotiation")
    assert "has no such trigger" in mismatch["message"]


def test_a_users_chart_is_given_by_its_name(run: Run, door: Path) -> None:
    refused = run("replay", str(door))
    assert refused.exit_code == 2
    assert "give it with --chart package.module:Door" in refused.stderr
    assert run("replay", str(door), "--chart", "house.door:Door").exit_code == 0


def test_a_changed_chart_is_refused_until_one_goes_on_despite_it(run: Run, call: Path) -> None:
    call.write_text(call.read_text().replace(Negotiation.chart.digest, "0" * 16))
    refused = run("replay", str(call))
    assert refused.exit_code == 2
    assert "line 1: Negotiation has changed" in refused.stderr
    assert run("replay", str(call), "--despite-changes").exit_code == 0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds no record"),
        (b"\x00\xff", "line 1: not text"),
        (b'{"record": "started"', "line 1: the line is cut off"),
    ],
)
def test_a_file_that_is_no_journal_is_told_and_exits_with_2(
    run: Run, workplace: Path, content: bytes, message: str
) -> None:
    (workplace / "bad.jsonl").write_bytes(content)
    result = run("replay", "bad.jsonl")
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr


def test_a_file_that_is_not_there_is_told(run: Run) -> None:
    result = run("replay", "nowhere.jsonl")
    assert result.exit_code == 2
    assert "nowhere.jsonl can't be read: No such file" in result.stderr


def test_a_chart_that_is_not_there_is_told(run: Run, call: Path) -> None:
    result = run("replay", str(call), "--chart", "house.door:Elephant")
    assert result.exit_code == 2
    assert "has no 'Elephant'" in result.stderr
