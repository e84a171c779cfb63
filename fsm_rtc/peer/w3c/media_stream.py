"""MediaStream: tracks that belong together, as an offer or answer names them."""

from __future__ import annotations

import uuid
from typing import Any

from pyee.asyncio import AsyncIOEventEmitter


class MediaStream(AsyncIOEventEmitter):
    """Tracks that belong together. aiortc has no such class.

    Events: ``addtrack`` and ``removetrack``, with the track, when the other side's description changes the stream.

    Args:
        id: what both sides call it; a random one if None.
        tracks: those in it.
    """

    def __init__(self, id: str | None = None, tracks: tuple[Any, ...] = ()) -> None:  # noqa: A002 - MediaStream.id
        super().__init__()
        self.id = id or str(uuid.uuid4())
        self._tracks = list(tracks)

    def getTracks(self) -> list[Any]:
        """The tracks, in the order in which they came."""
        return list(self._tracks)

    def addTrack(self, track: Any) -> None:
        """Add a track, without an event."""
        if track not in self._tracks:
            self._tracks.append(track)

    def removeTrack(self, track: Any) -> None:
        """Remove a track, without an event."""
        if track in self._tracks:
            self._tracks.remove(track)
