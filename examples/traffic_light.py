"""A traffic light that follows the time alone, and flashes while something is broken.

python examples/traffic_light.py
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fsm_rtc import Chart, On, Row, stay


class LightState(StrEnum):
    """What it shows."""

    RED = "red"
    RED_AMBER = "red-amber"
    GREEN = "green"
    AMBER = "amber"
    FLASHING = "flashing"


RED, RED_AMBER, GREEN, AMBER, FLASHING = LightState


@dataclass
class Crossing:
    """What the times read."""

    green_seconds: float = 20.0


@dataclass(frozen=True)
class Show:
    """A request: these lamps."""

    lamps: str


def red(crossing: Crossing, event: object) -> Show:
    """Only red."""
    return Show("red")


def red_and_amber(crossing: Crossing, event: object) -> Show:
    """Red and amber."""
    return Show("red, amber")


def green(crossing: Crossing, event: object) -> Show:
    """Only green."""
    return Show("green")


def amber(crossing: Crossing, event: object) -> Show:
    """Only amber."""
    return Show("amber")


def green_seconds(crossing: Crossing) -> float:
    """How long it is green, as the traffic needs."""
    return crossing.green_seconds


class Light(Chart[LightState, Crossing]):
    """A traffic light."""

    initial = RED
    entry = {RED: (red,), RED_AMBER: (red_and_amber,), GREEN: (green,), AMBER: (amber,), FLASHING: (amber,)}

    wake = On(Row(RED, RED_AMBER), after=30)
    go = On(Row(RED_AMBER, GREEN), after=2)
    warn = On(Row(GREEN, AMBER), after=green_seconds)
    stop = On(Row(AMBER, RED), after=3)
    flash = On(stay(FLASHING, then=(amber,), restarts=("flash",)), after=1)
    break_down = On(Row((RED, RED_AMBER, GREEN, AMBER), FLASHING), idempotent=True)
    repair = On(Row(FLASHING, RED))


def main() -> None:
    """One round, and a fault."""
    now = 0.0
    light = Light(Crossing(), clock=lambda: now)
    for _ in range(4):
        now = light.next_timeout() or now
        for outcome in light.tick(now):
            print(f"{now:g} s: {outcome.trigger}, {light.state}")
    light.break_down()
    print(f"{light.state}, next at {light.next_timeout():g} s")


if __name__ == "__main__":
    main()
