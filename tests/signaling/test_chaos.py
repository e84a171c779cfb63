"""Many clients in many rooms on one server, whose sockets are cut, who read slowly, whose processes are paused.

While both processes live every message arrives once, and in its sender's order. ``HYPOTHESIS_PROFILE=ci`` does it with
40 clients in 10 rooms and 200 messages each way per pair.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import msgspec
import pytest

from fsm_rtc.signaling.service import SignalingService
from tests.effort import by_profile
from tests.random_seed import seeded
from tests.signaling.chaos_client import Plan, Report
from tests.signaling.cutting_proxy import CuttingProxy, proxied
from tests.signaling.participants import server_of

pytestmark = pytest.mark.live

SMALL, LARGE = (3, 3, 30), (10, 4, 200)
ROOMS, MEMBERS, MESSAGES = by_profile(quick=SMALL, default=SMALL, ci=LARGE, thorough=LARGE)
PROCESSES = by_profile(quick=2, default=2, ci=4, thorough=4)


@dataclass(eq=False)
class Clients:
    """A process of clients."""

    process: Process

    async def line(self) -> str:
        assert self.process.stdout is not None
        return (await self.process.stdout.readline()).decode().strip()

    def go_on(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(b"\n")


@asynccontextmanager
async def clients(port: int, plan: Plan) -> AsyncIterator[Clients]:
    said = msgspec.json.encode(plan).decode()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.signaling.chaos_client", str(port), said, stdin=PIPE, stdout=PIPE
    )
    try:
        yield Clients(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def disturb(proxy: CuttingProxy, running: list[Clients]) -> None:
    """Cut sockets, and pause processes, until cancelled."""
    random = seeded()
    while True:
        await asyncio.sleep(random.uniform(0.005, 0.05))
        proxy.cut(random)
        if random.random() < 0.03:
            paused = random.choice(running).process
            os.kill(paused.pid, signal.SIGSTOP)
            try:
                await asyncio.sleep(random.uniform(0.1, 1.5))
            finally:
                os.kill(paused.pid, signal.SIGCONT)


async def test_every_message_arrives_once_and_in_order_whatever_is_cut_slow_or_paused() -> None:
    rooms = [f"room {number}" for number in range(ROOMS)]
    everybody = rooms * MEMBERS
    plans = [Plan(everybody[number::PROCESSES], MEMBERS, MESSAGES, 3, number) for number in range(PROCESSES)]
    async with (
        server_of(messages_per_second=1e6, burst=10_000) as server,
        proxied(server.port) as proxy,
        clients(proxy.port, plans[0]) as first,
        clients(proxy.port, plans[1]) as second,
    ):
        async with more(proxy.port, plans[2:]) as others:
            running = [first, second, *others]
            disturbing = asyncio.create_task(disturb(proxy, running))
            try:
                for one in running:
                    assert await one.line() == "complete"
            finally:
                disturbing.cancel()
                await asyncio.wait({disturbing})
            reports = [await report_of(one) for one in running]
            check(reports, proxy, server.service)
            for one in running:
                one.go_on()
                assert await one.process.wait() == 0
        assert server.service.hub.member_count == server.service.hub.away_count  # who was cut just before it left


@asynccontextmanager
async def more(port: int, plans: list[Plan]) -> AsyncIterator[list[Clients]]:
    if not plans:
        yield []
        return
    async with clients(port, plans[0]) as first, more(port, plans[1:]) as others:
        yield [first, *others]


async def report_of(running: Clients) -> Report:
    running.go_on()
    return msgspec.convert(json.loads(await running.line()), Report)


def check(reports: list[Report], proxy: CuttingProxy, service: SignalingService) -> None:
    wrong = [one for report in reports for one in report.wrong]
    right = sum(report.right for report in reports)
    resumed = sum(report.resumed for report in reports)
    print(f"{right * MESSAGES} messages; {proxy.cuts} sockets cut, {resumed} sessions resumed; {dict(service.counts)}")
    assert wrong == []
    assert right == ROOMS * MEMBERS * (MEMBERS - 1)
    assert [report.left for report in reports] == [0] * len(reports)
    assert sum(report.begun for report in reports) == ROOMS * MEMBERS
    assert resumed > ROOMS
