"""ExaminedCall: a call as one sees it who asks how far it has come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from fsm_rtc.engine import Chart
from fsm_rtc.machines.connection_state import PeerConnectionState
from fsm_rtc.machines.exchange import ExchangeState
from fsm_rtc.machines.signaling_link import SignalingStatus

if TYPE_CHECKING:
    from fsm_rtc.peer.peer_connection import PeerConnection

__all__ = ["ExaminedCall"]


class ExaminedCall(Protocol):
    """What is looked at: a `Call`, a `Connection`, or what looks like one."""

    @property
    def signaling_status(self) -> SignalingStatus: ...
    @property
    def peer(self) -> object | None: ...
    @property
    def exchange_state(self) -> ExchangeState: ...
    @property
    def peer_connection(self) -> PeerConnection | None: ...
    @property
    def connection_state(self) -> PeerConnectionState | None: ...
    @property
    def is_ready(self) -> bool: ...
    @property
    def refused(self) -> Counter[str]: ...
    @property
    def machines(self) -> Mapping[str, Chart[Any, Any]]: ...
