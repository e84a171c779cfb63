"""The known-peers file: which key goes with which name, as ssh keeps its known hosts.

A text file in UTF-8, a line a peer: ``NAME ID KEY``, the name percent-encoded, the id as `key_id` gives it, the key as
base64 of its SPKI. Empty lines, and lines that begin with #, are kept as they are.
"""

from __future__ import annotations

import base64
import binascii
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

from fsm_rtc.errors import KnownPeersError
from fsm_rtc.messages.identity import key_id

__all__ = ["KnownPeer", "KnownPeers"]


@dataclass(frozen=True, slots=True)
class KnownPeer:
    """One line.

    Attributes:
        name: what the peer calls itself.
        id: its key's fingerprint.
        public_key: SPKI, DER.
    """

    name: str
    id: str
    public_key: bytes


class KnownPeers:
    """A known-peers file; it is read anew at each question, and replaced as a whole at each change.

    Args:
        path: the file; it need not exist yet, nor its folder.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)

    def entries(self) -> tuple[KnownPeer, ...]:
        """The peers, in the file's order.

        Raises:
            KnownPeersError: the file can't be read.
        """
        return tuple(peer for _, peer in self._lines() if peer is not None)

    def find(self, name: str) -> KnownPeer | None:
        """The peer of this name, or None.

        Raises:
            KnownPeersError: the file can't be read.
        """
        return next((peer for peer in self.entries() if peer.name == name), None)

    def add(self, name: str, public_key: bytes) -> None:
        """Add a peer.

        Raises:
            KnownPeersError: the name is there with another key, or the file can't be read or written.
        """
        present = self.find(name)
        if present is not None:
            if present.public_key == public_key:
                return
            raise KnownPeersError(
                f"{self.path} knows {name!r} with another key; to accept the new one: fsm-rtc known-peers forget {name}"
            )
        line = f"{quote(name, safe='') or '%'} {key_id(public_key)} {base64.b64encode(public_key).decode()}"
        self._write([*(text for text, _ in self._lines()), line])

    def forget(self, name: str) -> bool:
        """Remove a peer; whether it was there.

        Raises:
            KnownPeersError: the file can't be read or written.
        """
        lines = self._lines()
        kept = [text for text, peer in lines if peer is None or peer.name != name]
        if len(kept) == len(lines):
            return False
        self._write(kept)
        return True

    def _lines(self) -> list[tuple[str, KnownPeer | None]]:
        try:
            texts = self.path.read_bytes().decode().splitlines()
        except FileNotFoundError:
            return []
        except UnicodeDecodeError as binary:
            raise KnownPeersError(f"{self.path} is not text in UTF-8; move it away to begin a new one") from binary
        except OSError as refused:
            raise KnownPeersError(f"{self.path} can't be read: {refused.strerror}; check its owner") from refused
        return [(text, self._parsed(text, number)) for number, text in enumerate(texts, start=1)]

    def _parsed(self, text: str, number: int) -> KnownPeer | None:
        if not text.strip() or text.startswith("#"):
            return None
        words = text.split()
        try:
            name, fingerprint, key = words
            public_key = base64.b64decode(key, validate=True)
        except (ValueError, binascii.Error) as wrong:
            raise KnownPeersError(
                f"{self.path}: not of the form NAME ID KEY; mend or delete the line", line=number
            ) from wrong
        if fingerprint != key_id(public_key):
            raise KnownPeersError(f"{self.path}: the id is not the key's; delete the line", line=number)
        return KnownPeer("" if name == "%" else unquote(name), fingerprint, public_key)

    def _write(self, lines: list[str]) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor, temporary = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
            try:
                with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123
                    file.write("".join(f"{line}\n" for line in lines))
                    file.flush()
                    os.fsync(file.fileno())
                Path(temporary).replace(self.path)
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise
        except OSError as refused:
            raise KnownPeersError(f"{self.path} can't be written: {refused.strerror}; choose another file") from refused
