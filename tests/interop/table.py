"""The table of docs/interop.md, from the reports of the tests that are its cells."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

MODULE = "test_table.py"
COLUMNS = {
    "test_data": "data",
    "test_audio": "audio",
    "test_video": "video",
    "test_track_added_later": "track added",
    "test_restart_by_us": "restart by us",
    "test_restart_by_them": "restart by them",
    "test_rollback_by_us": "rollback by us",
    "test_rollback_by_them": "rollback by them",
    "test_glare": "glare",
    "test_close_by_us": "close by us",
    "test_close_by_them": "close by them",
}
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"

NODE = re.compile(r"(test_\w+)\[(.+)-(we offer|they offer)-round \d+\]$")


class Table:
    """A plugin of pytest that counts what passed, and writes the table when all is over.

    Args:
        path: a page with the two marks between which the table stands.
    """

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._tried: Counter[tuple[str, str, str]] = Counter()
        self._passed: Counter[tuple[str, str, str]] = Counter()
        self._versions: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        test = NODE.search(report.nodeid)
        if MODULE not in report.nodeid or test is None:
            return
        if report.when == "call" or report.outcome == "failed":
            cell = (test[2], test[3], test[1])
            self._tried[cell] += 1
            self._passed[cell] += report.outcome == "passed"
        if version := dict(report.user_properties).get("stack"):
            self._versions[test[2]] = str(version)

    def pytest_sessionfinish(self) -> None:
        if self._tried:
            page = self._path.read_text()
            begin, end = page.index(BEGIN) + len(BEGIN), page.index(END)
            self._path.write_text(f"{page[:begin]}\n{self.text()}\n{page[end:]}")

    def text(self) -> str:
        """The table, in Markdown, under a line that says when it was made."""
        rows = dict.fromkeys((stack, offerer) for stack, offerer, _ in self._tried)
        lines = [
            f"Made on {datetime.now(UTC):%Y-%m-%d}. Each cell: how many rounds passed, of how many.",
            "",
            f"| stack | offers first | {' | '.join(COLUMNS.values())} |",
            f"| --- | --- |{' --- |' * len(COLUMNS)}",
        ]
        for stack, offerer in rows:
            cells = [self._cell((stack, offerer, test)) for test in COLUMNS]
            who = "ours" if offerer == "we offer" else "theirs"
            lines.append(f"| {self._versions.get(stack, stack)} | {who} | {' | '.join(cells)} |")
        return "\n".join(lines)

    def _cell(self, cell: tuple[str, str, str]) -> str:
        return f"{self._passed[cell]} of {self._tried[cell]}" if self._tried[cell] else "–"
