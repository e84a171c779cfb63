"""A wire between two hosts, and what can be wrong with a wire.

Loss is nftables' `numgen` where a packet arrives, since the kernels of containers often lack netem. A rate is a token
bucket (tc tbf) where it leaves. Delay is a program of its own (`delay`): the wire then joins two TUN devices.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.network.namespaces import Namespace

QUEUE = "400ms"
"""How long a packet may wait for a narrow link before it is dropped."""
BURST_BYTES = 4096


@dataclass(frozen=True, slots=True)
class End:
    """One end of a wire: a device of a host."""

    host: Namespace
    device: str


@dataclass(frozen=True, slots=True)
class Link:
    """A wire from a host to its router, or to a gateway.

    Attributes:
        near: the host's end; its address ends in 2.
        far: the router's end; its address ends in 1.
    """

    near: End
    far: End

    @property
    def ends(self) -> tuple[End, End]:
        return self.near, self.far

    def number(self, network: str) -> None:
        """Give the ends the addresses of a network, e.g. ``10.231.1``, instead of those that they had.

        The host's default route is renewed, since the old one went with the old address.
        """
        for end, number in ((self.far, 1), (self.near, 2)):
            end.host.ip("address", "flush", "dev", end.device)
            end.host.ip("address", "add", f"{network}.{number}/24", "dev", end.device)
        self.near.host.ip("route", "replace", "default", "via", f"{network}.1", "dev", self.near.device)

    def lose(self, share: float) -> None:
        """Lose this share of the packets, each by chance, in either direction: from 0, none, to 0.999."""
        self._filter("loss", f"meta protocol ip numgen random mod 1000 < {round(share * 1000)} drop" if share else "")

    def cut(self) -> None:
        """Lose everything, without a word to anybody."""
        self._filter("cut", "meta protocol ip drop")

    def heal(self) -> None:
        """Undo `cut`."""
        self._filter("cut", "")

    def limit(self, kilobits: int) -> None:
        """Carry so many kilobits a second in either direction."""
        for end in self.ends:
            shape = f"rate {kilobits}kbit burst {BURST_BYTES} latency {QUEUE}"
            end.host.run("tc", "qdisc", "replace", "dev", end.device, "root", "tbf", *shape.split())

    def set_mtu(self, size_bytes: int, *, tells: bool = True) -> None:
        """Carry packets of at most this size.

        Args:
            tells: the host knows, and fragments. Otherwise what is larger is dropped without a word on its way from the
                host, as in a black hole of path MTU discovery.
        """
        for end in self.ends if tells else (self.far,):
            end.host.ip("link", "set", end.device, "mtu", str(size_bytes))

    def _filter(self, table: str, rule: str) -> None:
        for end in self.ends:
            # "add" makes sure that there is something to delete.
            rules = f"add table netdev {table}; delete table netdev {table};"
            if rule:
                hook = f'type filter hook ingress device "{end.device}" priority 0;'
                rules += f" table netdev {table} {{ chain arriving {{ {hook} {rule}; }}; }}"
            end.host.nft(rules)


@contextmanager
def link(host: Namespace, router: Namespace, network: str, delay_seconds: float = 0.0) -> Iterator[Link]:
    """A wire between two hosts, with the addresses of a network such as ``10.231.1``, while the block runs."""
    made = Link(End(host, "out"), End(router, f"in{network.replace('.', '-')}"[:15]))
    with wire(made, delay_seconds):
        for end in made.ends:
            end.host.ip("link", "set", end.device, "up")
        made.number(network)
        yield made


@contextmanager
def wire(made: Link, delay_seconds: float) -> Iterator[None]:
    near, far = made.ends
    if not delay_seconds:
        near.host.ip("link", "add", near.device, "type", "veth", "peer", "name", far.device, "netns", far.host.name)
        yield
        return
    program = str(Path(__file__).with_name("delay.py"))
    ends = [word for end in made.ends for word in (end.host.name, end.device)]
    with subprocess.Popen(
        [sys.executable, program, str(delay_seconds), *ends],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as delaying:
        assert delaying.stdin is not None
        assert delaying.stdout is not None
        try:
            assert delaying.stdout.readline() == "ready\n"
            yield
        finally:
            delaying.stdin.close()
