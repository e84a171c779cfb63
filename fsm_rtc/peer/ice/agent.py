"""The ICE agent: aioice's, which gathers in steps and keeps the other side's consent.

What aioice does otherwise: it gathers everything before anything can be checked, it takes the first STUN and the first
TURN server alone, and it closes itself when consent is lost, so that nothing could be rescued. Which private parts of
aioice that takes stands in `private`.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from aioice import Candidate, TransportPolicy, ice

from fsm_rtc.peer.ice.consent import Consenting
from fsm_rtc.peer.ice.private import abandon_relay
from fsm_rtc.peer.ice.servers import Server, ServerError, reflexive_candidate, relayed_candidate

__all__ = ["Agent", "host_addresses"]

logger = logging.getLogger("fsm_rtc.peer.ice")


GOODBYE_SECONDS = 1.0
"""How long a TURN server has to say that it has freed an address; it frees it later by itself."""


def host_addresses() -> list[str]:
    """The addresses that aioice would gather on this host; it leaves out 127.0.0.1 and ::1."""
    return ice.get_host_addresses(use_ipv4=True, use_ipv6=True)


class Agent(Consenting):
    """An aioice Connection with one component; checks and consent are as in its bases.

    Args:
        servers: those to ask.
        policy: aioice's TransportPolicy.
        username, password: this side's credentials, or None for new ones.
        timeout_seconds: how long the servers have to answer.
        loopback: whether to gather on 127.0.0.1 alone.

    Attributes:
        hosts_found: set once the host candidates are there, so that checks may begin.
        found: called with each aioice Candidate of this side.
        failed: called with a server that gave no candidate, the host candidate it was asked for or None, and why.
        received: called with each datagram of the other side's.
    """

    def __init__(
        self,
        servers: tuple[Server, ...],
        policy: TransportPolicy,
        username: str | None,
        password: str | None,
        *,
        timeout_seconds: float,
        loopback: bool,
    ) -> None:
        super().__init__(
            ice_controlling=False, transport_policy=policy, local_username=username, local_password=password
        )
        self.hosts_found = asyncio.Event()
        self.found: Callable[[Candidate], None] = _ignore
        self.failed: Callable[[Server, Candidate | None, ServerError], None] = _ignore
        self.received: Callable[[bytes], None] = _ignore
        self._servers = servers
        self._timeout_seconds = timeout_seconds
        self._loopback = loopback
        self._is_gathering = True
        self._asking: set[asyncio.Task[None]] = set()

    @property
    def has_remote_end(self) -> bool:
        """Whether the other side said that it has no more candidates."""
        return self._remote_candidates_end

    @property
    def has_all_candidates(self) -> bool:
        """Whether neither side will find more."""
        return self._remote_candidates_end and not self._is_gathering

    # Gathering.

    async def gather_candidates(self) -> None:
        """Gather: host candidates at once, the servers' as they answer; return when there will be no more."""
        if self._local_candidates_start:
            return
        self._local_candidates_start = True
        for candidate in await self.get_component_candidates(component=1, addresses=self._addresses()):
            self._add(candidate)
        self._local_candidates_end = True
        self.hosts_found.set()
        if self._closing:
            # aioice has closed the sockets that it knew then, and forgets those that it opened after.
            for protocol in self._protocols:
                protocol.transport.close()
        else:
            await self._ask_servers()
        self._is_gathering = False
        if not self._closing:
            self._check_list_maybe_fail()

    def _addresses(self) -> list[str]:
        if self._transport_policy is TransportPolicy.RELAY:
            return []
        return ["127.0.0.1"] if self._loopback else host_addresses()

    async def _ask_servers(self) -> None:
        sockets = [
            protocol for protocol in self._protocols if ipaddress.ip_address(protocol.local_candidate.host).version == 4
        ]
        for server in self._servers:
            if not server.is_supported:
                self.failed(server, None, ServerError(f"{server.scheme} over {server.transport} is not supported"))
            elif server.scheme == "stun":
                for protocol in sockets:
                    self._ask(partial(self._reflect, protocol, server), server, protocol.local_candidate)
            else:
                self._ask(partial(self._relay, server), server, None)
        if not self._asking:
            return
        _, late = await asyncio.wait(set(self._asking), timeout=self._timeout_seconds)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)

    def _ask(self, asking: Callable[[], Awaitable[None]], server: Server, host: Candidate | None) -> None:
        async def ask() -> None:
            try:
                await asking()
            except ServerError as error:
                self.failed(server, host, error)
            except asyncio.CancelledError:
                if not self._closing:
                    self.failed(server, host, ServerError(f"no answer within {self._timeout_seconds:g} s"))
                raise

        task = asyncio.create_task(ask(), name=f"fsm_rtc ask {server.url}")
        self._asking.add(task)
        task.add_done_callback(self._asked)

    def _asked(self, task: asyncio.Task[None]) -> None:
        self._asking.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.warning("gathering failed: %s", error if str(error) else type(error).__name__)

    async def _reflect(self, protocol: Any, server: Server) -> None:
        self._add(await reflexive_candidate(protocol, server))

    async def _relay(self, server: Server) -> None:
        hide = self._transport_policy is TransportPolicy.RELAY
        candidate, protocol = await relayed_candidate(self, server, hide_related_address=hide)
        if self._closing:
            await protocol.close()
            return
        self._protocols.append(protocol)
        self._add(candidate)
        for remote in self._remote_candidates:
            self._pair_remote_candidate(remote)

    def _add(self, candidate: Candidate) -> None:
        is_known = any((one.host, one.port) == (candidate.host, candidate.port) for one in self._local_candidates)
        if not is_known and not self._closing:
            self._local_candidates.append(candidate)
            self.found(candidate)

    def _remote_candidates_expected(self) -> bool:
        """Whether more pairs may come, so that nothing has failed yet: of either side's candidates."""
        return self._is_gathering or super()._remote_candidates_expected()

    # Data, and the end.

    def data_received(self, data: bytes, component: int) -> None:
        self.heard_at = self._now()
        self.received(data)

    async def close(self) -> None:
        """Close every socket, and wait until nothing is left."""
        self._closing = True
        self.hosts_found.set()
        for task in self._asking:
            task.cancel()
        if self._asking:
            await asyncio.wait(set(self._asking))
        closing = asyncio.ensure_future(super().close())
        _, late = await asyncio.wait({closing}, timeout=GOODBYE_SECONDS)
        for protocol in self._protocols if late else ():
            abandon_relay(protocol.transport)
        await closing


def _ignore(*_: object) -> None:
    """Nobody listens yet."""
