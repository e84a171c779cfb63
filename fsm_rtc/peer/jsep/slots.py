"""The four descriptions of a session, as aiortc reads them. Source: webrtc-pc, #dfn-currentlocaldescription."""

from __future__ import annotations

from typing import Any

__all__ = ["Slots"]


class Slots:
    """The pending and the current descriptions of both sides.

    Attributes:
        current_local, current_remote, pending_local, pending_remote: aiortc SessionDescriptions, or None.
    """

    def __init__(self) -> None:
        self.current_local: Any = None
        self.current_remote: Any = None
        self.pending_local: Any = None
        self.pending_remote: Any = None

    @property
    def local(self) -> Any:
        """This side's, pending or current."""
        return self.pending_local or self.current_local

    @property
    def remote(self) -> Any:
        """The other side's, pending or current."""
        return self.pending_remote or self.current_remote

    @property
    def last_answer(self) -> Any:
        """The answer of the last complete negotiation, or None."""
        return next((one for one in (self.current_local, self.current_remote) if one and one.type == "answer"), None)

    def settle(self) -> None:
        """The negotiation is complete."""
        self.current_local, self.current_remote = self.local, self.remote
        self.pending_local = self.pending_remote = None

    def roll_back(self) -> None:
        """What was pending never was."""
        self.pending_local = self.pending_remote = None
