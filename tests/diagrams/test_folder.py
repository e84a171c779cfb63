"""The folder of generated files: written, checked, kept free of what is no longer."""

from __future__ import annotations

from pathlib import Path

import pytest

from fsm_rtc.diagrams import DiagramError, FaultKind, all_machines, check_all, check_file, render_all
from tests.diagrams.sample_charts import Door, Lighting

DRAWN = {"door": Door, "lighting": Lighting}
COMMITTED = Path(__file__).parent.parent.parent / "diagrams"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    render_all(tmp_path / "made" / "here", DRAWN)
    return tmp_path / "made" / "here"


def test_each_machine_has_its_three_files(folder: Path) -> None:
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["door.md", "door.mmd", "door.svg", "lighting.md", "lighting.mmd", "lighting.svg"]


def test_what_was_just_written_is_up_to_date(folder: Path) -> None:
    assert check_all(folder, DRAWN) == ()


@pytest.mark.parametrize("name", ["door.md", "door.mmd", "lighting.svg"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert [(fault.path.name, fault.kind) for fault in check_all(folder, DRAWN)] == [(name, FaultKind.MISSING)]


@pytest.mark.parametrize("name", ["door.md", "door.mmd", "lighting.mmd"])
def test_a_text_that_differs_in_one_byte_is_stale(folder: Path, name: str) -> None:
    (folder / name).write_bytes((folder / name).read_bytes() + b" ")
    assert [str(fault) for fault in check_all(folder, DRAWN)] == [f"stale: {folder / name}"]


def test_an_svg_with_another_word_is_stale_but_one_with_another_geometry_is_not(folder: Path) -> None:
    path = folder / "door.svg"
    path.write_text(path.read_text().replace('font-size="10.00"', 'font-size="11.00"'))
    assert check_all(folder, DRAWN) == ()
    path.write_text(path.read_text().replace("restore", "repair"))
    assert [fault.kind for fault in check_all(folder, DRAWN)] == [FaultKind.STALE]


@pytest.mark.parametrize("content", [b"", b"\xff\x00", b"<svg/>", b"<svg"])
def test_a_damaged_svg_is_stale(folder: Path, content: bytes) -> None:
    (folder / "door.svg").write_bytes(content)
    assert [fault.kind for fault in check_all(folder, DRAWN)] == [FaultKind.STALE]


def test_a_file_of_a_machine_that_is_no_more_is_superfluous_until_the_next_rendering(folder: Path) -> None:
    (folder / "window.mmd").write_text("old")
    (folder / "README.md").write_text("by hand")
    (folder / "notes.txt").write_text("by hand")
    assert [(fault.path.name, fault.kind) for fault in check_all(folder, DRAWN)] == [
        ("window.mmd", FaultKind.SUPERFLUOUS)
    ]
    render_all(folder, DRAWN)
    assert not (folder / "window.mmd").exists()
    assert (folder / "README.md").exists()
    assert (folder / "notes.txt").exists()


def test_a_folder_that_is_not_there_misses_everything(tmp_path: Path) -> None:
    assert {fault.kind for fault in check_all(tmp_path / "nowhere", DRAWN)} == {FaultKind.MISSING}


def test_writing_twice_gives_the_same_bytes(folder: Path) -> None:
    before = {path: path.read_bytes() for path in folder.iterdir()}
    render_all(folder, DRAWN)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_a_directory_that_can_not_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DiagramError, match="choose another directory"):
        render_all(tmp_path / "file" / "below", DRAWN)


def test_one_file_is_checked_in_the_language_of_its_suffix(folder: Path) -> None:
    assert check_file(folder / "door.mmd", Door) is None
    fault = check_file(folder / "door.mmd", Lighting)
    assert fault is not None
    assert fault.kind is FaultKind.STALE


def test_the_committed_diagrams_agree_with_the_tables() -> None:
    assert [str(fault) for fault in check_all(COMMITTED)] == [], "mend with: fsm-rtc diagram --all -o diagrams"


def test_every_machine_has_a_name_of_its_own() -> None:
    classes = list(all_machines().values())
    assert len(set(classes)) == len(classes)
