"""Mermaid's own parser reads everything that we write for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from fsm_rtc.diagrams import Format, all_machines, journal_text, mermaid, overview_text, sequence_text
from fsm_rtc.engine import Entry, Journal
from fsm_rtc.machines import CHARTS
from tests.diagrams import mermaid_package
from tests.diagrams.sample_charts import Door, Light, Lighting
from tests.diagrams.test_journaled import a_day_of_the_door

pytestmark = pytest.mark.live

ROOT = Path(__file__).parent.parent.parent
COMMITTED = ROOT / "diagrams"


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return mermaid_package.installed(tmp_path_factory.mktemp("mermaid"))


def written(folder: Path, texts: dict[str, str]) -> list[Path]:
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return sorted(folder / name for name in texts)


def test_every_committed_drawing_is_read_as_what_it_is(package: Path) -> None:
    found = mermaid_package.read(package, *sorted(COMMITTED.glob("*.mmd")))
    assert found.keys() >= {f"{name}.mmd" for name in all_machines()}
    for name in all_machines():
        assert found[f"{name}.mmd"] == ("stateDiagram" if name in CHARTS else "flowchart-v2")
    assert not [name for name, said in found.items() if said.startswith("error")]


def test_words_that_mermaid_could_take_for_its_own_are_read_too(package: Path, tmp_path: Path) -> None:
    texts = {f"{one.__name__}.mmd": mermaid(one) for one in (Door, Light, Lighting)}
    texts["overview.mmd"] = overview_text(Format.MERMAID)
    found = mermaid_package.read(package, *written(tmp_path, texts))
    assert sorted(found.values()) == ["flowchart-v2", "flowchart-v2", "stateDiagram", "stateDiagram"]


def test_the_drawings_in_the_pages_are_read(package: Path, tmp_path: Path) -> None:
    pages = [
        page for folder in (ROOT, ROOT / "docs", ROOT / "docs" / "decisions") for page in sorted(folder.glob("*.md"))
    ]
    texts = {
        f"{page.stem}-{number}.mmd": block.partition("```")[0]
        for page in pages
        for number, block in enumerate(page.read_text().split("```mermaid\n")[1:])
    }
    assert "ARCHITECTURE-0.mmd" in texts
    found = mermaid_package.read(package, *written(tmp_path, texts))
    assert not [name for name, said in found.items() if said.startswith("error")]


def test_drawings_of_a_journal_are_read(package: Path, tmp_path: Path) -> None:
    journal = a_day_of_the_door()
    odd = Entry(9.0, 'a;b#c "d" <e>.door', "Door", 0, "shut", True, "shut", "shut")
    texts = {
        "door.mmd": journal_text(Door, Format.MERMAID, journal),
        "sequence.mmd": sequence_text([*journal, odd], title="A day: of the door; #1"),
        "bounded.mmd": sequence_text(journal, most_events=1),
        "empty.mmd": sequence_text(Journal()),
    }
    assert mermaid_package.read(package, *written(tmp_path, texts)) == {
        "door.mmd": "flowchart-v2",
        "sequence.mmd": "sequence",
        "bounded.mmd": "sequence",
        "empty.mmd": "sequence",
    }


def test_what_is_no_mermaid_is_refused(package: Path, tmp_path: Path) -> None:
    texts = {"broken.mmd": mermaid(Door).replace("-->", "-- >")}
    (said,) = mermaid_package.read(package, *written(tmp_path, texts)).values()
    assert said.startswith("error")
