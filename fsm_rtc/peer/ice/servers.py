"""Asking STUN and TURN servers for candidates, each for itself. Source: RFC 8445, section 5.1.1."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator
from dataclasses import dataclass
from typing import Any

from aioice import ice, stun
from aiortc import RTCIceServer
from aiortc.rtcicetransport import parse_stun_turn_uri

__all__ = ["Server", "ServerError", "check_servers", "reflexive_candidate", "relayed_candidate", "servers_of"]

UNREACHABLE = 701
"""The code of a server that can't be reached. Source: webrtc-pc, #dom-rtcpeerconnectioniceerrorevent-errorcode."""


@dataclass(frozen=True, slots=True)
class Server:
    """One URL of a STUN or TURN server.

    Attributes:
        url: as it was given.
        scheme: ``stun``, ``stuns``, ``turn`` or ``turns``.
        address: host and port.
        transport: ``udp`` or ``tcp``, for TURN.
        username, credential: for TURN, or None.
    """

    url: str
    scheme: str
    address: tuple[str, int]
    transport: str = "udp"
    username: str | None = None
    credential: str | None = None

    @property
    def is_supported(self) -> bool:
        """Whether aioice can talk to it."""
        return self.scheme in ("stun", "turn") or (self.scheme == "turns" and self.transport == "tcp")


class ServerError(Exception):
    """A server that gave no candidate.

    Attributes:
        code: the STUN error code, or 701 if it could not be reached.
    """

    def __init__(self, text: str, code: int = UNREACHABLE) -> None:
        super().__init__(text)
        self.code = code


def servers_of(configured: list[RTCIceServer]) -> Iterator[Server]:
    """Every URL of the configured servers.

    Raises:
        ValueError: aiortc can't read a URL.
    """
    for server in configured:
        for url in server.urls if isinstance(server.urls, list) else [server.urls]:
            parsed = parse_stun_turn_uri(url)
            yield Server(
                url,
                parsed["scheme"],
                (parsed["host"], parsed["port"]),
                parsed.get("transport") or "udp",
                server.username,
                server.credential,
            )


def check_servers(configured: list[RTCIceServer]) -> None:
    """Refuse now what would be refused when the first transport is made.

    Raises:
        ValueError: aiortc can't read a URL, such as one with an IPv6 address in it.
    """
    try:
        list(servers_of(configured))
    except ValueError as error:
        urls = ", ".join(str(server.urls) for server in configured)
        raise ValueError(f"aiortc can't use the ICE servers {urls} ({error}); name hosts, or IPv4 addresses") from error


async def reflexive_candidate(protocol: Any, server: Server) -> Any:
    """This socket's address as the server sees it.

    Raises:
        ServerError: it gave none.
    """
    return (await _asked(ice.server_reflexive_candidate(protocol, server.address)))[0]


async def relayed_candidate(receiver: Any, server: Server, *, hide_related_address: bool) -> tuple[Any, Any]:
    """An address that the server relays, and the protocol that uses it.

    Raises:
        ServerError: it gave none.
    """
    candidate, protocol = await _asked(
        ice.relayed_candidate(
            component=1,
            hide_related_address=hide_related_address,
            protocol_factory=lambda: ice.StunProtocol(receiver),
            turn_server=server.address,
            turn_username=server.username,
            turn_password=server.credential,
            turn_ssl=server.scheme == "turns",
            turn_transport=server.transport,
        )
    )
    return candidate, protocol


async def _asked(asking: Awaitable[Any]) -> Any:
    try:
        return await asking
    except stun.TransactionFailed as error:
        code, text = error.response.attributes.get("ERROR-CODE", (UNREACHABLE, str(error)))
        raise ServerError(text, code) from error
    except stun.TransactionError as error:
        raise ServerError("the server doesn't answer") from error
    except (OSError, ConnectionError, asyncio.IncompleteReadError) as error:
        raise ServerError(f"the server can't be reached: {error}") from error
