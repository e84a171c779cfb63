"""Watch: the states that a stack reports by itself: each change legal, told once, and in agreement with the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from fsm_rtc.conformance.difference import Difference
from fsm_rtc.conformance.findings import Kind
from fsm_rtc.conformance.protocol import Event, States
from fsm_rtc.engine import Chart
from fsm_rtc.machines.connection_state import ConnectionState, IceConnection, TransportStates
from fsm_rtc.machines.data_channel import Channel
from fsm_rtc.machines.dtls import Dtls, DtlsTransportState
from fsm_rtc.machines.gathering import Gathering
from fsm_rtc.machines.ice import IceTransportState
from fsm_rtc.machines.ice_reported import IceReported
from fsm_rtc.machines.sctp import Sctp

__all__ = ["Watch"]

ANNOUNCED = {
    "icegatheringstatechange": ("iceGatheringState", "gathering"),
    "iceconnectionstatechange": ("iceConnectionState", "ice_connection_state"),
    "connectionstatechange": ("connectionState", "connection_state"),
}
"""By event, the attribute that it announces and the machine that this is."""

SILENT: dict[str, type[Chart[Any, Any]]] = {"ice": IceReported, "dtls": Dtls, "sctp": Sctp}
OF_THE_CONNECTION = {*ANNOUNCED, "signalingstatechange", "negotiationneeded", "icecandidate", "datachannel", "track"}

SURE = 2
DRAFT = "W3C webrtc-pc, Editor's Draft 2026-05-04, "
NO_EVENT_AT_CLOSE = DRAFT + "#dom-rtcpeerconnection-close"
CHANGE_SOURCES = {
    "gathering": DRAFT + "#rtcicegatheringstate-enum",
    "ice_connection_state": DRAFT + "#rtciceconnectionstate-enum",
    "connection_state": DRAFT + "#rtcpeerconnectionstate-enum",
}


@cache
def reachable(chart: type[Chart[Any, Any]], source: str) -> frozenset[str]:
    """The states that a machine can come to from a state by its own rows; changes in between may not have been seen."""
    edges = [
        (one.value, other.value)
        for trigger, on in chart.chart.triggers.items()
        if trigger != "on_desync"
        for row in on.rows
        for one, other in row.edges()
    ]
    found, new = {source}, {source}
    while new:
        new = {other for one, other in edges if one in new} - found
        found |= new
    return frozenset(found)


class Watch:
    """One connection's reported states.

    Args:
        edges: where each observed change is counted, as (machine, source, target, is legal).
        lacks: what the stack declares that it can't say.
    """

    def __init__(self, edges: Counter[tuple[str, str, str, bool]], lacks: frozenset[str]) -> None:
        self._edges = edges
        self._lacks = lacks
        self._announced: dict[str, str] = {}
        self._seen: dict[str, tuple[str, ...]] = {}
        self._channels: dict[str, str] = {}
        self._inputs: dict[str, tuple[object, str]] = {}
        self._mismatch: dict[str, int] = {}

    def event(self, event: Event, operation: str, *, is_closed: bool) -> Iterator[Difference]:
        """An event came.

        Args:
            event: what came.
            operation: during what.
            is_closed: whether the connection is closed by the end of it.
        """
        if is_closed and event.event in OF_THE_CONNECTION:
            yield self._wrong("api", "closed", operation, "no event", event.event, Kind.EVENT, NO_EVENT_AT_CLOSE)
        if event.event in ANNOUNCED:
            yield from self._announce(event, operation, is_closed=is_closed)
        yield from self._look(event.states, operation)

    def _announce(self, event: Event, operation: str, *, is_closed: bool) -> Iterator[Difference]:
        name, machine = ANNOUNCED[event.event]
        value, before = getattr(event.states, name), self._announced.get(name)
        if not isinstance(value, str):
            return
        self._announced[name] = value
        if before is None or is_closed:
            return
        source = CHANGE_SOURCES[machine]
        if value == before:
            did = f"{event.event} once more"
            yield self._wrong(machine, before, operation, "no event without a change", did, Kind.EVENT, source)
            return
        legal = self._is_legal_change(machine, before, value)
        self._edges[machine, before, value, legal] += 1
        if not legal:
            yield self._wrong(machine, before, operation, "no such change", value, Kind.STATE, source)

    def _is_legal_change(self, machine: str, before: str, after: str) -> bool:
        """Of the aggregates one thing is sure: nothing leaves closed."""
        return before != "closed" and (machine != "gathering" or after in reachable(Gathering, before))

    def at_rest(self, states: States, operation: str, *, is_closed: bool = False) -> Iterator[Difference]:
        """All that was under way has happened.

        Args:
            states: what there is now.
            operation: during what.
            is_closed: whether the connection is closed.
        """
        yield from self._look(states, operation)
        for event, (name, machine) in ANNOUNCED.items():
            value, before = getattr(states, name), self._announced.get(name)
            if not isinstance(value, str):
                continue
            self._announced[name] = value
            if before not in (None, value):
                self._edges[machine, before, value, True] += 1
                if not is_closed and f"event {event}" not in self._lacks:
                    source = CHANGE_SOURCES[machine]
                    yield self._wrong(
                        machine, str(before), operation, event, f"{value} without an event", Kind.EVENT, source
                    )
        if not is_closed and states.signalingState != "closed":
            yield from self._derived(states)

    def _look(self, states: States, operation: str) -> Iterator[Difference]:
        """The transports' and channels' states, wherever they were seen."""
        for name, chart in SILENT.items():
            value = getattr(states, name)
            values = (value,) if isinstance(value, str) else value if isinstance(value, tuple) else ()
            unknown = sorted(set(values) - {state.value for state in chart.chart.states})
            if unknown:
                should = f"one of {', '.join(state.value for state in chart.chart.states)}"
                yield self._wrong(name, unknown[0], f"{name}.state", should, unknown[0], Kind.STATE, chart.source)
                continue
            before, self._seen[name] = self._seen.get(name, ()), values
            if len(before) == len(values):
                for one, other in zip(before, values, strict=True):
                    yield from self._changed(name, chart, one, other, operation)
        for label, after in states.channels.items():
            one, self._channels[label] = self._channels.get(label, after), after
            yield from self._changed("data_channel", Channel, one, after, operation)

    def _changed(
        self, machine: str, chart: type[Chart[Any, Any]], before: str, after: str, operation: str
    ) -> Iterator[Difference]:
        if before == after:
            return
        legal = after in reachable(chart, before)
        self._edges[machine, before, after, legal] += 1
        if not legal:
            yield self._wrong(machine, before, operation, "no such change", after, Kind.STATE, chart.source)

    def _derived(self, states: States) -> Iterator[Difference]:
        ice, dtls = states.ice, states.dtls
        if not isinstance(ice, tuple) or not isinstance(dtls, tuple):
            return
        try:
            inputs = TransportStates(False, tuple(map(IceTransportState, ice)), tuple(map(DtlsTransportState, dtls)))
        except ValueError:
            return
        derived: Mapping[str, tuple[str, Any]] = {
            "iceConnectionState": ("ice_connection_state", IceConnection),
            "connectionState": ("connection_state", ConnectionState),
        }
        for name, (machine, table) in derived.items():
            value, rule = getattr(states, name), table.rule_for(inputs)
            # The transports are read one after the other, so a mismatch counts when it is still there at the next look.
            now = (value, rule.target.value)
            self._mismatch[name] = self._mismatch.get(name, 0) + 1 if self._inputs.get(name) == now else 1
            self._inputs[name] = now
            if isinstance(value, str) and value != rule.target.value and self._mismatch[name] == SURE:
                observed = f"{value}, with ICE {', '.join(ice) or 'none'} and DTLS {', '.join(dtls) or 'none'}"
                yield Difference(
                    machine, value, name, rule.target.value, observed, Kind.STATE, table.cite, rule.sentence
                )

    @staticmethod
    def _wrong(
        machine: str, state: str, operation: str, expected: str, observed: str, kind: Kind, source: str
    ) -> Difference:
        return Difference(machine, state, operation, expected, observed, kind, source)
