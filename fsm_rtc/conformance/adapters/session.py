"""AdapterSession: one conversation of the adapter protocol, over a stack in Python; without pipes."""

from __future__ import annotations

import asyncio
import inspect
import os
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import Any

import msgspec

from fsm_rtc.conformance.adapters.base import AdaptedPeer, Inexpressible, Stack
from fsm_rtc.conformance.protocol import (
    PROTOCOL,
    Event,
    Operation,
    Reply,
    Request,
    Result,
    StackCandidate,
    StackError,
    StackHello,
    States,
    Verdict,
)

__all__ = ["AdapterSession", "serve"]

SPECIFIED = {
    "InvalidAccessError",
    "InvalidModificationError",
    "InvalidStateError",
    "NotSupportedError",
    "OperationError",
    "RTCError",
    "TypeError",
}

QUIET_TURNS = 5
"""So many turns of the loop without an event mean that nothing is under way."""

MAX_TURNS = 1000
CLOSE_LIMIT_SECONDS = 5.0

CALLS: dict[str, Callable[[AdaptedPeer, Operation], Any]] = {
    "createOffer": lambda peer, _: peer.create_offer(),
    "createAnswer": lambda peer, _: peer.create_answer(),
    "setLocalDescription": lambda peer, asked: peer.set_local_description(asked.description),
    "setRemoteDescription": lambda peer, asked: peer.set_remote_description(asked.description),  # type: ignore[arg-type]
    "addIceCandidate": lambda peer, asked: peer.add_ice_candidate(asked.candidate),  # type: ignore[arg-type]
    "createDataChannel": lambda peer, asked: peer.create_data_channel(asked.label),
    "addTransceiver": lambda peer, asked: peer.add_transceiver(asked.kind),
    "restartIce": lambda peer, _: peer.restart_ice(),
    "close": lambda peer, _: peer.close(),
    "send": lambda peer, asked: peer.send(asked.label, asked.data),
    "closeChannel": lambda peer, asked: peer.close_channel(asked.label),
    "localDescription": lambda peer, _: peer.local_description(),
}


class AdapterSession:
    """Carries out requests on the peer connections of one stack.

    Args:
        stack: the library.
    """

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._peers: dict[str, AdaptedPeer] = {}
        self._events: list[Event] = []
        self._happened = asyncio.Event()
        self._left_behind: set[asyncio.Task[None]] = set()
        self._era = 0

    async def handle(self, request: Request) -> Reply:
        """Do what is asked, and say what was seen."""
        results: list[Result | None] = [None] * len(request.do)
        promises: list[asyncio.Task[None]] = []
        for number, asked in enumerate(request.do):
            answer = await self._begin(asked, promises)
            if inspect.isawaitable(answer):
                peer = self._peers.get(asked.on)
                promises.append(asyncio.create_task(self._settle(answer, number, peer, results)))
            else:
                results[number] = answer
        if promises:
            _, late = await asyncio.wait(promises, timeout=request.limit_seconds)
            self._left_behind |= late
            for promise in late:
                promise.add_done_callback(self._left_behind.discard)
        await self._rest()
        final = tuple(one if one is not None else Result(Verdict.PENDING) for one in results)
        results.clear()
        events, self._events = tuple(self._events), []
        return Reply(request.id, final, events, {name: peer.states() for name, peer in self._peers.items()})

    async def reset(self) -> None:
        """Close everything and forget it."""
        self._era += 1
        peers, self._peers = self._peers, {}
        self._events.clear()
        closings = []
        for peer in peers.values():
            try:
                closing = peer.close()
            except Exception:  # noqa: S112 - a connection that can't be closed is left behind
                continue
            if inspect.isawaitable(closing):
                closings.append(asyncio.ensure_future(closing))
        if closings:
            await asyncio.wait(closings, timeout=CLOSE_LIMIT_SECONDS)
        for task in self._left_behind:
            task.cancel()

    async def _begin(self, asked: Operation, promises: list[asyncio.Task[None]]) -> Any:
        """Call the stack; a result, or the promise of one."""
        if asked.operation in ("hello", "reset", "new", "look"):
            return await self._of_the_adapter(asked)
        peer, call = self._peers.get(asked.on), CALLS.get(asked.operation)
        if call is None or peer is None:
            return Result(Verdict.INEXPRESSIBLE)
        if promises:
            # A coroutine begins in the loop's next turn; what comes behind it finds it begun.
            await asyncio.sleep(0)
        try:
            answer = call(peer, asked)
        except Inexpressible:
            return Result(Verdict.INEXPRESSIBLE)
        except Exception as error:
            return self._result(Verdict.THROWN, peer, error=error)
        return answer if inspect.isawaitable(answer) else self._result(Verdict.FULFILLED, peer, value=answer)

    async def _of_the_adapter(self, asked: Operation) -> Result:
        value: Any = None
        if asked.operation == "hello":
            value = StackHello(PROTOCOL, self._stack.name, self._stack.version, self._stack.lacks)
        elif asked.operation == "reset":
            await self.reset()
        elif asked.operation == "new":
            self._new(asked.on)
        elif not self._events:
            self._happened.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._happened.wait(), asked.wait_seconds)
        return Result(Verdict.FULFILLED, len(self._events), value=value)

    def _new(self, name: str) -> None:
        era = self._era
        made: list[AdaptedPeer] = []

        def happened(
            event: str, *, candidate: StackCandidate | None = None, label: str = "", kind: str = "", data: str = ""
        ) -> None:
            if era == self._era:
                states = made[0].states() if made else States()
                self._events.append(Event(name, event, states, candidate, label, kind, data))
                self._happened.set()

        made.append(self._stack.new(happened))
        self._peers[name] = made[0]

    async def _settle(self, promise: Any, number: int, peer: AdaptedPeer | None, results: list[Result | None]) -> None:
        try:
            value = await promise
            result = self._result(Verdict.FULFILLED, peer, value=value)
        except Inexpressible:
            result = Result(Verdict.INEXPRESSIBLE)
        except Exception as error:
            result = self._result(Verdict.REJECTED, peer, error=error)
        if number < len(results):
            results[number] = result

    def _result(
        self, verdict: Verdict, peer: AdaptedPeer | None, *, value: Any = None, error: Exception | None = None
    ) -> Result:
        return Result(
            verdict,
            len(self._events),
            StackError(_name(error), str(error)) if error is not None else None,
            value if isinstance(value, msgspec.Struct) else None,
            peer.states() if peer is not None else None,
        )

    async def _rest(self) -> None:
        peers = tuple(self._peers.values())
        seen, quiet = -1, 0
        for _ in range(MAX_TURNS):
            if len(self._events) != seen:
                seen, quiet = len(self._events), 0
                await self._stack.rest(peers)
            await asyncio.sleep(0)
            quiet += 1
            if quiet > QUIET_TURNS:
                return


def _name(error: Exception) -> str:
    """The specification's name for an error, if its class has one among its bases."""
    names = [one.__name__ for one in type(error).__mro__]
    return next((name for name in names if name in SPECIFIED), names[0])


def serve(stack: Stack) -> None:
    """Answer the requests on standard input until it ends. What the library prints goes to standard error."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    asyncio.run(_serve(stack, answers))


async def _serve(stack: Stack, answers: Any) -> None:
    session = AdapterSession(stack)
    requests: asyncio.Queue[bytes] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def read() -> None:
        # Not sys.stdin, whose lock a thread that waits in it would keep while the process ends.
        with open(0, "rb", closefd=False) as lines:
            for line in lines:
                loop.call_soon_threadsafe(requests.put_nowait, line)
        loop.call_soon_threadsafe(requests.put_nowait, b"")

    Thread(target=read, name="requests", daemon=True).start()
    decode, encode = msgspec.json.Decoder(Request).decode, msgspec.json.encode
    while line := await requests.get():
        answers.write(encode(await session.handle(decode(line))) + b"\n")
        answers.flush()
    await session.reset()
