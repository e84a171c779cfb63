"""docs/interop.md is about the tests that there are."""

from __future__ import annotations

import re
from pathlib import Path

from tests.interop import test_table
from tests.interop.stacks import STACKS
from tests.interop.table import BEGIN, COLUMNS, END

PAGE = (Path(__file__).parents[2] / "docs" / "interop.md").read_text()


def test_every_cell_is_a_test() -> None:
    assert list(COLUMNS) == [name for name in vars(test_table) if name.startswith("test_")]


def test_the_page_has_each_stack_with_either_offerer_and_each_column() -> None:
    lines = [line for line in PAGE[PAGE.index(BEGIN) : PAGE.index(END)].splitlines() if line.startswith("|")]
    head, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert head == ["stack", "offers first", *COLUMNS.values()]
    stacks = [(re.sub(r" [\d.]+$", "", row[0]), row[1]) for row in rows]
    assert sorted(stacks) == sorted((stack, side) for stack in STACKS for side in ("ours", "theirs"))
