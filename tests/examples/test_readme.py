"""The README's Python runs as it stands there; it is short, lists the pages of docs/, and no link of them is broken."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from fsm_rtc.machines import CHARTS

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs"
README = (ROOT / "README.md").read_text()
LONGEST_WORDS = 1000
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s:]+)\)")


def block_with(word: str, page: str = README) -> str:
    (block,) = (block for block in BLOCK.findall(page) if word in block)
    return str(block)


def output_of(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


AT_HOME = """
import fsm_rtc.store.connection_store as lifecycle
from fsm_rtc import Configuration
lifecycle.DEFAULT_CONFIGURATION = Configuration(loopback=True)  # no test asks the public STUN server
"""


def test_two_stores_connect_and_one_hears_the_other() -> None:
    program = block_with("asyncio.run(main())", (DOCS / "store.md").read_text())
    lines = output_of(AT_HOME + program).splitlines()
    assert "connected" in lines
    assert any("Hello peer!" in line for line in lines)


def test_the_door_refuses_in_the_words_that_the_comment_shows() -> None:
    block = block_with("class Door(")
    comment = block.rstrip().rpartition("# ")[2].removesuffix(" …")
    assert output_of(block).startswith(comment)


def test_the_rejection_at_the_top_is_what_the_machine_says() -> None:
    shown = re.search(r"^    (Negotiation rejected .*?)\n\n", README, re.MULTILINE | re.DOTALL)
    assert shown is not None
    said = output_of(
        "from fsm_rtc.machines.negotiation import Negotiation\nprint(Negotiation(None).set_remote_answer())"
    )
    assert " ".join(shown[1].split()) == said.strip()


def test_the_readme_is_short() -> None:
    assert len(README.split()) <= LONGEST_WORDS


def test_continuous_integration_finds_the_two_commands_that_it_runs() -> None:
    commands = [line for line in README.splitlines() if line.startswith("python3 -m venv ")]
    assert ["demo" in command for command in commands] == [True, False]
    assert "tox -e py" in commands[1]


def test_each_page_has_its_line_in_the_index() -> None:
    lines = re.findall(r"^\| \[[^]]+\]\((docs/[^)]+\.md)\) \| .+ \|$", README, re.MULTILINE)
    pages = {path.relative_to(ROOT).as_posix() for path in DOCS.glob("*.md")}
    assert sorted(lines) == sorted({*pages, "docs/decisions/README.md"})


def test_each_decision_has_its_line_in_their_index() -> None:
    folder = DOCS / "decisions"
    linked = set(LINK.findall((folder / "README.md").read_text()))
    assert {path.name for path in folder.glob("*.md")} - {"README.md"} <= linked


def heading_anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


TOP = [ROOT / f"{name}.md" for name in ("README", "ARCHITECTURE", "CONTRIBUTING", "SECURITY")]
PAGES = [*TOP, *sorted(DOCS.rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_link_into_the_project_leads_somewhere(page: Path) -> None:
    broken = []
    for target, _, anchor in (link.partition("#") for link in LINK.findall(page.read_text())):
        path = (page.parent / target) if target else page
        if not path.exists() or (anchor and path.suffix == ".md" and anchor not in heading_anchors(path)):
            broken.append(f"{target}#{anchor}")
    assert broken == []


def cited() -> set[tuple[str, str]]:
    """The pages of docs/ that the tables cite, each with what it is cited for, or an empty text."""
    texts = {
        text for chart in CHARTS.values() for text in (chart.source, *(row.cite for _, row, _ in chart.chart.edges()))
    }
    texts |= {trigger.cite for chart in CHARTS.values() for trigger in chart.chart.triggers.values()}
    return {found for text in texts for found in re.findall(r"(docs/[\w-]+\.md)(?:, ([^:;#]+))?", text)}


@pytest.mark.parametrize(("page", "topic"), sorted(cited()))
def test_what_a_table_cites_is_on_the_page(page: str, topic: str) -> None:
    assert topic.strip().lower() in (ROOT / page).read_text().lower()
