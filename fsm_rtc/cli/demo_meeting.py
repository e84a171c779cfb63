"""How the two peers of a demo find each other: over a signalling server, or by the pipe to their parent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from fsm_rtc.messages import Identity
from fsm_rtc.peer import IceCandidate, SessionDescription
from fsm_rtc.store import ConnectionSnapshot, ConnectionStore

__all__ = ["DemoLink", "Meeting", "PipeMeeting", "ServerMeeting"]


class DemoLink(Protocol):
    """The pipe to the process that started the peer."""

    def send(self, message: dict[str, Any]) -> None:
        """Write one message."""

    async def receive(self) -> dict[str, Any] | None:
        """The next message, or None when the pipe is closed."""


class Meeting(Protocol):
    """One peer's way to the other."""

    async def begin(self) -> None:
        """Begin; the offerer's offer goes out."""

    async def take(self, message: dict[str, Any]) -> None:
        """A message of the other peer came by the pipe."""

    def say_goodbye(self) -> None: ...
    async def wait_for_goodbye(self) -> None: ...
    async def leave(self) -> None:
        """Close the call and leave."""


class PipeMeeting:
    """The user's hands: descriptions, candidates and the goodbye are passed on by the pipe."""

    def __init__(self, store: ConnectionStore, role: str, link: DemoLink, phase: Callable[[str], None]) -> None:
        self._store = store
        self._role = role
        self._link = link
        self._phase = phase
        self._goodbye = asyncio.Event()

    async def begin(self) -> None:
        self._store.set_signaling_status("Connected")
        self._phase("signaling")
        if self._role == "offerer":
            self._tell("description", (await self._store.create_offer()).to_dict())
            self._tell_candidates()
            self._phase("offered")

    async def take(self, message: dict[str, Any]) -> None:
        if "description" in message:
            description = SessionDescription.from_dict(message["description"])
            if description.type == "offer":
                self._tell("description", (await self._store.process_offer(description)).to_dict())
                self._tell_candidates()
                self._phase("answered")
            else:
                await self._store.process_answer(description)
                self._phase("answer applied")
        elif "candidate" in message:
            candidate = message["candidate"]
            await self._store.add_ice_candidate(IceCandidate.from_dict(candidate) if candidate else None)
        elif "goodbye" in message:
            self._goodbye.set()

    def say_goodbye(self) -> None:
        self._tell("goodbye", True)

    async def wait_for_goodbye(self) -> None:
        await self._goodbye.wait()

    async def leave(self) -> None:
        await self._store.close_connection()
        self._store.set_signaling_status("Disconnected")

    def _tell_candidates(self) -> None:
        for candidate in (*self._store.snapshot.ice_candidates, None):
            self._tell("candidate", candidate.to_dict() if candidate is not None else None)

    def _tell(self, kind: str, content: object) -> None:
        self._link.send({"peer": {kind: content}})


class ServerMeeting:
    """A signalling server: every message is signed, and verified by the other side."""

    def __init__(self, store: ConnectionStore, role: str, url: str, phase: Callable[[str], None]) -> None:
        self._store = store
        self._role = role
        self._url = url
        self._phase = phase
        self._seen: set[str] = set()

    async def begin(self) -> None:
        from fsm_rtc.signaling import WebSocketSignaling

        self._store.subscribe(self._follow)
        await self._store.connect(WebSocketSignaling(self._url), identity_for(self._role), name=self._role)

    async def take(self, message: dict[str, Any]) -> None:
        """Nothing comes by the pipe."""

    def say_goodbye(self) -> None:
        """Leaving says it."""

    async def wait_for_goodbye(self) -> None:
        await self._store.wait_until(lambda snapshot: snapshot.peer_connection is None)

    async def leave(self) -> None:
        await self._store.close_connection()

    def _follow(self, snapshot: ConnectionSnapshot) -> None:
        """Tell the phases as they come."""
        reached = {
            "signaling": snapshot.signaling_status == "Connected",
            "introduced": snapshot.remote_public_key is not None,
            "offered": snapshot.offer is not None,
            "answered": snapshot.answer is not None,
        }
        for phase, is_reached in reached.items():
            if is_reached and phase not in self._seen:
                self._seen.add(phase)
                self._phase(phase)


def identity_for(role: str) -> Identity:
    """A key for this run. The side with the greater id makes the first offer, so the offerer takes a great one."""
    while True:
        identity = Identity.generate()
        if (identity.id >= "V") == (role == "offerer"):
            return identity
