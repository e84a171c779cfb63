"""Why a demo's call failed: a `ConnectionStore` examined as a `Connection` examines itself."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from math import inf
from typing import Any

from fsm_rtc.connection.diagnosis.diagnosis import Diagnosis
from fsm_rtc.connection.diagnosis.failure import Failure
from fsm_rtc.connection.diagnosis.progress import dtls_states, facts_of_connection
from fsm_rtc.engine import Chart, Journal
from fsm_rtc.machines.call import Call
from fsm_rtc.machines.call_status import CallFacts
from fsm_rtc.machines.connection_state import PeerConnectionState
from fsm_rtc.machines.data_channel import DataChannelState
from fsm_rtc.machines.dtls import DtlsTransportState
from fsm_rtc.messages import SENTENCES, EndCode
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
        self._call = _StoredCall(store)
        self._examination = Diagnosis(self._call, label, journal)
        self._loss: Failure | None = None
        store.subscribe(self._look)

    def of(self, error: Exception) -> Failure:
        """The failure behind an error; of a peer connection that failed before, as it was then."""
        cause = error.__cause__ if isinstance(error.__cause__, Exception) else error
        if isinstance(known := getattr(cause, "failure", None), Failure):
            return known  # the store's call over signalling has examined itself
        return self._loss or self._examination.failure(str(error) or type(error).__name__, error=cause)

    def _look(self, snapshot: ConnectionSnapshot) -> None:
        self._call.look()
        state = snapshot.peer_connection.connection_state if snapshot.peer_connection is not None else None
        if state is PeerConnectionState.FAILED:
            self._loss = self._examination.failure(SENTENCES[EndCode.CONNECTION_FAILED], code=EndCode.CONNECTION_FAILED)
        elif state is not None:
            self._examination.look()


class _StoredCall:
    """A store's call, as it is examined: the context of its `Call` machine."""

    is_given_up = is_replaced = False
    connect_seconds = inf

    def __init__(self, store: ConnectionStore) -> None:
        self._store = store
        self.refused: Counter[str] = Counter()
        self._machine = Call(self, clock=time.monotonic)
        self._machine.on_peer()

    def look(self) -> None:
        """Something of the store has changed."""
        if self._machine.permits("look"):
            self._machine.look()

    @property
    def is_open(self) -> bool:
        return bool(self._machine.permits("use"))

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
    def facts(self) -> CallFacts:
        snapshot, connection = self._store.snapshot, self.peer_connection
        has_peer = snapshot.remote_public_key or (connection and connection.remote_description)
        link = snapshot.signaling_status
        return CallFacts(self._machine.state, link=link, has_peer=bool(has_peer), **facts_of_connection(connection))

    @property
    def messages_flow(self) -> bool:
        channel = self._store.snapshot.data_channel
        return channel is not None and channel.ready_state is DataChannelState.OPEN

    @property
    def dtls(self) -> frozenset[DtlsTransportState]:
        return dtls_states(self.peer_connection)
