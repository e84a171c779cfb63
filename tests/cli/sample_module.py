"""A user's module, as the command finds it in the current directory."""

DOOR = '''
from enum import StrEnum

from fsm_rtc.engine import Chart, Derived, On, Row, Rule


class DoorState(StrEnum):
    """A door's states."""

    SHUT = "shut"
    OPEN = "open"


def has_key(context: object, key: str) -> bool:
    """The key must fit."""
    return key == "fits"


def is_pushed(push: int) -> bool:
    """somebody pushes"""
    return push > 0


class Door(Chart[DoorState, None]):
    """A door."""

    initial = DoorState.SHUT
    unlock = On(Row(DoorState.SHUT, DoorState.OPEN, when=(has_key,)))
    shut = On(Row(DoorState.OPEN, DoorState.SHUT))


class Swing(Derived[DoorState, int]):
    """A swing door."""

    rules = (Rule(DoorState.OPEN, is_pushed), Rule(DoorState.SHUT))


number = 7
'''

UNSOUND = DOOR.replace("shut = On(Row(DoorState.OPEN, DoorState.SHUT))", "shut = On()")
