"""Adapter: the kit's side of the adapter protocol, to a program or within this process."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Sequence
from typing import Protocol

import msgspec

from fsm_rtc.conformance.adapters.base import Stack
from fsm_rtc.conformance.adapters.session import AdapterSession
from fsm_rtc.conformance.protocol import (
    DEFAULT_LIMIT_SECONDS,
    PROTOCOL,
    Operation,
    Reply,
    Request,
    StackHello,
)
from fsm_rtc.errors import AdapterError

__all__ = ["Adapter", "LocalAdapter", "ProcessAdapter"]

MAX_LINE_BYTES = 64 * 1024 * 1024
GRACE_SECONDS = 20.0
"""How much longer than its own limit a reply may take before the adapter counts as hanging."""
STARTS_SECONDS = 60.0
ENDS_SECONDS = 5.0
KEPT_ERROR_BYTES = 4000


class Adapter(Protocol):
    """One stack, ready to be asked."""

    @property
    def hello(self) -> StackHello:
        """Which stack it is."""

    async def ask(self, *operations: Operation, limit_seconds: float = DEFAULT_LIMIT_SECONDS) -> Reply:
        """Let operations begin in one turn, and hear what became of them.

        Raises:
            AdapterError: the adapter ended, hangs, or says what the protocol doesn't know.
        """

    async def start(self) -> None:
        """Be ready, and know which stack it is.

        Raises:
            AdapterError: it can't be started, or speaks another protocol.
        """

    async def restart(self) -> None:
        """Begin anew, after an AdapterError."""

    async def aclose(self) -> None: ...


class LocalAdapter:
    """An adapter without a process, for a stack in Python.

    Args:
        stack: the library.
    """

    def __init__(self, stack: Stack) -> None:
        self.hello = StackHello(PROTOCOL, stack.name, stack.version, stack.lacks)
        self._stack = stack
        self._session = AdapterSession(stack)
        self._number = 0

    async def start(self) -> None:
        """Nothing is to be done."""

    async def ask(self, *operations: Operation, limit_seconds: float = DEFAULT_LIMIT_SECONDS) -> Reply:
        self._number += 1
        try:
            return await self._session.handle(Request(self._number, operations, limit_seconds))
        except Exception as error:
            raise AdapterError(f"the adapter of {self.hello.name} failed: {type(error).__name__}: {error}") from error

    async def restart(self) -> None:
        await self._session.reset()
        self._session = AdapterSession(self._stack)

    async def aclose(self) -> None:
        await self._session.reset()


class ProcessAdapter:
    """An adapter that is a program.

    Args:
        command: how to start it: a command line, or its arguments.

    Use `start` before anything else.
    """

    def __init__(self, command: str | Sequence[str]) -> None:
        self.command = shlex.split(command) if isinstance(command, str) else list(command)
        self.hello = StackHello(PROTOCOL, "", "")
        self._process: asyncio.subprocess.Process | None = None
        self._errors: asyncio.Task[None] | None = None
        self._last_words = b""
        self._number = 0
        self._decoder = msgspec.json.Decoder(Reply)

    async def start(self) -> None:
        """Start the program and hear which stack it is.

        Raises:
            AdapterError: it can't be started, or speaks another protocol.
        """
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self.command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                limit=MAX_LINE_BYTES,
            )
        except OSError as error:
            raise AdapterError(
                f"the adapter {shlex.join(self.command)!r} can't be started: {error.strerror or error}"
            ) from error
        self._errors = asyncio.create_task(self._keep_last_words(self._process), name="fsm_rtc adapter's stderr")
        try:
            self.hello = await self._ask_who()
        except AdapterError:
            await self.aclose()
            raise

    async def _ask_who(self) -> StackHello:
        reply = await self.ask(Operation("hello"), limit_seconds=STARTS_SECONDS)
        try:
            hello = msgspec.convert(reply.results[0].value, StackHello)
        except msgspec.ValidationError as error:
            raise AdapterError(f"the adapter's hello is none: {error}; see docs/conformance-protocol.md") from error
        if hello.protocol != PROTOCOL:
            raise AdapterError(f"the adapter speaks protocol {hello.protocol}, this is version {PROTOCOL}")
        return hello

    async def ask(self, *operations: Operation, limit_seconds: float = DEFAULT_LIMIT_SECONDS) -> Reply:
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise AdapterError("the adapter is not started")
        self._number += 1
        request = msgspec.json.encode(Request(self._number, operations, limit_seconds))
        try:
            process.stdin.write(request + b"\n")
            async with asyncio.timeout(limit_seconds + sum(one.wait_seconds for one in operations) + GRACE_SECONDS):
                await process.stdin.drain()
                line = await process.stdout.readline()
        except ConnectionError as error:
            raise await self._gone("it ended", has_closed=True) from error
        except (TimeoutError, ValueError) as error:
            raise await self._gone(f"{type(error).__name__} while it was asked") from error
        if not line:
            raise await self._gone("it ended", has_closed=True)
        try:
            reply = self._decoder.decode(line)
        except msgspec.DecodeError as error:
            raise AdapterError(f"the adapter's reply is none ({error}): {line[:200]!r}") from error
        if reply.id != self._number or len(reply.results) != len(operations):
            raise AdapterError(f"the adapter answered request {reply.id} where {self._number} was asked")
        return reply

    async def restart(self) -> None:
        await self.aclose()
        await self.start()

    async def aclose(self) -> None:
        """Let the program end; one that doesn't is killed."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            async with asyncio.timeout(GRACE_SECONDS if process.returncode is None else None):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
        if self._errors is not None:
            await self._errors

    async def _keep_last_words(self, process: asyncio.subprocess.Process) -> None:
        if process.stderr is not None:
            while said := await process.stderr.read(KEPT_ERROR_BYTES):
                self._last_words = (self._last_words + said)[-KEPT_ERROR_BYTES:]

    async def _gone(self, what: str, *, has_closed: bool = False) -> AdapterError:
        """What became of the program, with its last words."""
        process = self._process
        if process is not None:
            # One that has closed its output ends by itself. To kill it then would take its exit code from asyncio.
            try:
                async with asyncio.timeout(ENDS_SECONDS if has_closed else 0):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
        if self._errors is not None:
            await self._errors
        code = process.returncode if process is not None else None
        words = self._last_words.decode(errors="replace").strip()
        said = f"{what} (exit code {code}). It said: {words or 'nothing'}"
        return AdapterError(f"the adapter {shlex.join(self.command)!r}: {said}", has_ended=True)
