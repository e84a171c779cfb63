"""`join`: a room at a signalling server."""

from __future__ import annotations

from collections.abc import Callable
from ssl import SSLContext
from typing import Unpack

from fsm_rtc.connection.options import CallKeywords, CallOptions, options_of
from fsm_rtc.errors import SnapshotError
from fsm_rtc.messages import Identity
from fsm_rtc.room.room import Room
from fsm_rtc.signaling.client import WebSocketSignaling


def join(
    url: str,
    identity: Identity | None = None,
    options: CallOptions | None = None,
    *,
    token: str | Callable[[], str] = "",
    ssl: SSLContext | None = None,
    **keywords: Unpack[CallKeywords],
) -> Room:
    """A `Room` at a signalling server: ``async with fsm_rtc.join(url) as room``.

    Args:
        url: the room's address, ``ws://host:port/room`` or ``wss://host:port/room``.
        identity: this side's key; one for this room alone if None.
        options: how each connection is made.
        token: what lets this side in, where the server asks for one; a callable is asked before each attempt.
        ssl: a TLS context for ``wss``; None for the system's trust.
        keywords: the options, given one by one; see `CallOptions`.

    Raises:
        SignalingError: the URL is no address of a room.
        SnapshotError: what was kept is of another room, key or version, or there is no identity.
        IdentityError: the room's name or its own is too long.
    """
    options = options_of(options, keywords, label="room")
    if identity is None and options.persistence is not None:
        raise SnapshotError("a room is kept for who has a key; give an identity, saved in a file of its own")
    label = f"{options.label}.signaling_client"
    channel = WebSocketSignaling(url, ssl=ssl, token=token, journal=options.journal, label=label)
    return Room(channel, identity or Identity.generate(), options)
