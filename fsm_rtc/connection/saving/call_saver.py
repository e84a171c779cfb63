"""CallSaver: keeps a session while it goes on, and says where the next run begins."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any
from weakref import WeakValueDictionary

from fsm_rtc.connection.delivery.message_store import tolerated
from fsm_rtc.connection.saving.persistence import Persistence
from fsm_rtc.connection.saving.saved import SavedCall, SavedLink, SavedPeer
from fsm_rtc.engine import Chart
from fsm_rtc.engine.snapshot import restored_state, snapshot_of
from fsm_rtc.errors import SnapshotError
from fsm_rtc.machines import CHARTS
from fsm_rtc.machines.exchange import ExchangeState
from fsm_rtc.messages import Identity, Introduction

__all__ = ["RESUMABLE_SECONDS", "CallSaver"]

logger = logging.getLogger("fsm_rtc.connection")

RESUMABLE_SECONDS = 20.0
"""So long after its last sign of life a run's session is gone on with; later the call goes on in a new session.

Less than a signalling server keeps a session by default, and than the peer waits before it gives the exchange up.
"""

CLASSES = {chart.__name__: chart for chart in CHARTS.values()}


_KEEPING: WeakValueDictionary[int, CallSaver] = WeakValueDictionary()
"""Who keeps a call in which place, by the place's id; a keeper holds its place, so that the id stays its own."""


class CallSaver:
    """See the module.

    Args:
        persistence: where the call is kept.
        room: the call's.
        identity: this side's key.

    Attributes:
        saved: what the run before has kept, or None.
        session: that of the run before, if this one goes on with it; None for a new one.

    Raises:
        SnapshotError: what was kept is of another room, key or version, there is no key, or another call of this
            program is kept in the same place.
    """

    def __init__(self, persistence: Persistence, room: str, identity: Identity | None) -> None:
        if identity is None:
            raise SnapshotError("a call is kept for who has a key; give an identity, saved in a file of its own")
        if id(persistence) in _KEEPING:
            raise SnapshotError(f"a call is kept in this {type(persistence).__name__} already; give each one its own")
        self._persistence = persistence
        self._last: SavedCall | None = None
        self._is_stale = False
        self.saved = saved = persistence.load()
        self.session: str | None = None
        if saved is not None:
            if (saved.room, saved.id) != (room, identity.id):
                raise SnapshotError(
                    "the call that was kept is of another room or key; choose another place for this one"
                )
            states = self._states(saved)
            is_settled = all(states[label] is ExchangeState.IDLE for label in states if _is_exchange(label))
            if saved.peers and is_settled and persistence.age_seconds() <= RESUMABLE_SECONDS:
                self.session = saved.session
        _KEEPING[id(persistence)] = self

    def keep(
        self,
        me: Introduction,
        room: str,
        peers: tuple[SavedPeer, ...],
        link: SavedLink | None,
        machines: Mapping[str, Chart[Any, Any]],
        *,
        is_over: bool = False,
    ) -> None:
        """Keep what has changed; of a call that is over, only that it is. Where that fails the call goes on."""
        if is_over and self._last is None:
            return
        saved = SavedCall(
            room,
            me.id,
            me.session,
            peers,
            link,
            {label: snapshot_of(machine) for label, machine in machines.items() if machine.chart.name in CLASSES},
        )
        if saved == self._last:
            return
        try:
            self._persistence.save(saved)
            self._last, self._is_stale = saved, False
        except SnapshotError as error:
            if not self._is_stale:
                logger.warning("the call goes on, but another run would not go on with its session: %s", error)
            self._is_stale = True

    def alive(self) -> None:
        """The call is alive; what is kept of it grows old, though, if it couldn't be kept as it is now."""
        if not self._is_stale:
            with tolerated():
                self._persistence.alive()

    def over(self) -> None:
        """The call is over by the peer's goodbye, and with nobody else is anything kept."""
        self._last = None
        with tolerated():
            self._persistence.clear()

    def close(self) -> None:
        """Let the place go."""
        if _KEEPING.get(id(self._persistence)) is self:
            del _KEEPING[id(self._persistence)]
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
