"""What it costs to be looked at, and to look: ``python benchmarks/inspector.py [--json] [--quick]``.

A process with 100 connections of five machines each, which make 20 transitions a second each, two thousand in all, is
run without an inspector, with one that nobody looks at, and with one whose page is open in Chromium on one of the
connections. What the process uses of a core is taken over the same time in each, in turn; the page says what its long
tasks were (more than 50 ms each, by its own `PerformanceObserver`), how long its frames took and how big its heap is
after a collection.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from _chromium import Page, chromium
from _harness import Result, arguments, finish

CONNECTIONS = 100
RATE = 20
SECONDS = 20.0
QUICK_SECONDS = 5.0
ROUNDS = 3
QUICK_ROUNDS = 1
WARM_SECONDS = 2.0

LEAST_RATE = 1900
MOST_OF_A_CORE = 5.0
MOST_LONG_TASK_MILLISECONDS = 200.0
MOST_HEAP_MEGABYTES = 100.0

OBSERVE = """
window.longTasks = [];
new PerformanceObserver((list) => { for (const entry of list.getEntries()) longTasks.push(entry.duration); })
  .observe({ type: "longtask" });
window.frames = [];
let last = performance.now();
const frame = (now) => { frames.push(now - last); last = now; requestAnimationFrame(frame); };
requestAnimationFrame(frame);
"""


@dataclass(frozen=True, slots=True)
class Load:
    """The process that is looked at."""

    process: asyncio.subprocess.Process
    url: str

    async def used(self) -> dict[str, float]:
        """Its processor time in seconds, and how many transitions it has made."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(b"\n")
        told: dict[str, float] = json.loads(await self.process.stdout.readline())
        return told

    async def share(self, seconds: float) -> tuple[float, float]:
        """How much of a core it uses, in per cent, and its transitions a second."""
        before, began = await self.used(), time.perf_counter()
        await asyncio.sleep(seconds)
        after, length = await self.used(), time.perf_counter() - began
        return (after["cpu"] - before["cpu"]) / length * 100, (after["made"] - before["made"]) / length


@asynccontextmanager
async def load(*options: str) -> AsyncIterator[Load]:
    """The process, while the block runs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(Path(__file__).with_name("_inspector_load.py")),
        *(str(CONNECTIONS), str(RATE), *options),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield Load(process, (await process.stdout.readline()).decode().strip())
    finally:
        process.stdin.close()
        await process.wait()


@dataclass(frozen=True, slots=True)
class Seen:
    """What the page was like while it looked."""

    long_tasks: Sequence[float]
    frames: Sequence[float]
    heap_bytes: float
    records: int


async def look(page: Page, seconds: float, observed: Load) -> tuple[float, float, Seen]:
    """The process' share and rate while it is looked at, and what the page said."""
    await page.open(observed.url)
    await page.until("document.querySelectorAll('.card svg').length === 5")
    await asyncio.sleep(WARM_SECONDS)
    await page.value(OBSERVE + "1")
    share, rate = await observed.share(seconds)
    told: dict[str, Any] = json.loads(await page.value("JSON.stringify({longTasks, frames})"))
    records = await page.value("document.getElementById('moment-words').textContent.split(' ')[2]")
    await page.send("HeapProfiler.collectGarbage")
    heap = await page.send("Runtime.getHeapUsage")
    return share, rate, Seen(told["longTasks"], told["frames"][1:], heap["usedSize"], int(records))


async def measure(seconds: float, rounds: int) -> list[Result]:
    """Every figure, from so many rounds of so many seconds."""
    without, idle, looked, rates = [], [], [], []
    async with chromium() as page:
        for _ in range(rounds):
            async with load() as observed:
                await asyncio.sleep(WARM_SECONDS)
                without.append((await observed.share(seconds))[0])
            async with load("--inspect") as observed:
                await asyncio.sleep(WARM_SECONDS)
                idle.append((await observed.share(seconds))[0])
                share, rate, seen = await look(page, seconds, observed)
                looked.append(share)
                rates.append(rate)
            await page.open("about:blank")
    frames = sorted(seen.frames)
    longest = max(seen.long_tasks, default=0.0)
    heap = seen.heap_bytes / 1e6
    cost, unseen = median(looked) - median(without), median(idle) - median(without)
    return [
        Result("transitions a second", median(rates), None, None, f"≥ {LEAST_RATE}", median(rates) >= LEAST_RATE),
        Result("process without inspector, % of a core", median(without), None, None, "", holds=True),
        Result("added by an inspector that nobody looks at, % of a core", unseen, None, None, "≤ 1", unseen <= 1),
        Result(
            *("added by an inspector with a page, % of a core", cost, None, None),
            *(f"≤ {MOST_OF_A_CORE:g}", cost <= MOST_OF_A_CORE),
        ),
        Result("the page's long tasks a minute", len(seen.long_tasks) * 60 / seconds, None, None, "", holds=True),
        Result(
            *("the page's longest task over 50 ms, ms", longest, None, None),
            *(f"≤ {MOST_LONG_TASK_MILLISECONDS:g}", longest <= MOST_LONG_TASK_MILLISECONDS),
        ),
        Result("the page's frames, 99th percentile, ms", frames[int(len(frames) * 0.99)], None, None, "", holds=True),
        Result(
            *("the page's JavaScript heap, MB", heap, None, None),
            *(f"≤ {MOST_HEAP_MEGABYTES:g}", heap <= MOST_HEAP_MEGABYTES),
        ),
    ]


def main() -> None:
    """Measure as the command line says."""
    given = arguments(__doc__ or "")
    results = asyncio.run(measure(QUICK_SECONDS if given.quick else SECONDS, QUICK_ROUNDS if given.quick else ROUNDS))
    finish(results, as_json=given.json)


if __name__ == "__main__":
    main()
