"""Kills of either side of a call and of its server, and whether anything is lost or doubled: theory.

A kill drawn over time hits what takes long, which is waiting. So it is drawn over the kinds of events that a call's
journal has (and the writing of what is kept, and the application's own acknowledging), evenly: what is killed kills
itself at an event of that kind. Kinds of five groups, in which a call is most easily broken, have a least number each.

Invariants: every number whose `send` returned is committed by the other side, whatever was killed; no number is
committed twice; after each kill both sides commit again what was sent behind it.

    python -m tests.kills.killing KILLS SEED
"""

from __future__ import annotations

import asyncio
import os
import random
import socket
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from fsm_rtc import Identity

SIDES = ("s", "r")
PATIENCE_SECONDS = 90.0
"""So long a call may take to be back, on a machine that has other things to do; the figures say how long it took."""

POKE_SECONDS = 4.0
"""So often something happens to the call, until what is waited for has happened."""

GROUPS = {
    "offer": ("offer",),
    "answer": ("answer",),
    "acknowledge": ("ack",),
    "save": ("save.",),
    "hello": ("hello", "on_begin", "Deliveries.on_open"),
}
"""What the kinds of each group have in their names."""

AT_THE_END = ("on_bye", "server.bye", "Session.", "close")
"""Kinds that come with an end, which isn't what is tried here; and those of the server's machine, which need one."""


def group_of(kind: str) -> str:
    """The first group to which a kind belongs; empty if to none."""
    return next((name for name, words in GROUPS.items() if any(word in kind for word in words)), "")


@dataclass
class Report:
    """What came of it.

    Attributes:
        kills: how many of each kind.
        victims: how many of each program.
        back_seconds: how long after each kill both sides had committed something new.
        not_back: the kinds of those behind which they hadn't in time.
        missed: kinds that were waited for in vain.
        others: how many programs were killed at no event of their own, to make the victim's happen.
        ended: how often a side's call ended, so that it had to be started anew.
        lost, doubled: numbers.
        sent: how many were sent.
    """

    kills: Counter[str] = field(default_factory=Counter)
    victims: Counter[str] = field(default_factory=Counter)
    back_seconds: list[float] = field(default_factory=list)
    not_back: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    others: int = 0
    ended: int = 0
    lost: int = 0
    doubled: int = 0
    sent: int = 0

    @property
    def groups(self) -> Counter[str]:
        """How many kills in each group."""
        groups: Counter[str] = Counter()
        for kind, times in self.kills.items():
            groups[group_of(kind) or "others"] += times
        return groups

    def __str__(self) -> str:
        back = sorted(self.back_seconds) or [0.0]
        return (
            f"{self.kills.total()} kills of {len(self.kills)} kinds, {dict(self.victims)}, {dict(self.groups)}: "
            f"sent {self.sent}, lost {self.lost}, doubled {self.doubled}, not back {self.not_back}, "
            f"back after {back[len(back) // 2]:.1f} s in the median, {back[-1]:.1f} s at most; "
            f"killed to provoke another {self.others}, calls that ended {self.ended}, "
            f"kinds waited for in vain {self.missed}"
        )


class Killing:
    """See the module.

    Args:
        folder: where the programs keep what they keep.
        seed: of what is drawn.
        verbose: print each kill as it comes.
    """

    def __init__(self, folder: Path, seed: int, *, verbose: bool = False) -> None:
        self.folder = folder
        self.report = Report()
        self._verbose = verbose
        self._draw = random.Random(seed)
        self._port = _free_port()
        self._programs: dict[str, Process] = {}
        self._spares: dict[str, Process] = {}
        for who in SIDES:
            Identity.generate().save(folder / f"{who}.pem")

    async def run(self, kills: int, least: int) -> Report:
        """So many kills, at least so many of them in each group."""
        try:
            for who in ("server", *SIDES):
                await self._start(who)
            for _ in range(3):  # a busy machine takes its time to load it all
                if await self._back(time.monotonic()):
                    break
            else:
                raise AssertionError(f"the call never came to be:\n{self._errors()}")
            for who in SIDES:  # what kinds there are
                await self._say(who, "poke")
                await asyncio.sleep(POKE_SECONDS)
            plan = self._plan(kills, least)
            while self.report.kills.total() < kills:
                await self._kill(next(plan))
            await self._settle()
        finally:
            for program in (*self._programs.values(), *self._spares.values()):
                if program.returncode is None:
                    program.kill()
                await program.wait()
        return self.report

    def _errors(self) -> str:
        return "\n".join(f"{who}: {(self.folder / f'{who}.err').read_text()[-1500:]}" for who in SIDES)

    # Drawing.

    def _kinds(self) -> dict[str, list[str]]:
        """Of each kind, who has met it."""
        found: dict[str, list[str]] = {}
        for who in ("server", *SIDES):
            for kind in set((self.folder / f"{who}.seen").read_text().split()):
                if not any(word in kind for word in AT_THE_END):
                    found.setdefault(kind, []).append(who)
        return found

    def _plan(self, kills: int, least: int) -> Iterator[str]:
        """The groups' least, mixed with kinds drawn evenly; then those drawn evenly."""
        wanted = [name for name in GROUPS for _ in range(least)]
        wanted += [""] * max(0, kills - len(wanted))
        self._draw.shuffle(wanted)
        while True:
            for group in (*wanted, ""):
                known = (kind for kind in self._kinds() if self.report.missed.count(kind) < 2)
                kinds = sorted(kind for kind in known if not group or group_of(kind) == group)
                yield self._draw.choice(kinds)

    # Killing.

    async def _kill(self, kind: str) -> None:
        victim = self._draw.choice(sorted(self._kinds()[kind]))
        nth = self._draw.randint(1, 3) if group_of(kind) in ("acknowledge", "save") else 1
        await self._say(victim, f"arm {kind} {nth}")
        if self._verbose:
            print(f"{self.report.kills.total()}: {victim} {kind} {nth}", flush=True)
        if not await self._dies(victim):
            self.report.missed.append(kind)
            await self._say(victim, "arm nothing 1")
            return
        began = time.monotonic()
        self.report.kills[kind] += 1
        self.report.victims[victim] += 1
        await asyncio.sleep(self._draw.choice((0.0, self._draw.uniform(0.0, 1.0))))
        await self._start(victim)
        if self._draw.random() < 0.2:
            return  # and another one, be it back or not
        if not await self._back(began):
            self.report.not_back.append(f"{victim} {kind}")
        else:
            self.report.back_seconds.append(time.monotonic() - began)

    async def _dies(self, victim: str) -> bool:
        """Wait for it; meanwhile things happen to the call, for most kinds come with them."""
        program = self._programs[victim]
        for attempt in range(8):
            try:
                async with asyncio.timeout(POKE_SECONDS if attempt else 0.2):
                    return await program.wait() == -9
            except TimeoutError:
                await self._revive()
                if self._programs[victim] is not program:
                    return False
                await self._provoke(victim, attempt)
        return False

    async def _provoke(self, victim: str, attempt: int) -> None:
        """By turns: the data channel is lost; a program that isn't the victim is killed, and begins again."""
        if attempt % 2 == 0:
            await self._say(self._draw.choice(SIDES), "poke")
            return
        other = self._draw.choice([who for who in ("server", *SIDES) if who != victim])
        program = self._programs[other]
        if program.returncode is None:
            program.kill()
        await program.wait()
        self.report.others += 1
        await self._start(other)

    async def _start(self, who: str) -> None:
        """Let the spare one begin, which has loaded everything, and make another."""
        self._programs[who] = self._spares.pop(who) if who in self._spares else await self._spare(who)
        await self._say(who, "begin")
        self._spares[who] = await self._spare(who)

    async def _spare(self, who: str) -> Process:
        arguments = (str(self._port),) if who == "server" else (who, f"ws://127.0.0.1:{self._port}/kitchen")
        module = "tests.kills.server" if who == "server" else "tests.kills.killed_peer"
        with (self.folder / f"{who}.err").open("a") as errors:
            return await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", module, *arguments, str(self.folder)), stdin=PIPE, stderr=errors
            )

    async def _say(self, who: str, line: str) -> None:
        program = self._programs[who]
        if program.stdin is not None and program.returncode is None:
            try:
                program.stdin.write(f"{line}\n".encode())
                await program.stdin.drain()
            except ConnectionError:
                pass  # it is dead, as is seen next

    async def _revive(self) -> None:
        """Who has ended by itself, since its call did, is started anew, as its owner would."""
        for who in SIDES:
            if self._programs[who].returncode not in (None, -9):
                self.report.ended += 1
                await self._start(who)

    # What came of it.

    def _numbers(self, who: str, what: str) -> list[int]:
        path = self.folder / f"{who}.{what}"
        return [int(line.split()[-1]) for line in path.read_text().splitlines()] if path.exists() else []

    async def _back(self, since: float) -> bool:
        """Wait until each side has committed five numbers that the other has sent from now on."""
        pairs = zip(SIDES, SIDES[::-1], strict=True)
        goals = {who: max(self._numbers(other, "meant"), default=0) + 5 for who, other in pairs}
        while time.monotonic() < since + PATIENCE_SECONDS:
            if all(max(self._numbers(who, "heard"), default=0) >= goal for who, goal in goals.items()):
                return True
            await self._revive()
            await asyncio.sleep(0.1)
        return False

    async def _settle(self) -> None:
        """Count, once all has had the time to arrive."""
        goals = {who: set(self._numbers(who, "sent")) for who in SIDES}
        until = time.monotonic() + PATIENCE_SECONDS
        missing = dict.fromkeys(SIDES, 0)
        while time.monotonic() < until:
            for who, other in zip(SIDES, SIDES[::-1], strict=True):
                missing[who] = len(goals[other] - set(self._numbers(who, "heard")))
            if not any(missing.values()):
                break
            await self._revive()
            await asyncio.sleep(0.2)
        self.report.sent = sum(map(len, goals.values()))
        self.report.lost = sum(missing.values())
        for who in SIDES:
            heard = self._numbers(who, "heard")
            self.report.doubled += len(heard) - len(set(heard))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def main() -> None:
    kills, seed = int(sys.argv[1]), int(sys.argv[2])
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        killing = Killing(Path(folder), seed, verbose=True)
        report = asyncio.run(killing.run(kills, kills // 10))
        print(report)
        for kind, times in sorted(report.kills.items()):
            print(f"{times:4} {kind}")
        print(killing._errors(), file=sys.stderr)
    os._exit(report.lost + report.doubled + len(report.not_back) > 0)


if __name__ == "__main__":
    main()
