"""What a signalling server pays for a message and a client: ``python benchmarks/signaling.py [--json] [--quick]``.

The servers run in processes of their own, and so does the load, which is the same for each: pairs of clients that send
each other messages of 1.4 kB, a bounded number ahead of what has arrived. Measured is the server's own processor time,
user and system, for a message; and what an idle client adds to its memory.

Against: a bare relay of two dozen lines on `websockets`, which checks and keeps nothing; and PeerServer, the server of
PeerJS, if npm can fetch it. And how long a message of honest clients takes while hostile ones attack the server in
every way that tests/signaling/hostile_clients.py knows, against its time while nobody does.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from _harness import Result, Samples, arguments, finish, ratio_of
from _signaling_attack import AT_ONCE, delays_of_honest_clients

HERE = Path(__file__).parent
TICKS = os.sysconf("SC_CLK_TCK")
PEER_SERVER = "peer@1"
LIMIT_SECONDS = 120


class Load:
    """A process of clients."""

    def __init__(self, kind: str, port: int, clients: int) -> None:
        command = [sys.executable, str(HERE / "_signaling_load.py"), kind, str(port), str(clients)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._expect("ready")

    def send(self, messages: int) -> None:
        """Send so many, and wait until all have arrived."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{messages}\n")
        self._process.stdin.flush()
        self._expect("done")

    def _expect(self, word: str) -> None:
        assert self._process.stdout is not None
        if self._process.stdout.readline().strip() != word:
            raise SystemExit("the load ended before it was done")

    def close(self) -> None:
        """Disconnect every client."""
        self._process.kill()
        self._process.wait()


class Server:
    """A server's process.

    Attributes:
        kind: what it is, as the load knows it.
        port: where it listens.
    """

    def __init__(self, kind: str, process: subprocess.Popen[str], port: int) -> None:
        self.kind = kind
        self.port = port
        self._process = process

    def processor_seconds(self) -> float:
        """User and system time so far. Source: proc(5), /proc/pid/stat, fields 14 and 15."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def resident_bytes(self) -> int:
        """Memory in use. Source: proc(5), /proc/pid/statm, field 2."""
        pages = int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1])
        return pages * resource.getpagesize()

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()


@contextlib.contextmanager
def python_server(kind: str) -> Iterator[Server]:
    """The bare relay, or ours."""
    command = [sys.executable, str(HERE / "_signaling_servers.py"), kind]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    server = Server(kind, process, int(process.stdout.readline()))
    try:
        yield server
    finally:
        server.close()


@contextlib.contextmanager
def peer_server() -> Iterator[Server | None]:
    """PeerServer, or None if there is no npm to fetch it with."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        yield None
        return
    with tempfile.TemporaryDirectory() as folder:
        # In the folder rather than with --prefix, which would have npm look there for the machine's settings too.
        Path(folder, "package.json").write_text('{"private": true}')
        install = ["npm", "install", "--silent", "--no-audit", "--no-fund", PEER_SERVER]
        try:
            subprocess.run(install, cwd=folder, capture_output=True, timeout=LIMIT_SECONDS, check=True)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            print(f"PeerServer isn't compared: npm couldn't install it: {error}", file=sys.stderr)
            yield None
            return
        with contextlib.closing(socket.socket()) as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        script = f"require('peer').PeerServer({{port: {port}, path: '/', concurrent_limit: 100000}})"
        node = ["node", "-e", script]
        process = subprocess.Popen(node, cwd=folder, stdout=subprocess.DEVNULL, text=True)
        server = Server("peer", process, port)
        try:
            until_listening(port)
            yield server
        finally:
            server.close()


def until_listening(port: int) -> None:
    """Wait until somebody listens."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def relayed(server: Server, load: Load, messages: int) -> float:
    """Processor seconds of the server for one message."""
    before = server.processor_seconds()
    load.send(messages)
    return (server.processor_seconds() - before) / messages


def message_costs(clients: int, messages: int, rounds: int) -> list[Result]:
    """All three at the same load, in turn."""
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(python_server("ours")), stack.enter_context(python_server("bare"))]
        third = stack.enter_context(peer_server())
        servers += [third] if third is not None else []
        loads = [Load(server.kind, server.port, clients) for server in servers]
        for load in loads:
            stack.callback(load.close)
            load.send(messages // 4)
        costs: list[list[float]] = [[] for _ in servers]
        for number in range(rounds):
            order = range(len(servers)) if number % 2 else reversed(range(len(servers)))
            for which in order:
                costs[which].append(relayed(servers[which], loads[which], messages))
    name = f"a relayed message among {clients} clients, server's µs"
    results = [ratio_of(name, Samples(costs[0], costs[1]), scale=1e6, at_most=1.5)]
    if third is not None:
        results.append(ratio_of(f"{name}, against PeerServer", Samples(costs[0], costs[2]), scale=1e6))
    else:
        results.append(Result("PeerServer is not measured: npm can't fetch it", 0.0, None, None, "", holds=True))
    return results


def bytes_a_client(kind: str, clients: int) -> float:
    """What an idle client adds to a fresh server's memory."""
    with python_server(kind) as server:
        first = Load(kind, server.port, 20)
        before = server.resident_bytes()
        load = Load(kind, server.port, clients)
        try:
            time.sleep(1)  # what was needed for connecting alone is let go
            return (server.resident_bytes() - before) / clients
        finally:
            load.close()
            first.close()


def memory(clients: int, rounds: int) -> Result:
    """Ours and the bare server, in turn."""
    pairs = [(bytes_a_client("ours", clients), bytes_a_client("bare", clients)) for _ in range(rounds)]
    samples = Samples([pair[0] for pair in pairs], [pair[1] for pair in pairs])
    return ratio_of(f"an idle client among {clients}, server's kB", samples, scale=1e-3, at_most=1.5)


def under_attack(attacks: int, rounds: int) -> Result:
    """The way of honest clients' messages."""
    with python_server("bounded") as server:
        samples = asyncio.run(delays_of_honest_clients(server.port, attacks, rounds))
    return ratio_of(f"a message's way under attack, {AT_ONCE} at once, ms", samples, scale=1e3, at_most=2.0)


def main() -> None:
    """Measure, print, leave."""
    options = arguments("What a relayed message and an idle client cost a signalling server.")
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if options.quick:
        results = [*message_costs(20, 4_000, 3), memory(200, 2), under_attack(200, 2)]
    else:
        results = [*message_costs(40, 40_000, 7), memory(2_000, 3), under_attack(1_000, 6)]
    finish(results, as_json=options.json)


if __name__ == "__main__":
    main()
