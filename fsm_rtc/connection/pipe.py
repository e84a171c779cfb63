"""PipeChannel: signalling over anything that carries texts between two sides. For embedders with a way of their own.

The two sides have no server to introduce them, so they do it themselves: each says ``joined`` when it begins, and again
when it hears the other say so for the first time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from fsm_rtc.connection.channel import LinkDown, LinkUp, MessageReceived, PeerJoined, SignalingEvent
from fsm_rtc.engine import doors
from fsm_rtc.errors import LinkDownError, MessageError
from fsm_rtc.machines.lifetime import Lifetime
from fsm_rtc.messages import Introduction, Member, MemberJoined, decode, encode

__all__ = ["PipeChannel", "memory_pipe"]


class PipeChannel:
    """A `SignalingChannel` over a way of your own.

    Args:
        send: passes a text to the other side; may raise when it can't.
        receive: the next text from the other side; None when there will be no more.
        room: what both sides call their meeting; messages are bound to it.
    """

    def __init__(
        self,
        send: Callable[[str], Awaitable[None]],
        receive: Callable[[], Awaitable[str | bytes | None]],
        room: str = "",
    ) -> None:
        if not all(map(callable, (send, receive))):
            raise TypeError("a PipeChannel needs two coroutine functions: send(text), and receive() for the next text")
        doors.text(room, "the room", TypeError)
        self._send = send
        self._receive = receive
        self._room = room
        self._me: Introduction | None = None
        self._opened = asyncio.Event()
        self._answered: tuple[str, str] | None = None
        self._life = Lifetime(None)

    @property
    def room(self) -> str:
        """As given."""
        return self._room

    async def open(self, me: Member) -> None:
        """Introduce this side."""
        self._me = me.introduction
        await self._introduce()
        self._opened.set()

    async def send(self, text: str) -> None:
        """Pass a message on.

        Raises:
            LinkDownError: the channel is closed.
        """
        if not self._life.permits("use"):
            raise LinkDownError("this channel is closed; open another")
        await self._send(text)

    async def events(self) -> AsyncIterator[SignalingEvent]:
        """What comes from the other side, until it ends."""
        await self._opened.wait()
        yield LinkUp()
        while self._life.permits("use") and (frame := await self._receive()) is not None:
            joined = _joined(frame)
            if joined is None:
                yield MessageReceived(frame)
                continue
            if (joined.id, joined.session) != self._answered:
                self._answered = joined.id, joined.session
                await self._introduce()
            yield PeerJoined(joined)
        yield LinkDown()

    async def aclose(self) -> None:
        """Take and give nothing more."""
        self._life.close()

    async def _introduce(self) -> None:
        if self._me is not None and self._life.permits("use"):
            await self._send(encode(MemberJoined(self._me)))


def memory_pipe(room: str = "") -> tuple[PipeChannel, PipeChannel]:
    """Two channels within one process, each the other's other side."""
    there: asyncio.Queue[str | bytes | None] = asyncio.Queue()
    back: asyncio.Queue[str | bytes | None] = asyncio.Queue()
    return PipeChannel(there.put, back.get, room), PipeChannel(back.put, there.get, room)


def _joined(frame: str | bytes) -> Introduction | None:
    try:
        message = decode(frame)
    except MessageError:
        return None
    return message.member if isinstance(message, MemberJoined) else None
