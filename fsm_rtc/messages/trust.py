"""Whom to talk to: a policy on keys and the names that go with them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from fsm_rtc.messages.identity import key_id
from fsm_rtc.messages.known_peers import KnownPeers

__all__ = ["Allowlist", "AnyPeer", "KnownPeers", "Trust", "TrustOnFirstUse"]


class Trust(Protocol):
    """A policy."""

    def accepts(self, name: str, key_id: str) -> bool:
        """Whether to talk to this key under this name; changes nothing."""

    def remember(self, name: str, public_key: bytes) -> None:
        """This key under this name is one that was talked to.

        Raises:
            KnownPeersError: it can't be written down.
        """


class AnyPeer:
    """Whoever proves that it has the key it names. What a key belongs to is for somebody else to say."""

    def accepts(self, name: str, key_id: str) -> bool:
        """Yes."""
        return True

    def remember(self, name: str, public_key: bytes) -> None:
        """Nothing is remembered."""


class Allowlist:
    """These keys, whatever they are called.

    Args:
        ids: their fingerprints, as `fsm_rtc.messages.key_id` and ``fsm-rtc keygen`` give them.

    Raises:
        TypeError: a single id instead of a collection; its characters would be taken for ids.
    """

    def __init__(self, ids: Collection[str]) -> None:
        if isinstance(ids, str):
            raise TypeError("an Allowlist takes a collection of ids; give [id]")
        self._ids = frozenset(ids)

    def accepts(self, name: str, key_id: str) -> bool:
        """Whether the key is one of them."""
        return key_id in self._ids

    def remember(self, name: str, public_key: bytes) -> None:
        """The list stays as it is."""


class TrustOnFirstUse:
    """Whoever comes first under a name; from then on nobody else under that name.

    Names are compared as they are: "alice" and "Alice" are two, each of which somebody has first. Who has no name is
    nobody's namesake: he is accepted each time, and not remembered, as anybody under a name that is new would be.

    Args:
        file: where names are remembered, asked anew each time; in memory, while this object lives, if None.
    """

    def __init__(self, file: KnownPeers | None = None) -> None:
        self._file = file
        self._known: dict[str, str] = {}

    def accepts(self, name: str, key_id: str) -> bool:
        """Whether the name is new, or known with this key."""
        return not name or self._known_id(name) in (None, key_id)

    def remember(self, name: str, public_key: bytes) -> None:
        """The name belongs to this key from now on, unless it belongs to another."""
        if not name or self._known_id(name) is not None:
            return
        self._known[name] = key_id(public_key)  # also if the file can't be written: then while this object lives
        if self._file is not None:
            self._file.add(name, public_key)
            del self._known[name]  # the file has it, and may be told to forget it

    def _known_id(self, name: str) -> str | None:
        if name in self._known:
            return self._known[name]
        entry = self._file.find(name) if self._file is not None else None
        return entry.id if entry is not None else None
