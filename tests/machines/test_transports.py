"""The observed machines of the transports, against the specification's enumerations written down by hand."""

from __future__ import annotations

from typing import Any

import pytest

from fsm_rtc.engine import Accepted, Observed
from fsm_rtc.errors import Reason, Rejected
from fsm_rtc.machines.dtls import Dtls, DtlsTransportState
from fsm_rtc.machines.gathering import Gathering, IceGatheringState
from fsm_rtc.machines.ice import IceTransportState
from fsm_rtc.machines.ice_reported import IceReported
from fsm_rtc.machines.requests import Desync
from fsm_rtc.machines.sctp import Sctp, SctpTransportState
from tests.machines.handwritten_tables import asked, triggers_of, written

ICE = """
                 new       checking      connected     completed     disconnected  failed    closed
on_new           already   new           new           new           new           new       closed
on_checking      checking  already       checking      -             checking      checking  closed
on_connected     -         connected     already       connected     connected     -         closed
on_completed     -         completed     completed     already       completed     -         closed
on_disconnected  -         disconnected  disconnected  disconnected  already       -         closed
on_failed        failed    failed        -             failed        failed        already   closed
on_closed        closed    closed        closed        closed        closed        closed    already
"""

DTLS = """
               new         connecting  connected  failed   closed
on_connecting  connecting  already     -          -        closed
on_connected   -           connected   already    -        closed
on_failed      failed      failed      failed     already  closed
on_closed      closed      closed      closed     closed   already
"""

SCTP = """
              connecting  connected  closed
on_connected  connected   already    closed
on_closed     closed      closed     already
"""

GATHERING = """
              new        gathering  complete
on_new        already    new        new
on_gathering  gathering  already    gathering
on_complete   complete   complete   already
"""

MACHINES: list[tuple[type[Observed[Any, Any]], str]] = [
    (IceReported, ICE),
    (Dtls, DTLS),
    (Sctp, SCTP),
    (Gathering, GATHERING),
]


@pytest.mark.parametrize(("machine", "table"), MACHINES)
def test_every_cell_is_as_the_specification_has_it(machine: type[Observed[Any, Any]], table: str) -> None:
    triggers = triggers_of(table)
    assert asked(machine, triggers) == written(table)
    assert {*machine.chart.triggers} == {*triggers, "on_desync"}


@pytest.mark.parametrize(
    ("machine", "initial", "final"),
    [
        (IceReported, IceTransportState.NEW, {IceTransportState.CLOSED}),
        (Dtls, DtlsTransportState.NEW, {DtlsTransportState.CLOSED}),
        (Sctp, SctpTransportState.CONNECTING, {SctpTransportState.CLOSED}),
        (Gathering, IceGatheringState.NEW, set()),
    ],
)
def test_where_it_begins_and_ends(machine: type[Observed[Any, Any]], initial: Any, final: set[Any]) -> None:
    assert machine().state is initial
    assert machine.final == final


ADOPTED = {
    IceReported: {*IceTransportState},
    Dtls: {*DtlsTransportState} - {DtlsTransportState.NEW},
    Sctp: {*SctpTransportState},
    Gathering: {*IceGatheringState},
}


@pytest.mark.parametrize("machine", ADOPTED)
def test_whatever_the_library_is_found_in_is_adopted_and_recovery_told(machine: type[Observed[Any, Any]]) -> None:
    for state in machine.chart.states:
        for found in machine.chart.states:
            one = machine(state=state)
            outcome = one.fire("on_desync", found)
            if state not in machine.final and found is not state and found in ADOPTED[machine]:
                assert isinstance(outcome, Accepted)
                assert outcome.effects == (Desync(found),)
                assert one.state is found
            else:
                assert isinstance(outcome, Rejected)
                assert one.state is state


@pytest.mark.parametrize("machine", ADOPTED)
def test_a_report_that_is_no_state_is_rejected_and_never_stored(machine: type[Observed[Any, Any]]) -> None:
    one = machine()
    outcome = one.report("nonsense")
    assert isinstance(outcome, Rejected)
    assert outcome.reason is Reason.UNKNOWN_REPORT
    assert one.state is machine.initial
