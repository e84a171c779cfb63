"""Runs tests in forked children: everything is imported once, each mutant has a process of its own."""

from __future__ import annotations

import gc
import os
import re
import signal
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

import _hypothesis_pytestplugin
import pytest
import pytest_asyncio.plugin

from fsm_rtc.errors import ChartError

Task = TypeVar("Task")

LIMIT_SECONDS = 300
"""A mutant whose tests run longer than this has made something endless."""

OPTIONS = [
    *("-x", "-q", "--no-header", "--tb=line", "--hypothesis-seed=0"),
    *("-p", "no:cacheprovider", "-p", "no:doctest", "-p", "no:unittest", "-p", "no:junitxml", "-p", "no:pastebin"),
]

PLUGINS = (pytest_asyncio.plugin, _hypothesis_pytestplugin)
"""Imported before the fork, and nothing is searched for after it: most of a child's time would go there."""

NOTICED = (pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED)

REFUSED = 100
EQUIVALENT = 101
BY_GOLDEN_FILES_ALONE = 102


class Verdict(StrEnum):
    """What became of a mutant."""

    KILLED = "killed"
    GOLDEN = "killed by the golden files, not by its machine's tests"
    REFUSED = "refused by the engine"
    EQUIVALENT = "equivalent"
    SURVIVED = "survived"


@dataclass(frozen=True, slots=True)
class Suite:
    """Which tests are run.

    Attributes:
        root: the folder with the machines' tests.
        golden: pytest's expression for the tests that compare with golden files.
    """

    root: Path
    golden: str = "golden"

    def run(self, machine: str) -> int:
        """The exit code for the tests of a chart class that is run in this process: 0 if no test noticed anything."""
        near, others, without_golden = self.near(machine), self.others(machine), f"not {self.golden}"
        code = run_pytest(near, without_golden) if near else int(pytest.ExitCode.OK)
        if code == pytest.ExitCode.OK:
            code = run_pytest([self.root], self.golden)
            if code in NOTICED:
                return BY_GOLDEN_FILES_ALONE
        if code == pytest.ExitCode.OK and others:
            code = run_pytest(others, without_golden)
        return code

    def near(self, machine: str) -> list[Path]:
        """The test files that name the class, most often first: they notice soonest."""
        counts = {path: len(re.findall(rf"\b{machine}\b", path.read_text())) for path in self.root.glob("test_*.py")}
        return sorted((path for path in counts if counts[path]), key=lambda path: (-counts[path], path))

    def others(self, machine: str) -> list[Path]:
        """The rest of the test files."""
        return sorted(set(self.root.glob("test_*.py")) - set(self.near(machine)))


def run_pytest(paths: Iterable[Path], expression: str) -> int:
    """pytest's exit code; 0 also if no test is selected."""
    code = pytest.main([*OPTIONS, "-k", expression, *map(str, paths)], plugins=PLUGINS)
    return int(pytest.ExitCode.OK if code == pytest.ExitCode.NO_TESTS_COLLECTED else code)


def verdict_of(status: int) -> Verdict:
    """The verdict behind a child's wait status.

    Raises:
        RuntimeError: the tests could not be run at all.
    """
    if os.WIFSIGNALED(status):
        return Verdict.KILLED
    code = os.WEXITSTATUS(status)
    try:
        return {
            pytest.ExitCode.OK: Verdict.SURVIVED,
            pytest.ExitCode.TESTS_FAILED: Verdict.KILLED,
            pytest.ExitCode.INTERRUPTED: Verdict.KILLED,
            BY_GOLDEN_FILES_ALONE: Verdict.GOLDEN,
            REFUSED: Verdict.REFUSED,
            EQUIVALENT: Verdict.EQUIVALENT,
        }[code]
    except KeyError:
        raise RuntimeError(f"pytest ended with {code}: the tests can't be run") from None


def in_children(
    tasks: Iterable[Task], work: Callable[[Task], int], *, at_once: int, output: Path
) -> Iterator[tuple[Task, Verdict, str]]:
    """(task, verdict, output) of each task as it ends, with `at_once` children running."""
    running: dict[int, tuple[Task, Path]] = {}
    gc.freeze()  # pytest collects garbage at its end: not ours, in every child
    for number, task in enumerate(tasks):
        if len(running) >= at_once:
            yield _ended(running)
        log = output / f"{number}.txt"
        pid = os.fork()
        if pid == 0:
            _child(task, work, log)
        running[pid] = task, log
    while running:
        yield _ended(running)


def _ended(running: dict[int, tuple[Task, Path]]) -> tuple[Task, Verdict, str]:
    pid, status = os.wait()
    task, log = running.pop(pid)
    text = log.read_text(errors="replace")
    try:
        return task, verdict_of(status), text
    except RuntimeError as error:
        raise RuntimeError(f"{error}\n{text}") from None


def _child(task: Task, work: Callable[[Task], int], log: Path) -> None:
    code = int(pytest.ExitCode.INTERNAL_ERROR)
    try:
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT)
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        signal.alarm(LIMIT_SECONDS)
        code = work(task)
    except ChartError:
        code = REFUSED
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
