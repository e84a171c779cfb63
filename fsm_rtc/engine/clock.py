"""Time as an argument: what the journal and the owners of machines read it from."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Clock"]


class Clock(Protocol):
    """Returns seconds that never run backwards, as `time.monotonic` does."""

    def __call__(self) -> float: ...
