"""peerConnectionStatus, against the document and against what its definition can do in one step."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsm_rtc.engine import Accepted, Observed
from fsm_rtc.errors import Reason, Rejected
from fsm_rtc.machines.connection_state import ConnectionState, TransportStates
from fsm_rtc.machines.dtls import Dtls, DtlsTransportState
from fsm_rtc.machines.ice import IceTransportState
from fsm_rtc.machines.ice_reported import IceReported
from fsm_rtc.machines.peer_status import PeerConnectionStatus, PeerStatus
from fsm_rtc.machines.requests import Desync
from tests.machines.handwritten_tables import asked, reaction, triggers_of, written

TABLE = """
                  Disconnected  new           connecting    connected     disconnected  failed        closed
create            new           -             -             -             -             -             new
on_new            -             already       new           new           new           new           -
on_connecting     -             connecting    already       connecting    connecting    connecting    -
on_connected      -             -             connected     already       connected     connected     -
on_disconnected   -             -             disconnected  disconnected  already       disconnected  -
on_failed         -             failed        failed        failed        failed        already       -
on_closed         -             closed        closed        closed        closed        closed        already
close_connection  already       Disconnected  Disconnected  Disconnected  Disconnected  Disconnected  Disconnected
reset             already       Disconnected  Disconnected  Disconnected  Disconnected  Disconnected  Disconnected
"""

TRIGGERS = triggers_of(TABLE)


def test_every_cell_is_as_reviewed() -> None:
    assert asked(PeerStatus, TRIGGERS) == written(TABLE)
    assert {*PeerStatus.chart.triggers} == {*TRIGGERS, "on_desync"}


def steps(machine: type[Observed[Any, Any]]) -> set[tuple[Any, Any]]:
    """The edges of a transport's machine that the specification has."""
    return {(source, target) for source, row, target in machine.chart.edges() if row.trigger != "on_desync"}


def neighbours(transports: tuple[tuple[Any, Any], ...]) -> Iterator[tuple[tuple[Any, Any], ...]]:
    """What one step of one transport makes of these (ice, dtls) pairs."""
    for place, (ice, dtls) in enumerate(transports):
        moved = [(target, dtls) for source, target in steps(IceReported) if source is ice]
        moved += [(ice, target) for source, target in steps(Dtls) if source is dtls]
        for pair in moved:
            yield (*transports[:place], pair, *transports[place + 1 :])


def status_of(transports: tuple[tuple[Any, Any], ...]) -> str:
    ice, dtls = tuple(one for one, _ in transports), tuple(one for _, one in transports)
    return ConnectionState.of(TransportStates(closed=False, ice=ice, dtls=dtls)).value


@pytest.mark.parametrize("number", [1, 2])
def test_the_librarys_edges_are_those_that_one_step_of_a_transport_can_cause(number: int) -> None:
    reachable = {
        (status_of(before), status_of(after))
        for before in product(product(IceTransportState, DtlsTransportState), repeat=number)
        for after in neighbours(before)
        if status_of(before) != status_of(after)
    }
    in_table = {
        (source.value, target.value)
        for source, row, target in PeerStatus.chart.edges()
        if row.trigger.startswith("on_") and row.trigger != "on_desync" and target is not PeerConnectionStatus.CLOSED
    }
    assert in_table == reachable


def test_no_transport_that_comes_or_goes_causes_another_edge() -> None:
    """The text lets the state "advance directly" where signalling makes or discards a transport."""
    fresh = (IceTransportState.NEW, DtlsTransportState.NEW)
    pairs = list(product(IceTransportState, DtlsTransportState))
    for number in range(3):
        for transports in product(pairs, repeat=number):
            there, here = status_of(transports), status_of((*transports, fresh))
            assert PeerStatus(state=PeerConnectionStatus(there)).report(here) or here == there
            for place in range(number):
                left = status_of((*transports[:place], *transports[place + 1 :]))
                assert PeerStatus(state=PeerConnectionStatus(there)).report(left) or left == there


MOVES = st.sampled_from(["step", "step", "step", "step", "come", "go"])


@given(st.data())
def test_whatever_the_transports_do_the_status_follows_without_a_rejection(data: st.DataObject) -> None:
    transports: tuple[tuple[Any, Any], ...] = ()
    status = PeerStatus()
    status.create()
    for move in data.draw(st.lists(MOVES, max_size=30)):
        if move == "come" and len(transports) < 4:
            transports = (*transports, (IceTransportState.NEW, DtlsTransportState.NEW))
        elif move == "go" and transports:
            transports = transports[1:]
        elif choices := list(neighbours(transports)):
            transports = data.draw(st.sampled_from(choices))
        outcome = status.report(status_of(transports))
        assert outcome or (isinstance(outcome, Rejected) and outcome.reason is Reason.ALREADY)
        assert status.state == status_of(transports)


def test_only_the_owner_leaves_closed() -> None:
    leaving = {row.trigger for source, row, _ in PeerStatus.chart.edges() if source is PeerConnectionStatus.CLOSED}
    assert leaving == {"create", "close_connection", "reset"}


@pytest.mark.parametrize("state", PeerConnectionStatus)
@pytest.mark.parametrize("reported", PeerConnectionStatus)
def test_whatever_the_library_is_found_in_is_adopted_and_recovery_told(
    state: PeerConnectionStatus, reported: PeerConnectionStatus
) -> None:
    status = PeerStatus(state=state)
    outcome = status.on_desync(reported)
    live = {*PeerConnectionStatus} - {PeerConnectionStatus.NO_CONNECTION, PeerConnectionStatus.CLOSED}
    if state in live and reported is not state and reported is not PeerConnectionStatus.NO_CONNECTION:
        assert isinstance(outcome, Accepted)
        assert outcome.effects == (Desync(reported),)
        assert status.state is reported
    else:
        assert isinstance(outcome, Rejected)
        assert status.state is state


@pytest.mark.parametrize("value", ["unknown", "", "Connected", "Disconnected", "CLOSED", "complete"])
def test_a_report_that_is_no_state_of_a_library_is_rejected_and_never_stored(value: str) -> None:
    status = PeerStatus(state=PeerConnectionStatus.CONNECTED)
    outcome = status.report(value)
    assert isinstance(outcome, Rejected)
    assert outcome.reason is Reason.UNKNOWN_REPORT
    assert status.state is PeerConnectionStatus.CONNECTED


def test_the_two_disconnected_states_are_different_ones() -> None:
    assert reaction(PeerStatus, PeerConnectionStatus.CONNECTED, "on_disconnected") == "disconnected"
    assert reaction(PeerStatus, PeerConnectionStatus.CONNECTED, "close_connection") == "Disconnected"


def test_it_begins_without_a_connection_and_has_no_end() -> None:
    assert PeerStatus().state is PeerConnectionStatus.NO_CONNECTION
    assert not PeerStatus.final


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("connecting", "failed"),
        ("connected", "disconnected"),
        ("disconnected", "connected"),
        ("connected", "failed"),
        ("connecting", "disconnected"),
        ("disconnected", "failed"),
        ("failed", "connecting"),
    ],
)
def test_an_edge_seen_in_recorded_real_calls_is_allowed(source: str, target: str) -> None:
    status = PeerStatus(state=PeerConnectionStatus(source))
    assert status.report(target)
