"""Why a demo's call failed: a `ConnectionStore` examined as a `Connection` examines itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from fsm_rtc.connection.examination import Examination
from fsm_rtc.connection.failure import Failure
from fsm_rtc.connection.progress import LOST
from fsm_rtc.engine import Chart, Journal
from fsm_rtc.machines.connection_state import PeerConnectionState
from fsm_rtc.machines.data_channel import DataChannelState
from fsm_rtc.machines.exchange import ExchangeState
from fsm_rtc.machines.signaling_link import SignalingStatus
from fsm_rtc.peer import PeerConnection
from fsm_rtc.store import ConnectionSnapshot, ConnectionStore

__all__ = ["DemoFailure"]


class DemoFailure:
    """Watches a store, and tells why its call failed.

    Args:
        store: the store.
        label: how its machines' labels begin.
        journal: what watches them.
    """

    def __init__(self, store: ConnectionStore, label: str, journal: Journal) -> None:
        self._examination = Examination(_StoredCall(store), label, journal)
        self._loss: Failure | None = None
        store.subscribe(self._look)

    def of(self, error: Exception) -> Failure:
        """The failure behind an error; of a peer connection that failed before, as it was then."""
        cause = error.__cause__ if isinstance(error.__cause__, Exception) else error
        return self._loss or self._examination.failure(str(error) or type(error).__name__, error=cause)

    def _look(self, snapshot: ConnectionSnapshot) -> None:
        state = snapshot.peer_connection.connection_state if snapshot.peer_connection is not None else None
        if state is PeerConnectionState.FAILED:
            self._loss = self._examination.failure(LOST[state])
        elif state is not None:
            self._examination.look()


class _StoredCall:
    """A store's call, as it is examined."""

    def __init__(self, store: ConnectionStore) -> None:
        self._store = store
        self.refused: Counter[str] = Counter()
        self.exchange_state = ExchangeState.IDLE

    @property
    def peer_connection(self) -> PeerConnection | None:
        return self._store.snapshot.peer_connection

    @property
    def connection_state(self) -> PeerConnectionState | None:
        connection = self.peer_connection
        return connection.connection_state if connection is not None else None

    @property
    def machines(self) -> Mapping[str, Chart[Any, Any]]:
        return self._store.machines

    @property
    def signaling_status(self) -> SignalingStatus:
        return self._store.snapshot.signaling_status

    @property
    def peer(self) -> object | None:
        connection = self.peer_connection
        return self._store.snapshot.remote_public_key or (connection and connection.remote_description)

    @property
    def is_ready(self) -> bool:
        channel = self._store.snapshot.data_channel
        is_open = channel is not None and channel.ready_state is DataChannelState.OPEN
        return is_open and self.connection_state is PeerConnectionState.CONNECTED
