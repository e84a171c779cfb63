"""Whatever comes in whatever order: no machine leaves its table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsm_rtc.connection.recovery.policy import RecoveryPolicy
from fsm_rtc.engine import Accepted, Chart
from fsm_rtc.errors import Reason, Rejected
from fsm_rtc.machines import CHARTS
from fsm_rtc.machines.candidates import RemoteDescription
from fsm_rtc.machines.connection_state import PeerConnectionState
from fsm_rtc.machines.consent import ConsentTimes
from fsm_rtc.machines.data_channel import FlowLimits
from fsm_rtc.machines.dtls import DtlsTransportState
from fsm_rtc.machines.exchange import Exchange
from fsm_rtc.machines.negotiation import SignalingState
from fsm_rtc.testing import ManualClock
from tests.machines.exchange_context import Meeting


@dataclass
class Everything:
    """A context and a payload for every chart."""

    sdp: str = "same"
    last_created_offer: str = "same"
    last_created_answer: str = "other"
    remote_ice_ufrag: str = "u"
    is_relayed: bool = True
    ice_ufrag: str = "u"
    is_chain_empty: bool = True
    is_loop_running: bool = True
    signaling_state: SignalingState = SignalingState.STABLE
    is_needed: bool = True
    has_remote: bool = True
    has_known_section: bool = True
    has_known_fragment: bool = True
    can_be_parsed: bool = True
    sent: int = 2
    next_number: int = 2
    handed_over: int = 1
    knows_stream: bool = True
    peer_stream: str = "same"
    stream: str = "same"
    has_received: int = 1
    link_is_up: bool = True
    peer_is_there: bool = True
    attempts_left: int = 1
    can_restart_ice: bool = True
    is_exchanging: bool = False
    leads: bool = True
    somebody_waits: bool = True
    peer_answers: bool = True
    cut_reason: str = "closed"
    heard_at: float = 0.0
    overdue_seconds: float = 2.0
    backoff_seconds: float = 0.5
    bye_seconds: float = 3.0
    policy: RecoveryPolicy = field(default_factory=RecoveryPolicy)
    size: int = 4
    sha256: str = "same"
    position: int = 2
    transfer: str = "same"
    has_asked_again: bool = False
    is_resumed: bool = True
    offset: int = 2
    end: int = 3
    has_remote_candidate: bool = True
    is_looking: bool = True
    has_pair: bool = False
    is_carried: bool = False
    has_all_candidates: bool = True
    consent: ConsentTimes = field(default_factory=ConsentTimes)
    answered_at: float = 0.0
    asked_at: float = 0.0
    session: str = "same"
    takes_sessions: bool = True
    has_room_left: bool = True
    has_place_left: bool = True
    grace_seconds: float = 30.0
    has_session: bool = True
    room_is_open: bool = True
    has_seat: bool = True
    stands: bool = False
    is_still_trusted: bool = True
    give_up_seconds: float = 45.0
    has_reader: bool = True
    resumed: bool = True
    connect_timeout_seconds: float = 10.0
    check_timeout_seconds: float = 2.0
    stable_seconds: float = 10.0
    seen: int | None = 1
    is_kept: bool = True
    connection_state: PeerConnectionState = PeerConnectionState.CONNECTED
    messages_flow: bool = True
    dtls: frozenset[DtlsTransportState] = frozenset()
    connect_seconds: float = 30.0
    is_given_up: bool = False
    is_replaced: bool = False
    written: int = 1

    def draw_interval_seconds(self) -> float:
        return 5.0

    def is_final(self, loss: object) -> bool:
        return False

    def is_cancelled(self, loss: object) -> bool:
        return False


DRAWN_STANDINGS = st.builds(
    Everything,
    is_chain_empty=st.booleans(),
    is_loop_running=st.booleans(),
    is_needed=st.booleans(),
    has_remote=st.booleans(),
)

DRAWN_MEETINGS = st.builds(
    Meeting,
    offer_id=st.sampled_from(["s.1", "s.2", "s.3"]),
    sequence=st.integers(0, 3),
    acknowledged=st.integers(0, 1),
    sender=st.sampled_from(["b", "c"]),
    is_signed=st.booleans(),
    is_trusted=st.booleans(),
    has_fingerprint=st.booleans(),
)


def context_of(chart: type[Chart[Any, Any]]) -> object:
    if issubclass(chart, Exchange):
        return Meeting()
    return FlowLimits(10, 5) if chart is CHARTS["flow"] else Everything()


def payloads_of(chart: type[Chart[Any, Any]], trigger: str) -> st.SearchStrategy[Any]:
    if trigger == "on_desync":
        return st.sampled_from(chart.chart.states)
    if issubclass(chart, Exchange):
        return DRAWN_MEETINGS
    if chart is CHARTS["flow"]:
        return st.integers(0, 20)
    if trigger == "on_received":
        return st.sampled_from(["same", "other"])
    if trigger in ("on_accept", "on_have"):
        return st.integers(-1, 5)
    if trigger in ("on_offer", "on_chunk"):
        return st.builds(Everything, transfer=st.sampled_from(["same", "other"]), offset=st.integers(0, 4))
    if trigger in ("on_begin", "on_acknowledged"):
        return st.integers(0, 4)
    if trigger == "remote_description_set":
        return st.sampled_from([RemoteDescription("u"), RemoteDescription("v")])
    if trigger in ("update", "add_ice_candidate"):
        return st.builds(
            Everything,
            is_relayed=st.booleans(),
            has_known_section=st.booleans(),
            can_be_parsed=st.booleans(),
        )
    return st.just(Everything())


@pytest.mark.parametrize("chart", CHARTS.values(), ids=CHARTS)
@given(data=st.data())
def test_any_order_of_events_keeps_to_the_table(chart: type[Chart[Any, Any]], data: st.DataObject) -> None:
    machine = chart(context_of(chart), generation=2, clock=ManualClock())
    told: list[Accepted | Rejected] = []
    machine.observe(lambda _, outcome: told.append(outcome))
    edges = {(source, row.trigger, target) for source, row, target in chart.chart.edges()}
    for trigger in data.draw(st.lists(st.sampled_from(sorted(chart.chart.triggers)), max_size=30)):
        generation = data.draw(st.sampled_from([None, 2, 1]))
        if chart in (CHARTS["negotiation_needed"], CHARTS["api"]):
            machine.context = data.draw(DRAWN_STANDINGS)
        before, heard = machine.state, len(told)
        outcome = machine.fire(trigger, data.draw(payloads_of(chart, trigger)), generation=generation)
        assert told[-1] is outcome
        if isinstance(outcome, Accepted):
            assert generation != 1
            steps = [one for one in told[heard:] if isinstance(one, Accepted)]
            assert steps[0].source is before
            assert steps[-1].target is machine.state
            for step in steps:
                source = before if step is steps[0] else steps[0].target
                assert step.source is source
                declared = (step.source, step.trigger, step.target) in edges
                assert declared or (before, step.trigger, step.target) in edges
        else:
            assert isinstance(outcome, Rejected)
            assert machine.state is before
            assert (outcome.reason is Reason.STALE) == (generation == 1)
        assert before not in chart.final or machine.state is before


CALLER = """
peer_status.create negotiation.create_offer negotiation.set_local_offer gathering.on_gathering gathering.on_complete
candidates.add_candidate negotiation.set_remote_answer candidates.remote_description_set candidates.add_candidate
candidates.end_of_candidates ice.begin_checks ice_reported.on_checking peer_status.on_connecting
ice.on_pair_selected ice_reported.on_completed dtls.on_connecting dtls.on_connected peer_status.on_connected
sctp.on_connected data_channel.on_open data_channel.send
negotiation.close data_channel.connection_closed ice.close ice_reported.on_closed sctp.on_closed dtls.on_closed
peer_status.close_connection
"""
"""A call as the caller's machines see it, in order; all of it is accepted."""

EVENTS = [tuple(event.split(".")) for event in CALLER.split()]


def a_call(generation: int) -> dict[str, Chart[Any, Any]]:
    return {name: CHARTS[name](context_of(CHARTS[name]), generation=generation) for name, _ in EVENTS}


def fire(machines: dict[str, Chart[Any, Any]], name: str, trigger: str, generation: int) -> Accepted | Rejected:
    payload = RemoteDescription("u") if trigger == "remote_description_set" else Everything()
    outcome = machines[name].fire(trigger, payload, generation=generation)
    assert isinstance(outcome, Accepted | Rejected)
    return outcome


def test_a_call_in_its_order_is_accepted() -> None:
    machines = a_call(2)
    assert all(fire(machines, name, trigger, 2) for name, trigger in EVENTS)


@given(data=st.data())
def test_a_call_whose_events_are_doubled_lost_late_or_out_of_order_keeps_to_the_tables(data: st.DataObject) -> None:
    machines = a_call(2)
    kept = [event for event in EVENTS if data.draw(st.sampled_from(["kept", "kept", "kept", "lost"])) == "kept"]
    doubled = [event for event in kept for _ in range(data.draw(st.sampled_from([1, 1, 2])))]
    for name, trigger in data.draw(st.permutations(doubled)):
        machine, before = machines[name], machines[name].state
        late = data.draw(st.sampled_from([False, False, False, True]))
        outcome = fire(machines, name, trigger, 1 if late else 2)
        if isinstance(outcome, Accepted):
            assert not late
            assert machine.state is outcome.target
            assert (before, outcome.target) in {(source, target) for source, _, target in machine.chart.edges()}
        else:
            assert machine.state is before
            assert (outcome.reason is Reason.STALE) == late
    for name in ("negotiation", "ice", "ice_reported", "dtls", "sctp", "data_channel"):
        closing = {"negotiation": "close", "ice": "close", "data_channel": "connection_closed"}.get(name, "on_closed")
        fire(machines, name, closing, 2)
        assert machines[name].is_final


@pytest.mark.parametrize("chart", CHARTS.values(), ids=CHARTS)
def test_a_machine_that_can_be_closed_can_be_closed_from_everywhere(chart: type[Chart[Any, Any]]) -> None:
    table = chart.chart
    for final in table.final:
        edges = [(source, target) for source, row, target in table.edges() if row.trigger != "on_desync"]
        closing = {source for source, target in edges if target is final}
        closing |= {source for source, target in edges if target in closing and len(closing) == 1}  # in two steps
        assert closing - table.final == {*table.states} - table.final
