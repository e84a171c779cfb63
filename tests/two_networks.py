"""Two private networks and a router between them that lets both reach itself, and neither the other."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count

import pytest

NUMBERS = count(1)


@dataclass(frozen=True, slots=True)
class TwoNetworks:
    """Names of network namespaces, and the router's address.

    Attributes:
        router: reached from both under `address`.
        here, there: a host in each network.
        address: the router's, as both see it.
    """

    router: str
    here: str
    there: str
    address: str = "10.231.0.1"


@contextmanager
def two_networks() -> Iterator[TwoNetworks]:
    """The networks, while the block runs. Skips where they can't be made; in CI that is a failure."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        if os.environ.get("CI"):
            pytest.fail("network namespaces need root and iproute2")
        pytest.skip("network namespaces need root and iproute2")
    prefix = f"fsm-rtc-{os.getpid()}-{next(NUMBERS)}"
    made = TwoNetworks(f"{prefix}-r", f"{prefix}-a", f"{prefix}-b")
    try:
        _ip("netns", "add", made.router)
        _ip("-n", made.router, "link", "set", "lo", "up")
        _ip("-n", made.router, "address", "add", f"{made.address}/32", "dev", "lo")
        for number, host in ((1, made.here), (2, made.there)):
            network = f"10.231.{number}"
            _ip("netns", "add", host)
            _ip("-n", host, "link", "set", "lo", "up")
            _ip("-n", host, "link", "add", "out", "type", "veth", "peer", "name", f"in{number}", "netns", made.router)
            for where, device, address in ((host, "out", f"{network}.2"), (made.router, f"in{number}", f"{network}.1")):
                _ip("-n", where, "address", "add", f"{address}/24", "dev", device)
                _ip("-n", where, "link", "set", device, "up")
            _ip("-n", host, "route", "add", "default", "via", f"{network}.1")
        yield made
    finally:
        for name in (made.here, made.there, made.router):
            with suppress(subprocess.CalledProcessError):
                _ip("netns", "delete", name)


def inside(namespace: str) -> tuple[str, ...]:
    """What stands before a command that is to run in there."""
    return ("ip", "netns", "exec", namespace)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True, timeout=10)
