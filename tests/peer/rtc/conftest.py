"""Connections as the specification has them."""

from __future__ import annotations

from tests.peer.ice.conftest import silent, turn_port
from tests.peer.wpt.conftest import rtc

__all__ = ["rtc", "silent", "turn_port"]
