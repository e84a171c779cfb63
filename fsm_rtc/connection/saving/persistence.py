"""Persistence: where a call is kept, so that another run of its program goes on with it."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Protocol

from fsm_rtc.connection.saving.saved import SavedCall, decode_saved, encode_saved
from fsm_rtc.engine.snapshot import Migrations

__all__ = ["KeptMessages", "MemoryPersistence", "Persistence"]


@dataclass(frozen=True, slots=True)
class KeptMessages:
    """The messages with one peer, either way.

    Attributes:
        stream: the id of this side's; empty if there were none.
        sent: the number of this side's last message.
        unacknowledged: this side's messages that the peer may not have, the last of them with that number.
        taken: up to which number each of the peer's streams is done with; the one that was written longest ago first.
    """

    stream: str = ""
    sent: int = 0
    unacknowledged: tuple[str | bytes, ...] = ()
    taken: dict[str, int] = field(default_factory=dict)


class Persistence(Protocol):
    """Keeps one call, or a room's, and the messages with every peer. Each operation is done when it returns, and
    survives the death of the process. One that can't be done raises SnapshotError, and changes nothing.

    Attributes:
        migrations: what becomes of the states of tables that have changed, by the earlier table's digest.
    """

    migrations: Migrations

    def load(self) -> SavedCall | None:
        """What was kept of the session, or None.

        Raises:
            SnapshotError: it can't be read.
        """

    def peers(self) -> tuple[str, ...]:
        """With whom messages are kept, by id; the one with whom that began longest ago first."""

    def messages(self, peer: str) -> KeptMessages:
        """The messages that were kept with a peer."""

    def age_seconds(self) -> float:
        """How long ago the call was alive, by the wall clock; infinite if it never was."""

    def save(self, saved: SavedCall) -> None:
        """Keep this instead of what was kept of the session before."""

    def alive(self) -> None:
        """The call is alive at this moment."""

    def message_sent(self, peer: str, stream: str, number: int, message: str | bytes) -> None:
        """Keep a message of this side to a peer.

        Args:
            peer: to whom, by id.
            stream: the id of this side's messages to it; always the same until it is forgotten.
            number: the message's, one more than that before.
            message: what it says.
        """

    def messages_acknowledged(self, peer: str, up_to: int) -> None:
        """The peer is done with this side's messages up to a number."""

    def messages_taken(self, peer: str, stream: str, up_to: int) -> None:
        """This side is done with the messages of a stream of the peer up to a number."""

    def stream_forgotten(self, peer: str, stream: str) -> None:
        """A stream of the peer is so old that it needn't be known any longer."""

    def forget(self, peer: str) -> None:
        """It is over with this peer: keep nothing of the messages."""

    def clear(self) -> None:
        """It is over with all of them: keep nothing."""

    def close(self) -> None:
        """Let the place go. Idempotent."""


class MemoryPersistence:
    """Keeps a call in this object: for tests, and for a `Connection` that is to be made anew in the same program."""

    def __init__(self, migrations: Migrations | None = None) -> None:
        self.migrations: Migrations = migrations or {}
        self._saved: bytes | None = None
        self._alive_at: float | None = None
        self._peers: dict[str, _KeptCall] = {}

    def load(self) -> SavedCall | None:
        return decode_saved(self._saved) if self._saved is not None else None

    def peers(self) -> tuple[str, ...]:
        return tuple(self._peers)

    def messages(self, peer: str) -> KeptMessages:
        kept = self._peers.get(peer, _KeptCall())
        return KeptMessages(kept.stream, kept.sent, tuple(kept.messages.values()), dict(kept.taken))

    def age_seconds(self) -> float:
        return time.time() - self._alive_at if self._alive_at is not None else float("inf")

    def save(self, saved: SavedCall) -> None:
        self._saved = encode_saved(saved)
        self.alive()

    def alive(self) -> None:
        self._alive_at = time.time()

    def message_sent(self, peer: str, stream: str, number: int, message: str | bytes) -> None:
        kept = self._peers.setdefault(peer, _KeptCall())
        kept.stream, kept.sent = stream, number
        kept.messages[number] = message

    def messages_acknowledged(self, peer: str, up_to: int) -> None:
        messages = self._peers[peer].messages if peer in self._peers else {}
        for number in [number for number in messages if number <= up_to]:
            del messages[number]

    def messages_taken(self, peer: str, stream: str, up_to: int) -> None:
        taken = self._peers.setdefault(peer, _KeptCall()).taken
        taken[stream] = up_to
        taken.move_to_end(stream)

    def stream_forgotten(self, peer: str, stream: str) -> None:
        if peer in self._peers:
            self._peers[peer].taken.pop(stream, None)

    def forget(self, peer: str) -> None:
        self._peers.pop(peer, None)

    def clear(self) -> None:
        self._saved = self._alive_at = None
        self._peers.clear()

    def close(self) -> None:
        """There is nothing to let go."""


@dataclass(slots=True)
class _KeptCall:
    stream: str = ""
    sent: int = 0
    messages: dict[int, str | bytes] = field(default_factory=dict)
    taken: OrderedDict[str, int] = field(default_factory=OrderedDict)
