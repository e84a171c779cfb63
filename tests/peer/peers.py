"""What the tests of peer connections share: the exchange, and waiting for what happens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from fsm_rtc.engine import Entry, Journal
from fsm_rtc.machines.consent import Consent, ConsentTimes
from fsm_rtc.peer import DataChannel, PeerConnection
from fsm_rtc.peer.aiortc.backend import AiortcBackend
from fsm_rtc.peer.description import SessionDescription
from fsm_rtc.peer.jsep.transport import Transport

LIMIT_SECONDS = 60.0
"""A bound for what must happen soon; nothing waits that long unless it is broken."""


class Emits(Protocol):
    """A peer connection or a data channel."""

    def on(self, event: str, callback: Callable[..., object]) -> Callable[[], None]: ...


async def until(emitter: Emits, event: str, condition: Callable[[], bool]) -> None:
    """Wait for `event`, again and again, until the condition holds."""
    happened = asyncio.Event()
    stop = emitter.on(event, lambda *_: happened.set())
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            while not condition():
                happened.clear()
                await happened.wait()
    finally:
        stop()


async def turns(number: int = 30) -> None:
    """Let the event loop take some turns, in which peers in memory do whatever they still have to."""
    for _ in range(number):
        await asyncio.sleep(0)


async def offer_of(peer: PeerConnection) -> SessionDescription:
    """Make and apply an offer; return it as it is sent."""
    await peer.set_local_description(await peer.create_offer())
    assert peer.local_description is not None
    return peer.local_description


async def answer_of(peer: PeerConnection, offer: SessionDescription) -> SessionDescription:
    """Apply an offer, make and apply the answer; return it as it is sent."""
    await peer.set_remote_description(offer)
    await peer.set_local_description(await peer.create_answer())
    assert peer.local_description is not None
    return peer.local_description


async def exchange(offerer: PeerConnection, answerer: PeerConnection) -> None:
    """Offer and answer."""
    await offerer.set_remote_description(await answer_of(answerer, await offer_of(offerer)))


def backend_of(peer: PeerConnection) -> AiortcBackend:
    """What stands behind a live peer; there is no other way to it."""
    backend: Any = peer._backend
    assert isinstance(backend, AiortcBackend)
    return backend


def paths_of(peer: PeerConnection) -> list[Transport]:
    """A live peer's transports that its descriptions have."""
    return [path for path in backend_of(peer).media.paths if path.is_described]


def make_impatient(*peers: PeerConnection) -> None:
    """From now on their ICE misses the other side after 0.1 s: once they are connected, whatever the machine's load."""
    for peer in peers:
        for path in paths_of(peer):
            hurry(path.gatherer.agent, ConsentTimes(0.1, 0.05, 0.02, 0.1, 0.3, 0.5))


def hurry(agent: Any, times: ConsentTimes) -> None:
    """Begin an agent's consent anew, with other times."""
    agent.consent = times
    if agent._query_consent_task is not None:
        agent._query_consent_task.cancel()
        agent.heard_at = agent.answered_at = agent._now()
        agent.presence = Consent(agent, clock=agent._now)
        agent._query_consent_task = asyncio.create_task(agent.query_consent())


async def connected(*peers: PeerConnection) -> None:
    """Wait until each is connected."""
    for peer in peers:
        await until(peer, "connectionstatechange", lambda peer=peer: peer.connection_state == "connected")  # type: ignore[misc]


async def opened(*channels: DataChannel) -> None:
    """Wait until each is open."""
    for channel in channels:
        await until(channel, "open", lambda channel=channel: channel.ready_state == "open")  # type: ignore[misc]


async def announced(peer: PeerConnection) -> DataChannel:
    """The first data channel of a peer, once there is one."""
    await until(peer, "datachannel", lambda: bool(peer.data_channels))
    return peer.data_channels[0]


def rejections(journal: Journal, label: str | None = None) -> list[Entry]:
    """What was rejected, oldest first."""
    return [entry for entry in journal.entries(label) if not entry.accepted]


def reasons(journal: Journal, label: str | None = None) -> list[tuple[str, str | None]]:
    """The rejected triggers, with the reason."""
    return [(entry.trigger, entry.reason) for entry in rejections(journal, label)]
