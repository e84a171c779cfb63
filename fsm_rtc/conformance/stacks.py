"""The stacks that are known here, and which of them are installed; none is started to find out."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import metadata

from fsm_rtc._version import __version__
from fsm_rtc.conformance.adapters.browser import Browser
from fsm_rtc.conformance.adapters.chromium import CHROMIUM
from fsm_rtc.errors import ConformanceError

__all__ = ["STACKS", "KnownStack", "stack_named"]

BROWSER_LIMIT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class KnownStack:
    """A stack for which there is an adapter here.

    Args:
        name: what it is called, here and in the reports.
        language: in which its API is used.
        library: what it is, in a few words.
        install: the command that gets it.
        module: its adapter.
        find_version: its version, or None if it isn't installed.
    """

    name: str
    language: str
    library: str
    install: str
    module: str
    find_version: Callable[[], str | None]

    @property
    def command(self) -> tuple[str, ...]:
        """The program that is its adapter, and its arguments."""
        return (sys.executable, "-m", f"fsm_rtc.conformance.adapters.{self.module}")

    def version(self) -> str | None:
        """The version that is installed, or None. A browser is asked, which takes some 50 ms."""
        return self.find_version()


def _distribution_version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _browser_version(browser: Browser) -> str | None:
    for program in browser.installed():
        try:
            told = subprocess.run(  # noqa: S603 - a browser, asked for its version alone
                [program, "--version"],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=BROWSER_LIMIT_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            continue
        if found := re.search(r"\d+(\.\d+)+", told.stdout):
            return found[0]
    return None


STACKS = (
    KnownStack(
        "aiortc",
        "Python",
        "aiortc, WebRTC written in Python",
        "pip install aiortc",
        "aiortc",
        partial(_distribution_version, "aiortc"),
    ),
    KnownStack(
        "fsm_rtc",
        "Python",
        "this project's own PeerConnection, over aiortc",
        "pip install fsm-rtc",
        "own",
        lambda: __version__,
    ),
    KnownStack(
        "wrtc",
        "Python",
        "libwebrtc, the library inside Chromium",
        "pip install wrtc",
        "wrtc",
        partial(_distribution_version, "wrtc"),
    ),
    KnownStack(
        "chromium",
        "JavaScript",
        "the browser, without a window",
        "apt-get install chromium",
        "chromium",
        partial(_browser_version, CHROMIUM),
    ),
)
"""Every known stack."""


def stack_named(name: str) -> KnownStack:
    """The stack of that name.

    Raises:
        ConformanceError: there is none.
    """
    for stack in STACKS:
        if stack.name == name:
            return stack
    known = ", ".join(stack.name for stack in STACKS)
    raise ConformanceError(f"no stack is called {name!r}; there are {known}")
