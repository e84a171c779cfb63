"""The four known stacks, each as it is installed: what the kit is known to find, and what no run may say."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from fsm_rtc.conformance.adapter import ProcessAdapter
from fsm_rtc.conformance.campaign import Campaign, Options
from fsm_rtc.conformance.findings import CellVerdict, Finding, Kind, StackReport, read_reports, write_reports
from fsm_rtc.conformance.sequences import Sequence
from fsm_rtc.errors import ConformanceError
from tests.conformance.adapter_conversation import installed
from tests.effort import by_profile

pytestmark = pytest.mark.browser

STACKS = ("aiortc", "fsm_rtc", "wrtc", "chromium")
EXAMPLES = by_profile(quick=20, default=50, ci=200, thorough=200)


@cache
def report_of(name: str, seed: int = 0) -> StackReport:
    command = installed(name).command
    with Campaign(lambda: ProcessAdapter(command), Options(examples=EXAMPLES, reruns=3, seed=seed)) as campaign:
        return campaign.run()


def places(report: StackReport) -> set[tuple[str, str, str, Kind]]:
    return {(one.machine, one.state, one.operation, one.kind) for one in report.findings}


@pytest.mark.parametrize("name", STACKS)
def test_every_cell_that_the_stack_can_reach_is_tried(name: str) -> None:
    report = report_of(name)
    assert report.coverage.cells == report.coverage.of > 130
    assert all(cell.verdict is not CellVerdict.NOT_TRIED for cell in report.cells)


@pytest.mark.parametrize("name", ["wrtc", "chromium"])
def test_libwebrtc_enters_every_state(name: str) -> None:
    report = report_of(name)
    assert (report.coverage.cells, report.coverage.unreachable) == (179, 0)


@pytest.mark.parametrize("name", STACKS)
def test_no_stack_hangs_or_crashes(name: str) -> None:
    assert [one for one in report_of(name).findings if one.kind in (Kind.HANG, Kind.CRASH)] == []


@pytest.mark.parametrize("name", STACKS)
def test_each_finding_names_the_passage_and_was_read_against_it(name: str) -> None:
    steady = [one for one in grave(report_of(name)) if one.is_deterministic and not one.note]
    assert [one for one in steady if not one.reading or "#" not in one.source] == []


def test_the_published_findings_have_all_been_read() -> None:
    published = (Path(__file__).parents[2] / "docs" / "findings.md").read_text()
    assert all(f"## {name} " in published for name in STACKS)
    assert "not yet" not in published


def grave(report: StackReport) -> list[Finding]:
    return [one for one in report.findings if one.kind is not Kind.INEXPRESSIBLE]


@pytest.mark.parametrize("name", ["aiortc", "wrtc"])
def test_another_seed_names_the_same_findings_in_the_deterministic_part(name: str) -> None:
    def steady(seed: int) -> set[tuple[str, ...]]:
        found = [one for one in grave(report_of(name, seed)) if one.is_deterministic and not one.note]
        return {(one.machine, one.state, one.operation, one.kind.value, one.observed) for one in found}

    assert steady(0) == steady(1)


FACTS = {
    "1 and 29: a remote close closes": ("negotiation", "stable", "close by the other side", Kind.STATE),
    "2: rollback is accepted and not done": (
        "negotiation",
        "have-local-offer",
        "setLocalDescription(rollback)",
        Kind.STATE,
    ),
    "3: a provisional answer changes nothing": (
        "negotiation",
        "have-remote-offer",
        "setLocalDescription(pranswer)",
        Kind.STATE,
    ),
    "6: garbage is an offer": ("negotiation", "stable", "setRemoteDescription(garbage)", Kind.VERDICT),
    "6: an offer without a fingerprint is accepted": (
        "negotiation",
        "stable",
        "setRemoteDescription(no fingerprint)",
        Kind.VERDICT,
    ),
    "7: a candidate before the description is dropped": (
        "api",
        "no remote description",
        "addIceCandidate(good)",
        Kind.VERDICT,
    ),
    "13: glare is an error": ("negotiation", "have-local-offer", "setRemoteDescription(offer)", Kind.VERDICT),
    "14: an offer in have-remote-offer": ("negotiation", "have-remote-offer", "createOffer", Kind.VERDICT),
    "14: a channel after close": ("api", "closed", "createDataChannel", Kind.VERDICT),
    "14: an unknown mid": ("api", "remote description", "addIceCandidate(unknown mid)", Kind.VERDICT),
    "19: no open for a remote channel": ("data_channel", "connecting", "connect", Kind.EVENT),
    "21: events at close": ("api", "closed", "close", Kind.EVENT),
}


@pytest.mark.parametrize("fact", FACTS)
def test_the_measured_facts_of_aiortc_are_found(fact: str) -> None:
    assert FACTS[fact] in places(report_of("aiortc"))


def test_the_projects_own_connection_differs_where_aiortc_cannot_and_in_nothing_it_lets_through() -> None:
    accepted = [one for one in grave(report_of("fsm_rtc")) if one.expected.startswith(("rejected", "thrown"))]
    assert {one.operation for one in accepted if one.kind is Kind.VERDICT} == set()


def test_a_munged_description_is_accepted_by_chromium() -> None:
    assert ("negotiation", "stable", "setLocalDescription(munged offer)", Kind.VERDICT) in places(report_of("chromium"))


def test_findings_are_kept_in_a_file_and_read_again(tmp_path: Path) -> None:
    file = tmp_path / "findings.json"
    write_reports([report_of("aiortc")], file)
    assert read_reports(file) == [report_of("aiortc")]


def test_a_file_that_holds_something_else_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "findings.json"
    file.write_text('{"name": 7}')
    with pytest.raises(ConformanceError, match="holds no findings"):
        read_reports(file)
    with pytest.raises(ConformanceError, match="can't be read"):
        read_reports(tmp_path / "nowhere.json")


def test_every_sequence_of_a_finding_can_be_written_down_and_run_again() -> None:
    for finding in grave(report_of("aiortc")):
        Sequence(finding.sequence).check()
    with pytest.raises(ConformanceError, match=r"there is no step 'a\.dance'"):
        Sequence(("connect", "a.dance")).check()
