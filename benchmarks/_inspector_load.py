"""The process that `benchmarks/inspector.py` looks at: so many connections, so many transitions a second.

``python benchmarks/_inspector_load.py CONNECTIONS RATE [--inspect]``. It prints a line with the inspector's address, or
an empty one, and then, each time it is sent a line, how many seconds of processor time it has used and how many
transitions it has made.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import itertools
import json
import sys
import time
from typing import Any

from fsm_rtc.engine import Chart, Journal
from fsm_rtc.inspector import serve_inspector
from fsm_rtc.machines.data_channel import Flow
from fsm_rtc.machines.ice_reported import IceReported
from fsm_rtc.machines.negotiation import Negotiation
from fsm_rtc.machines.peer_status import PeerStatus
from fsm_rtc.machines.signaling_link import SignalingLink

TURN_SECONDS = 0.02
"""How often the transitions that are due are made."""

WAYS: dict[type[Chart[Any, Any]], tuple[str, ...]] = {
    SignalingLink: ("on_connected", "on_disconnected"),
    Negotiation: ("set_remote_offer", "rollback"),
}
"""What each machine is told, in a circle."""

STILL: tuple[type[Chart[Any, Any]], ...] = (PeerStatus, IceReported, Flow)
"""Machines that stay where they are; and one event in a hundred is one that no table allows."""

WRONG_EVERY = 100


class Load:
    """Machines that are told what they expect, round and round."""

    def __init__(self, journal: Journal, connections: int) -> None:
        self.made = 0
        moving = []
        for number in range(connections):
            for chart in (*WAYS, *STILL):
                machine = chart()
                journal.watch(machine, f"connection{number:03}.{chart.__name__.lower()}")
                if chart in WAYS:
                    moving.append((machine, itertools.cycle(WAYS[chart])))
        self._moving = itertools.cycle(moving)

    def step(self, times: int) -> None:
        """Make so many transitions."""
        for _ in range(times):
            machine, ways = next(self._moving)
            self.made += 1
            if self.made % WRONG_EVERY == 0 and "set_remote_answer" in machine.chart.triggers:
                machine.fire("set_remote_answer")
            else:
                machine.fire(next(ways))


async def drive(load: Load, rate: float) -> None:
    began = time.perf_counter()
    while True:
        due = int((time.perf_counter() - began) * rate) - load.made
        load.step(max(0, due))
        await asyncio.sleep(TURN_SECONDS)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("connections", type=int)
    parser.add_argument("rate", type=float, help="of each connection, in transitions a second")
    parser.add_argument("--inspect", action="store_true")
    given = parser.parse_args()
    journal = Journal(capacity=20_000)
    load = Load(journal, given.connections)
    inspector = serve_inspector(journal)
    url = ""
    if given.inspect:
        await inspector.__aenter__()
        url = inspector.url
    gc.freeze()
    print(url, flush=True)
    driving = asyncio.create_task(drive(load, given.rate * given.connections))
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while await reader.readline() and not driving.done():
        told = {"cpu": time.process_time(), "made": load.made, "rejected": journal.rejected}
        print(json.dumps(told), flush=True)
    driving.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await driving
    await inspector.aclose()


if __name__ == "__main__":
    asyncio.run(main())
