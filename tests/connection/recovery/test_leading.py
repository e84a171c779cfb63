"""Which side of a lost call begins to have it back."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from fsm_rtc.connection.recovery.driver import RecoveryDriver
from fsm_rtc.connection.recovery.policy import RecoveryPolicy
from fsm_rtc.messages import Introduction
from fsm_rtc.peer.machine_set import MachineSet


def introduction(who: str) -> Introduction:
    id_, session = who.split()
    return Introduction(id=id_, session=session, name="", public_key=b"", signature=b"")


def leads(me: str, peer: str | None) -> bool:
    driver = SimpleNamespace(
        me=SimpleNamespace(introduction=introduction(me)), peer=None if peer is None else introduction(peer)
    )
    machines = MachineSet("it", generation=0, engine="compiled", journal=None)
    return RecoveryDriver(cast("Any", SimpleNamespace(driver=driver)), RecoveryPolicy(), machines).leads


@pytest.mark.parametrize(("one", "other"), [("a s", "b t"), ("a t", "b s"), ("b s", "b t"), ("a é", "a z")])
def test_of_two_sessions_exactly_the_greater_leads_by_id_and_of_one_key_by_session(one: str, other: str) -> None:
    lesser, greater = sorted((one, other))
    assert (leads(lesser, greater), leads(greater, lesser)) == (False, True)


def test_who_has_no_peer_leads_nobody() -> None:
    assert not leads("b s", None)
