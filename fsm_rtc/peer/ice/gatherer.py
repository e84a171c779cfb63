"""RTCIceGatherer: this side's candidates and credentials, for one generation of a transport."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Any

import aiortc
from aioice import Candidate
from aiortc.rtcicetransport import ICE_TRANSPORT_POLICIES, candidate_from_aioice

from fsm_rtc.peer.ice.agent import Agent
from fsm_rtc.peer.ice.plain_agent import PlainAgent
from fsm_rtc.peer.ice.private import missing_parts
from fsm_rtc.peer.ice.servers import Server, ServerError, servers_of

__all__ = ["IceCandidateError", "IceGatherer"]

logger = logging.getLogger("fsm_rtc.peer.ice")


@dataclass(frozen=True, slots=True)
class IceCandidateError:
    """RTCPeerConnectionIceErrorEvent: a server gave no candidate.

    Attributes:
        url: the server's.
        address: the local address that it was asked from, or None.
        port: the local port, or None.
        errorCode: the server's STUN error code; 701 if it could not be reached.
        errorText: what the server said, or why it could not be reached.
    """

    url: str
    address: str | None
    port: int | None
    errorCode: int
    errorText: str


class IceGatherer(aiortc.RTCIceGatherer):
    """Finds this side's candidates.

    Events: ``candidate`` (an aiortc RTCIceCandidate, as it is found), ``candidateerror`` (an IceCandidateError) and
    ``statechange``.

    Args:
        iceServers: STUN and TURN servers; every URL is used. None if None.
        iceTransportPolicy: aiortc's.
        local_username, local_password: the credentials, or None for new ones.
        timeout_seconds: how long servers have to answer.
        loopback: gather on 127.0.0.1 alone.

    Raises:
        ValueError: a URL can't be read.
    """

    def __init__(
        self,
        iceServers: list[aiortc.RTCIceServer] | None = None,
        iceTransportPolicy: aiortc.RTCIceTransportPolicy = aiortc.RTCIceTransportPolicy.ALL,
        local_username: str | None = None,
        local_password: str | None = None,
        *,
        timeout_seconds: float = 5.0,
        loopback: bool = False,
    ) -> None:
        super().__init__([], iceTransportPolicy, local_username, local_password)
        servers, policy = iceServers or [], ICE_TRANSPORT_POLICIES[iceTransportPolicy]
        self.agent: Agent | PlainAgent
        if missing_parts():
            self.agent = PlainAgent(servers, policy, local_username, local_password)
        else:
            self.agent = Agent(
                tuple(servers_of(servers)),
                policy,
                local_username,
                local_password,
                timeout_seconds=timeout_seconds,
                loopback=loopback,
            )
        self._connection = self.agent
        self.agent.found = self._found
        self.agent.failed = self._failed
        self._state = "new"
        self._is_stopped = False

    @property
    def state(self) -> str:
        """``new``, ``gathering`` or ``completed``, in aiortc's words."""
        return self._state

    @property
    def hosts_found(self) -> asyncio.Event:
        """Set once the host candidates are there, or the gatherer is stopped."""
        return self.agent.hosts_found

    async def gather(self) -> None:
        """Find the candidates; return when there will be no more."""
        if self._state != "new" or self._is_stopped:
            return
        self._set_state("gathering")
        await self.agent.gather_candidates()
        if not self._is_stopped:
            self._set_state("completed")

    async def stop(self) -> None:
        """Give it up: no event any more, and nothing is left when this returns."""
        self._is_stopped = True
        self.remove_all_listeners()
        await self.agent.close()

    def _set_state(self, state: str) -> None:
        self._state = state
        self.emit("statechange")

    def _found(self, candidate: Candidate) -> None:
        self.emit("candidate", candidate_from_aioice(candidate))

    def _failed(self, server: Server, host: Any, error: ServerError) -> None:
        logger.info("%s gave no candidate: %s", server.url, error)
        self.emit(
            "candidateerror",
            IceCandidateError(
                server.url,
                host.host if host is not None else None,
                host.port if host is not None else None,
                error.code,
                str(error),
            ),
        )
