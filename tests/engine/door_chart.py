"""The chart that the engine's and the bridge's tests are about: a door, with one of everything that a table can say."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fsm_rtc.engine import Chart, On, Row, resolves_to, stay
from fsm_rtc.errors import InvalidModificationError


class DoorState(StrEnum):
    """Where a door can be."""

    OPEN = "open"
    SHUT = "shut"
    LOCKED = "locked"
    GONE = "gone"


OPEN, SHUT, LOCKED, GONE = DoorState


@dataclass
class House:
    """What the guards read."""

    key: int = 1
    somebody_in: bool = False


@dataclass(frozen=True)
class Creak:
    """The request of an effect."""

    loud: object


def key_fits(context: House, key: int) -> bool:
    """The key must be the house's.

    This part is for readers of the code.
    """
    return key == context.key


def key_is_positive(context: House, key: int) -> bool:
    """The key must be a positive number."""
    return key > 0


def nobody_in(context: House, event: object) -> bool:
    """Nobody may be inside."""
    return not context.somebody_in


def creak(context: House, event: object) -> Creak:
    """Let it creak."""
    return Creak(event)


def click(context: House, event: object) -> str:
    """Let it click."""
    return "click"


def stuck(context: House, event: object) -> bool:
    """Raises, as a guard with a fault does."""
    raise ZeroDivisionError("stuck")


def torn(context: House, event: object) -> object:
    """Raises, as an effect with a fault does."""
    raise ZeroDivisionError("torn")


class Door(Chart[DoorState, House]):
    """A door.

    More than one line.
    """

    initial = OPEN
    final = frozenset({GONE})

    shut = On(Row(OPEN, SHUT), idempotent=True, cite="carpentry")
    open = On[House, str | None](Row(SHUT, OPEN, then=(creak,)))
    lock = On(
        Row(SHUT, LOCKED, when=(key_fits,), then=(click,)),
        Row(OPEN, LOCKED, when=(key_fits,), then=(click, creak), first="shut", cite="locksmiths"),
        checks=(key_is_positive,),
        error=InvalidModificationError,
    )
    unlock = On(Row(LOCKED, SHUT, when=(key_fits, nobody_in)), Row(LOCKED, OPEN, when=(nobody_in,)))
    knock = On[House, str | None](stay(SHUT, LOCKED, then=(creak,)))
    toggle = On[House, str | None](resolves_to("shut", OPEN), resolves_to("open", SHUT))
    slam = On(Row(OPEN, LOCKED, first="shut"), Row(LOCKED, LOCKED, first="shut"))
    remove = On[House, str | None](Row((OPEN, SHUT, LOCKED), GONE, when=(nobody_in,), then=(creak,)))
    jam = On(Row(OPEN, SHUT, when=(stuck,)), Row(SHUT, OPEN, when=(nobody_in, stuck)), stay(LOCKED, then=(torn,)))
