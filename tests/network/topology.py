"""Two hosts and the router between them, with what real networks put there.

::

    here ── (gateways with NAT) ── router ── (gateways with NAT) ── there
    192.168.1.2        10.231.1.2  10.231.0.1  10.231.2.2       192.168.2.2

The router is the public network: signalling servers, STUN and TURN run on it, under an address that both sides reach.
Each host has one address and a default route. A gateway masquerades its network, as a home's does; behind two of them a
host is where mobile networks put it. What the router gets for 192.168.0.0/16 is lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import StrEnum

from tests.network.link import Link, link
from tests.network.namespaces import Namespace, namespaces

ROUTER_ADDRESS = "10.231.0.1"


class Nat(StrEnum):
    """How a gateway chooses the outer port of what goes out (RFC 4787, 4.1)."""

    CONE = "masquerade"
    """The inner one while it is free: the same towards everybody, so that STUN tells what a peer can use."""
    SYMMETRIC = "masquerade fully-random"
    """Any, another one for each destination: what STUN tells is of no use to a peer; a relay is needed."""


@dataclass(frozen=True, slots=True)
class Access:
    """How a host gets to the router.

    Attributes:
        nat: the gateways on the way, the host's own first.
        delay_seconds: how long a packet takes on the host's own wire, each way.
    """

    nat: tuple[Nat, ...] = ()
    delay_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Host:
    """A host, and the wire by which it is connected.

    Attributes:
        link: to the router, or to its own gateway.
        number: of its networks: 1 for `here`, 2 for `there`.
    """

    namespace: Namespace
    link: Link
    number: int

    def inside(self, *command: str) -> tuple[str, ...]:
        """The command that runs a command on it."""
        return self.namespace.inside(*command)

    @property
    def address(self) -> str:
        """Its own."""
        shown = self.namespace.ip("-o", "-4", "address", "show", "dev", self.link.near.device)
        return shown.split()[3].split("/")[0]

    def move(self) -> None:
        """Give it an address of another network, as a laptop that changes its Wi-Fi. Only without NAT."""
        third = int(self.address.split(".")[2])
        self.link.number(f"10.231.{self.number if third != self.number else 100 + self.number}")


@dataclass(frozen=True, slots=True)
class Network:
    """Both hosts and the router.

    Attributes:
        router: what both reach.
        here, there: a host on each side of it.
        address: the router's, as both see it.
    """

    router: Namespace
    here: Host
    there: Host
    address: str = ROUTER_ADDRESS


@contextmanager
def network(here: Access = Access(), there: Access = Access(), *, forwards: bool = True) -> Iterator[Network]:
    """The network, while the block runs. Skips where it can't be made; in CI that is a failure.

    Args:
        here, there: how each host gets to the router.
        forwards: the router lets the hosts reach each other; otherwise only itself.
    """
    sides = {"here": here, "there": there}
    names = [f"{side}{depth or ''}" for side, access in sides.items() for depth in range(len(access.nat) + 1)]
    with ExitStack() as stack:
        made = dict(zip(("router", *names), stack.enter_context(namespaces("router", *names)), strict=True))
        router = made["router"]
        router.ip("address", "add", f"{ROUTER_ADDRESS}/32", "dev", "lo")
        # The rest of the world, which answers nobody. Without it a relay is told at once that a private address is out
        # of reach, and coturn ends the whole allocation for that.
        router.ip("link", "add", "world", "type", "veth", "peer", "name", "void")
        router.ip("link", "set", "void", "up")
        router.ip("link", "set", "world", "arp", "off", "up")
        router.ip("route", "add", "default", "dev", "world")
        if forwards:
            _forward(router)
        hosts: dict[str, Host] = {}
        for number, (side, access) in enumerate(sides.items(), 1):
            way = [made[name] for name in names if name.startswith(side)]
            links = [
                stack.enter_context(link(one, other, net, 0 if depth else access.delay_seconds))
                for depth, (one, other, net) in enumerate(
                    zip(way, [*way[1:], router], _networks(number, len(way)), strict=True)
                )
            ]
            for gateway, nat in zip(way[1:], access.nat, strict=True):
                _masquerade(gateway, nat)
            hosts[side] = Host(way[0], links[0], number)
        yield Network(router, hosts["here"], hosts["there"])


def _networks(number: int, links: int) -> list[str]:
    """From the host to the router: private ones, and the last one is public."""
    return [f"192.168.{number + 10 * depth}" for depth in range(links - 1)] + [f"10.231.{number}"]


def _forward(host: Namespace) -> None:
    host.run("sysctl", "-q", "-w", "net.ipv4.ip_forward=1")


def _masquerade(gateway: Namespace, nat: Nat) -> None:
    _forward(gateway)
    # What nobody inside has asked for is dropped before it is tracked to the gateway itself: a peer's early check would
    # otherwise take the very port that the host's own check is about to need, and Linux would choose another.
    gateway.nft(
        "table ip home {"
        f' chain leaving {{ type nat hook postrouting priority srcnat; oifname "out" {nat}; }};'
        ' chain arriving { type filter hook input priority 0; iifname "out" ct state new drop; };'
        ' chain passing { type filter hook forward priority 0; iifname "out" ct state new drop; };'
        " }"
    )
