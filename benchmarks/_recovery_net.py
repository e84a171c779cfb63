"""Three network namespaces on one bridge, for benchmarks/recovery.py: the two peers', and the servers'.

Everything is made when the block begins and gone when it ends. Needs root and iproute2.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

__all__ = ["Net", "namespaces", "what_is_missing"]

NUMBERS = itertools.count(1)


def what_is_missing() -> str:
    """What this host lacks, or nothing."""
    if shutil.which("ip") is None:
        return "there is no `ip`; install iproute2 (Debian: apt-get install iproute2)"
    if os.geteuid() != 0:
        return "network namespaces need root; run it as root"
    return ""


def ip(*arguments: str) -> None:
    subprocess.run(("ip", *arguments), check=True, capture_output=True, text=True)


@dataclass(frozen=True, slots=True)
class Net:
    """The namespaces: `servers` at 10.77.0.1, and the `peers` at 10.77.0.2 and 10.77.0.3, each on its ``eth0``."""

    servers: str
    peers: tuple[str, str]

    def inside(self, namespace: str, *command: str) -> tuple[str, ...]:
        """The command line that runs a command there."""
        return ("ip", "netns", "exec", namespace, *command)

    def set_link(self, peer: int, state: str) -> None:
        """Bring a peer's interface ``up`` or ``down``."""
        ip("-n", self.peers[peer], "link", "set", "eth0", state)

    def change_address(self, peer: int, before: str | None, after: str | None) -> None:
        """Take an address from a peer, and give it another one, each if there is one."""
        for verb, address in (("del", before), ("add", after)):
            if address is not None:
                ip("-n", self.peers[peer], "addr", verb, f"{address}/24", "dev", "eth0")


@contextmanager
def namespaces() -> Iterator[Net]:
    """The three, until the block ends."""
    prefix = f"frec{os.getpid()}n{next(NUMBERS)}"
    names = [f"{prefix}s", f"{prefix}a", f"{prefix}b"]
    made: list[str] = []
    try:
        for name in names:
            ip("netns", "add", name)
            made.append(name)
            ip("-n", name, "link", "set", "lo", "up")
        ip("-n", names[0], "link", "add", "br0", "type", "bridge")
        ip("-n", names[0], "addr", "add", "10.77.0.1/24", "dev", "br0")
        ip("-n", names[0], "link", "set", "br0", "up")
        for number, name in enumerate(names[1:], start=2):
            port = f"port{number}"
            ip("-n", names[0], "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", name)
            ip("-n", names[0], "link", "set", port, "master", "br0", "up")
            ip("-n", name, "addr", "add", f"10.77.0.{number}/24", "dev", "eth0")
            ip("-n", name, "link", "set", "eth0", "up")
        yield Net(names[0], (names[1], names[2]))
    finally:
        for name in made:
            subprocess.run(("ip", "netns", "del", name), check=False, capture_output=True)
