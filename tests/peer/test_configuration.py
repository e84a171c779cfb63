"""Servers that the signalling offers: all, none, or those that are accepted."""

from __future__ import annotations

import pytest

from fsm_rtc.peer.configuration import MAX_OFFERED_SERVERS, Configuration, IceServer

OWN, OURS, THEIRS = (IceServer(f"stun:{name}.example.org") for name in ("own", "ours", "theirs"))


@pytest.mark.parametrize(
    ("accept", "used"),
    [
        (True, (OWN, OURS, THEIRS)),
        (False, (OWN,)),
        (lambda server: "ours" in str(server.urls), (OWN, OURS)),
    ],
    ids=["all", "none", "some"],
)
def test_what_is_offered_is_used_as_far_as_it_is_accepted(accept: object, used: tuple[IceServer, ...]) -> None:
    configuration = Configuration(ice_servers=(OWN,), accept_offered=accept)  # type: ignore[arg-type]
    assert configuration.with_servers((OURS, THEIRS)).ice_servers == used


def test_only_so_many_are_used_of_what_is_offered() -> None:
    offered = tuple(IceServer(f"stun:{number}.example.org") for number in range(1000))
    assert Configuration(ice_servers=(OWN,)).with_servers(offered).ice_servers == (OWN, *offered[:MAX_OFFERED_SERVERS])


def test_of_ones_own_there_may_be_as_many_as_one_likes() -> None:
    assert len(Configuration(ice_servers=(OWN,) * 100).with_servers((OURS,)).ice_servers) == 101
