"""The command in processes of its own, followed line by line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Any, ClassVar, Self

ROOT = Path(__file__).parent.parent.parent


class Program:
    """`fsm-rtc` with these arguments, while a ``with`` block runs.

    Args:
        home: the user's home and configuration folder.
        stdin: where its input comes from; a pipe by default.
        by: what starts it, such as ``ip netns exec NAME``.

    Attributes:
        lines: what it has written so far.
    """

    longest_seconds: ClassVar[float] = 300.0
    """A program that takes longer is killed: then its output ends, and the test with it."""

    def __init__(
        self,
        home: Path,
        *arguments: str,
        stdin: int | IO[Any] = subprocess.PIPE,
        by: tuple[str, ...] = (),
        **environment: str,
    ) -> None:
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("FSM_RTC_")}
        paths = {"PYTHONPATH": str(ROOT), "HOME": str(home), "XDG_CONFIG_HOME": str(home / "config")}
        self.process = subprocess.Popen(
            [*by, sys.executable, "-m", "fsm_rtc.cli", *arguments],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**inherited, **paths, **environment},
            start_new_session=True,
        )
        self.lines: list[str] = []
        self._deadline = threading.Timer(self.longest_seconds, self.process.kill)
        self._deadline.start()

    def until(self, text: str) -> str:
        """The next line with this text; what comes before it is in `lines`."""
        return next(line for line in self._following() if text in line)

    def until_event(self, event: str, condition: Callable[[dict[str, Any]], bool] = lambda _: True) -> dict[str, Any]:
        """The next such event of `--json`."""
        for line in self._following():
            told: dict[str, Any] = json.loads(line)
            if told["event"] == event and condition(told):
                return told
        raise AssertionError("unreachable")

    def enter(self, line: str) -> None:
        """Give it a line."""
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def end_input(self) -> None:
        """There is no more to come."""
        assert self.process.stdin is not None
        self.process.stdin.close()

    def interrupt(self, number: int = signal.SIGINT) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def ended(self) -> tuple[int, str]:
        """Wait for its end; its exit code and what it wrote to standard error. All of its output is in `lines` then."""
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self.lines.extend(self.process.stdout.read().splitlines())
        told = self.process.stderr.read()
        return self.process.wait(), told

    @property
    def output(self) -> str:
        """What it has written so far, its line ends as spaces."""
        return " ".join(self.lines)

    def events(self) -> list[dict[str, Any]]:
        """What it has written so far, with `--json`."""
        return [json.loads(line) for line in self.lines]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._deadline.cancel()
        self.process.kill()
        with self.process:  # closes the pipes, and waits
            pass

    def _following(self) -> Iterator[str]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            yield self.lines[-1]
        assert self.process.stderr is not None
        raise AssertionError(f"it ended, after {self.lines} and {self.process.stderr.read()!r}")


@contextmanager
def server(home: Path, *options: str) -> Iterator[str]:
    """A signalling server, while the block runs: its address without a room."""
    with Program(home, "serve", "--port", "0", *options) as serving:
        greeting = serving.until("join with: fsm-rtc join ")
        yield greeting.split("fsm-rtc join ")[1].split("/ROOM")[0]
