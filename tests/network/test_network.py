"""The network does what it says: measured by sockets on its hosts."""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import pytest

from tests.network import namespaces
from tests.network.namespaces import PREFIX, Namespace, run
from tests.network.topology import Access, Host, Nat, Network, network

ROOT = Path(__file__).parents[2]
PORT = 5000
PATIENCE_SECONDS = 30.0
SILENCE_SECONDS = 0.3
UDP_HEADERS_BYTES = 28
SO_RCVBUFFORCE, IP_MTU_DISCOVER, IP_PMTUDISC_DO = 33, 10, 2  # Linux' own; the module socket doesn't name them
BUFFER_BYTES = 8_000_000


def udp(host: Host | Namespace, port: int = 0) -> socket.socket:
    """A UDP socket on a host."""
    namespace = host.namespace if isinstance(host, Host) else host
    with namespace.entered():
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.settimeout(PATIENCE_SECONDS)
    made.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES)  # a burst isn't lost here
    made.bind(("", port))
    return made


@dataclass
class Ends:
    """A socket on each host, and where `there` listens."""

    here: socket.socket
    there: socket.socket
    address: tuple[str, int]

    def arrives(self, packet: bytes = b"ping", patience: float = PATIENCE_SECONDS) -> bool:
        """Whether a packet gets there, and one back."""
        self.there.settimeout(patience)
        self.here.settimeout(patience)
        try:
            self.here.sendto(packet, self.address)
            heard, whence = self.there.recvfrom(65536)
            self.there.sendto(heard, whence)
            return self.here.recv(65536) == packet
        except TimeoutError:
            return False

    def heard(self) -> list[bytes]:
        """All that has come to `there`, until it is silent."""
        self.there.settimeout(SILENCE_SECONDS)
        packets = []
        try:
            while True:
                packets.append(self.there.recv(65536))
        except TimeoutError:
            return packets


@contextmanager
def ends(net: Network) -> Iterator[Ends]:
    with udp(net.here) as here, udp(net.there, PORT) as there:
        yield Ends(here, there, (net.there.address, PORT))


def seen_from(one: Host, *others: Namespace | Host) -> list[tuple[str, int]]:
    """As whom one socket of a host is seen by others."""
    addresses = []
    with udp(one) as asking:
        for other in others:
            with udp(other, PORT) as listening:
                where = other.address if isinstance(other, Host) else "10.231.0.1"
                asking.sendto(b"who am I", (where, PORT))
                addresses.append(listening.recvfrom(100)[1])
    return addresses


def test_hosts_with_one_address_and_a_default_route_reach_each_other() -> None:
    with network() as net, ends(net) as sockets:
        assert (net.here.address, net.there.address) == ("10.231.1.2", "10.231.2.2")
        for host in (net.here, net.there):
            assert host.namespace.ip("route", "show", "default").startswith("default via 10.231.")
        assert sockets.arrives()


def test_a_router_that_does_not_forward_is_reached_all_the_same() -> None:
    with network(forwards=False) as net, ends(net) as sockets:
        assert not sockets.arrives(patience=SILENCE_SECONDS)
        assert seen_from(net.here, net.router)[0][0] == net.here.address


@pytest.mark.parametrize("gateways", [1, 2])
def test_behind_nat_a_host_has_one_outer_address_for_everybody(gateways: int) -> None:
    with network(Access((Nat.CONE,) * gateways)) as net:
        assert net.here.address == "192.168.1.2"
        seen = seen_from(net.here, net.router, net.there)
        assert {address for address, _ in seen} == {"10.231.1.2"}
        assert len(set(seen)) == 1


def test_behind_a_symmetric_nat_it_has_another_one_for_each() -> None:
    with network(Access((Nat.SYMMETRIC,))) as net:
        seen = seen_from(net.here, net.router, net.there)
        assert {address for address, _ in seen} == {"10.231.1.2"}
        assert len(set(seen)) == 2


def test_nobody_gets_in_through_nat_who_was_not_asked() -> None:
    with network(Access((Nat.CONE,)), Access((Nat.CONE,))) as net, udp(net.here, PORT) as here, udp(net.there) as there:
        here.settimeout(SILENCE_SECONDS)
        there.sendto(b"let me in", ("10.231.1.2", PORT))
        with pytest.raises(TimeoutError):
            here.recv(100)


def test_two_hosts_behind_nat_meet_when_both_send() -> None:
    with (
        network(Access((Nat.CONE,)), Access((Nat.CONE,))) as net,
        udp(net.here, PORT) as here,
        udp(net.there, PORT) as there,
    ):
        there.sendto(b"too early", ("10.231.1.2", PORT))
        here.sendto(b"from here", ("10.231.2.2", PORT))
        assert there.recvfrom(100) == (b"from here", ("10.231.1.2", PORT))
        there.sendto(b"from there", ("10.231.1.2", PORT))
        assert here.recvfrom(100) == (b"from there", ("10.231.2.2", PORT))


def test_loss_is_as_large_as_asked_for() -> None:
    sent = 2000
    with network() as net, ends(net) as sockets:
        assert sockets.arrives()
        net.here.link.lose(0.2)
        for _ in range(sent):
            sockets.here.sendto(b"x", sockets.address)
        lost = 1 - len(sockets.heard()) / sent
        assert 0.15 < lost < 0.25  # five standard deviations
        net.here.link.lose(0)
        assert sockets.arrives()


def test_a_rate_holds_back_what_is_more() -> None:
    packets, size = 30, 1000 - UDP_HEADERS_BYTES
    with network() as net, ends(net) as sockets:
        assert sockets.arrives()
        net.here.link.limit(300)
        for _ in range(packets):
            sockets.here.sendto(bytes(size), sockets.address)
        sockets.there.recv(65536)
        begun = time.monotonic()
        came = len(sockets.heard())
        seconds = time.monotonic() - begun - SILENCE_SECONDS
        assert came < packets - 1  # the queue holds 400 ms of it
        # A bucketful, 4 kB, goes at once. A machine under load may be later, never earlier.
        assert (came * 1000 - 4096) * 8 / seconds < 300_000 * 1.1


def test_a_delay_is_that_of_the_way_there_and_back() -> None:
    with network(Access(delay_seconds=0.1)) as net, ends(net) as sockets:
        seconds = []
        for number in range(5):
            begun = time.monotonic()
            assert sockets.arrives(b"%d" % number)
            seconds.append(time.monotonic() - begun)
        assert median(seconds) >= 0.2
        for number in range(200):
            sockets.here.sendto(b"%d" % number, sockets.address)
        assert sockets.heard() == [b"%d" % number for number in range(200)]


def test_a_delayed_wire_can_lose_and_be_narrow_too() -> None:
    with network(Access(delay_seconds=0.02)) as net, ends(net) as sockets:
        net.here.link.limit(300)
        assert sockets.arrives()
        net.here.link.lose(0.999)
        assert not sockets.arrives(patience=SILENCE_SECONDS)


@pytest.mark.parametrize("mtu", [1280, 1240])
def test_what_is_larger_than_the_mtu_is_refused_to_who_forbids_fragments(mtu: int) -> None:
    with network() as net, ends(net) as sockets:
        net.here.link.set_mtu(mtu)
        sockets.here.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO)
        assert sockets.arrives(bytes(mtu - UDP_HEADERS_BYTES))
        with pytest.raises(OSError, match=os.strerror(errno.EMSGSIZE)):
            sockets.here.sendto(bytes(mtu - UDP_HEADERS_BYTES + 1), sockets.address)


def test_a_black_hole_swallows_what_is_larger() -> None:
    with network() as net, ends(net) as sockets:
        net.here.link.set_mtu(1240, tells=False)
        assert sockets.arrives(bytes(1240 - UDP_HEADERS_BYTES))
        assert not sockets.arrives(bytes(1300), patience=SILENCE_SECONDS)


def test_a_link_that_is_cut_carries_nothing_until_it_is_healed() -> None:
    with network() as net, ends(net) as sockets:
        net.here.link.cut()
        assert not sockets.arrives(patience=SILENCE_SECONDS)
        net.here.link.heal()
        assert sockets.arrives()


def test_a_host_that_moves_has_another_address_and_reaches_the_same() -> None:
    with network() as net, ends(net) as sockets:
        assert sockets.arrives()
        net.here.move()
        assert net.here.address == "10.231.101.2"
        assert seen_from(net.here, net.router)[0][0] == "10.231.101.2"
        assert sockets.arrives()
        net.here.move()
        assert net.here.address == "10.231.1.2"


def existing(maker: int) -> list[str]:
    """The namespaces of a process."""
    lines = run("ip", "netns", "list").splitlines()
    return [line.split()[0] for line in lines if line.startswith(f"{PREFIX}-{maker}-")]


def test_nothing_is_left_behind() -> None:
    before = run("ip", "-o", "link", "show")
    with network(Access((Nat.CONE,), delay_seconds=0.01)) as net:
        asleep = subprocess.Popen(net.here.inside("sh", "-c", "echo; exec sleep 1000"), stdout=subprocess.PIPE)
        assert asleep.stdout is not None
        asleep.stdout.readline()
        assert existing(os.getpid())
    assert existing(os.getpid()) == []
    with asleep:
        assert asleep.wait() == -signal.SIGKILL
    assert run("ip", "-o", "link", "show") == before


MAKER = """
import subprocess, sys
from tests.network.topology import Access, network
with network(Access(delay_seconds=0.01)) as net:
    asleep = subprocess.Popen(net.here.inside("sh", "-c", "echo; exec sleep 1000"), stdout=subprocess.PIPE)
    asleep.stdout.readline()
    print(asleep.pid, flush=True)
    sys.stdin.read()
"""


def test_what_a_killed_run_left_goes_when_the_next_begins() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", MAKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as maker:
        assert maker.stdout is not None
        asleep = int(maker.stdout.readline())
        left = existing(maker.pid)
        namespaces.remove_stale()
        assert existing(maker.pid) == left  # it lives
        maker.kill()
    assert existing(maker.pid) == left
    namespaces.remove_stale()
    assert existing(maker.pid) == []
    assert not Path(f"/proc/{asleep}").exists() or "Z" in Path(f"/proc/{asleep}/stat").read_text()


@pytest.mark.parametrize("ci", [True, False])
def test_without_the_means_it_is_skipped_and_in_ci_a_failure(monkeypatch: pytest.MonkeyPatch, *, ci: bool) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("CI", "true" if ci else "")
    outcome = pytest.fail.Exception if ci else pytest.skip.Exception
    with pytest.raises(outcome, match="needs root"), network():
        pass
