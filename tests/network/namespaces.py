"""Network namespaces of Linux: a host each, made for one test and gone with it.

Invariants:

- All is inside the namespaces: devices, routes, filters. Deleting them deletes all of it; nothing outside is touched.
- Before a namespace is deleted, what still runs in it is killed: it would keep the namespace alive without a name.
- A namespace's name has its maker's process id. What a maker that was killed left is removed when the next one begins.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

PREFIX = "fsm-rtc"
PROGRAMS = {"ip": "iproute2", "tc": "iproute2", "nft": "nftables"}
LIMIT_SECONDS = 60
CLONE_NEWNET = 0x40000000

_numbers = count(1)
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Namespace:
    """A host's network.

    Attributes:
        name: as `ip netns` knows it.
    """

    name: str

    def inside(self, *command: str) -> tuple[str, ...]:
        """The command that runs a command in there."""
        return ("ip", "netns", "exec", self.name, *command)

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Sockets that this thread makes in the block are in there, for as long as they live."""
        with Path("/proc/thread-self/ns/net").open("rb") as before:
            enter(self.name)
            try:
                yield
            finally:
                _set(before.fileno())

    def run(self, *command: str) -> str:
        """Run a command in there that ends by itself; its output."""
        return run(*self.inside(*command))

    def ip(self, *arguments: str) -> str:
        """``ip`` in there."""
        return run("ip", "-n", self.name, *arguments)

    def nft(self, rules: str) -> None:
        """Add rules, as text of nft's language."""
        self.run("nft", rules)

    def processes(self) -> list[int]:
        """What runs in there."""
        return [int(pid) for pid in run("ip", "netns", "pids", self.name).split()]

    def delete(self) -> None:
        """Kill what runs in there, and remove it."""
        with suppress(subprocess.CalledProcessError):  # somebody else has removed it
            for pid in self.processes():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            run("ip", "netns", "delete", self.name)


def missing() -> str:
    """What this machine lacks for network namespaces, in words; empty if nothing."""
    if os.geteuid() != 0:
        return "root"
    return ", ".join(sorted({package for program, package in PROGRAMS.items() if shutil.which(program) is None}))


@contextmanager
def namespaces(*hosts: str) -> Iterator[list[Namespace]]:
    """New namespaces with nothing but loopback, one for each of these words, while the block runs.

    Skips where they can't be made; in CI that is a failure.
    """
    if lacks := missing():
        reason = f"a network of namespaces needs {lacks}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    remove_stale()
    number = next(_numbers)
    made = [Namespace(f"{PREFIX}-{os.getpid()}-{number}-{host}") for host in hosts]
    try:
        for namespace in made:
            run("ip", "netns", "add", namespace.name)
            namespace.ip("link", "set", "lo", "up")
        yield made
    finally:
        for namespace in made:
            namespace.delete()


def remove_stale() -> None:
    """Remove the namespaces whose maker has ended."""
    for line in run("ip", "netns", "list").splitlines():
        name = line.split()[0]
        maker = name.removeprefix(f"{PREFIX}-").split("-")[0]
        if name.startswith(f"{PREFIX}-") and maker.isdigit() and not Path(f"/proc/{maker}").exists():
            Namespace(name).delete()


def enter(name: str) -> None:
    """Put this thread into a namespace: sockets and devices that it makes from now on are in there."""
    with Path(f"/run/netns/{name}").open("rb") as there:
        _set(there.fileno())


def _set(descriptor: int) -> None:
    # os.setns is there from Python 3.12 on.
    if _libc.setns(descriptor, CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def run(*command: str) -> str:
    """Run a command that ends by itself; its output. What it says against it is the error's text."""
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=LIMIT_SECONDS).stdout
    except subprocess.CalledProcessError as failed:
        failed.add_note(failed.stderr)
        raise
