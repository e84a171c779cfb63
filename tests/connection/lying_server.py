"""A signalling server that lies: a proxy in front of the real one, which does with each frame what it likes."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from random import Random
from typing import Any, Self

import msgspec
from websockets.asyncio.client import connect
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from fsm_rtc import Configuration, PeerConnection, SessionDescription
from fsm_rtc.errors import FsmRtcError
from fsm_rtc.messages import (
    Answer,
    Candidate,
    Identity,
    Introduction,
    Joined,
    Member,
    Message,
    Offer,
    PeerMessage,
    Welcome,
    decode,
    encode,
)

__all__ = ["LIES", "LyingServer", "ThirdParty"]


class ThirdParty:
    """Somebody with a key and a live peer connection of his own, who wants to be taken for one of the two."""

    def __init__(self) -> None:
        self.identity = Identity.generate()
        self.connection = PeerConnection(Configuration(loopback=True), label="mallory")
        self.offer = ""
        self.heard: list[str | bytes] = []
        self._tries: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        channel = self.connection.create_data_channel("secure-channel")
        channel.on("message", self.heard.append)
        await self.connection.set_local_description(await self.connection.create_offer())
        description = self.connection.local_description
        assert description is not None
        self.offer = description.sdp
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*self._tries)
        await self.connection.close()

    def member(self, room: str, name: str) -> Member:
        """How he would introduce himself in a room, under another's name."""
        return Member(room, self.identity, name)

    def try_answer(self, sdp: str) -> None:
        """An answer came by: perhaps it is to his offer."""
        task = asyncio.create_task(self._apply(sdp))
        self._tries.add(task)

    async def _apply(self, sdp: str) -> None:
        with contextlib.suppress(FsmRtcError):
            await self.connection.set_remote_description(SessionDescription("answer", sdp))


Lie = Callable[["Liar", Message, str], list[str]]
"""What the recipient gets in the place of a frame."""


class Liar:
    """What one run of the server lies about.

    Args:
        lie: what it does with each frame.
        third: whom it works for.
        random: chooses.
    """

    def __init__(self, lie: Lie, third: ThirdParty, random: Random) -> None:
        self._lie = lie
        self.third = third
        self.random = random
        self.room = ""
        self.kept: list[str] = []
        self.recorded: list[str] = []
        self.told = 0

    def frames(self, text: str) -> list[str]:
        """What is passed on in the place of a frame."""
        message = decode(text)
        if isinstance(message, Answer):
            self.third.try_answer(message.payload)
        frames = self._lie(self, message, text)
        self.told += frames != [text]
        return frames


def honest(liar: Liar, message: Message, text: str) -> list[str]:
    return [text]


def alters_a_field(liar: Liar, message: Message, text: str) -> list[str]:
    if not isinstance(message, PeerMessage):
        return [text]
    fields = json.loads(text)
    name = liar.random.choice([name for name in fields if name != "type"])
    fields[name] = fields[name] + 1 if name == "sequence" else fields[name][::-1] + "A"
    return [json.dumps(fields)]


def swaps_the_description(liar: Liar, message: Message, text: str) -> list[str]:
    if not isinstance(message, Offer | Answer):
        return [text]
    return [encode(msgspec.structs.replace(message, payload=liar.third.offer))]


def swaps_the_fingerprint(liar: Liar, message: Message, text: str) -> list[str]:
    if not isinstance(message, Offer | Answer):
        return [text]
    theirs = {line for line in liar.third.offer.splitlines() if line.startswith("a=fingerprint")}
    lines = [theirs.copy().pop() if one.startswith("a=fingerprint") else one for one in message.payload.splitlines()]
    return [encode(msgspec.structs.replace(message, payload="\r\n".join(lines) + "\r\n"))]


def signs_with_its_own_key(liar: Liar, message: Message, text: str) -> list[str]:
    if not isinstance(message, PeerMessage):
        return [text]
    changed = msgspec.structs.replace(message, payload=liar.third.offer)
    return [encode(liar.third.member(message.room, "").sign(changed))]


def adds_a_candidate(liar: Liar, message: Message, text: str) -> list[str]:
    if not isinstance(message, PeerMessage):
        return [text]
    (line, *_) = (one[2:] for one in liar.third.offer.splitlines() if one.startswith("a=candidate"))
    payload = json.dumps({"candidate": line, "sdpMid": "0", "sdpMLineIndex": 0})
    fields = {name: getattr(message, name) for name in message.__struct_fields__}
    return [text, encode(Candidate(**{**fields, "sequence": message.sequence + 1, "payload": payload}))]


def _someone_else(liar: Liar, introduction: Introduction) -> Introduction:
    return liar.third.member(liar.room, introduction.name).introduction


def introduces_the_third_party(liar: Liar, message: Message, text: str) -> list[str]:
    if isinstance(message, Welcome):
        return [encode(Welcome(tuple(_someone_else(liar, one) for one in message.members)))]
    if isinstance(message, Joined):
        return [encode(Joined(_someone_else(liar, message.member)))]
    return [text]


def swaps_the_key(liar: Liar, message: Message, text: str) -> list[str]:
    def swapped(one: Introduction) -> Introduction:
        return msgspec.structs.replace(one, public_key=liar.third.identity.public_key)

    if isinstance(message, Welcome):
        return [encode(Welcome(tuple(map(swapped, message.members))))]
    return [encode(Joined(swapped(message.member)))] if isinstance(message, Joined) else [text]


def lets_the_third_party_offer(liar: Liar, message: Message, text: str) -> list[str]:
    """The third party comes beside the peer, under the peer's name, with an offer that is signed in order."""
    members = message.members if isinstance(message, Welcome) else ()
    known = members or ((message.member,) if isinstance(message, Joined) else ())
    if not known and not isinstance(message, PeerMessage):
        return [text]
    third = liar.third.member(liar.room, known[0].name if known else "bob")
    frames = [encode(Joined(third.introduction)), text]
    if isinstance(message, PeerMessage):
        mine = third.introduction
        offer = Offer(
            room=liar.room,
            sender=mine.id,
            recipient=message.recipient,
            sender_session=mine.session,
            recipient_session=message.recipient_session,
            sequence=1,
            offer_id=f"{mine.session}.1",
            payload=liar.third.offer,
            signature=b"",
        )
        frames.insert(1, encode(third.sign(offer)))
    return frames


def drops(liar: Liar, message: Message, text: str) -> list[str]:
    is_dropped = liar.told == 0 or liar.random.random() < 0.3
    return [] if isinstance(message, PeerMessage) and is_dropped else [text]


def repeats(liar: Liar, message: Message, text: str) -> list[str]:
    return [text] * liar.random.randint(2, 4) if isinstance(message, PeerMessage | Joined) else [text]


def reorders(liar: Liar, message: Message, text: str) -> list[str]:
    if not isinstance(message, PeerMessage):
        return [text]
    liar.kept.append(text)
    if liar.told == 0 or liar.random.random() < 0.5:
        return []
    kept, liar.kept = liar.kept, []
    liar.random.shuffle(kept)
    return kept


def replays_an_earlier_call(liar: Liar, message: Message, text: str) -> list[str]:
    if not isinstance(message, PeerMessage | Welcome | Joined):
        return [text]
    return [text, *liar.random.sample(liar.recorded, min(5, len(liar.recorded)))]


def breaks_frames(liar: Liar, message: Message, text: str) -> list[str]:
    if not isinstance(message, PeerMessage):
        return [text]
    return [text[: liar.random.randrange(len(text))], "[" * 1000, text[::-1], text]


LIES: tuple[Lie, ...] = (
    alters_a_field,
    swaps_the_description,
    swaps_the_fingerprint,
    signs_with_its_own_key,
    adds_a_candidate,
    introduces_the_third_party,
    swaps_the_key,
    lets_the_third_party_offer,
    drops,
    repeats,
    reorders,
    replays_an_earlier_call,
    breaks_frames,
)


class LyingServer:
    """A proxy: the clients' sockets on one side, the real server's on the other.

    Args:
        upstream: the real server's address.
        liar: what it lies about.
    """

    def __init__(self, upstream: str, liar: Liar) -> None:
        self._upstream = upstream
        self.liar = liar
        self.seen: list[str] = []
        self._server: Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await serve(self._serve, "127.0.0.1", 0, close_timeout=1)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"ws://127.0.0.1:{next(iter(self._server.sockets)).getsockname()[1]}"

    async def _serve(self, client: ServerConnection) -> None:
        assert client.request is not None
        self.liar.room = client.request.path.strip("/")
        async with connect(f"{self._upstream}{client.request.path}", close_timeout=1) as server:
            tasks = {
                asyncio.create_task(self._pass_on(client, server, lies=False)),
                asyncio.create_task(self._pass_on(server, client, lies=True)),
            }
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _pass_on(self, source: Any, to: Any, *, lies: bool) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for text in source:
                self.seen.append(text)
                for frame in self.liar.frames(text) if lies else [text]:
                    await to.send(frame)
