"""Which of pytest-xdist's workers runs what, a plugin: files as a whole, the longest first, some of them in parts.

A file's tests share what is slow to make, such as browsers; so a worker runs all of them. What lasts longest begins
first, so that no worker is left with it in the end. A file that would alone be too long is cut into parts.

Behind a worker that ended within a test another one runs the rest, but not that test again.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.workermanage import WorkerController

PARTS = {
    # A stack each.
    "tests/interop/test_table.py": r"\[(?P<part>[^-]+)-",
    # A test each, of which every one waits or has processes of its own.
    "tests/cli/test_send_receive.py": r"(?P<part>::.*)",
    "tests/connection/test_leaks.py": r"(?P<part>::.*)",
    "tests/network/test_calls.py": r"(?P<part>::.*)",
    # A function each: its cases use the same browsers.
    "tests/end_to_end/test_pages.py": r"(?P<part>::\w+)",
    "tests/end_to_end/test_sleep.py": r"(?P<part>::\w+)",
}
"""By file, what of a test's name behind it says to which part it belongs."""

LONGEST_FIRST = (
    "tests/interop/test_table.py",
    "tests/cli/test_demo.py",
    "tests/kills/",
    "tests/end_to_end/",
    "tests/diagrams/test_mermaid_package.py",
    "tests/conformance/test_campaign.py",
    "tests/network/",
    "tests/connection/exchange/test_lying_server.py",
    "tests/connection/exchange/test_glare_live.py",
    "tests/signaling/test_hostile_clients.py",
    "tests/signaling/test_eight_peers.py",
    "tests/connection/recovery/test_recovery_orderings.py",
    "tests/connection/test_leaks.py",
    "tests/cli/test_send_receive.py",
    "tests/connection/saving/test_killed_and_back.py",
    "tests/examples/",
    "tests/cli/",
    "tests/signaling/",
    "tests/connection/",
    "tests/room/",
    "tests/conformance/",
)
"""Beginnings of names; what has none of them comes behind, the files with most tests first."""


MOST_BROWSING = 1
"""So many workers at once drive browsers, which have many processes each."""


def browses(unit: str) -> bool:
    """Whether a file, or a part of one, drives browsers in each of its tests."""
    return unit.startswith("tests/end_to_end/")


def unit_of(nodeid: str) -> str:
    """What is run by one worker: a file, or a part of it."""
    file, _, rest = nodeid.partition("::")
    if file in PARTS and (found := re.search(PARTS[file], f"::{rest}")):
        return f"{file} {found['part']}"
    return file


def rank(unit: str) -> int:
    """The place of a file, or of a part of one, in the order."""
    return next((place for place, start in enumerate(LONGEST_FIRST) if unit.startswith(start)), len(LONGEST_FIRST))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> object | None:
    """For ``--dist loadfile``."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Scheduler(LoadFileScheduling):  # type: ignore[misc] # of no known type
        def _split_scope(self, nodeid: str) -> str:
            return unit_of(nodeid)

        def _assign_work_unit(self, node: WorkerController) -> None:
            running = (units for other, units in self.assigned_work.items() if other is not node)
            browsing = sum(any(browses(unit) and not all(units[unit].values()) for unit in units) for units in running)
            self.workqueue.move_to_end(
                min(self.workqueue, key=lambda unit: (browsing >= MOST_BROWSING and browses(unit), rank(unit))),
                last=False,
            )
            super()._assign_work_unit(node)

        def remove_node(self, node: WorkerController) -> str | None:
            units = self.assigned_work.pop(node)
            left = [(unit, nodeid) for unit, done in units.items() for nodeid in done if not done[nodeid]]
            if not left:
                return None
            ended_within, nodeid = left[0]
            units[ended_within][nodeid] = True
            for unit in dict(left):
                if not all(units[unit].values()):
                    self.workqueue[unit] = units[unit]
            for other in self.assigned_work:
                self._reschedule(other)
            return str(nodeid)

    return Scheduler(config, log)
