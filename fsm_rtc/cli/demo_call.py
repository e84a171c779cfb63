"""The call of `fsm-rtc demo`: starts a signalling server and the two peers, and adds up what they saw."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any

__all__ = ["ROLES", "DemoCall", "Summary"]

ROLES = ("offerer", "answerer")

EXIT_TIMEOUT_SECONDS = 10.0
"""How long a peer may take to leave after it was told to, before it is killed."""

STREAM_LIMIT_BYTES = 4 * 1024 * 1024


REPEATED = "taken_once"
"""By this check a message is refused that is said again, since its acknowledgement took a second on a busy machine: so
messages get through, and it is no fault of a call."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What became of the call: the last line of `fsm-rtc demo --json`.

    Attributes:
        ok: both connected, exchanged messages (and video), closed, and no machine rejected an event,
            but for messages that were only said again.
        connected_seconds: from the start of the peers to both connected, or None.
        messages: how many chat messages arrived.
        video_frames: how many frames were decoded.
        accepted: how many events the machines accepted.
        rejected: how many they rejected.
    """

    ok: bool
    connected_seconds: float | None
    messages: int
    video_frames: int
    accepted: int
    rejected: int

    def to_line(self) -> str:
        """The summary as a line of JSON."""
        return json.dumps(asdict(self))


@dataclass(slots=True)
class DemoCall:
    """One call between two processes.

    Args:
        arguments: what both peers are started with, besides their role.
        video: whether video is part of the exchange.
        observe: called with each message of a peer, and its role; may be replaced until the call is made.
        pipe: whether they meet by the pipes to this process, rather than over a signalling server.

    Attributes:
        failures: what went wrong, in sentences.
        why: of each peer whose call failed, by role, what is known of it.
        done: what each peer saw, by role, once it has left.
    """

    arguments: tuple[str, ...]
    video: bool
    observe: Callable[[str, dict[str, Any]], None] = lambda role, message: None
    pipe: bool = False
    failures: list[str] = field(default_factory=list)
    why: dict[str, dict[str, Any]] = field(default_factory=dict)
    done: dict[str, dict[str, Any]] = field(default_factory=dict)
    phases: dict[str, dict[str, float]] = field(default_factory=lambda: {role: {} for role in ROLES})
    rejections: list[dict[str, Any]] = field(default_factory=list)
    adopted: int = 0
    abandoned: list[str] = field(default_factory=list)
    charts: dict[str, str] = field(default_factory=dict)
    _processes: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)

    async def run(self) -> Summary:
        """Make the call; whatever happens, both processes are gone when it returns."""
        if self.pipe:
            return await self._run(())
        from fsm_rtc.signaling import SignalingServer

        async with SignalingServer() as server:
            summary = await self._run(("--signaling", f"{server.url}/demo"))
        # A last acknowledgement may come when its recipient has already left.
        refused = [code for code in server.refused if code != "not_here"]
        self.failures.extend(f"the signalling server refused: {code}" for code in refused)
        return replace(summary, ok=not self.failures)

    async def _run(self, meeting: tuple[str, ...]) -> Summary:
        epoch = time.monotonic()
        try:
            for role in ROLES:
                self._processes[role] = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-m",
                    "fsm_rtc.cli.demo_peer",
                    "--role",
                    role,
                    "--epoch",
                    repr(epoch),
                    *self.arguments,
                    *meeting,
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    limit=STREAM_LIMIT_BYTES,
                )
            await asyncio.gather(*(self._follow(role) for role in ROLES))
        finally:
            await asyncio.gather(*(self._end(role) for role in self._processes))
        return self._summary()

    async def _follow(self, role: str) -> None:
        """Take what one peer writes, until it ends."""
        stdout = self._processes[role].stdout
        while stdout is not None and (line := await stdout.readline()):
            message = json.loads(line)
            self._take(role, message)
            self.observe(role, message)
            if "done" in message:
                self._close_input(role)
        if role not in self.done:
            self.failures.append(f"the {role} ended before the call was over")
            self._hang_up()

    def _take(self, role: str, message: dict[str, Any]) -> None:
        if "peer" in message:
            other = ROLES[1 - ROLES.index(role)]
            self._write(other, message["peer"])
        elif "phase" in message:
            self.phases[role].setdefault(message["phase"], message["time"])
        elif "failed" in message:
            self.failures.append(f"{role}: {message['failed']}")
            self._hang_up()
        elif "why" in message:
            self.why[role] = message["why"]
            self.failures.append(f"{role}: {message['advice']}")
        elif "done" in message:
            self.done[role] = message["done"]
        elif "record" in message:
            record = json.loads(message["record"])
            self.charts[record["label"]] = record["machine"]
            if record.get("accepted") is False:
                if record.get("guard") != REPEATED:
                    self.rejections.append(record)
            elif record.get("trigger") == "on_desync":
                self.adopted += 1
            elif record.get("trigger") == "abandon":
                self.abandoned.append(record["label"])

    def _write(self, role: str, message: dict[str, Any]) -> None:
        stdin = self._processes[role].stdin
        if stdin is not None and not stdin.is_closing():
            stdin.write(json.dumps(message).encode() + b"\n")

    def _hang_up(self) -> None:
        """The call can't go on: let both peers leave."""
        for role in self._processes:
            self._close_input(role)

    def _close_input(self, role: str) -> None:
        stdin = self._processes[role].stdin
        if stdin is not None and not stdin.is_closing():
            stdin.close()

    async def _end(self, role: str) -> None:
        process = self._processes[role]
        self._close_input(role)
        try:
            code = await asyncio.wait_for(process.wait(), EXIT_TIMEOUT_SECONDS)
        except TimeoutError:
            process.kill()
            code = await process.wait()
        if code != 0:
            self.failures.append(f"the {role}'s process ended with exit code {code}")

    def _summary(self) -> Summary:
        saw = [self.done.get(role, {}) for role in ROLES]
        connected = [self.phases[role].get("connected") for role in ROLES]
        times = [time for time in connected if time is not None]
        if not self.failures:
            self.failures.extend(self._shortcomings())
        return Summary(
            ok=not self.failures and len(times) == len(ROLES),
            connected_seconds=round(max(times), 3) if len(times) == len(ROLES) else None,
            messages=sum(one.get("received", 0) for one in saw),
            video_frames=sum(one.get("frames", 0) for one in saw),
            accepted=sum(one.get("accepted", 0) for one in saw),
            rejected=sum(one.get("rejected", 0) for one in saw),
        )

    def _shortcomings(self) -> Iterator[str]:
        """What a call without a failure must still have had."""
        from fsm_rtc.machines import CHARTS

        ends = {chart.__name__: {*chart.final} for chart in CHARTS.values() if chart.final}
        for role in ROLES:
            if not self.done[role]["received"]:
                yield f"the {role} received no message"
            if self.video and not self.done[role]["frames"]:
                yield f"the {role} received no video"
            if "closed" not in self.phases[role]:
                yield f"the {role} did not close"
            for label, state in self.done[role]["states"].items():
                if state not in ends.get(self.charts[label], {state}):
                    yield f"{label} was left in {state!r}"
        for record in self.rejections:
            yield f"{record['label']} rejected {record['trigger']} in {record['source']!r}: {record['reason']}"
        for label in self.abandoned:
            yield f"{label} was abandoned: nobody has acknowledged its goodbye"
        if self.adopted:
            yield f"{self.adopted} times a machine had to adopt a state that its table didn't expect"
