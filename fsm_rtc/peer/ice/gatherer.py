"""RTCIceGatherer: this side's candidates and credentials, for one generation of a transport."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import aiortc
from aioice import Candidate, TransportPolicy, ice
from aiortc import RTCIceServer
from aiortc.rtcicetransport import ICE_TRANSPORT_POLICIES, candidate_from_aioice, connection_kwargs

from fsm_rtc.machines.gatherer import Gatherer, IceGathererState
from fsm_rtc.peer.forwarding import Forwarded
from fsm_rtc.peer.ice.agent import Agent, ServerError, ServerUrl, urls_of
from fsm_rtc.peer.ice.checks import AgentEvents
from fsm_rtc.peer.ice.private import missing_parts

logger = logging.getLogger("fsm_rtc.peer.ice")


class PlainAgent(AgentEvents, ice.Connection):
    """An aioice Connection that tells what it found when everything is gathered.

    Args:
        servers: STUN and TURN servers; the first of each kind is asked.
        policy: aioice's TransportPolicy.
        username, password: this side's credentials, or None for new ones.
        status: the gatherer's machine.

    Attributes:
        hosts_found: as in `Agent`; of the events, `found` and `received` alone are told.
        is_connected: whether there is a way to the other side.
        is_missing, requests, generation: as in `Agent`; it doesn't know.
        has_all_candidates, has_remote_end: as in `Agent`.
    """

    def __init__(
        self,
        servers: list[RTCIceServer],
        policy: TransportPolicy,
        username: str | None,
        password: str | None,
        status: Callable[[], Gatherer],
    ) -> None:
        super().__init__(
            ice_controlling=False,
            transport_policy=policy,
            local_username=username,
            local_password=password,
            **connection_kwargs(servers),
        )
        self.hosts_found = asyncio.Event()
        self.is_connected = self.is_missing = self.has_remote_end = False
        self.requests, self.generation = 1, 0
        self._status = status

    @property
    def nominated_pair(self) -> Any:
        """It doesn't know."""
        return None

    @property
    def has_all_candidates(self) -> bool:
        return self.has_remote_end and not self._status().permits("find")

    async def gather_candidates(self) -> None:
        """Gather everything, and then tell of it."""
        await super().gather_candidates()
        for candidate in self.local_candidates:
            self.found(candidate)
        self.hosts_found.set()

    def end_candidates(self) -> None:
        """aioice knows it."""

    async def add_remote_candidate(self, remote_candidate: Candidate | None) -> None:
        self.has_remote_end = self.has_remote_end or remote_candidate is None
        await super().add_remote_candidate(remote_candidate)

    async def connect(self) -> None:
        await super().connect()
        self.is_connected = True

    def data_received(self, data: bytes, component: int) -> None:
        self.received(data)

    async def close(self) -> None:
        if not self._status().is_final:
            self._status().close()
        self.hosts_found.set()
        self.is_connected = False
        await super().close()


NEW, GATHERING, COMPLETE, CLOSED = IceGathererState
AIORTC = {NEW: "new", GATHERING: "gathering", COMPLETE: "completed", CLOSED: "completed"}


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

    Attributes:
        machine: its state; the keeper of machines puts one of its own here before it begins, since many an offer makes
            gatherers that are never used.

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
        self.machine = Gatherer()
        self.agent: Agent | PlainAgent
        if missing_parts():
            self.agent = PlainAgent(servers, policy, local_username, local_password, lambda: self.machine)
        else:
            self.agent = Agent(
                tuple(urls_of(servers)),
                policy,
                local_username,
                local_password,
                lambda: self.machine,
                timeout_seconds=timeout_seconds,
                loopback=loopback,
            )
        self._connection = self.agent
        self.agent.found = self._found
        self.agent.failed = self._failed

    @property
    def state(self) -> str:
        """``new``, ``gathering`` or ``completed``, in aiortc's words; one that is closed finds nothing more."""
        return AIORTC[self.machine.state]

    @property
    def gathering_state(self) -> str:
        """RTCIceGathererState, in the specification's words."""
        return {"completed": "complete"}.get(self.state, self.state)

    hosts_found = Forwarded[asyncio.Event]("agent.hosts_found")
    """Set once the host candidates are there, or the gatherer is stopped."""

    async def gather(self) -> None:
        """Find the candidates; return when there will be no more."""
        if not self.machine.gather():
            return
        self.emit("statechange")
        await self.agent.gather_candidates()
        if self.machine.is_final:
            return  # it was given up
        self.machine.on_complete()
        self.agent.end_candidates()
        self.emit("statechange")

    async def stop(self) -> None:
        """Give it up: no event any more, and nothing is left when this returns."""
        self.remove_all_listeners()
        await self.agent.close()

    def _found(self, candidate: Candidate) -> None:
        self.emit("candidate", candidate_from_aioice(candidate))

    def _failed(self, server: ServerUrl, host: Any, error: ServerError) -> None:
        logger.info("%s gave no candidate: %s", server.url, error)
        address, port = (host.host, host.port) if host is not None else (None, None)
        self.emit("candidateerror", IceCandidateError(server.url, address, port, error.code, str(error)))
