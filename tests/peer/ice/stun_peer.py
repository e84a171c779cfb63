"""The other side of an ICE transport, played by a test: it says what the test wants, and keeps what it hears."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from aioice import Candidate, stun
from aiortc.rtcicetransport import RTCIceParameters, candidate_from_aioice

from tests.peer.ice.links import LIMIT_SECONDS, End

Answer = Callable[[stun.Message], "stun.Message | None"]

USERNAME, PASSWORD = "peer", "a+password+of+the+peer"


class StunPeer(asyncio.DatagramProtocol):
    """One socket of the other side.

    Attributes:
        requests: the checks that it got, oldest first, with where they came from.
        responses: what its own were answered.
        answers: makes the answer to a check, or None; `succeed` by default.
    """

    def __init__(self, end: End) -> None:
        self.requests: list[tuple[stun.Message, tuple[str, int]]] = []
        self.responses: list[stun.Message] = []
        self.answers: Answer = self.succeed
        self._end = end
        self._heard = asyncio.Event()
        self._transport: Any = None

    @classmethod
    async def open(cls, end: End, address: str = "127.0.0.1") -> StunPeer:
        loop = asyncio.get_running_loop()
        _, peer = await loop.create_datagram_endpoint(lambda: cls(end), local_addr=(address, 0))
        return peer

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        message = stun.parse_message(data)
        if message.message_class is stun.Class.REQUEST:
            self.requests.append((message, address))
            answer = self.answers(message)
            if answer is not None:
                if "XOR-MAPPED-ADDRESS" in answer.attributes:
                    answer.attributes["XOR-MAPPED-ADDRESS"] = address
                answer.add_message_integrity(PASSWORD.encode())
                self._transport.sendto(bytes(answer), address)
        else:
            self.responses.append(message)
        self._heard.set()

    @property
    def parameters(self) -> RTCIceParameters:
        return RTCIceParameters(usernameFragment=USERNAME, password=PASSWORD)

    def candidate(self, *, priority: int = 2130706431) -> Any:
        """Its address, as aiortc's candidate."""
        host, port = self._transport.get_extra_info("sockname")
        return candidate_from_aioice(Candidate("1", 1, "udp", priority, host, port, "host"))

    @staticmethod
    def succeed(request: stun.Message) -> stun.Message:
        return _response(request, stun.Class.RESPONSE, {"XOR-MAPPED-ADDRESS": ("127.0.0.1", 1)})

    @staticmethod
    def refuse(code: int) -> Answer:
        return lambda request: _response(request, stun.Class.ERROR, {"ERROR-CODE": (code, "refused")})

    @staticmethod
    def silent(_: stun.Message) -> None:
        """Nobody hears it."""

    def ask(self, *, nominate: bool = False, role: str = "ICE-CONTROLLING", tie_breaker: int = 1) -> None:
        """Send a check of its own to the first candidate of the transport's."""
        gatherer = self._end[0]
        local, parameters = gatherer.getLocalCandidates()[0], gatherer.getLocalParameters()
        attributes: dict[str, Any] = {
            "USERNAME": f"{parameters.usernameFragment}:{USERNAME}",
            "PRIORITY": 1,
            role: tie_breaker,
        }
        if nominate:
            attributes["USE-CANDIDATE"] = None
        request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST, attributes=attributes)
        request.add_message_integrity(str(parameters.password).encode())
        self._transport.sendto(bytes(request), (local.ip, local.port))

    def send(self, data: bytes) -> None:
        """Send what is no STUN."""
        local = self._end[0].getLocalCandidates()[0]
        self._transport.sendto(data, (local.ip, local.port))

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something is heard after which it holds."""
        async with asyncio.timeout(LIMIT_SECONDS):
            while not holds():
                self._heard.clear()
                await self._heard.wait()

    def close(self) -> None:
        self._transport.close()


def _response(request: stun.Message, kind: stun.Class, attributes: dict[str, Any]) -> stun.Message:
    return stun.Message(stun.Method.BINDING, kind, request.transaction_id, attributes)
