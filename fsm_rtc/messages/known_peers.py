"""The known-peers file: which key goes with which name, as ssh keeps its known hosts.

A text file in UTF-8, a line a peer: ``NAME ID KEY``, the name percent-encoded (``%`` for the empty one), the id as
`key_id` gives it, the key as base64 of its SPKI. Empty lines, and lines that begin with #, are kept as they are. If a
name stands there twice, the first line counts.
"""

from __future__ import annotations

import base64
import os
import shlex
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

from fsm_rtc.engine.doors import octets, path_of, text
from fsm_rtc.engine.regular_file import read_regular
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

    Several programs may use one file: each reads it whole, and of what they add nothing gets lost (on Windows, which
    lacks the lock that is used, the last of two changes at the same time counts).

    Args:
        path: the file; it need not exist yet, nor its folder. Of a symbolic link, the file it leads to.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = path_of(path, "the known-peers file's path", KnownPeersError)

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
        text(name, "the peer's name", KnownPeersError)
        octets(public_key, "the peer's public key", KnownPeersError)
        with self._changing():
            lines = self._lines()
            present = next((peer for _, peer in lines if peer is not None and peer.name == name), None)
            if present is None:
                self._write([*(text for text, _ in lines), _line(name, public_key)])
            elif present.public_key != public_key:
                raise KnownPeersError(
                    f"{self.path} knows {name!r} with another key; to accept the new one: "
                    f"fsm-rtc known-peers forget {shlex.quote(name) if name.isprintable() else ascii(name)}"
                )

    def forget(self, name: str) -> bool:
        """Remove a peer; whether it was there.

        Raises:
            KnownPeersError: the file can't be read or written.
        """
        with self._changing():
            lines = self._lines()
            kept = [text for text, peer in lines if peer is None or peer.name != name]
            if len(kept) == len(lines):
                return False
            self._write(kept)
            return True

    def _lines(self) -> list[tuple[str, KnownPeer | None]]:
        try:
            # An editor's byte order mark would be part of the first name, which then is not known.
            texts = read_regular(self.path).decode("utf-8-sig").split("\n")
        except FileNotFoundError:
            return []
        except UnicodeDecodeError as binary:
            raise KnownPeersError(f"{self.path} is not text in UTF-8; move it away to begin a new one") from binary
        except (OSError, ValueError) as refused:  # the latter: a path with a null character
            reason = getattr(refused, "strerror", None) or str(refused)
            raise KnownPeersError(f"{self.path} can't be read: {reason}; check its path and owner") from refused
        if texts[-1] == "":
            texts.pop()
        return [(text, self._parsed(text, number)) for number, text in enumerate(texts, start=1)]

    def _parsed(self, text: str, number: int) -> KnownPeer | None:
        if not text.strip() or text.lstrip().startswith("#"):
            return None
        try:
            encoded, fingerprint, key = text.split()
            name = "" if encoded == "%" else unquote(encoded, errors="strict")
            public_key = base64.b64decode(key, validate=True)
        except ValueError as wrong:
            raise KnownPeersError(
                f"{self.path}: not of the form NAME ID KEY; mend or delete the line", line=number
            ) from wrong
        if fingerprint != key_id(public_key):
            raise KnownPeersError(f"{self.path}: the id is not the key's; delete the line", line=number)
        return KnownPeer(name, fingerprint, public_key)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Keep others from changing the file between its being read and its being replaced."""
        try:
            folder = self.path.resolve().parent
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = _locked(folder)
        except (OSError, RuntimeError, ValueError) as refused:  # a link that leads to itself; a null character
            raise self._unwritable(refused) from refused
        try:
            yield
        finally:
            if lock is not None:
                os.close(lock)

    def _write(self, lines: list[str]) -> None:
        path = self.path.resolve()  # where a symbolic link leads; replacing the link itself would cut it off
        try:
            descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
            try:
                with open(descriptor, "w", encoding="utf-8", newline="") as file:  # noqa: PTH123
                    file.write("".join(f"{line}\n" for line in lines))
                    file.flush()
                    os.fsync(file.fileno())
                Path(temporary).replace(path)
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise
        except OSError as refused:
            raise self._unwritable(refused) from refused

    def _unwritable(self, refused: Exception) -> KnownPeersError:
        reason = getattr(refused, "strerror", None) or str(refused)
        return KnownPeersError(f"{self.path} can't be written: {reason}; choose another file")


def _line(name: str, public_key: bytes) -> str:
    try:
        encoded = quote(name, safe="") or "%"
    except UnicodeEncodeError as surrogate:
        raise KnownPeersError(f"the name {name!a} is not text that UTF-8 can hold; choose another") from surrogate
    return f"{encoded} {key_id(public_key)} {base64.b64encode(public_key).decode()}"


def _locked(folder: Path) -> int | None:
    """A descriptor that locks a folder's files against others who ask, until it is closed; None where there is none."""
    try:
        import fcntl
    except ImportError:
        return None
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError:  # a file system without locks
        os.close(descriptor)
        return None
    return descriptor
