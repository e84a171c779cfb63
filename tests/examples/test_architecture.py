"""ARCHITECTURE.md names what there is: its files, its folders, its layers, its machines and their triggers."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from fsm_rtc.machines import CHARTS, DERIVED
from tests.test_imports import MAY_IMPORT

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "ARCHITECTURE.md").read_text()
WORDS = re.findall(r"`([^`\n]+)`", PAGE)
PATHS = sorted({word for word in WORDS if re.fullmatch(r"[\w./…-]+", word) and re.search(r"/|\.(py|js|md|svg)$", word)})
ROWS = [[cell.strip() for cell in line.strip("| \n").split(" | ")] for line in PAGE.splitlines() if line[:2] == "| "]
SHORTEST, LONGEST = 250, 350


def found(path: str) -> bool:
    """Whether there is such a file or folder; one without a folder may be anywhere in the package."""
    if "…" in path or "/" not in path:
        return any((ROOT / "fsm_rtc").rglob(path.replace("…", "*")))
    return (ROOT / path).exists() or (ROOT / "fsm_rtc" / path).exists()


def test_each_path_leads_somewhere() -> None:
    assert len(PATHS) > 100
    assert [path for path in PATHS if not found(path)] == []


def defined() -> set[str]:
    """The package's classes, and each of their methods as `Class.method`."""
    trees = (ast.parse(path.read_text()) for path in (ROOT / "fsm_rtc").rglob("*.py"))
    classes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    methods = (
        f"{one.name}.{node.name}"
        for one in classes
        for node in one.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    return {*(one.name for one in classes), *methods}


def test_each_class_and_method_is_there() -> None:
    named = {word for word in WORDS if re.fullmatch(r"[A-Z][a-z]\w*(\.\w+)?", word.removesuffix("()"))}
    assert {word.removesuffix("()") for word in named} - defined() == set()


def test_each_folder_of_the_package_is_named() -> None:
    folders = {path.parent.relative_to(ROOT).as_posix() for path in (ROOT / "fsm_rtc").rglob("*.*") if path.is_file()}
    folders = {folder for folder in folders if "__pycache__" not in folder} - {"fsm_rtc"}
    named = {cell.strip("`") for row in ROWS for cell in row[:1]}
    assert folders - named == set()


def test_a_part_imports_from_lower_layers_alone() -> None:
    layers = {
        part: int(row[0])
        for row in ROWS
        if len(row) == 3 and row[0].isdigit()
        for part in re.findall(r"`(\w+)`", row[1])
    }
    assert layers.keys() == MAY_IMPORT.keys() - {""}
    assert [
        f"{part} imports {other}"
        for part, others in MAY_IMPORT.items()
        for other in others
        if part and layers[other] >= layers[part]
    ] == []


def triggers() -> Iterator[tuple[str, str]]:
    """The machines and triggers of the table of what drives what."""
    for cell in (row[1] for row in ROWS if len(row) == 3):
        for machine, names in re.findall(r"`(\w+)`: ((?:`\w+`(?:, | … )?)+)", cell):
            for name in re.findall(r"`(\w+)`", names):
                yield machine, name


@pytest.mark.parametrize(("machine", "trigger"), sorted(set(triggers())))
def test_a_trigger_that_is_named_is_one_of_its_table(machine: str, trigger: str) -> None:
    assert trigger in CHARTS[machine].chart.triggers


def test_the_drawing_has_machines_that_there_are() -> None:
    drawing = PAGE.partition("```mermaid")[2].partition("```")[0]
    names = re.findall(r"\b[a-z]+(?:_[a-z]+)*\b", re.sub(r"-\. .*? \.->", " ", drawing))
    # Mermaid takes `call` for its own word.
    assert set(names) - {"flowchart", "call_machine"} <= {*CHARTS, *DERIVED}


def test_it_can_be_read_at_a_sitting() -> None:
    assert SHORTEST <= len(PAGE.splitlines()) <= LONGEST
