"""Plays a sequence of moves on a machine and writes down all that can be seen of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from hypothesis import strategies as st

from fsm_rtc.engine import Accepted, Outcome, Queued, Row
from fsm_rtc.errors import Rejected
from tests.bridge.random_charts import PAYLOADS, TRIGGERS, VALUES, AnyChart, Situation

Kind = Literal["call", "fire", "report", "permits", "level", "generation", "observe", "unobserve"]
Manner = Literal["watch", "raise", "answer", "ask", "leave and answer", "send everyone away"]

KINDS: tuple[Kind, ...] = (
    *("call", "call", "call", "fire", "fire", "report", "permits"),
    *("level", "generation", "observe", "observe", "unobserve"),
)
MANNERS: tuple[Manner, ...] = ("watch", "raise", "answer", "ask", "leave and answer", "send everyone away")


@dataclass(frozen=True)
class Move:
    """One thing done to a machine; what a kind doesn't need is not looked at.

    `trigger` counts through the chart's triggers.
    """

    kind: Kind
    trigger: int
    event: object
    number: int
    generation: int | None
    manner: Manner


MOVES: st.SearchStrategy[Move] = st.builds(
    Move,
    st.sampled_from(KINDS),
    st.integers(0, len(TRIGGERS) - 1),
    PAYLOADS,
    st.integers(0, 6),
    st.sampled_from([None, None, 0, 1]),
    st.sampled_from(MANNERS),
)


@dataclass
class Player:
    """A machine, and everything that was seen of it."""

    machine: Any
    seen: list[object] = field(default_factory=list)
    unsubscribe: list[Callable[[], None]] = field(default_factory=list)
    answers_left: int = 12

    def play(self, moves: list[Move]) -> None:
        for move in moves:
            try:
                self.seen.append((move.kind, self.do(move)))
            except Exception as error:
                self.seen.append((move.kind, "raised", type(error), str(error)))
            self.seen.append((self.machine.state, self.machine.is_final, self.machine.allowed()))

    def do(self, move: Move) -> object:
        machine, trigger = self.machine, self.trigger_of(move)
        match move.kind:
            case "call":
                return told(getattr(machine, trigger)(move.event))
            case "fire":
                return told(machine.fire(trigger, move.event, generation=move.generation))
            case "report":
                value = (*VALUES, "desync")[move.number]
                return told(machine.report(value, generation=move.generation))
            case "permits":
                return told(machine.permits(trigger, move.event, generation=move.generation))
            case "level":
                machine.context.level = move.number
            case "generation":
                machine.generation = move.number % 2
            case "observe":
                self.observe(move)
            case "unobserve" if self.unsubscribe:
                self.unsubscribe[move.number % len(self.unsubscribe)]()
        return None

    def trigger_of(self, move: Move) -> str:
        names: tuple[str, ...] = tuple(self.machine.chart.triggers)
        return names[move.trigger % len(names)]

    def observe(self, move: Move) -> None:
        number, trigger = len(self.unsubscribe), self.trigger_of(move)

        def observer(machine: Any, outcome: Accepted | Rejected) -> None:
            self.seen.append(("observer", number, told(outcome), machine.state))
            if move.manner == "leave and answer":
                self.unsubscribe[number]()
            elif move.manner == "send everyone away":
                for unsubscribe in self.unsubscribe:
                    unsubscribe()
            if move.manner == "raise":
                raise LookupError("an observer")
            if move.manner == "ask":
                self.seen.append(told(machine.permits(trigger, move.event)))
            elif move.manner != "watch" and self.answers_left:
                self.answers_left -= 1
                self.seen.append(told(machine.fire(trigger, move.event, generation=move.generation)))
                self.seen.append(told(machine.report(VALUES[move.number % 6])))

        self.unsubscribe.append(self.machine.observe(observer))


def told(outcome: Outcome | Row[Any, Any, Any]) -> object:
    """Everything an outcome says, comparable."""
    if isinstance(outcome, Row):
        return ("row", outcome.trigger, outcome.describe())
    if isinstance(outcome, Queued):
        return ("queued", outcome.machine, outcome.trigger)
    if isinstance(outcome, Accepted):
        edge = (outcome.machine, outcome.trigger, outcome.source, outcome.target, outcome.row.describe())
        return ("accepted", edge, outcome.event, outcome.effects)
    return ("rejected", str(outcome), vars(outcome))


def play(chart: AnyChart, moves: list[Move], start: int = 0) -> list[object]:
    """All that is seen of a machine of the chart while it is played, what it logs included.

    Args:
        chart: the chart.
        moves: what is done.
        start: which state it is in at first, counted through the chart's states.
    """
    states = chart.chart.states
    player = Player(chart(Situation(), state=states[start % len(states)]))
    with logged(player.seen):
        player.play(moves)
    return player.seen


@contextmanager
def logged(seen: list[object]) -> Iterator[None]:
    """What the engine logs goes to `seen` and nowhere else."""

    class ToSeen(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            error = record.exc_info[1] if record.exc_info else None
            seen.append(("log", record.msg, type(error), str(error)))

    logger, handler = logging.getLogger("fsm_rtc.engine"), ToSeen()
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = True
