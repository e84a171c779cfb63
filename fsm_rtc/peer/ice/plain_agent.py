"""The ICE agent of an aioice that lacks what `Agent` needs: aioice's own way, told in the same words."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from aioice import Candidate, TransportPolicy, ice
from aiortc import RTCIceServer
from aiortc.rtcicetransport import connection_kwargs

__all__ = ["PlainAgent"]


class PlainAgent(ice.Connection):
    """An aioice Connection that tells what it found when everything is gathered.

    Args:
        servers: STUN and TURN servers; the first of each kind is asked.
        policy: aioice's TransportPolicy.
        username, password: this side's credentials, or None for new ones.

    Attributes:
        hosts_found, found, failed, received, heard, selected, exhausted, consented, expired: as in `Agent`; of the
            calls, `found` and `received` alone are made.
        is_connected: whether there is a way to the other side.
        is_missing, requests, generation: as in `Agent`; it doesn't know.
        has_all_candidates, has_remote_end: as in `Agent`.
    """

    def __init__(
        self, servers: list[RTCIceServer], policy: TransportPolicy, username: str | None, password: str | None
    ) -> None:
        super().__init__(
            ice_controlling=False,
            transport_policy=policy,
            local_username=username,
            local_password=password,
            **connection_kwargs(servers),
        )
        self.hosts_found = asyncio.Event()
        self.found: Callable[[Candidate], None] = _ignore
        self.failed: Callable[..., None] = _ignore
        self.received: Callable[[bytes], None] = _ignore
        self.heard: Callable[[], None] = _ignore
        self.selected: Callable[[], None] = _ignore
        self.exhausted: Callable[[bool], None] = _ignore
        self.consented: Callable[[bool], None] = _ignore
        self.expired: Callable[[], None] = _ignore
        self.is_connected = False
        self.is_missing = False
        self.requests = 1
        self.generation = 0
        self.has_remote_end = False
        self._has_gathered = False

    @property
    def nominated_pair(self) -> Any:
        """It doesn't know."""
        return None

    @property
    def has_all_candidates(self) -> bool:
        return self.has_remote_end and self._has_gathered

    async def gather_candidates(self) -> None:
        """Gather everything, and then tell of it."""
        await super().gather_candidates()
        self._has_gathered = True
        for candidate in self.local_candidates:
            self.found(candidate)
        self.hosts_found.set()

    async def add_remote_candidate(self, remote_candidate: Candidate | None) -> None:
        self.has_remote_end = self.has_remote_end or remote_candidate is None
        await super().add_remote_candidate(remote_candidate)

    async def connect(self) -> None:
        await super().connect()
        self.is_connected = True

    def data_received(self, data: bytes, component: int) -> None:
        self.received(data)

    async def close(self) -> None:
        self.hosts_found.set()
        self.is_connected = False
        await super().close()


def _ignore(*_: object) -> None:
    """Nobody listens yet."""
