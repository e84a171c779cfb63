"""A lamp that goes out when nothing has moved for a while, and one that forgets what moved."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from fsm_rtc.engine import Chart, On, Row, stay


class LampState(StrEnum):
    """Whether it is lit."""

    OFF = "off"
    ON = "on"


OFF, ON = LampState


def moved_at(view: Any) -> float | None:
    """When something last moved."""
    return view.moved_at  # type: ignore[no-any-return]


class Lamp(Chart[LampState, Any]):
    """A lamp with a motion sensor."""

    initial = OFF
    press = On(Row(OFF, ON), cite="box")
    move = On(stay(ON), cite="box")
    go_out = On(Row(ON, OFF), after=10.0, since=moved_at, cite="box")


class HandLamp:
    """Written by hand; `lasts` is how long it is lit behind a movement, 10 s if it is right."""

    lasts = 10.0

    def __init__(self) -> None:
        self.is_lit, self.now, self.due = False, 0.0, 0.0
        self.moved_at: float | None = None

    def press(self) -> None:
        if self.is_lit:
            raise RuntimeError("lit")
        self.is_lit, self.due = True, self.now + 10.0

    def move(self) -> None:
        if not self.is_lit:
            raise RuntimeError("dark")
        self.moved_at, self.due = self.now, self.now + self.lasts

    def advance(self, seconds: float) -> None:
        self.now += seconds
        if self.is_lit and self.now >= self.due:
            self.is_lit = False


class LampDriver:
    """Drives one."""

    kind = HandLamp

    def __init__(self) -> None:
        self.lamp = self.kind()
        self.moved_at: float | None = None

    def fire(self, trigger: str, event: object) -> None:
        getattr(self.lamp, trigger)()
        if trigger == "move":
            self.moved_at = self.lamp.now  # noted here, and not read from what is tested

    def advance(self, seconds: float) -> None:
        self.lamp.advance(seconds)

    def state(self) -> str:
        return "on" if self.lamp.is_lit else "off"

    def stop(self) -> None:
        pass
