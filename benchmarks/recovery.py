"""What becomes of a call when something fails: ``python benchmarks/recovery.py [--quick] [--rows …] [--json]``.

Two peers in processes and network namespaces of their own, each of which sends a numbered message every 20 ms, and one
fault a run: bare aiortc, which makes a new RTCPeerConnection when its state says that the old one is lost, beside
`fsm_rtc.Connection` with its default policy.

noticed after    from the fault's beginning to the first side that says so
recovered after  from the fault's end to the first messages, of both sides, that were sent behind it
lost, twice      of all messages; of a peer that was killed, those of its last run
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any

from _recovery_counts import LINK_LOSSES, LOSSES, Outcome, noticed_by, outcome_of
from _recovery_net import Net, namespaces, what_is_missing

FOLDER = Path(__file__).parent
PORT, TURN_PORT = 8765, 3478
SERVER, PEERS = "10.77.0.1", ("10.77.0.2", "10.77.0.3")
NOWHERE = "10.77.0.99"

WARM_SECONDS = 2.0
LONGEST_SECONDS = {"ours": 60.0, "bare": 75.0}
SETTLE_SECONDS = 3.0
OPEN_LIMIT_SECONDS = 60.0
STAGES = ("Begun", "Open")

TURN = {"urls": f"turn:{SERVER}:{TURN_PORT}?transport=udp", "username": "name", "credential": "secret"}


@dataclass
class Peer:
    """One peer and its log, over all its runs."""

    bench: Run
    number: int
    options: dict[str, Any]
    lines: list[dict[str, Any]] = field(default_factory=list)
    process: asyncio.subprocess.Process | None = None
    reading: list[asyncio.Task[None]] = field(default_factory=list)

    async def start(self) -> None:
        run = self.bench
        self.process = await asyncio.create_subprocess_exec(
            *run.net.inside(run.net.peers[self.number], sys.executable, str(FOLDER / "_recovery_peer.py")),
            run.kind,
            f"ws://{SERVER}:{PORT}/call",
            str(run.folder / f"peer{self.number}"),
            json.dumps({**self.options, "calls": self.number == 0}),
            stdout=asyncio.subprocess.PIPE,
            stderr=run.errors,
        )
        self.reading.append(asyncio.create_task(self._read(self.process)))

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            self.lines.append(json.loads(line))

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    async def kill(self) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()
        await asyncio.gather(*self.reading)

    @property
    def is_open(self) -> bool:
        return any(line["what"] == "event" and line["name"] == "Open" for line in self.lines)


@dataclass
class Run:
    """One call and what it needs."""

    kind: str
    net: Net
    folder: Path
    errors: Any
    peers: list[Peer] = field(default_factory=list)
    server: asyncio.subprocess.Process | None = None
    turn: asyncio.subprocess.Process | None = None

    async def start_server(self) -> None:
        program = (
            ("-m", "fsm_rtc.cli", "serve", "--host", "0.0.0.0", "--port", f"{PORT}")
            if self.kind == "ours"
            else (str(FOLDER / "_recovery_relay.py"), f"{PORT}")
        )
        self.server = await self._in_servers(sys.executable, *program)
        await self._until_listens(PORT)

    async def start_turn(self) -> None:
        options = (
            f"--listening-ip={SERVER} --relay-ip={SERVER} --realm=test --lt-cred-mech --user=name:secret --no-tls "
            f"--no-dtls --no-cli --log-file=/dev/null --listening-port={TURN_PORT} "
            f"--pidfile={self.folder}/pid --userdb={self.folder}/db"
        )
        self.turn = await self._in_servers("turnserver", "-n", *options.split())
        await self._until_listens(TURN_PORT)

    async def _in_servers(self, *command: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *self.net.inside(self.net.servers, *command), stdout=self.errors, stderr=self.errors
        )

    async def _until_listens(self, port: int) -> None:
        probe = f"import socket; socket.create_connection(({SERVER!r}, {port}), 1)"
        command = self.net.inside(self.net.servers, sys.executable, "-c", probe)
        for _ in range(100):
            asked = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.DEVNULL)
            if await asked.wait() == 0:
                return
            await asyncio.sleep(0.1)
        raise RuntimeError(f"nothing listens on port {port}: {(self.folder / 'errors').read_text()[-2000:]}")

    async def stop(self, process: asyncio.subprocess.Process | None) -> None:
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()

    @property
    def is_open(self) -> bool:
        return all(peer.is_open for peer in self.peers)


Fault = Callable[[Run], Coroutine[Any, Any, None]]


# The faults: each returns when both sides can do something again.


async def killed(run: Run) -> None:
    """The second peer's process."""
    await run.peers[1].kill()
    await asyncio.sleep(4)
    await run.peers[1].start()


def stopped(seconds: float) -> Fault:
    """The second peer's process, for so long."""

    async def stop(run: Run) -> None:
        run.peers[1].signal(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        run.peers[1].signal(signal.SIGCONT)

    return stop


async def interface(run: Run) -> None:
    """The second peer's, down and up again."""
    run.net.set_link(1, "down")
    await asyncio.sleep(8)
    run.net.set_link(1, "up")


async def address(run: Run) -> None:
    """The second peer's: another one."""
    run.net.change_address(1, PEERS[1], "10.77.0.13")


async def no_address(run: Run) -> None:
    """The second peer has none for a while."""
    run.net.change_address(1, PEERS[1], None)
    await asyncio.sleep(8)
    run.net.change_address(1, None, "10.77.0.13")


async def signalling(run: Run) -> None:
    """The server is killed, and started again."""
    await run.stop(run.server)
    await asyncio.sleep(2)
    await run.start_server()


async def turn(run: Run) -> None:
    """The server is killed, and started again."""
    await run.stop(run.turn)
    await asyncio.sleep(1)
    await run.start_turn()


async def nothing(run: Run) -> None:
    """The fault was there from the beginning."""


@dataclass(frozen=True, slots=True)
class Row:
    """One fault."""

    name: str
    words: str
    fault: Fault
    options: dict[str, Any] = field(default_factory=dict)
    bare: bool = True
    media_stands: bool = False
    observers: tuple[int, ...] = (0, 1)
    may_repeat: bool = False

    def holds(self, one: Outcome) -> bool:
        """Whether a run of ours ended as it must: across a kill at least once, otherwise exactly once."""
        return one.recovered is not None and one.lost == 0 and one.media_stood and (self.may_repeat or one.twice == 0)


ROWS = (
    Row("killed", "peer killed, restarted 4 s later", killed, observers=(0,), may_repeat=True),
    Row("stopped-4", "peer stopped for 4 s", stopped(4), observers=(0,)),
    Row("stopped-20", "peer stopped for 20 s", stopped(20), observers=(0,)),
    Row("interface", "interface down for 8 s", interface),
    Row("address", "address changed", address),
    Row("no-address", "no address for 8 s, then another", no_address),
    Row("signalling", "signalling server killed for 2 s", signalling, media_stands=True),
    Row("stun", "STUN unreachable, to open", nothing, {"servers": [{"urls": f"stun:{NOWHERE}:3478"}]}),
    Row("turn", "TURN restarted, relay only", turn, {"servers": [TURN], "policy": "relay"}, bare=False),
)


def error_file(folder: str) -> Any:
    """What the processes write besides."""
    return Path(folder, "errors").open("wb")


@asynccontextmanager
async def call(row: Row, kind: str) -> AsyncIterator[Run]:
    """A call between two processes, in namespaces; all gone when the block ends."""
    with namespaces() as net, tempfile.TemporaryDirectory() as folder, error_file(folder) as errors:
        run = Run(kind, net, Path(folder), errors)
        try:
            await run.start_server()
            if "policy" in row.options:
                await run.start_turn()
            run.peers = [Peer(run, number, row.options) for number in (0, 1)]
            for peer in run.peers:
                await peer.start()
            await until(lambda: run.is_open, OPEN_LIMIT_SECONDS)
            yield run
        finally:
            for peer in run.peers:
                await peer.kill()
            await run.stop(run.server)
            await run.stop(run.turn)


async def until(holds: Callable[[], bool], seconds: float) -> bool:
    """Wait until it holds, at most so long; whether it does."""
    for _ in range(int(seconds * 10)):
        if holds():
            return True
        await asyncio.sleep(0.1)
    return holds()


async def measure(row: Row, kind: str) -> Outcome:
    """One run of a row."""
    async with call(row, kind) as run:
        if row.fault is nothing:
            return to_open(run)
        await asyncio.sleep(WARM_SECONDS)
        began = time.monotonic()
        await row.fault(run)
        ended = time.monotonic() if not row.media_stands else began
        losses = LINK_LOSSES if row.media_stands else LOSSES

        def now(until: float) -> Outcome:
            logs = [peer.lines for peer in run.peers]
            return outcome_of(
                logs, began=began, ended=ended, counted_until=until, observers=row.observers, losses=losses
            )

        await until(lambda: now(began).recovered is not None, LONGEST_SECONDS[kind])
        await asyncio.sleep(SETTLE_SECONDS)
        outcome = now(time.monotonic() - SETTLE_SECONDS / 2)
        if row.media_stands:
            stood = not any(noticed_by([peer.lines for peer in run.peers], began, LOSSES))
            return replace(outcome, media_stood=stood)
        return outcome


def to_open(run: Run) -> Outcome:
    """How long it took to the open channel, from the moment at which both were there."""
    times = [[line["t"] for peer in run.peers for line in peer.lines if line.get("name") == name] for name in STAGES]
    begun, opened = times
    return Outcome(None, max(opened) - max(begun) if len(opened) == len(run.peers) else None, 0, 0)


def told(values: Sequence[float | None]) -> str:
    """Median and worst."""
    known = [value for value in values if value is not None]
    if not known:
        return "never"
    worst = "never" if len(known) < len(values) else f"{max(known):.2f}"
    return f"{median(known):.2f} / {worst}"


def cells(outcomes: Sequence[Outcome], row: Row) -> tuple[str, str, str, str]:
    """A row's figures."""
    noticed = "" if row.fault is nothing else told([one.noticed for one in outcomes])
    recovered = told([one.recovered for one in outcomes])
    return noticed, recovered, f"{sum(one.lost for one in outcomes)}", f"{sum(one.twice for one in outcomes)}"


HEAD = ("fault", "", "runs", "noticed after, s", "recovered after, s", "lost", "twice", "")
WIDTHS = (34, 5, 5, 18, 19, 6, 6, 6)


def line(*values: str) -> str:
    """The table's line of these."""
    return "  ".join(value.ljust(width) for value, width in zip(values, WIDTHS, strict=True)).rstrip()


async def several(row: Row, kind: str, runs: int, turns: asyncio.Semaphore) -> list[Outcome]:
    """So many runs of a row, some at once: each is alone in its namespaces."""

    async def one() -> Outcome:
        async with turns:
            return await measure(row, kind)

    return list(await asyncio.gather(*(one() for _ in range(runs))))


async def main(given: argparse.Namespace) -> bool:
    """Every row; whether each of ours recovered, and lost nothing."""
    results: list[dict[str, Any]] = []
    all_well = True
    if not given.json:
        print(line(*HEAD), "(median / worst)", flush=True)
    rows = [row for row in ROWS if not given.rows or row.name in given.rows]
    turns = asyncio.Semaphore(given.at_once)
    if given.quick:
        ahead = {row.name: asyncio.create_task(several(row, "ours", given.runs, turns)) for row in rows}
    else:
        ahead = {}
    for row in rows:
        for kind, runs in (("bare", given.bare_runs), ("ours", given.runs)):
            if runs == 0 or (kind == "bare" and not row.bare):
                continue
            begun = ahead.get(row.name) if kind == "ours" else None
            outcomes = await (begun or several(row, kind, runs, turns))
            holds = kind == "bare" or all(row.holds(one) for one in outcomes)
            all_well &= holds
            if given.json:
                results += [{"row": row.name, "kind": kind, **asdict(one)} for one in outcomes]
            else:
                print(line(row.words, kind, f"{runs}", *cells(outcomes, row), "" if holds else "BROKEN"), flush=True)
    if given.json:
        print(json.dumps(results))
    elif given.quick:
        print("Without --quick three runs of bare aiortc stand beside twenty of ours.")
    return all_well


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one list of outcomes, for a program")
    parser.add_argument(
        "--quick", action="store_true", help="one run of ours a row, several rows at once; no bare aiortc"
    )
    parser.add_argument("--rows", nargs="*", choices=[row.name for row in ROWS], help="these rows alone")
    parser.add_argument("--runs", type=int, help="runs of ours a row (20)")
    parser.add_argument("--bare-runs", type=int, help="runs of bare aiortc a row (3)")
    parser.add_argument("--at-once", type=int, default=4, help="runs at the same time (4)")
    given = parser.parse_args()
    given.runs = given.runs if given.runs is not None else 1 if given.quick else 20
    given.bare_runs = given.bare_runs if given.bare_runs is not None else 0 if given.quick else 3
    return given


if __name__ == "__main__":
    options = arguments()
    if missing := what_is_missing():
        print(f"Nothing was measured: {missing}.", file=sys.stderr)
        sys.exit(1 if os.environ.get("CI") else 0)
    subprocess.run(("ip", "netns", "list"), check=True, capture_output=True)
    sys.exit(0 if asyncio.run(main(options)) else 1)
