"""The page of findings: every finding can be reached, nothing foreign gets in, the same reports give the same page."""

from __future__ import annotations

import sys
from html.parser import HTMLParser

import pytest

from fsm_rtc.conformance.findings import Kind
from fsm_rtc.conformance.page import findings_page
from tests.conformance.sample_reports import finding, report

VOID = {"meta", "input", "link", "br", "path", "ellipse", "polygon"}


class Reader(HTMLParser):
    """The page's tags, in balance, and the text of its cells."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert tag in VOID or self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for one, attributes in self.tags if one == tag]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def test_the_stacks_are_columns_and_each_cell_says_its_verdict_in_words() -> None:
    page = Reader(findings_page([report("one"), report("two", finding())]))
    assert "state operation one two" in page.text
    assert page.text.count("✓ agrees") == 1 + 2 + 1
    assert "∅ unreachable" in page.text
    assert "– inexpressible" in page.text
    assert "✗ verdict" in page.text


def test_a_cell_that_differs_opens_its_findings() -> None:
    page = Reader(findings_page([report("one", finding(note="flaky"), finding(kind=Kind.EVENT, observed="no event"))]))
    assert "expected rejected with InvalidStateError, in stable observed fulfilled, in stable" in page.text
    assert "observed no event" in page.text
    assert "createDataChannel createAnswer" in page.text
    assert "createAnswer needs an offer." in page.text
    assert "note flaky" in page.text
    (cell,) = [one for one in page.all("td") if one.get("data-kinds")]
    assert cell["data-kinds"] == "event verdict"
    assert "kind-verdict" in str(cell["class"])


def test_the_source_is_a_link_into_the_text() -> None:
    page = Reader(findings_page([report("one", finding())]))
    assert {"href": "https://w3c.github.io/webrtc-pc/#dom-rtcpeerconnection-createanswer"} in page.all("a")


def test_a_finding_outside_the_planned_cells_has_a_row_too() -> None:
    page = Reader(findings_page([report("one", finding(machine="made_up", operation="anything"))]))
    assert "made_up: each operation in each state" in page.text
    assert "anything" in page.text


def test_what_a_stack_says_is_text_and_nothing_else() -> None:
    hostile = "<script>alert(1)</script>\"&'"
    page = findings_page([report(hostile, finding(observed=hostile, state=hostile, note=hostile))])
    assert "<script>alert" not in page
    assert Reader(page).all("script") == [{}]


def test_tables_have_captions_and_scopes() -> None:
    page = Reader(findings_page([report("one", finding())]))
    assert len(page.all("caption")) == len(page.all("table"))
    assert {cell.get("scope") for cell in page.all("th")} == {"row", "col"}


def test_the_page_asks_nobody() -> None:
    page = Reader(findings_page([report("one", finding())]))
    assert all("src" not in attributes for _, attributes in page.tags)
    assert page.all("link") == []


def test_the_wrong_edges_are_drawn_in_red() -> None:
    page = findings_page([report("one", finding())])
    assert "negotiation: 1 changes, 1 wrong" in page
    assert "wrong, 2 times" in page
    assert "#c81e1e" in page


def test_without_graphviz_the_page_says_how_to_get_the_drawings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    assert "pip install pygraphviz" in findings_page([report("one", finding())])


def test_the_same_reports_give_the_same_page() -> None:
    reports = [report("one", finding()), report("two")]
    assert findings_page(reports) == findings_page(reports)
