"""`join`: a room at a signalling server."""

from __future__ import annotations

import time
from collections.abc import Callable
from ssl import SSLContext

from fsm_rtc.connection.peers import PeerConnectionFactory
from fsm_rtc.connection.persistence import Persistence
from fsm_rtc.connection.recovery_policy import RecoveryPolicy
from fsm_rtc.connection.room import Room
from fsm_rtc.engine import Journal
from fsm_rtc.engine.clock import Clock
from fsm_rtc.errors import SnapshotError
from fsm_rtc.messages import Identity
from fsm_rtc.messages.trust import Trust
from fsm_rtc.peer.backend import Kind
from fsm_rtc.peer.configuration import Configuration
from fsm_rtc.peer.peer_connection import PeerConnection
from fsm_rtc.signaling.client import WebSocketSignaling

__all__ = ["join"]


def join(
    url: str,
    identity: Identity | None = None,
    *,
    name: str = "",
    trust: Trust | None = None,
    configuration: Configuration | None = None,
    receive: tuple[Kind, ...] = (),
    token: str | Callable[[], str] = "",
    ssl: SSLContext | None = None,
    peer_connection_factory: PeerConnectionFactory = PeerConnection,
    engine: str = "compiled",
    journal: Journal | None = None,
    label: str = "room",
    clock: Clock = time.monotonic,
    recovery: RecoveryPolicy | None = None,
    persistence: Persistence | None = None,
) -> Room:
    """A `Room` at a signalling server: ``async with fsm_rtc.join(url) as room``.

    Args:
        url: the room's address, ``ws://host:port/room`` or ``wss://host:port/room``.
        identity: this side's key; one for this room alone if None.
        name: how this side calls itself, at most 128 characters.
        trust: whom it talks to. None for whoever comes first under a name, while the room lives.
        configuration: servers and time limits, for each connection; none and the defaults if None.
        receive: the kinds of media to be ready to receive: ``("audio", "video")``.
        token: what lets this side in, where the server asks for one; a callable is asked before each attempt.
        ssl: a TLS context for ``wss``; None for the system's trust.
        peer_connection_factory: makes the peer connections.
        engine: ``compiled``, or ``transitions`` to let every machine be stepped by that library.
        journal: watches every machine.
        label: how its machines are called in the journal.
        clock: seconds.
        recovery: how soon the loss of a peer is noticed, and what is done about it; the defaults if None.
        persistence: where what isn't delivered is kept, so that another run of this program goes on with it;
            `fsm_rtc.connection.SqliteFile`. Closed with the room. Needs an identity.

    Raises:
        SignalingError: the URL is no address of a room.
        SnapshotError: what was kept is of another room, key or version, or there is no identity.
        IdentityError: the room's name or its own is too long.
    """
    if identity is None and persistence is not None:
        raise SnapshotError("a room is kept for who has a key; give an identity, saved in a file of its own")
    return Room(
        WebSocketSignaling(url, ssl=ssl, token=token),
        identity or Identity.generate(),
        name=name,
        trust=trust,
        configuration=configuration,
        receive=receive,
        peer_connection_factory=peer_connection_factory,
        engine=engine,
        journal=journal,
        label=label,
        clock=clock,
        recovery=recovery,
        persistence=persistence,
    )
