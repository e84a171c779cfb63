"""Whom a chat talks to: a `Trust` that tells whom it refuses, and whom it can't remember."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from fsm_rtc.errors import KnownPeersError
from fsm_rtc.messages import key_id as id_of
from fsm_rtc.messages.trust import AnyPeer, KnownPeers, Trust, TrustOnFirstUse, seen_name

__all__ = ["ChatTrust", "TrustReport"]


class TrustReport(Protocol):
    """Who is told whom this side doesn't talk to."""

    def refused(self, name: str, key_id: str, known_id: str | None) -> None:
        """Somebody is not talked to: under that name another key is known."""

    def forgetful(self, why: str) -> None:
        """Somebody's key can't be remembered, or not be compared."""


class ChatTrust:
    """Trust on first use, with a file or in memory; or any peer.

    Args:
        anybody: whether everybody is talked to.
        file: where keys are remembered; None for in memory.

    Attributes:
        report: who is told; set before the chat begins.

    Raises:
        KnownPeersError: the file can't be read.
    """

    def __init__(self, *, anybody: bool, file: Path | None) -> None:
        known = KnownPeers(file) if file is not None else None
        if known is not None:
            known.entries()  # a file that can't be read is told now, not when somebody joins
        self.report: TrustReport | None = None
        self._inner: Trust = AnyPeer() if anybody else TrustOnFirstUse(known)
        self._known = known
        self._seen: dict[str, str] = {}
        self._told: set[tuple[str, str]] = set()

    def known_id(self, name: str) -> str | None:
        """The id that is remembered under a name, or None."""
        try:
            entry = self._known.find(name) if self._known is not None else None
        except KnownPeersError:
            entry = None
        return entry.id if entry is not None else self._seen.get(seen_name(name))

    def accepts(self, name: str, key_id: str) -> bool:
        """Whether to talk to somebody; a refusal is told, each one once."""
        try:
            accepted = self._inner.accepts(name, key_id)
        except KnownPeersError as error:  # it was changed since the chat began: nobody can be compared with it
            self._forgetful(error)
            return False
        if not accepted and self.report is not None and (name, key_id) not in self._told:
            self._told.add((name, key_id))
            self.report.refused(name, key_id, self.known_id(name))
        return accepted

    def remember(self, name: str, public_key: bytes) -> None:
        """Remember somebody with whom a call was agreed on; if that fails the call goes on, and it is told."""
        try:
            self._inner.remember(name, public_key)
        except KnownPeersError as error:
            self._forgetful(error)
        self._seen.setdefault(seen_name(name), id_of(public_key))  # the first keeps the name, as in what is kept

    def _forgetful(self, error: KnownPeersError) -> None:
        if self.report is not None:
            self.report.forgetful(str(error))
