"""The findings as one HTML page: the stacks as columns, every cell coloured, each finding with its sequence and rule.

The page needs no network and no build step, and says all it has to say without its script, which only filters. What
comes from a stack is foreign text, so everything is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html import escape
from importlib import resources

from fsm_rtc.conformance.findings import CellVerdict, Finding, FindingCell, Kind, StackReport
from fsm_rtc.conformance.page_diagrams import diagrams
from fsm_rtc.machines import CHARTS, DERIVED

__all__ = ["findings_page"]

SIGNS = {
    CellVerdict.AGREES: "✓",
    CellVerdict.DIFFERS: "✗",
    CellVerdict.UNREACHABLE: "∅",
    CellVerdict.INEXPRESSIBLE: "–",
    CellVerdict.NOT_TRIED: "?",
}
KINDS = list(Kind)
DRAFT_URL = "https://w3c.github.io/webrtc-pc/"
Place = tuple[str, str, str]


def findings_page(reports: list[StackReport]) -> str:
    """The page; the same text for the same reports."""
    files = resources.files("fsm_rtc.conformance")
    style = files.joinpath("page.css").read_text(encoding="utf-8")
    script = files.joinpath("page.js").read_text(encoding="utf-8")
    body = "\n".join([*_summary(reports), *_filters(reports), *_machines(reports), *_diagrams(reports)])
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>WebRTC conformance</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
        f"<h1>WebRTC conformance</h1>\n{body}\n<script>\n{script}</script>\n</body>\n</html>\n"
    )


def _summary(reports: list[StackReport]) -> Iterator[str]:
    yield (
        "<p>What each stack did, held to the tables of fsm_rtc: every operation in every state, then random orderings. "
        "A cell that differs opens its findings.</p>"
    )
    yield '<div class="scroll"><table class="summary"><caption>The stacks</caption><thead><tr>'
    heads = [
        "stack",
        "version",
        "profile",
        "cells",
        *(kind.value for kind in KINDS),
        "sequences",
        "operations",
        "seconds",
    ]
    yield "".join(f'<th scope="col">{escape(head)}</th>' for head in heads)
    yield "</tr></thead><tbody>"
    for report in reports:
        coverage = report.coverage
        cells = f"{coverage.cells} of {coverage.of}"
        if coverage.unreachable:
            cells += f", {coverage.unreachable} in states that it never enters"
        counts = (sum(finding.kind is kind for finding in report.findings) for kind in KINDS)
        values = [report.version, report.profile, cells, *counts, report.sequences, report.steps, report.seconds]
        row = "".join(f"<td>{escape(str(value))}</td>" for value in values)
        yield f'<tr><th scope="row">{escape(report.name)}</th>{row}</tr>'
    yield "</tbody></table></div>"
    for report in reports:
        if report.command:
            yield f"<p>{escape(report.name)} again: <code>{escape(report.command)}</code></p>"
    legend = ", ".join(f"{sign} {verdict.value}" for verdict, sign in SIGNS.items())
    yield f'<p class="legend">{escape(legend)}</p>'


def _filters(reports: list[StackReport]) -> Iterator[str]:
    yield '<form class="filters" hidden><fieldset><legend>Show findings of</legend>'
    for name in (report.name for report in reports):
        yield f'<label><input type="checkbox" name="stack" value="{escape(name)}" checked> {escape(name)}</label>'
    yield "</fieldset><fieldset><legend>of the kind</legend>"
    for kind in KINDS:
        yield f'<label><input type="checkbox" name="kind" value="{kind.value}" checked> {kind.value}</label>'
    yield "</fieldset></form>"


def _order(names: Iterable[str]) -> list[str]:
    known = [*CHARTS, *DERIVED]
    return sorted(set(names), key=lambda name: (known.index(name) if name in known else len(known), name))


def _machines(reports: list[StackReport]) -> Iterator[str]:
    cells = {report.name: {(one.machine, one.state, one.operation): one for one in report.cells} for report in reports}
    findings: dict[str, dict[Place, list[Finding]]] = {}
    for report in reports:
        by_place = findings.setdefault(report.name, {})
        for finding in report.findings:
            by_place.setdefault((finding.machine, finding.state, finding.operation), []).append(finding)
    planned = [place for by_place in cells.values() for place in by_place]
    found = [place for by_place in findings.values() for place in by_place]
    places = list(dict.fromkeys([*planned, *sorted(found)]))
    for machine in _order(place[0] for place in places):
        yield f'<section><h2 id="{escape(machine)}">{escape(machine)}</h2>'
        yield '<div class="scroll"><table>'
        yield f"<caption>{escape(machine)}: each operation in each state</caption><thead><tr>"
        heads = ("state", "operation", *(report.name for report in reports))
        yield "".join(f'<th scope="col">{escape(head)}</th>' for head in heads)
        yield "</tr></thead><tbody>"
        for place in (one for one in places if one[0] == machine):
            row = "".join(
                _cell(cells[report.name].get(place), findings[report.name].get(place, []), report.name)
                for report in reports
            )
            state = escape(place[1]) or "–"
            yield f'<tr><td>{state}</td><th scope="row"><code>{escape(place[2])}</code></th>{row}</tr>'
        yield "</tbody></table></div></section>"


def _cell(cell: FindingCell | None, findings: list[Finding], stack: str) -> str:
    if not findings:
        verdict = cell.verdict if cell is not None else CellVerdict.NOT_TRIED
        name = verdict.value.replace(" ", "-")
        return f'<td class="{name}"><span aria-hidden="true">{SIGNS[verdict]}</span> {verdict.value}</td>'
    gravest = min(findings, key=lambda finding: KINDS.index(finding.kind)).kind
    sign = SIGNS[CellVerdict.INEXPRESSIBLE if gravest is Kind.INEXPRESSIBLE else CellVerdict.DIFFERS]
    kinds = " ".join(sorted({finding.kind.value for finding in findings}))
    told = "".join(map(_finding, findings))
    return (
        f'<td class="differs kind-{gravest.value}" data-stack="{escape(stack)}" data-kinds="{kinds}"><details>'
        f'<summary><span aria-hidden="true">{sign}</span> {gravest.value}</summary>{told}</details></td>'
    )


def _finding(finding: Finding) -> str:
    steps = "".join(f"<li><code>{escape(step)}</code></li>" for step in finding.sequence)
    parts = [
        ("expected", escape(finding.expected)),
        ("observed", escape(finding.observed)),
        ("kind", finding.kind.value),
        ("seen again", escape(finding.reproduced)),
        ("sequence", f"<ol>{steps}</ol>" if steps else ""),
        ("rule", escape(finding.rule)),
        ("source", _source(finding.source)),
        ("the text", escape(finding.reading)),
        ("note", escape(finding.note)),
    ]
    return "<dl>" + "".join(f"<dt>{name}</dt><dd>{text}</dd>" for name, text in parts if text) + "</dl>"


def _source(source: str) -> str:
    """The source, its anchor as a link into the draft."""
    anchor = re.search(r"#[\w-]+", source)
    if anchor is None or "webrtc-pc" not in source:
        return escape(source)
    before, after = source[: anchor.start()], source[anchor.end() :]
    return f'{escape(before)}<a href="{DRAFT_URL}{escape(anchor[0])}">{escape(anchor[0])}</a>{escape(after)}'


def _diagrams(reports: list[StackReport]) -> Iterator[str]:
    yield '<section><h2 id="diagrams">What was seen</h2>'
    yield "<p>Green: taken. Grey: in the table, not seen. Red: not in the table, or not where the operation leads.</p>"
    for report in reports:
        yield f"<h3>{escape(report.name)}</h3>"
        yield from diagrams(report)
    yield "</section>"
