"""What ICE found and tried, counted, and the addresses forgotten."""

from __future__ import annotations

import pytest

from fsm_rtc.connection.diagnosis.evidence import (
    CandidateCount,
    PairCounts,
    Reach,
    ServerAnswer,
    count,
    count_pairs,
    share_a_network,
)
from fsm_rtc.peer.description import IceCandidate
from fsm_rtc.peer.ice_snapshot import IceSnapshot, SeenCandidate, seen


def host(*addresses: str) -> tuple[SeenCandidate, ...]:
    return tuple(SeenCandidate("host", "udp", address) for address in addresses)


@pytest.mark.parametrize(
    ("address", "family", "reach"),
    [
        ("127.0.0.1", "IPv4", Reach.LOOPBACK),
        ("::1", "IPv6", Reach.LOOPBACK),
        ("169.254.1.2", "IPv4", Reach.LINK),
        ("fe80::1", "IPv6", Reach.LINK),
        ("10.1.2.3", "IPv4", Reach.PRIVATE),
        ("100.64.0.1", "IPv4", Reach.PRIVATE),
        ("fd00::2", "IPv6", Reach.PRIVATE),
        ("9.9.9.9", "IPv4", Reach.PUBLIC),
        ("2620:fe::9", "IPv6", Reach.PUBLIC),
        ("1b4e28ba.local", "", Reach.NAME),
    ],
)
def test_of_an_address_its_family_and_reach_are_kept(address: str, family: str, reach: Reach) -> None:
    assert count(host(address)) == (CandidateCount("host", "udp", family, reach, 1),)


def test_each_kind_is_counted_by_itself() -> None:
    relayed = SeenCandidate("relay", "udp", "9.9.9.9")
    counted = count([*host("10.0.0.1", "10.0.0.2", "fd00::1"), relayed, SeenCandidate("host", "tcp", "10.0.0.1")])
    assert [str(one) for one in counted] == [
        "1 host (private IPv4 tcp)",
        "2 host (private IPv4 udp)",
        "1 host (private IPv6 udp)",
        "1 relay (public IPv4 udp)",
    ]


def test_pairs_are_counted_over_all_agents_by_state() -> None:
    pictures = [
        IceSnapshot(pairs=("waiting", "in-progress", "failed")),
        IceSnapshot(pairs=("failed", "frozen", "succeeded", "odd")),
    ]
    pairs = count_pairs(pictures)
    assert pairs == PairCounts(frozen=1, waiting=1, in_progress=1, succeeded=1, failed=2)
    assert pairs.total == 6
    assert str(pairs) == "1 frozen, 1 waiting, 1 in progress, 1 succeeded, 2 failed"
    assert str(PairCounts()) == "none"


@pytest.mark.parametrize(
    ("here", "there", "share"),
    [
        (host("10.0.0.1"), host("10.0.0.254"), True),
        (host("10.0.0.1"), host("10.0.1.1"), False),
        (host("10.0.0.1", "192.168.1.5"), host("172.16.0.1", "192.168.1.9"), True),
        (host("fd00::1"), host("fd00::ffff:1"), True),
        (host("fd00::1"), host("fd00:0:0:1::1"), False),
        (host("10.0.0.1"), host("name.local"), None),
        ((), host("10.0.0.1"), None),
        ((SeenCandidate("srflx", "udp", "10.0.0.1"),), host("10.0.0.1"), None),
    ],
)
def test_networks_are_compared_by_host_addresses(
    here: tuple[SeenCandidate, ...], there: tuple[SeenCandidate, ...], share: bool | None
) -> None:
    assert share_a_network(one for one in [IceSnapshot(here, there)]) is share


def test_a_server_is_known_by_its_scheme() -> None:
    servers = [ServerAnswer(f"{scheme}:one.example", 701, "no answer") for scheme in ("stun", "turn", "turns")]
    assert [(one.scheme, one.is_relay) for one in servers] == [("stun", False), ("turn", True), ("turns", True)]


def test_candidates_are_read_from_their_texts() -> None:
    texts = ["candidate:1 1 UDP 2122 192.0.2.1 54321 typ srflx raddr 10.0.0.1 rport 5", "candidate:1 1 udp", ""]
    assert seen([IceCandidate(text, "0", 0) for text in texts]) == (SeenCandidate("srflx", "udp", "192.0.2.1"),)
