"""Machines to look at, and a page that follows what it is told of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from fsm_rtc.engine import Journal
from fsm_rtc.inspector import Feed
from fsm_rtc.inspector.access import SUBPROTOCOL
from fsm_rtc.inspector.feed import Viewer
from fsm_rtc.machines.negotiation import Negotiation
from fsm_rtc.machines.signaling_link import SignalingLink

PATIENCE_SECONDS = 20.0

Message = dict[str, Any]


class Ticks:
    """A clock that goes on by a second each time it is read."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


def journal_of(*labels: str, capacity: int = 100_000) -> tuple[Journal, list[SignalingLink]]:
    """A journal, and a signalling link's machine under each label."""
    journal = Journal(Ticks(), capacity=capacity)
    machines = [SignalingLink() for _ in labels]
    for machine, label in zip(machines, labels, strict=True):
        journal.watch(machine, label)
    return journal, machines


def listeners(journal: Journal) -> int:
    """How many listen to a journal."""
    return len(journal._listeners)


def rejecting(journal: Journal, label: str) -> Negotiation:
    """A negotiation that has rejected an answer."""
    machine = Negotiation()
    journal.watch(machine, label)
    assert not machine.fire("set_remote_answer")
    return machine


class Follower:
    """What a page knows by what it was told."""

    def __init__(self) -> None:
        self.labels: dict[int, str] = {}
        self.states: dict[str, str] = {}
        self.told: list[int] = []
        self.rows: list[list[Any]] = []
        self.charts: dict[str, Any] = {}
        self.missed = 0
        self.snapshots = 0

    def take(self, message: Message) -> None:
        self.charts |= message["charts"]
        if message["type"] == "snapshot":
            self.snapshots += 1
            self.labels, self.told, self.rows, self.states = {}, [], [], {}
        elif message["type"] == "missed":
            self.missed += message["missed"]
        for row in message["machines"]:
            self.labels[row[0]] = row[1]
            self.states[row[1]] = row[6]
        records = message.get("records", [])
        self.told += range(message["first"], message["first"] + len(records))
        for row in records:
            self.rows.append(row)
            if row[5] is not None:
                self.states[self.labels[row[0]]] = row[5]

    def told_of(self, label: str) -> list[str | None]:
        """The events of one machine."""
        return [row[3] for row in self.rows if self.labels[row[0]] == label]


async def next_of(viewer: Viewer) -> Message:
    async with asyncio.timeout(PATIENCE_SECONDS):
        told: Message = json.loads(await anext(viewer))
        return told


@asynccontextmanager
async def page_at(url: str, token: str | None = None, **options: Any) -> AsyncIterator[ClientConnection]:
    """A page's socket at an inspector's address."""
    address = url.partition("#")[0].replace("http://", "ws://") + "feed"
    offered = [SUBPROTOCOL] if token is None else [SUBPROTOCOL, f"token.{token}"]
    async with connect(address, **{"subprotocols": offered, "max_size": None, "close_timeout": 1, **options}) as socket:
        yield socket


async def received(socket: ClientConnection) -> Message:
    async with asyncio.timeout(PATIENCE_SECONDS):
        told: Message = json.loads(await socket.recv())
        return told


def feed_of(journal: Journal, **options: Any) -> Feed:
    """A feed that doesn't wait between its batches."""
    from fsm_rtc.inspector import ChartBook

    return Feed(journal, ChartBook(), "a test", **{"batch_seconds": 0.0, **options})
