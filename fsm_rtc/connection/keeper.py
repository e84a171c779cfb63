"""Keeper: keeps a call while it goes on, and begins the next run where this one stops."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fsm_rtc.connection.driver import SignalingDriver
from fsm_rtc.connection.persistence import Persistence
from fsm_rtc.connection.saved import SavedCall
from fsm_rtc.connection.secure_link import SecureLink
from fsm_rtc.engine import Chart
from fsm_rtc.engine.snapshot import restored_state, snapshot_of
from fsm_rtc.errors import SnapshotError
from fsm_rtc.machines import CHARTS
from fsm_rtc.machines.exchange import ExchangeState
from fsm_rtc.messages import Identity

__all__ = ["RESUMABLE_SECONDS", "Keeper"]

RESUMABLE_SECONDS = 20.0
"""So long after its last sign of life a run's session is gone on with; later the call goes on in a new session.

Less than a signalling server keeps a session by default, and than the peer waits before it gives the exchange up.
"""

CLASSES = {chart.__name__: chart for chart in CHARTS.values()}


class Keeper:
    """See the module.

    Args:
        persistence: where the call is kept.
        room: the call's.
        identity: this side's key.

    Attributes:
        session: that of the run before, if this one goes on with it; None for a new one.

    Raises:
        SnapshotError: what was kept is of another room, key or version, or there is no key.
    """

    def __init__(self, persistence: Persistence, room: str, identity: Identity | None) -> None:
        if identity is None:
            raise SnapshotError("a call is kept for who has a key; give an identity, saved in a file of its own")
        self._persistence = persistence
        self._saved = saved = persistence.load()
        self._last: SavedCall | None = None
        self.session: str | None = None
        if saved is None:
            persistence.clear()
            return
        if (saved.room, saved.id) != (room, identity.id):
            raise SnapshotError("the call that was kept is of another room or key; choose another place for this one")
        states = self._states(saved)
        is_settled = all(states[label] is ExchangeState.IDLE for label in states if _is_exchange(label))
        if saved.peer is not None and is_settled and persistence.age_seconds() <= RESUMABLE_SECONDS:
            self.session = saved.session

    def restore(self, link: SecureLink, driver: SignalingDriver) -> None:
        """Begin where the run before has stopped."""
        saved = self._saved
        if saved is None or saved.peer is None:
            return
        link.restore(saved.peer.id, saved.stream, self._persistence.messages())
        if self.session is not None:
            driver.restore(saved.peer, saved.exchange, saved.link)

    def keep(self, driver: SignalingDriver, link: SecureLink, machines: Mapping[str, Chart[Any, Any]]) -> None:
        """Keep what has changed."""
        me = driver.me
        saved = SavedCall(
            me.room,
            me.introduction.id,
            me.introduction.session,
            link.stream,
            driver.peer,
            driver.exchanger.export(),
            driver.export_link(),
            {label: snapshot_of(machine) for label, machine in machines.items() if machine.chart.name in CLASSES},
        )
        if saved != self._last and saved.peer is not None:
            self._last = saved
            self._persistence.save(saved)

    def alive(self) -> None:
        """The call is alive."""
        self._persistence.alive()

    def close(self) -> None:
        """The call is over, in order: nothing is kept of it."""
        self._persistence.clear()
        self._persistence.close()

    def _states(self, saved: SavedCall) -> dict[str, Any]:
        """The states of all machines, by the tables of this version."""
        migrations = self._persistence.migrations
        return {
            label: restored_state(snapshot, CLASSES[snapshot.machine], migrations)
            for label, snapshot in saved.machines.items()
            if _known(snapshot.machine)
        }


def _known(machine: str) -> bool:
    if machine not in CLASSES:
        raise SnapshotError(f"this version has no machine {machine}; begin anew, or use the version that kept the call")
    return True


def _is_exchange(label: str) -> bool:
    return label.rpartition(".")[2].partition("#")[0] == "exchange"
