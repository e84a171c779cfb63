"""The findings as Markdown."""

from __future__ import annotations

from fsm_rtc.conformance.findings import Kind
from fsm_rtc.conformance.findings_text import findings_markdown
from tests.conformance.sample_reports import finding, report


def test_each_stack_has_its_section_with_the_command_that_runs_it_again() -> None:
    text = findings_markdown([report("one", finding()), report("two")])
    assert "## one 1.0" in text
    assert "Again: `fsm-rtc conform one`" in text
    assert "It does what the tables say." in text


def test_a_finding_points_at_what_the_text_says() -> None:
    text = findings_markdown([report("one", finding(), finding(operation="createOffer", reading=""))])
    assert "[1](#what-the-text-says) |" in text
    assert "| not yet " in text
    assert "1. createAnswer needs an offer." in text


def test_findings_are_counted_by_kind() -> None:
    text = findings_markdown([report("one", finding(), finding(kind=Kind.HANG), finding(kind=Kind.INEXPRESSIBLE))])
    head, row = (line for line in text.splitlines() if line.startswith(("| stack", "| one")))
    counts = dict(zip(head.split("|"), row.split("|"), strict=True))
    told = {name.strip(): count.strip() for name, count in counts.items()}
    assert (told["verdict"], told["hang"], told["inexpressible"], told["crash"]) == ("1", "1", "1", "0")


def test_a_flaky_finding_and_what_is_lacking_are_told_beside_the_table() -> None:
    lack = finding(kind=Kind.INEXPRESSIBLE, operation="restartIce")
    text = findings_markdown([report("one", finding(note="flaky: seen in 3 of 10 reruns"), lack)])
    assert "- negotiation, stable, createAnswer: flaky: seen in 3 of 10 reruns" in text
    assert "Its API has no `restartIce`." in text


def test_a_bar_in_foreign_text_does_not_break_the_table() -> None:
    text = findings_markdown([report("one", finding(observed="a | b"))])
    assert "a \\| b" in text
