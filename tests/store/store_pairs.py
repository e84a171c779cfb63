"""What the tests of the store share: pairs of stores in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import cast

from fsm_rtc.engine import Journal
from fsm_rtc.peer import Configuration, DataChannel, PeerConnection
from fsm_rtc.store import ConnectionStore
from fsm_rtc.testing import FakeNetwork, FakePeerConnection

LIMIT_SECONDS = 60.0
"""A wait in a test that takes longer is a failure; nothing here takes long."""

CANDIDATE = "candidate:1 1 udp 2130706431 192.0.2.7 40007 typ host"


@dataclass
class Side:
    """A store in memory, and every peer connection that it ever made."""

    store: ConnectionStore
    journal: Journal
    made: list[FakePeerConnection] = field(default_factory=list)

    @property
    def connection(self) -> FakePeerConnection:
        """The store's present peer connection."""
        return cast(FakePeerConnection, self.store.snapshot.peer_connection)

    @property
    def channel(self) -> DataChannel:
        """The store's present data channel."""
        return cast(DataChannel, self.store.snapshot.data_channel)

    @property
    def operations(self) -> list[str]:
        """What the library was asked to do."""
        return self.connection.library.operations


@dataclass
class World:
    """Makes stores that find each other."""

    engine: str = "compiled"
    configuration: Configuration = field(default_factory=lambda: Configuration(close_timeout_seconds=0.02))
    network: FakeNetwork = field(default_factory=FakeNetwork)
    sides: list[Side] = field(default_factory=list)

    def side(self, label: str = "store") -> Side:
        """One more store."""
        journal = Journal()
        made: list[FakePeerConnection] = []
        make = partial(FakePeerConnection, network=self.network)

        def factory(*arguments: object, **options: object) -> PeerConnection:
            made.append(make(*arguments, **options))  # type: ignore[arg-type]
            return made[-1]

        store = ConnectionStore(
            self.configuration, peer_connection_factory=factory, engine=self.engine, journal=journal, label=label
        )
        side = Side(store, journal, made)
        self.sides.append(side)
        return side

    def pair(self) -> tuple[Side, Side]:
        """An offerer and an answerer."""
        return self.side("offerer"), self.side("answerer")

    async def connected(self) -> tuple[Side, Side]:
        """An offerer and an answerer that are connected."""
        offerer, answerer = self.pair()
        await connect(offerer, answerer)
        return offerer, answerer

    async def close(self) -> None:
        """Close every store; nothing may be left of them."""
        for side in self.sides:
            for connection in side.made:
                connection.library.release()
            await side.store.close_connection()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        left = {task.get_name() for task in asyncio.all_tasks() if "fsm_rtc" in task.get_name()}
        assert not left, f"tasks are left: {left}"


async def connect(offerer: Side, answerer: Side) -> None:
    """Exchange offer and answer; wait until both are connected."""
    answer = await answerer.store.process_offer(await offerer.store.create_offer())
    await offerer.store.process_answer(answer)
    await offerer.store.wait_for_connected(LIMIT_SECONDS)
    await answerer.store.wait_for_connected(LIMIT_SECONDS)


async def turns(number: int = 20) -> None:
    """Let the loop go round."""
    for _ in range(number):
        await asyncio.sleep(0)


async def until(is_so: Callable[[], bool]) -> None:
    """Let the loop go round until something is so; that takes few turns or never comes."""
    for _ in range(1000):
        if is_so():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came to be so")
