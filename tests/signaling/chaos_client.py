"""Clients of the chaos test, in a process of their own: ``python -m tests.signaling.chaos_client PORT PLAN``.

Each joins its room, sends so many numbered messages to each other member, and reads as many from each; those that read
slowly take their time over each. It prints a line of JSON when every one has everything, and leaves when it is told to
by the end of its input.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import defaultdict
from dataclasses import dataclass
from random import Random

import msgspec

from fsm_rtc.connection.channel import LinkDown, LinkUp, MessageReceived, PeerJoined, PeerLeft
from fsm_rtc.errors import LinkDownError
from fsm_rtc.messages.identity import Identity
from fsm_rtc.messages.signing import Member, is_genuine
from fsm_rtc.messages.wire import Introduction, Offer, PeerMessage, decode, encode
from fsm_rtc.signaling.backoff import Backoff
from fsm_rtc.signaling.client import WebSocketSignaling

__all__ = ["Plan", "Report"]


class Plan(msgspec.Struct):
    """What the clients of one process do.

    Attributes:
        rooms: the room of each client.
        members: how many members a room has in the end.
        messages: how many each sends to each other.
        slow: every so-manieth client reads slowly.
        seed: of their delays.
    """

    rooms: list[str]
    members: int
    messages: int
    slow: int
    seed: int


class Report(msgspec.Struct):
    """What they saw.

    Attributes:
        right: how many senders' messages came once and in order, of all that each client waits for.
        wrong: the first few others: what came instead.
        resumed: how often a session went on.
        begun: how often one began.
        left: how often somebody was said to have left.
    """

    right: int
    wrong: list[str]
    resumed: int
    begun: int
    left: int


@dataclass(eq=False)
class Client:
    channel: WebSocketSignaling
    me: Member
    plan: Plan
    random: Random
    reads_slowly: bool

    def __post_init__(self) -> None:
        self.heard: dict[str, list[int]] = defaultdict(list)
        self.keys: dict[str, bytes] = {}
        self.resumed = self.begun = self.left = 0
        self.up = asyncio.Event()
        self.complete = asyncio.Event()
        self.senders: dict[str, asyncio.Task[None]] = {}

    async def read(self) -> None:
        async for event in self.channel.events():
            match event:
                case LinkUp(members, resumed, _):
                    self.resumed += resumed
                    self.begun += not resumed
                    self.up.set()
                    for member in members:
                        self.meet(member)
                case LinkDown():
                    self.up.clear()
                case PeerJoined(member):
                    self.meet(member)
                case PeerLeft():
                    self.left += 1
                case MessageReceived(frame):
                    self.take(frame)
            if self.reads_slowly:
                await asyncio.sleep(self.random.uniform(0, 0.01))

    def take(self, frame: str | bytes) -> None:
        message = decode(frame)
        assert isinstance(message, PeerMessage)
        assert is_genuine(message, self.keys[message.sender])
        self.heard[message.sender].append(message.sequence)
        others = self.plan.members - 1
        counts = [len(numbers) for numbers in self.heard.values()]
        if len(counts) == others and min(counts) >= self.plan.messages:
            self.complete.set()

    def meet(self, member: Introduction) -> None:
        self.keys[member.id] = member.public_key
        if member.id not in self.senders:
            self.senders[member.id] = asyncio.create_task(self.send_all(member))

    async def send_all(self, member: Introduction) -> None:
        for number in range(1, self.plan.messages + 1):
            text = encode(self.me.sign(offer(self.me, member, number)))
            while True:
                try:
                    await self.channel.send(text)
                    break
                except LinkDownError:
                    self.up.clear()
                    await self.up.wait()
            if self.random.random() < 0.1:
                await asyncio.sleep(self.random.uniform(0, 0.02))


def offer(me: Member, to: Introduction, number: int) -> Offer:
    mine = me.introduction
    return Offer(
        room=me.room,
        sender=mine.id,
        recipient=to.id,
        sender_session=mine.session,
        recipient_session=to.session,
        sequence=number,
        offer_id="",
        payload="x" * 200,
        signature=b"",
    )


async def run(port: int, plan: Plan) -> None:
    random = Random(plan.seed)
    clients = []
    for number, room in enumerate(plan.rooms):
        channel = WebSocketSignaling(f"ws://127.0.0.1:{port}/{room}", backoff=Backoff(0.02, 0.2))
        slow = number % plan.slow == 0
        clients.append(Client(channel, Member(room, Identity.generate()), plan, Random(random.random()), slow))
    reading = [asyncio.create_task(client.read()) for client in clients]
    for client in clients:
        await client.channel.open(client.me)
    for client in clients:
        await client.complete.wait()
    print("complete", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    wanted = list(range(1, plan.messages + 1))
    results = [(who, numbers) for client in clients for who, numbers in client.heard.items()]
    wrong = [f"{who[:6]}: {numbers}" for who, numbers in results if numbers != wanted]
    report = Report(
        len(results) - len(wrong),
        wrong[:3],
        sum(client.resumed for client in clients),
        sum(client.begun for client in clients),
        sum(client.left for client in clients),
    )
    print(msgspec.json.encode(report).decode(), flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    for client in clients:
        await client.channel.aclose()
    await asyncio.gather(*reading)
    for client in clients:
        await asyncio.gather(*client.senders.values())


if __name__ == "__main__":
    asyncio.run(run(int(sys.argv[1]), msgspec.convert(json.loads(sys.argv[2]), Plan)))
