"""A machine whose requests are carried out in several ways, and who carries them out in the tests."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import StrEnum

from fsm_rtc.engine import Chart, On, Row, stay


class JobState(StrEnum):
    """Where a printing job can be."""

    IDLE = "idle"
    PRINTING = "printing"
    JAMMED = "jammed"


IDLE, PRINTING, JAMMED = JobState


@dataclass(frozen=True)
class Print:
    """Print so many pages."""

    pages: int


class Beep:
    """Beep."""


@dataclass(frozen=True)
class Log:
    """Write a line."""

    line: object


class Printer(Chart[JobState, None]):
    """A printer."""

    initial = IDLE

    print = On[None, int](Row(IDLE, PRINTING, then=(Print, Beep)), cite="manual")
    printed = On[None, object](Row(PRINTING, IDLE, then=(Log,)), cite="manual")
    jam = On[None, Exception](Row(PRINTING, JAMMED, then=(Log,)), cite="manual")
    beep = On(stay(IDLE, PRINTING, JAMMED, then=(Beep,)), cite="manual")
    log = On[None, str](stay(IDLE, PRINTING, JAMMED, then=(Log,)), cite="manual")
    page = On[None, int](stay(IDLE, PRINTING, JAMMED, then=(Print,)), cite="manual")
    jolt = On(Row(JAMMED, IDLE), cite="manual")


class Desk:
    """Carries out a printer's requests, and notes the order.

    Attributes:
        done: what was begun and ended.
        gates: by pages, what a print waits for.
    """

    def __init__(self) -> None:
        self.done: list[str] = []
        self.gates: dict[int, asyncio.Future[None]] = {}

    async def print(self, request: Print) -> int:
        """Print; ends when the pages' gate is opened, or at once without one."""
        self.done.append(f"begin {request.pages}")
        if (gate := self.gates.get(request.pages)) is not None:
            await gate
        self.done.append(f"end {request.pages}")
        return request.pages

    def beep(self, request: Beep) -> None:
        """Beep."""
        self.done.append("beep")

    def log(self, request: Log) -> None:
        """Note the line."""
        self.done.append(f"log {request.line}")

    def gate(self, pages: int) -> asyncio.Future[None]:
        """A print of so many pages ends only when this is set."""
        self.gates[pages] = asyncio.get_running_loop().create_future()
        return self.gates[pages]
