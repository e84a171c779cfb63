"""A conversation with an adapter in a process of its own, by the adapter protocol."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Any, Self

import msgspec
import pytest

from fsm_rtc.conformance.protocol import Event, Operation, Reply, Request, Result, StackDescription, States
from fsm_rtc.conformance.stacks import KnownStack, stack_named

ROOT = Path(__file__).parents[2]

REPLY_LIMIT_SECONDS = 30.0
LINE_LIMIT_BYTES = 1 << 22
CONNECT_LOOKS = 100

decode = msgspec.json.Decoder(Reply).decode


class Talk:
    """The adapter that these arguments start.

    Args:
        command: the program and its arguments.
    """

    def __init__(self, *command: str) -> None:
        self._command = command
        self._id = 0
        self.events: list[Event] = []
        """All that were told so far."""

    async def __aenter__(self) -> Self:
        self.process: Process = await asyncio.create_subprocess_exec(
            *self._command, stdin=PIPE, stdout=PIPE, cwd=ROOT, limit=LINE_LIMIT_BYTES
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.process.returncode is None:
            await self.end()

    async def end(self) -> int:
        """End its input, and wait for its own end: its exit code."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            return await asyncio.wait_for(self.process.wait(), REPLY_LIMIT_SECONDS)
        except TimeoutError:
            self.process.kill()
            await self.process.wait()
            raise

    async def ask(self, *do: Operation, limit_seconds: float = 5.0) -> Reply:
        """The reply to one request."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._id += 1
        self.process.stdin.write(msgspec.json.encode(Request(self._id, do, limit_seconds)) + b"\n")
        line = await asyncio.wait_for(self.process.stdout.readline(), REPLY_LIMIT_SECONDS)
        reply = decode(line)
        assert reply.id == self._id
        assert len(reply.results) == len(do)
        self.events += reply.events
        return reply

    async def do(self, on: str, operation: str, **arguments: Any) -> Result:
        """The result of one operation."""
        return (await self.ask(Operation(operation, on, **arguments))).results[0]

    async def described(self, on: str, operation: str) -> StackDescription:
        """The description that an operation makes."""
        return msgspec.convert((await self.do(on, operation)).value, StackDescription)

    async def look_until(self, *, wanted: Any) -> dict[str, States]:
        """The states, as soon as `wanted` says so of them."""
        for _ in range(CONNECT_LOOKS):
            states = (await self.ask(Operation("look", wait_seconds=0.2))).states
            if wanted(states):
                return states
        raise AssertionError(f"it never came to that; the events were {[(one.on, one.event) for one in self.events]}")

    async def gathered(self, on: str) -> StackDescription:
        """A connection's local description with all candidates."""
        for _ in range(CONNECT_LOOKS):
            described = await self.do(on, "localDescription")
            assert described.states is not None
            if described.states.iceGatheringState == "complete":
                return msgspec.convert(described.value, StackDescription)
            await self.do("", "look", wait_seconds=0.2)
        raise AssertionError("gathering never ended")

    async def connect(self) -> None:
        """Make connections ``a`` and ``b`` and a channel ``chat`` between them that is open on both sides."""
        await self.ask(Operation("new", "a"), Operation("new", "b"))
        await self.do("a", "createDataChannel", label="chat")
        await self.do("a", "setLocalDescription", description=await self.described("a", "createOffer"))
        await self.do("b", "setRemoteDescription", description=await self.gathered("a"))
        await self.do("b", "setLocalDescription", description=await self.described("b", "createAnswer"))
        await self.do("a", "setRemoteDescription", description=await self.gathered("b"))
        await self.look_until(wanted=_connected)


def _connected(states: dict[str, States]) -> bool:
    return all(one.connectionState == "connected" and one.channels.get("chat") == "open" for one in states.values())


def installed(name: str) -> KnownStack:
    """The stack of that name; without it a test is skipped, and fails in continuous integration."""
    found = stack_named(name)
    if found.version() is None:
        missing = f"{name} is not installed: {found.install}"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    return found


def python(code: str) -> tuple[str, ...]:
    """A program in Python, given as text."""
    return (sys.executable, "-c", code)
