"""What every test shares: its marker, the hang guard, how much is tried, and a heap that is quickly looked through.

Every test has one marker, which says what it needs:

- ``unit``: nothing. No socket, no process, no sleeping: one that tries fails. What has no other marker is this.
- ``live``: sockets on loopback, real connections, processes, real time.
- ``browser``: a browser, and mostly npm.
- ``root``: network namespaces, which only root makes.

A file says so itself: ``pytestmark = pytest.mark.live``, or ``@pytest.mark.live`` at one of its tests. Folders of which
all is of one kind are listed here.
"""

from __future__ import annotations

import gc
import importlib
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.effort import load_profile

pytest_plugins = ["tests.hang_guard", "tests.scheduler"]

load_profile()

KINDS = ("unit", "live", "browser", "root")

FOLDERS = {
    "end_to_end": "browser",
    "interop": "root",
    "examples": "live",
    "kills": "live",
    "mutation": "live",
    "network": "root",
    "peer/ice": "live",
    "peer/rtc": "live",
    "peer/sections": "live",
    "peer/wpt": "live",
}
"""The marker of a folder's tests, unless they have one of their own."""

NOT_FOR_A_UNIT = {
    "os.fork": "forks",
    "os.posix_spawn": "starts a process",
    "socket.bind": "binds a socket",
    "socket.connect": "connects a socket",
    "socket.sendto": "sends a datagram",
    "subprocess.Popen": "starts a process",
    "time.sleep": "sleeps",  # an event since Python 3.13
}
"""By Python's audit event, what a unit test doesn't do."""

_in_a_unit_test = False
_done: set[str] = set()


def _watch(event: str, about: tuple[Any, ...]) -> None:
    if _in_a_unit_test and event in NOT_FOR_A_UNIT:
        if event == "socket.bind" and isinstance(about[1], str):
            return  # a kind of file
        _done.add(NOT_FOR_A_UNIT[event])


sys.addaudithook(_watch)


def pytest_collection_finish() -> None:
    """Ten thousand tests make a large heap: from now on no collection looks through it."""
    # aiortc asks other programs where its libraries are when it is first imported, which is no test's own doing.
    importlib.import_module("aiortc")
    gc.collect()
    gc.freeze()


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark it, before anything is selected by a marker."""
    kinds = [mark.name for mark in item.iter_markers() if mark.name in KINDS]
    if not kinds:
        folder = item.path.parent.relative_to(Path(__file__).parent).as_posix()
        item.add_marker(FOLDERS.get(folder, "unit"))
    elif len(kinds) > 1:
        raise pytest.UsageError(f"{item.nodeid} is marked {' and '.join(kinds)}; one says what it needs")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None]:
    """From here on a unit test is watched."""
    global _in_a_unit_test
    _done.clear()
    _in_a_unit_test = item.get_closest_marker("unit") is not None
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """Fails a unit test that did what a unit test doesn't."""
    yield
    if _done:
        pytest.fail(f"a unit test that {' and '.join(sorted(_done))}: mark it live, as tests/conftest.py says")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Generator[None]:
    global _in_a_unit_test
    _in_a_unit_test = False
    return (yield)


@pytest.fixture(scope="module")
def young_heap() -> Iterator[None]:
    """For tests that collect garbage in each example: what earlier modules have left isn't looked through each time."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
    gc.collect()
    gc.freeze()
