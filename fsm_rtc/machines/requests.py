"""What the machines ask of their owner: the effects' requests. Pure data; the owner carries them out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Desync", "tell_recovery"]


@dataclass(frozen=True, slots=True)
class Desync:
    """A library was found in a state that the table didn't expect, and the machine adopted it: recovery should know.

    Attributes:
        state: the state that was adopted.
    """

    state: StrEnum

    def __str__(self) -> str:
        return f"the library was found in {self.state.value!r}, which the table didn't expect; it was adopted"


def tell_recovery(context: object, state: StrEnum) -> Desync:
    """Recovery is told that the machine lost track of the library."""
    return Desync(state)
