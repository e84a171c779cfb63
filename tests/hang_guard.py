"""The hang guard, a plugin of pytest: a test that hangs is ended, by name, with what every thread and task was doing.

A setup, a test or a teardown that takes longer than ``--hang-seconds`` is interrupted, and fails with the stacks. Where
that can't be, in code that holds the interpreter or catches everything, the process ends after twice that time. Then
the stacks are on its stderr; under pytest-xdist they are in the report of the test, and another worker does the rest.

No test is held to this limit; who waits for something that may fail to come waits with a time of its own.
"""

from __future__ import annotations

import asyncio
import faulthandler
import gc
import os
import shutil
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Generator, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

import pytest

LIMIT_SECONDS = 900.0
"""The longest test of continuous integration takes a minute on a machine that does nothing else."""


_now = {"phase": ""}


class InterruptedTest(KeyboardInterrupt):
    """Ends a test: asyncio, Hypothesis and pytest all let this kind of exception through."""


class InterruptedTeardownError(Exception):
    """Ends a teardown: behind this kind of exception pytest goes on with what else is to be torn down."""


class HungTestError(Exception):
    """A test was ended that hung."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("hang guard")
    group.addoption("--hang-seconds", type=float, default=LIMIT_SECONDS, help="from when on a test is taken to hang")


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        config.pluginmanager.register(Guard(config, Path(config.workerinput["hang_folder"])))
    elif config.getoption("tx", default=None):
        config.pluginmanager.register(Reporter())
    else:
        config.pluginmanager.register(Guard(config, None))


class Guard:
    """Ends what hangs in the process that runs the tests.

    Args:
        folder: where a worker leaves its stacks before it ends; None where stderr is seen.
    """

    def __init__(self, config: pytest.Config, folder: Path | None) -> None:
        self._seconds: float = config.getoption("--hang-seconds")
        self._folder = folder
        self._last_words: TextIO | None = None
        self._is_installed = False

    def pytest_sessionstart(self) -> None:
        if self._folder is not None:
            self._last_words = (self._folder / os.environ["PYTEST_XDIST_WORKER"]).open("w")
            faulthandler.enable(self._last_words)  # a crash is told there too
        else:
            self._last_words = os.fdopen(os.dup(sys.__stderr__.fileno() if sys.__stderr__ else 2), "w")
        # The mutation check's children have an alarm of their own.
        if signal.getsignal(signal.SIGALRM) is signal.SIG_DFL and not signal.getitimer(signal.ITIMER_REAL)[0]:
            signal.signal(signal.SIGALRM, interrupt)
            self._is_installed = True
        self._end_the_process_later(LIMIT_SECONDS)  # which may hang when it imports the tests

    def pytest_collection_finish(self) -> None:
        faulthandler.cancel_dump_traceback_later()

    def pytest_sessionfinish(self) -> None:
        self._end_the_process_later(LIMIT_SECONDS)

    def pytest_unconfigure(self) -> None:
        faulthandler.cancel_dump_traceback_later()
        if self._is_installed:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
        if self._last_words is not None:
            faulthandler.disable()
            self._last_words.close()

    def _end_the_process_later(self, seconds: float) -> None:
        if self._last_words is not None and self._is_installed:
            faulthandler.dump_traceback_later(seconds, exit=True, file=self._last_words)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self) -> Generator[None, object, object]:
        self._end_the_process_later(2 * self._seconds)
        try:
            return (yield)
        finally:
            faulthandler.cancel_dump_traceback_later()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None]:
        yield from self._interrupted_later(item, "setup")

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None]:
        yield from self._interrupted_later(item, "test")

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None]:
        yield from self._interrupted_later(item, "teardown")

    def _interrupted_later(self, item: pytest.Item, phase: str) -> Generator[None]:
        _now["phase"] = phase
        # A test may have an alarm of its own, which then guards it.
        if signal.getsignal(signal.SIGALRM) is interrupt and not signal.getitimer(signal.ITIMER_REAL)[0]:
            signal.setitimer(signal.ITIMER_REAL, self._seconds)
        try:
            yield
        except (InterruptedTest, InterruptedTeardownError) as interrupted:
            hung = f"the {phase} of {item.nodeid} was ended after {self._seconds:g} s\n\n{interrupted}"
            raise HungTestError(hung) from None
        finally:
            if signal.getsignal(signal.SIGALRM) is interrupt:
                signal.setitimer(signal.ITIMER_REAL, 0)


class Reporter:
    """In the process that runs the workers: what a worker has left that ended within a test is in the test's report."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="hang-guard-"))

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        node.workerinput["hang_folder"] = str(self._folder)

    @pytest.hookimpl(optionalhook=True)
    def pytest_handlecrashitem(self, report: pytest.TestReport) -> None:
        left = self._folder / report.node.gateway.id
        report.longrepr = f"{report.longrepr}\n\n{left.read_text(errors='replace')}"

    def pytest_unconfigure(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


def interrupt(_: int, frame: FrameType | None) -> None:
    """The handler of the alarm: raises what ends the test."""
    kind = InterruptedTeardownError if _now["phase"] == "teardown" else InterruptedTest
    raise kind("\n".join([*stacks_of_threads(frame), *stacks_of_tasks()]))


def stacks_of_threads(frame: FrameType | None) -> Iterator[str]:
    """What each thread is doing; this one, what it was doing before the alarm."""
    me = threading.get_ident()
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    for number, now in sys._current_frames().items():
        stack = traceback.format_stack(frame if number == me else now)
        yield f"Thread {names.get(number, number)}, most recent call last:\n{''.join(stack)}"


def stacks_of_tasks() -> Iterator[str]:
    """What each task waits for."""
    for task in [one for one in gc.get_objects() if issubclass(type(one), asyncio.Task) and not one.done()]:
        stack = traceback.format_list(traceback.StackSummary.extract((one, one.f_lineno) for one in frames_of(task)))
        yield f"Task {task.get_name()}, most recent call last:\n{''.join(stack)}"


def frames_of(task: asyncio.Task[Any]) -> Iterator[FrameType]:
    """A task's coroutine, and whom each waits for: the task itself knows only the first."""
    waiting: Any = task.get_coro()
    while waiting is not None:
        kind = next((kind for kind in ("cr", "gi", "ag") if hasattr(waiting, f"{kind}_frame")), None)
        frame = getattr(waiting, f"{kind}_frame", None)
        if frame is None:
            return
        yield frame
        waiting = getattr(waiting, "gi_yieldfrom" if kind == "gi" else f"{kind}_await", None)
