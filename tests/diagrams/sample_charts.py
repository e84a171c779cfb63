"""Charts with everything that a drawing must show, small enough to be checked by eye."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from fsm_rtc.engine import Chart, Derived, Observed, On, Row, Rule, adopt, resolves_to, stay
from fsm_rtc.errors import InvalidModificationError


class DoorState(StrEnum):
    """Where a door stands."""

    SHUT = "shut"
    WIDE_OPEN = "wide-open"
    GONE = "Shut"
    END = "end"


SHUT, OPEN, GONE, END = DoorState


class House(Protocol):
    """What the guards read."""

    @property
    def keys(self) -> frozenset[str]: ...


def has_key(house: House, key: str) -> bool:
    """The key must belong to the house."""
    return key in house.keys


def key_is_named(house: House, key: str) -> bool:
    """The key must have a name."""
    return bool(key)


def ring_bell(house: House, key: str) -> str:
    """Ring the bell."""
    return "ring"


class Door(Chart[DoorState, House]):
    """A door with a lock.

    More about doors.
    """

    initial = SHUT
    final = frozenset({END})
    source = "The book of doors"

    unlock = On(
        Row(SHUT, OPEN, when=(has_key,), then=(ring_bell,)),
        Row(SHUT, GONE),
        checks=(key_is_named,),
        error=InvalidModificationError,
        cite="#unlock",
    )
    shut = On(Row(OPEN, SHUT), stay(SHUT), cite="#shut")
    replace = On(Row(OPEN, GONE, first="shut", cite="#replace-open"), Row(SHUT, GONE))
    restore = On(Row(GONE, SHUT))
    use = On[House, str](resolves_to("unlock", SHUT), resolves_to("shut", OPEN))
    demolish = On(Row((SHUT, OPEN, GONE), END), idempotent=True)


class LightState(StrEnum):
    """What a lamp is."""

    OFF = "off"
    DIM = "dim"
    ON = "on"


OFF, DIM, ON = LightState


class Light(Observed[LightState, None]):
    """A lamp that somebody else switches."""

    initial = OFF
    on_dim = On(Row(OFF, DIM))
    on_on = On(Row(DIM, ON))
    on_off = On(Row((DIM, ON), OFF))
    on_desync = adopt((OFF, DIM, ON), (OFF, DIM, ON))


def nobody_home(people: int) -> bool:
    """nobody is "at home"; not even the cat"""
    return people == 0


def few_home(people: int) -> bool:
    """fewer than three are at home"""
    return people < 3


class Lighting(Derived[LightState, int]):
    """How bright the house is."""

    cite = "The book of lamps"
    rules = (Rule(OFF, nobody_home), Rule(DIM, few_home), Rule(ON))
