"""The derived states, against the specification's sentences said a second time, over all combinations."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations_with_replacement, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsm_rtc.machines.connection_state import ConnectionState, IceConnection, IceGathering, TransportStates
from fsm_rtc.machines.dtls import DtlsTransportState
from fsm_rtc.machines.gathering import Gathering, IceGatheringState
from fsm_rtc.machines.ice import IceTransportState


def ice_by_the_text(closed: bool, ice: tuple[str, ...]) -> str:
    if closed:
        return "closed"
    for urgent in ("failed", "disconnected"):
        if any(one == urgent for one in ice):
            return urgent
    if all(one in ("new", "closed") for one in ice):
        return "new"
    if any(one in ("new", "checking") for one in ice):
        return "checking"
    return "completed" if all(one in ("completed", "closed") for one in ice) else "connected"


def connection_by_the_text(closed: bool, ice: tuple[str, ...], dtls: tuple[str, ...]) -> str:
    derived = ice_by_the_text(closed, ice)
    if derived == "closed":
        return "closed"
    if derived == "failed" or any(one == "failed" for one in dtls):
        return "failed"
    if derived == "disconnected":
        return "disconnected"
    if (derived == "new" and all(one in ("new", "closed") for one in dtls)) or not (ice or dtls):
        return "new"
    if derived in ("connected", "completed") and all(one in ("connected", "closed") for one in dtls):
        return "connected"
    return "connecting"


def transports() -> Iterator[TransportStates]:
    for number in range(4):
        for ice in combinations_with_replacement(IceTransportState, number):
            for dtls in combinations_with_replacement(DtlsTransportState, number):
                for closed in (False, True):
                    yield TransportStates(closed=closed, ice=ice, dtls=dtls)


def test_the_ice_connection_state_is_as_the_text_has_it() -> None:
    for one in transports():
        assert IceConnection.of(one).value == ice_by_the_text(one.closed, one.ice), one


def test_the_connection_state_is_as_the_text_has_it() -> None:
    for one in transports():
        assert ConnectionState.of(one).value == connection_by_the_text(one.closed, one.ice, one.dtls), one


@pytest.mark.parametrize("number", range(4))
def test_the_gathering_state_is_as_the_text_has_it(number: int) -> None:
    for gatherers in product(IceGatheringState, repeat=number):
        if any(one == "gathering" for one in gatherers):
            expected = "gathering"
        else:
            expected = "complete" if gatherers and all(one == "complete" for one in gatherers) else "new"
        assert IceGathering.of(gatherers).value == expected


def test_without_transports_all_is_new() -> None:
    none = TransportStates(closed=False, ice=(), dtls=())
    assert (ConnectionState.of(none).value, IceConnection.of(none).value, IceGathering.of(()).value) == ("new",) * 3


@given(st.data())
def test_whatever_the_gatherers_do_the_connections_machine_follows_without_a_rejection(data: st.DataObject) -> None:
    gatherers: tuple[IceGatheringState, ...] = ()
    machine = Gathering()
    for _ in range(data.draw(st.integers(0, 20))):
        gatherers = data.draw(st.lists(st.sampled_from(IceGatheringState), max_size=3).map(tuple))
        state = IceGathering.of(gatherers)
        assert machine.report(state) or machine.state is state
        assert machine.state is state
