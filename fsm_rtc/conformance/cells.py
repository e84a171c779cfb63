"""Every cell of the tables, (machine, state, operation), and the shortest way to try it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from fsm_rtc.conformance.model import PeerModel
from fsm_rtc.conformance.operations import BY_NAME, OPERATIONS, Argument, OperationKind
from fsm_rtc.conformance.protocol import Verdict
from fsm_rtc.conformance.trial import Step
from fsm_rtc.machines.api import ApiState
from fsm_rtc.machines.negotiation import SignalingState

__all__ = ["PAIR_CELLS", "PAIR_WAYS", "PlannedCell", "cells", "ways"]

WITH_CHANNEL: Step = ("createDataChannel",)
"""What most ways begin with: something to negotiate."""

ALONG = [
    operation
    for operation in OPERATIONS
    if operation.trigger.startswith(("set_local_", "set_remote_", "close"))
    and not operation.is_modified
    and not operation.is_content_bad
    and operation.argument is not Argument.NONE
]
"""What a way may be made of."""

PENDING_FIRST = ("createOffer", "setLocalDescription(offer)", "setRemoteDescription(offer)")
PENDING_THEN = ("createOffer", "setRemoteDescription(offer)", "createDataChannel", "close")
PENDING_STATES = (SignalingState.STABLE, SignalingState.HAVE_LOCAL_OFFER, SignalingState.HAVE_REMOTE_OFFER)


PAIR_WAYS: tuple[tuple[str, ...], ...] = (
    ("connect", "a.send", "b.send"),
    ("connect", "a.closeChannel", "a.send", "a.closeChannel", "a.close"),
    ("connect", "b.closeChannel", "b.send"),
    ("connect", "a.closeChannel + send"),
    ("connect", "a.close", "b.close"),
    ("connect", "b.close", "a.close"),
    ("a.close", "b.close"),
    ("close while connecting",),
    ("connect with a wrong fingerprint", "a.close"),
    ("connect", "a.renegotiate", "b.send", "b.renegotiate", "a.send"),
    ("connect", "a.restartIce", "b.send"),
)
"""Two connections: every cell of the data channel, and a close by either side, by the shortest ways."""

PAIR_CELLS: tuple[tuple[str, str, str], ...] = (
    ("data_channel", "open", "send"),
    ("data_channel", "open", "close"),
    ("data_channel", "open", "close by the other side"),
    ("data_channel", "open", "RTCPeerConnection.close by the other side"),
    ("data_channel", "closing", "send"),
    ("data_channel", "closed", "send"),
    ("data_channel", "closed", "close"),
    ("connection_state", "new", "close"),
    ("connection_state", "new", "close by the other side"),
    ("connection_state", "connecting", "close"),
    ("connection_state", "connected", "close"),
    ("connection_state", "connected", "close by the other side"),
    ("connection_state", "failed", "close"),
)
"""What those ways reach."""


@dataclass(frozen=True, slots=True)
class PlannedCell:
    """One cell and its shortest way.

    Attributes:
        machine: the chart's name in the registry.
        state: the state it is tried in.
        operation: the step's name.
        way: the steps to that state, and the step.
    """

    machine: str
    state: str
    operation: str
    way: tuple[Step, ...]


@cache
def ways(profile: str) -> dict[tuple[str, str], tuple[Step, ...]]:
    """The shortest way to each (signalling state, state of the other methods), found on the tables."""
    found: dict[tuple[str, str], tuple[Step, ...]] = {}
    waiting: deque[tuple[Step, ...]] = deque([(WITH_CHANNEL,)])
    while waiting:
        way = waiting.popleft()
        model = _after(way, profile)
        here = (model.state, model.api.state.value)
        if here in found:
            continue
        found[here] = way
        waiting.extend((*way, (step.name,)) for step in ALONG if model.expect(step).verdict is Verdict.FULFILLED)
    return found


def _after(way: tuple[Step, ...], profile: str) -> PeerModel:
    model = PeerModel(profile)
    for step in way:
        model.happen(BY_NAME[step[0]], local_sdp="local", remote_sdp="remote")
    return model


def cells(profile: str) -> Iterator[PlannedCell]:
    """Every cell, by machine and state."""
    known = ways(profile)
    for operation in OPERATIONS:
        if operation.machine == "negotiation":
            for signaling in SignalingState:
                way = min((one for (state, _), one in known.items() if state == signaling), key=len)
                yield _planned(operation, signaling.value, way)
        else:
            for described in ApiState:
                way = min((one for (_, state), one in known.items() if state == described), key=len)
                if operation.name == "createDataChannel":
                    way = way[1:]
                yield _planned(operation, described.value, way)
    yield from _pending(profile)


def _planned(operation: OperationKind, state: str, way: tuple[Step, ...]) -> PlannedCell:
    return PlannedCell(operation.machine, state, operation.name, (*way, (operation.name,)))


def _pending(profile: str) -> Iterator[PlannedCell]:
    """Operations that are begun while another one is pending."""
    known = ways(profile)
    for signaling in PENDING_STATES:
        way = min((one for (state, _), one in known.items() if state == signaling), key=len)
        for first in PENDING_FIRST:
            if _after(way, profile).expect(BY_NAME[first]).verdict is Verdict.FULFILLED:
                for then in PENDING_THEN:
                    yield PlannedCell("negotiation", signaling.value, f"{first} + {then}", (*way, (first, then)))
