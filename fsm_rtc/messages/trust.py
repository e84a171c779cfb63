"""Whom to talk to: a policy on keys and the names that go with them."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection
from typing import Protocol

from fsm_rtc.engine.doors import text, told
from fsm_rtc.errors import IdentityError
from fsm_rtc.messages.identity import key_id
from fsm_rtc.messages.known_peers import KnownPeers

__all__ = ["Allowlist", "AnyPeer", "KnownPeers", "Trust", "TrustOnFirstUse", "ids_of", "seen_name"]


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
        self._ids = ids_of(ids)

    def accepts(self, name: str, key_id: str) -> bool:
        """Whether the key is one of them."""
        return key_id in self._ids

    def remember(self, name: str, public_key: bytes) -> None:
        """The list stays as it is."""


def ids_of(ids: object) -> frozenset[str]:
    """A collection of ids, as a set.

    Raises:
        TypeError: it is none.
    """
    if isinstance(ids, bytes | dict) or not isinstance(ids, Collection) or not all(isinstance(one, str) for one in ids):
        raise TypeError(f"an Allowlist takes a collection of ids, which are text, not {told(ids)}; give [id]")
    return frozenset(ids)


class TrustOnFirstUse:
    """Whoever comes first under a name; from then on nobody else under that name.

    Names that nobody can tell apart are one, see `seen_name`; others are two: "alice" and "Alice", or the same in
    Cyrillic letters, each of which somebody has first. The empty name is a name as well, which the first without a name
    keeps: where several come without one, give them names, or use `Allowlist` or `AnyPeer`.

    Args:
        file: where names are remembered, asked anew each time; in memory, while this object lives, if None.

    Raises:
        TypeError: the file is no `KnownPeers`.
    """

    def __init__(self, file: KnownPeers | None = None) -> None:
        given: object = file
        if given is not None and not all(callable(getattr(given, one, None)) for one in ("entries", "add")):
            raise TypeError(f"the file is {told(given)}; give KnownPeers(path), or None")
        self._file = file
        self._known: dict[str, str] = {}

    def accepts(self, name: str, key_id: str) -> bool:
        """Whether the name is new, or known with this key."""
        return self._known_id(name) in (None, key_id)

    def remember(self, name: str, public_key: bytes) -> None:
        """The name belongs to this key from now on, unless it belongs to another."""
        if self._known_id(name) is not None:
            return
        seen = seen_name(name)
        self._known[seen] = key_id(public_key)  # also if the file can't be written: then while this object lives
        if self._file is not None:
            self._file.add(name, public_key)
            del self._known[seen]  # the file has it, and may be told to forget it

    def _known_id(self, name: str) -> str | None:
        seen = seen_name(name)
        if seen in self._known:
            return self._known[seen]
        entries = self._file.entries() if self._file is not None else ()
        exact = next((entry.id for entry in entries if entry.name == name), None)
        return exact or next((entry.id for entry in entries if seen_name(entry.name) == seen), None)


def seen_name(name: str) -> str:
    """A name as people see it: names for which this is the same can't be told apart.

    Compatible characters are one (Unicode's NFKC), white space counts once between words and not at the ends, and
    characters that show nothing (formats such as zero-width ones and marks of direction, controls, surrogates) don't
    count. So a name of spaces is the empty one.
    """
    text(name, "a name", IdentityError)
    composed = unicodedata.normalize("NFKC", name)
    words = "".join(" " if one.isspace() else one for one in composed)
    shown = "".join(one for one in words if unicodedata.category(one) not in ("Cf", "Cc", "Cs") and one not in _BLANK)
    return " ".join(shown.split())


_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\u2800") | {chr(code) for code in range(0xFE00, 0xFE10)}
"""Letters and marks that show nothing: fillers, the empty Braille cell, variation selectors.
Source: Unicode 15, DerivedCoreProperties, Default_Ignorable_Code_Point."""
