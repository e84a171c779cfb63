"""The feed: a snapshot for each page that comes, then everything that changes, in batches that are encoded once.

While nobody looks, nothing is done. From the first page's coming to the last one's going, a record costs an append;
ten times a second what came is taken up, encoded, and sent to all. A page that doesn't keep up loses the middle:
what was encoded before is still sent, then how many records it missed and how every machine stands, then what is new.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Self

import msgspec

from fsm_rtc.inspector.charts import ChartBook
from fsm_rtc.inspector.index import Index, IndexChanges
from fsm_rtc.inspector.source import Record, RecordSource

__all__ = ["MOST_VIEWERS", "Feed", "Viewer"]

_LOG = logging.getLogger("fsm_rtc.inspector")

MOST_VIEWERS = 32
"""So many pages may be open at once."""

BATCH_SECONDS = 0.1
HISTORY = 20_000
"""So many of the latest records a page is sent when it comes."""

WAITING_BATCHES = 50
WAITING_BYTES = 2 * 1024 * 1024
"""More than that not sent yet, and a page is behind."""

WAITING_RECORDS = 50_000
"""More than that in one turn, and it is read from the source's own memory, which is bounded."""

STEP = 2000
"""So many records are taken up at once, before the loop's other work has its turn."""


class Viewer:
    """What waits to be sent to one page: iterate over it, with one task.

    Attributes:
        missed: how many records it is behind, which it will not get.
    """

    def __init__(self) -> None:
        self.missed = 0
        self._waiting: deque[str] = deque()
        self._bytes = 0
        self._came = asyncio.Event()
        self._is_over = False

    @property
    def is_idle(self) -> bool:
        """Whether it has been sent everything."""
        return not self._waiting

    @property
    def is_behind(self) -> bool:
        """Whether more waits than may."""
        return len(self._waiting) >= WAITING_BATCHES or self._bytes >= WAITING_BYTES

    def put(self, text: str) -> None:
        """Let it have this next."""
        self._waiting.append(text)
        self._bytes += len(text)
        self._came.set()

    def restart(self, text: str) -> None:
        """Let it have this in the place of everything that waits."""
        self._waiting.clear()
        self._bytes = self.missed = 0
        self.put(text)

    def end(self) -> None:
        """There is no more."""
        self._is_over = True
        self._came.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        while not self._waiting:
            if self._is_over:
                raise StopAsyncIteration
            self._came.clear()
            await self._came.wait()
        text = self._waiting.popleft()
        self._bytes -= len(text)
        return text


class Feed:
    """Tells pages what a source records.

    Args:
        source: a `Journal`, or a `RecordLog`.
        book: the charts that are known.
        name: what is looked at, for the page's heading.
        history: how many of the latest records a page is sent when it comes; None for all.
        is_live: whether more may come; False for a file.
        batch_seconds: how long changes are gathered before they are sent.

    Attributes:
        source: as given.
        book: as given.
        name: as given.
    """

    def __init__(
        self,
        source: RecordSource,
        book: ChartBook,
        name: str = "",
        *,
        history: int | None = HISTORY,
        is_live: bool = True,
        batch_seconds: float = BATCH_SECONDS,
    ) -> None:
        self.source = source
        self.book = book
        self.name = name
        self._history = history
        self._is_live = is_live
        self._batch_seconds = batch_seconds
        self._index = Index(book, history=history)
        self._pending: deque[Record] = deque()
        self._viewers: list[Viewer] = []
        self._coming: list[Viewer] = []
        self._work: asyncio.Task[None] | None = None
        self._ending = asyncio.Event()

    @property
    def viewer_count(self) -> int:
        """How many pages there are."""
        return len(self._viewers) + len(self._coming)

    @property
    def is_crowded(self) -> bool:
        """Whether there are as many pages as there may be."""
        return self.viewer_count >= MOST_VIEWERS

    @asynccontextmanager
    async def viewer(self) -> AsyncIterator[Viewer]:
        """A page, as long as the block runs."""
        viewer = Viewer()
        self._coming.append(viewer)
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._run(), name="fsm_rtc inspector feed")
        try:
            yield viewer
        finally:
            for viewers in (self._coming, self._viewers):
                if viewer in viewers:
                    viewers.remove(viewer)
            if not self.viewer_count:
                await self._stop()

    async def aclose(self) -> None:
        """Tell every page what came last and that there is no more, and stop."""
        if self._work is not None:
            self._ending.set()
            await asyncio.wait({self._work})
            self._ending.clear()
        for viewer in (*self._coming, *self._viewers):
            viewer.end()

    async def _stop(self) -> None:
        work, self._work = self._work, None
        if work is not None:
            work.cancel()
            await asyncio.wait({work})

    async def _run(self) -> None:
        unsubscribe: Callable[[], None] | None = None
        is_last = False
        try:
            while not is_last:
                is_last = self._ending.is_set()
                if unsubscribe is None or len(self._pending) > WAITING_RECORDS:
                    if unsubscribe is not None:
                        unsubscribe()
                    unsubscribe = await self._begin()
                else:
                    self._tell(await self._taken())
                self._welcome()
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._batch_seconds):
                        await self._ending.wait()
        except Exception:
            _LOG.exception("the inspector's feed failed; its pages are let go")
            for viewer in (*self._coming, *self._viewers):
                viewer.end()
        finally:
            if unsubscribe is not None:
                unsubscribe()
            self._pending.clear()
            self._index = Index(self.book, history=self._history)

    async def _begin(self) -> Callable[[], None]:
        """Read the source's memory; who was there already begins again. Nothing comes between memory and listening."""
        self._pending.clear()
        self._index = Index(self.book, history=self._history)
        for started, last in self.source.present():
            self._index.meet(started, last)
        kept = iter(self.source)
        unsubscribe = self.source.subscribe(self._pending.append)
        try:
            await self._take(kept)
        except BaseException:
            unsubscribe()
            raise
        self._coming = [*self._viewers, *self._coming]
        self._viewers = []
        return unsubscribe

    async def _taken(self) -> IndexChanges:
        """Take up what came since the last time; what comes meanwhile waits for the next."""
        return await self._take(self._pending.popleft() for _ in range(len(self._pending)))

    async def _take(self, records: Iterator[Record]) -> IndexChanges:
        changes = IndexChanges()
        for number, record in enumerate(records, start=1):
            self._index.take(record, changes)
            if number % STEP == 0:
                await asyncio.sleep(0)
        return changes

    def _tell(self, changes: IndexChanges) -> None:
        if not changes.rows:
            text = ""
        else:
            text = _text(
                type="changes",
                first=self._index.total - len(changes.rows),
                charts=changes.charts,
                machines=changes.machines,
                gone=changes.gone,
                records=changes.rows,
            )
        behind: str | None = None
        for viewer in self._viewers:
            if viewer.missed and viewer.is_idle:
                behind = behind or self._states()
                viewer.put(f'{{"missed":{viewer.missed + len(changes.rows)},{behind}')
                viewer.missed = 0
            elif viewer.missed or viewer.is_behind:
                viewer.missed += len(changes.rows)
            elif text:
                viewer.put(text)

    def _states(self) -> str:
        """How every machine stands, for a page that missed some records: all of a JSON object but its beginning."""
        return _text(
            type="missed", first=self._index.total, charts=self._index.charts(), machines=self._index.machines()
        )[1:]

    def _welcome(self) -> None:
        """Send who has come the snapshot; from now on they are told what changes."""
        if not self._coming:
            return
        rows = self._index.rows()
        text = _text(
            type="snapshot",
            name=self.name,
            live=self._is_live,
            first=self._index.total - len(rows),
            charts=self._index.charts(),
            machines=self._index.machines(),
            records=rows,
        )
        for viewer in self._coming:
            viewer.restart(text)
        self._viewers += self._coming
        self._coming = []


def _text(**fields: Any) -> str:
    return msgspec.json.encode(fields).decode()
