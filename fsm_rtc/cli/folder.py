"""Where the command keeps what it needs from one run to the next: the user's configuration folder."""

from __future__ import annotations

from pathlib import Path

import typer

__all__ = ["default_identity", "default_known_peers"]


def default_identity() -> Path:
    """The file with the user's own key; it need not be there."""
    return _folder() / "identity.pem"


def default_known_peers() -> Path:
    """The file with the keys of those whom the user has talked to; it need not be there."""
    return _folder() / "known_peers"


def _folder() -> Path:
    return Path(typer.get_app_dir("fsm-rtc"))
