"""Who is told of a new snapshot, and when.

- Snapshots reach every subscriber in the order in which they came to be. A subscriber that changes the state from
  within its call causes no nested call: the new snapshot waits until everybody has had the present one.
- A subscriber that raises is logged and ignored.
- Several changes that belong together (`together`) are one snapshot.
- The peer connection and the channel are live objects: when one of their own states moves, the snapshot is the same
  and everybody is told all the same (`touch`).
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakSet

from fsm_rtc.engine import doors
from fsm_rtc.errors import RunawayError
from fsm_rtc.machines.lifetime import Lifetime
from fsm_rtc.store.snapshot import ConnectionSnapshot

__all__ = ["SnapshotChanges", "Subscriptions"]

logger = logging.getLogger("fsm_rtc.store")

DELIVERY_LIMIT = 10_000
"""How many snapshots subscribers may cause by one change before the circle is cut."""

_NOTHING = object()


@dataclass(frozen=True, slots=True)
class Publication:
    """A snapshot on its way, and the live objects that moved."""

    number: int
    snapshot: ConnectionSnapshot
    touched: tuple[object, ...]


class Subscriber:
    """One subscriber: what it wants to see, and what it saw last."""

    __slots__ = ("active", "callback", "seen", "select", "since")

    def __init__(
        self,
        callback: Callable[[Any], object],
        select: Callable[[ConnectionSnapshot], Any] | None,
        since: int,
    ) -> None:
        self.callback = callback
        self.select = select
        self.since = since
        self.seen: object = _NOTHING
        self.active = True

    def tell(self, snapshot: ConnectionSnapshot, touched: tuple[object, ...]) -> None:
        """Call the subscriber if what it selected has changed."""
        try:
            selected = snapshot if self.select is None else self.select(snapshot)
            moved = bool(touched) if self.select is None else any(selected is one for one in touched)
            if moved or self.seen is _NOTHING or selected != self.seen:
                self.seen = selected
                self.callback(selected)
        except Exception:
            logger.exception("the subscriber %r raised", self.callback)


class Subscriptions:
    """Holds the present snapshot and tells subscribers of the next.

    Attributes:
        snapshot: the present one.
    """

    def __init__(self) -> None:
        self.snapshot = ConnectionSnapshot()
        self._subscriptions: tuple[Subscriber, ...] = ()
        self._iterators: WeakSet[SnapshotChanges] = WeakSet()
        self._waiting: deque[Publication] = deque()
        self._number = 0
        self._published = self.snapshot
        self._touched: list[object] = []
        self._holds = 0
        self._delivering = False

    def update(self, **changes: object) -> None:
        """Change fields of the snapshot."""
        self.snapshot = replace(self.snapshot, **changes)  # type: ignore[arg-type]
        self._publish()

    def touch(self, moved: object) -> None:
        """Say that a live object in the snapshot is in another state."""
        if not any(moved is one for one in self._touched):
            self._touched.append(moved)
        self._publish()

    @contextmanager
    def together(self) -> Iterator[None]:
        """Make what is changed inside one snapshot."""
        self._holds += 1
        try:
            yield
        finally:
            self._holds -= 1
            self._publish()

    def subscribe(
        self, callback: Callable[[Any], object], select: Callable[[ConnectionSnapshot], Any] | None
    ) -> Callable[[], None]:
        """Call `callback` now and at every change of what `select` picks, until the returned function is called."""
        instead = "give a plain function that starts a task you own, or use: async for snapshot in store.changes()"
        doors.callback(callback, "this subscriber", instead)
        if select is not None:
            doors.callback(select, "what selects from a snapshot")
        subscription = Subscriber(callback, select, self._number)
        self._subscriptions = (*self._subscriptions, subscription)
        self._deliver(lambda: subscription.tell(self.snapshot, ()))

        def unsubscribe() -> None:
            subscription.active = False
            self._subscriptions = tuple(one for one in self._subscriptions if one is not subscription)

        return unsubscribe

    def changes(self) -> SnapshotChanges:
        """The snapshots from now on, as an asynchronous iterator."""
        iterator = SnapshotChanges(self.snapshot)
        self._iterators.add(iterator)
        return iterator

    def end_iterators(self) -> None:
        """Let every iterator end once it has given its last snapshot."""
        for iterator in tuple(self._iterators):
            iterator.end()

    def _publish(self) -> None:
        if self._holds or not (self._touched or self.snapshot != self._published):
            return
        self._number += 1
        self._waiting.append(Publication(self._number, self.snapshot, tuple(self._touched)))
        self._published = self.snapshot
        self._touched.clear()
        for iterator in tuple(self._iterators):
            iterator.offer(self.snapshot)
        self._deliver()

    def _deliver(self, first: Callable[[], None] | None = None) -> None:
        if self._delivering:
            if first is not None:
                first()
            return
        self._delivering = True
        try:
            if first is not None:
                first()
            self._drain()
        finally:
            self._delivering = False

    def _drain(self) -> None:
        delivered = 0
        while self._waiting:
            delivered += 1
            if delivered > DELIVERY_LIMIT:
                self._waiting.clear()
                error = RunawayError(
                    f"{DELIVERY_LIMIT} snapshots followed from one; break the circle of the store's subscribers"
                )
                logger.error("%s", error)
                return
            publication = self._waiting.popleft()
            for subscription in self._subscriptions:
                if subscription.active and subscription.since < publication.number:
                    subscription.tell(publication.snapshot, publication.touched)


class SnapshotChanges:
    """``async for snapshot in store.changes()``: the present snapshot, then the latest after every change.

    A reader that is slower than the changes gets the latest snapshot, not each one; `ConnectionStore.subscribe` gets
    each. It ends when the store is left (``async with``). Cancelling a reader loses nothing.
    """

    def __init__(self, snapshot: ConnectionSnapshot) -> None:
        self._latest: ConnectionSnapshot | None = snapshot
        self._wake = asyncio.Event()
        self._life = Lifetime(None)

    def offer(self, snapshot: ConnectionSnapshot) -> None:
        """Here is a newer one."""
        self._latest = snapshot
        self._wake.set()

    def end(self) -> None:
        """There will be no more."""
        self._life.close()
        self._wake.set()

    def __aiter__(self) -> SnapshotChanges:
        return self

    async def __anext__(self) -> ConnectionSnapshot:
        while self._latest is None:
            if not self._life.permits("use"):
                raise StopAsyncIteration
            self._wake.clear()
            await self._wake.wait()
        snapshot, self._latest = self._latest, None
        return snapshot
