"""What a loop and a process hold: tasks, descriptors, timers, and objects of a call; to compare before and after."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import aioice
import aiortc

LIMIT_SECONDS = 60.0

OWN = ("fsm_rtc.",)
"""Whose classes' objects are counted, besides `FOREIGN`."""

FOREIGN = (
    aiortc.RTCIceTransport,
    aiortc.RTCIceGatherer,
    aiortc.RTCDtlsTransport,
    aiortc.RTCSctpTransport,
    aiortc.RTCDataChannel,
    aioice.Connection,
)


@dataclass(frozen=True, slots=True)
class Remains:
    """What there is at one moment.

    Attributes:
        tasks: how many tasks have each name, numbers left out.
        descriptors: how many files and sockets are open.
        timers: what the loop is still going to call, by name.
        objects: how many objects there are of each class.
    """

    tasks: Counter[str]
    descriptors: int
    timers: Counter[str]
    objects: Counter[str]

    @classmethod
    def now(cls, *, with_objects: bool = True) -> Remains:
        """What there is; the collector runs first if objects are wanted."""
        objects: Counter[str] = Counter()
        if with_objects:
            gc.collect()
            objects = Counter(_name(type(one)) for one in gc.get_objects() if _is_counted(type(one)))
        return cls(
            Counter(_task_name(task) for task in asyncio.all_tasks()),
            _open_descriptors(),
            Counter(str(timer._callback) for timer in _timers()),
            objects,
        )

    def left_since(self, before: Remains) -> str:
        """What is there now that wasn't before, in words; empty if nothing."""
        more: dict[str, object] = {
            "tasks": dict(self.tasks - before.tasks),
            "descriptors": max(0, self.descriptors - before.descriptors),
            "timers": dict(self.timers - before.timers),
            "objects": dict(self.objects - before.objects),
        }
        return ", ".join(f"{kind}: {what}" for kind, what in more.items() if what)


async def nothing_left_since(before: Remains, *, with_objects: bool = True) -> None:
    """Raise unless everything goes that came since; sockets and tasks have a few turns of the loop for that."""
    left = ""
    for turn in range(20):
        left = Remains.now(with_objects=with_objects and turn > 0).left_since(before)
        if not left and (turn > 0 or not with_objects):
            return
        await asyncio.sleep(0)
    raise AssertionError(f"left over: {left}")


async def cancelled_after(turns: int, work: Callable[[], Awaitable[object]]) -> bool:
    """Do it, and cancel it after so many turns of the loop; whether it was cancelled.

    A turn in which nothing else is ready ends when something is.
    """
    task = asyncio.ensure_future(work())
    for _ in range(turns):
        if task.done():
            break
        await asyncio.sleep(0)
    was_cancelled = task.cancel()
    await asyncio.wait({task})
    if not task.cancelled() and (error := task.exception()) is not None:
        raise error
    return was_cancelled


def _is_counted(kind: type) -> bool:
    return issubclass(kind, FOREIGN) or str(kind.__module__).startswith(OWN)


def _name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _task_name(task: asyncio.Task[Any]) -> str:
    return f"{task.get_name().rstrip('0123456789')} {getattr(task.get_coro(), '__qualname__', '')}"


def _timers() -> list[Any]:
    scheduled = cast(Any, asyncio.get_running_loop())._scheduled
    return [timer for timer in scheduled if not timer.cancelled()]


def _open_descriptors() -> int:
    """How many files and sockets are open; 0 where the system doesn't tell."""
    descriptors = Path("/proc/self/fd")
    return sum(1 for _ in descriptors.iterdir()) if descriptors.exists() else 0
