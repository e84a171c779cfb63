"""PairTrial: two connections of a stack, connected to each other, beside a model of each.

Its steps name the side: ``a.send``. What a side does is an operation on its connection or its data channel; what the
other side sees of it is judged too. Nothing is waited for by time alone: each wait ends with what it waits for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import count

from fsm_rtc.conformance.adapter import Adapter
from fsm_rtc.conformance.arguments import DATA, NOBODY
from fsm_rtc.conformance.channels import ChannelJudge
from fsm_rtc.conformance.counterpart import Counterpart, with_other_fingerprint
from fsm_rtc.conformance.difference import Difference
from fsm_rtc.conformance.findings import Kind
from fsm_rtc.conformance.model import DRAFT
from fsm_rtc.conformance.operations import BY_NAME
from fsm_rtc.conformance.protocol import Operation, Reply, StackDescription, States, Verdict
from fsm_rtc.conformance.side import Record, Side, sdp_of

__all__ = ["PAIR_STEPS", "PairTrial", "can_connect"]

LIMIT_SECONDS = 5.0
LOOK_SECONDS = 0.05

PAIR_STEPS = (
    "a.send",
    "b.send",
    "a.closeChannel",
    "b.closeChannel",
    "a.renegotiate",
    "b.renegotiate",
    "a.restartIce",
    "a.close",
    "b.close",
)
"""What can be done once the two are connected."""

OTHER = {"a": "b", "b": "a"}
CONNECTED_SOURCE = DRAFT + "#rtcpeerconnectionstate-enum"
GATHERED_SOURCE = DRAFT + "#rtcicegatheringstate-enum"

NEEDED = (
    "createOffer",
    "createAnswer",
    "setLocalDescription",
    "setRemoteDescription",
    "createDataChannel",
    "localDescription",
)

Condition = Callable[[dict[str, States]], bool]


class Broken(Exception):  # noqa: N818 - it ends a trial; what broke it is told
    """The two can't go on: an operation that must succeed did not."""


def can_connect(record: Record) -> bool:
    """Whether the stack's API has all that two connections need to find each other."""
    return not record.lacks & {*NEEDED}


class PairTrial:
    """One sequence on two connections.

    Args:
        adapter: the stack.
        record: what has been seen of it.
        profile: the tables.

    Attributes:
        states: what was seen of both, last.
        is_connected: whether they are connected.
    """

    def __init__(self, adapter: Adapter, record: Record, profile: str) -> None:
        self._adapter = adapter
        self._record = record
        self._sides = {name: Side(name, record, profile) for name in "ab"}
        self._channels = ChannelJudge(record)
        self.states: dict[str, States] = {}
        self._numbers = count(1)
        self._found: list[Difference] = []
        self.is_connected = False

    async def begin(self) -> list[Difference]:
        """Two new connections."""
        self._record.sequences += 1
        await self._ask("new", Operation("reset"), Operation("new", "a"), Operation("new", "b"))
        return self._taken()

    async def do(self, step: str) -> list[Difference]:
        """Do one step; what was otherwise than the tables."""
        try:
            await self._do(step)
        except Broken:
            self.is_connected = False
        return self._taken()

    async def _do(self, step: str) -> None:
        side, _, what = step.partition(".")
        match what or step:
            case "connect":
                await self._connect()
            case "connect with a wrong fingerprint":
                await self._connect(is_wrong=True)
            case "close while connecting":
                await self._connect(closing=True)
            case "send":
                await self._send(side)
            case "closeChannel":
                await self._close_channel(side)
            case "closeChannel + send":
                await self._close_channel(side, and_send=True)
            case "close":
                await self._close(side)
            case "renegotiate" if self.is_connected:
                await self._operate(side, "addTransceiver", Operation("addTransceiver", side, kind="audio"))
                await self._exchange(side)
                await self._until("renegotiate", self._both_connected, "connected", CONNECTED_SOURCE)
            case "restartIce" if self.is_connected and self._record.can_say(BY_NAME["restartIce"]):
                await self._operate(side, "restartIce", Operation("restartIce", side))
                await self._exchange(side)
                await self._until("restartIce", self._both_connected, "connected", CONNECTED_SOURCE)

    # Connecting.

    async def _connect(self, *, is_wrong: bool = False, closing: bool = False) -> None:
        await self._operate("a", "createDataChannel", Operation("createDataChannel", "a", label=DATA))
        if closing:
            await self._close_while_connecting()
            return
        await self._exchange("a", is_wrong=is_wrong)
        if is_wrong:
            failed: Condition = lambda states: states["a"].connectionState == "failed"  # noqa: E731
            await self._until("setRemoteDescription(answer)", failed, "failed", CONNECTED_SOURCE)
            return
        await self._until("connect", self._both_connected, "connected", CONNECTED_SOURCE)
        await self._until("connect", self._channels.both_open, "data channels open on both sides", ChannelJudge.OPENED)
        self._found += self._channels.opened()
        self.is_connected = True

    async def _close_while_connecting(self) -> None:
        """The other side is one that never answers a check, so that there is time."""
        offer = await self._described("a", "createOffer", "offer")
        sdp = Counterpart(offer.sdp).answer(offer.sdp).sdp + f"a={NOBODY}\r\n"
        answer = StackDescription("answer", sdp)
        name = "setRemoteDescription(answer)"
        await self._operate("a", name, Operation("setRemoteDescription", "a", description=answer))
        connecting: Condition = lambda states: states["a"].connectionState == "connecting"  # noqa: E731
        await self._until(name, connecting, "connecting", CONNECTED_SOURCE)
        await self._close("a")

    @staticmethod
    def _both_connected(states: dict[str, States]) -> bool:
        return all(one.connectionState == "connected" for one in states.values())

    async def _exchange(self, offerer: str, *, is_wrong: bool = False) -> None:
        """A whole exchange of offer and answer, with all candidates in them."""
        answerer = OTHER[offerer]
        offer = await self._described(offerer, "createOffer", "offer")
        await self._operate(
            answerer, "setRemoteDescription(offer)", Operation("setRemoteDescription", answerer, description=offer)
        )
        answer = await self._described(answerer, "createAnswer", "answer")
        if is_wrong:
            answer = StackDescription("answer", with_other_fingerprint(answer.sdp))
        await self._operate(
            offerer, "setRemoteDescription(answer)", Operation("setRemoteDescription", offerer, description=answer)
        )

    async def _described(self, side: str, maker: str, kind: str) -> StackDescription:
        reply = await self._operate(side, maker, Operation(maker, side))
        made = StackDescription(kind, sdp_of(reply.results[0].value))
        setting = f"setLocalDescription({kind})"
        await self._operate(side, setting, Operation("setLocalDescription", side, description=made))
        gathered: Condition = lambda states: states[side].iceGatheringState == "complete"  # noqa: E731
        await self._until(setting, gathered, "gathering complete", GATHERED_SOURCE)
        reply = await self._ask(setting, Operation("localDescription", side))
        return StackDescription(kind, sdp_of(reply.results[0].value))

    # What can be done with a connection.

    async def _send(self, side: str) -> None:
        text = f"{side}{next(self._numbers)}"
        reply = await self._on_channel(side, ["send"], Operation("send", side, label=DATA, data=text))
        if reply.results[0].verdict is Verdict.FULFILLED:
            self._channels.sent(OTHER[side], text)
            await self._until(
                "send", lambda _: self._channels.has_arrived(OTHER[side]), "the message", ChannelJudge.SENT
            )
            self._found += self._channels.messages(OTHER[side])

    async def _close_channel(self, side: str, *, and_send: bool = False) -> None:
        operations = [Operation("closeChannel", side, label=DATA)]
        if and_send:
            operations.append(Operation("send", side, label=DATA, data="late"))
        before = self.states
        await self._on_channel(side, ["close", "send"], *operations)
        closed = self._channels.both_closed if self.is_connected else self._channels.closed(side)
        was_open = self._channels.both_open(before)
        await self._until("close", closed, "data channels closed", ChannelJudge.CLOSED)
        if was_open:
            self._record.cells.add(("data_channel", "open", "close by the other side"))
            self._found += self._channels.closed_by(side)

    async def _close(self, side: str) -> None:
        before = self._sides[side].model.is_closed
        kind, other = BY_NAME["close"], OTHER[side]
        if not before:
            self._record.cells.add(("connection_state", str(self.states[side].connectionState), "close"))
            at_the_other = str(self.states[other].connectionState)
            self._record.cells.add(("connection_state", at_the_other, "close by the other side"))
        was_open = self.is_connected and not before and self._channels.state(self.states, other) == "open"
        await self._operate(side, kind.name, Operation("close", side), closer=side)
        if was_open:
            self._record.cells.add(("data_channel", "open", "RTCPeerConnection.close by the other side"))
            await self._until(
                "close by the other side", self._channels.closed(other), "its data channel closed", ChannelJudge.CLOSED
            )
        self.is_connected = False

    # The machinery.

    async def _on_channel(self, side: str, triggers: list[str], *operations: Operation) -> Reply:
        """Operations on a side's channel, judged."""
        reply = await self._ask_alone(*operations)
        for trigger, result in zip(triggers, reply.results, strict=False):
            self._found += self._channels.done(side, trigger, result)
        self._see(triggers[0], reply)
        return reply

    async def _operate(self, side: str, name: str, operation: Operation, *, closer: str = "") -> Reply:
        """An operation that must succeed."""
        kind, one = BY_NAME[name], self._sides[side]
        reply = await self._ask_alone(operation)
        found = one.done([kind], [operation], reply)
        found += self._sides[OTHER[side]].seen(reply, f"{name} by the other side")
        found += self._channels.seen(reply, f"{name} by the other side" if closer else name, closer=closer)
        self._found += found
        if reply.results[0].verdict is not Verdict.FULFILLED:
            raise Broken
        return reply

    async def _ask(self, name: str, *operations: Operation) -> Reply:
        reply = await self._ask_alone(*operations)
        self._see(name, reply)
        return reply

    def _see(self, name: str, reply: Reply) -> None:
        self._record.steps += 1
        for side in self._sides.values():
            self._found += side.seen(reply, name)
        self._found += self._channels.seen(reply, name)

    async def _ask_alone(self, *operations: Operation) -> Reply:
        reply = await self._adapter.ask(*operations)
        self.states = reply.states
        return reply

    async def _until(self, name: str, condition: Condition, what: str, source: str) -> None:
        """Look until a condition holds; that it never does is a finding, and the trial's end."""
        clock = asyncio.get_running_loop().time
        ends = clock() + LIMIT_SECONDS
        while not condition(self.states):
            if clock() > ends:
                states = self.states["a"]
                did = f"never, with ICE {states.iceConnectionState} and connection {states.connectionState}"
                machine = "data_channel" if "data" in what or "message" in what else "connection_state"
                self._found.append(Difference(machine, str(states.connectionState), name, what, did, Kind.HANG, source))
                raise Broken
            await self._ask(name, Operation("look", wait_seconds=LOOK_SECONDS))

    def _taken(self) -> list[Difference]:
        found, self._found = self._found, []
        return found
