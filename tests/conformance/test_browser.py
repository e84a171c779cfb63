"""How an adapter that lives in a browser begins and ends."""

import os
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fsm_rtc.conformance.stacks import stack_named
from tests.conformance.adapter_conversation import installed
from tests.conformance.adapter_process import AdapterProcess

pytestmark = pytest.mark.browser

HELLO = {"operation": "hello"}
LONGEST_SECONDS = 20.0


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path: a browser makes a Unix socket in it."""
    with tempfile.TemporaryDirectory(prefix="fsm-") as name:
        yield Path(name)


@pytest.fixture
def running(folder: Path) -> Iterator[AdapterProcess]:
    with AdapterProcess(installed("chromium").command, folder) as adapter:
        adapter.ask(HELLO)
        yield adapter


def processes(folder: Path, *words: str) -> list[int]:
    """The processes whose command line names something in that folder, and has these words."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
        except OSError:
            continue
        if all(word.encode() in command for word in (str(folder), *words)):
            found.append(int(process.name))
    return found


def becomes_empty(folder: Path) -> bool:
    end = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < end:
        if not processes(folder) and not list(folder.iterdir()):
            return True
        time.sleep(0.02)
    return False


def test_nothing_is_left_when_the_input_ends(running: AdapterProcess, folder: Path) -> None:
    assert processes(folder)
    code, _ = running.end()
    assert code == 0
    assert list(folder.iterdir()) == []
    assert becomes_empty(folder)


def test_nothing_is_left_when_the_adapter_is_killed_with_its_group(folder: Path, running: AdapterProcess) -> None:
    os.killpg(running.process.pid, signal.SIGKILL)
    running.process.wait(LONGEST_SECONDS)
    assert becomes_empty(folder)


def test_when_the_browser_is_killed_the_adapter_ends_and_says_so(folder: Path, running: AdapterProcess) -> None:
    (profile,) = folder.iterdir()
    main = int((profile / "SingletonLock").readlink().name.rpartition("-")[2])
    os.kill(main, signal.SIGKILL)
    running.process.wait(LONGEST_SECONDS)
    code, told = running.end()
    assert code == 1
    assert "has gone by itself" in told
    assert becomes_empty(folder)


def test_when_only_the_page_crashes_the_adapter_ends_too(folder: Path, running: AdapterProcess) -> None:
    for process in processes(folder, "--type=renderer"):
        os.kill(process, signal.SIGKILL)
    running.process.wait(LONGEST_SECONDS)
    code, told = running.end()
    assert code == 1
    assert "has gone by itself" in told
    assert becomes_empty(folder)


def test_when_the_script_itself_fails_the_adapter_ends_with_its_words(running: AdapterProcess) -> None:
    assert running.process.stdin is not None
    running.process.stdin.write(b"no JSON\n")
    running.process.stdin.flush()
    running.process.wait(LONGEST_SECONDS)
    code, told = running.end()
    assert code == 1
    assert "the adapter's script failed: SyntaxError" in told


def test_without_the_browser_it_says_what_to_do(folder: Path) -> None:
    with AdapterProcess(stack_named("chromium").command, folder, FSM_RTC_CHROMIUM="/nowhere/chromium") as adapter:
        code, told = adapter.end()
    assert code == 1
    assert "FSM_RTC_CHROMIUM" in told
    assert "Traceback" not in told


def test_a_browser_that_does_not_start_is_told_at_once(folder: Path) -> None:
    with AdapterProcess(stack_named("chromium").command, folder, FSM_RTC_CHROMIUM="false") as adapter:
        code, told = adapter.end()
    assert code == 1
    assert "ended" in told
    assert "Traceback" not in told
    assert list(folder.iterdir()) == []
