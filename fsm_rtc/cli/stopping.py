"""Ctrl-C and SIGTERM for commands that run until they are told to stop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["STOPPED_TWICE", "calls_when_stopped"]

STOPPED_TWICE = 130
"""The exit code when a second Ctrl-C cuts the leaving short: 128 + SIGINT, as shells have it."""

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def calls_when_stopped(stop: Callable[[], object], *, terminate: Callable[[], object] | None = None) -> Iterator[None]:
    """Call `stop` at the first Ctrl-C or SIGTERM, in the running loop; the second one acts as if nobody listened.

    Args:
        stop: what to do.
        terminate: what to do at SIGTERM instead.
    """
    loop = asyncio.get_running_loop()
    listening: list[signal.Signals] = []

    def listen_no_more() -> None:
        while listening:
            loop.remove_signal_handler(listening.pop())

    def first(number: signal.Signals) -> None:
        listen_no_more()
        if number is signal.SIGTERM and terminate is not None:
            terminate()
        else:
            stop()

    try:
        for number in SIGNALS:
            loop.add_signal_handler(number, first, number)
            listening.append(number)
    except NotImplementedError:
        pass  # on Windows Ctrl-C raises KeyboardInterrupt out of the loop, which callers handle as the second one
    try:
        yield
    finally:
        listen_no_more()
