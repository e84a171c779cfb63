"""The list of the subtests that are ported."""

from __future__ import annotations

from collections import Counter
from importlib import import_module
from pathlib import Path

from tests.peer.wpt.subtests import Subtest, subtests_of


def ported() -> list[Subtest]:
    """Every subtest that a test of this folder names."""
    modules = [import_module(f"tests.peer.wpt.{path.stem}") for path in sorted(Path(__file__).parent.glob("test_*.py"))]
    return [subtest for module in modules for test in vars(module).values() for subtest in subtests_of(test)]


def test_sixty_subtests_or_more_are_ported() -> None:
    assert len(ported()) >= 60


def test_no_subtest_is_ported_twice() -> None:
    assert [subtest for subtest, times in Counter(ported()).items() if times > 1] == []


def test_every_subtest_names_a_page_of_the_state_machines() -> None:
    pages = {subtest.file for subtest in ported()}
    assert all(page.startswith("RTC") and page.endswith(".html") for page in pages)
    assert len(pages) >= 25
