"""The third party for whom a signalling server may lie; he could really connect, if he were let."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Self

from fsm_rtc import Configuration, PeerConnection, SessionDescription
from fsm_rtc.errors import FsmRtcError
from fsm_rtc.machines.connection_state import PeerConnectionState
from fsm_rtc.messages import Identity, Member
from fsm_rtc.peer.data_channel import DataChannel

__all__ = ["ThirdParty"]


class ThirdParty:
    """Somebody with a key and live peer connections of his own, who wants to be taken for one of the two.

    Attributes:
        identity: his key.
        offer: an offer of his; he would connect with whoever answers it.
        heard: what came to him on a data channel.
        is_connected: set when any of his peer connections is.
    """

    def __init__(self) -> None:
        self.identity = Identity.generate()
        self.offer = ""
        self.heard: list[str | bytes] = []
        self.is_connected = asyncio.Event()
        self._offering = self._new_connection()
        self._connections = [self._offering]
        self._tries: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._listen(self._offering.create_data_channel("secure-channel"))
        await self._offering.set_local_description(await self._offering.create_offer())
        self.offer = _local_sdp(self._offering)
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*self._tries)
        await asyncio.gather(*(one.close() for one in self._connections))

    def member(self, room: str, name: str) -> Member:
        """How he would introduce himself in a room, under another's name."""
        return Member(room, self.identity, name)

    async def answer(self, sdp: str) -> str:
        """His answer to somebody else's offer."""
        connection = self._new_connection()
        self._connections.append(connection)
        await connection.set_remote_description(SessionDescription("offer", sdp))
        await connection.set_local_description(await connection.create_answer())
        return _local_sdp(connection)

    def try_answer(self, sdp: str) -> None:
        """An answer came by: perhaps it is to his offer."""
        self._tries.add(asyncio.create_task(self._apply(sdp)))

    async def _apply(self, sdp: str) -> None:
        with contextlib.suppress(FsmRtcError):
            await self._offering.set_remote_description(SessionDescription("answer", sdp))

    def _new_connection(self) -> PeerConnection:
        connection = PeerConnection(Configuration(loopback=True), label="mallory")
        connection.on("datachannel", self._listen)
        connection.on("connectionstatechange", lambda: self._changed(connection))
        return connection

    def _listen(self, channel: DataChannel) -> None:
        channel.on("message", self.heard.append)

    def _changed(self, connection: PeerConnection) -> None:
        if connection.connection_state is PeerConnectionState.CONNECTED:
            self.is_connected.set()


def _local_sdp(connection: PeerConnection) -> str:
    assert connection.local_description is not None
    return connection.local_description.sdp
