"""What machines of fsm_rtc's engine did, step by step, for the browser's machine to do the same: charts and stories."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings

from fsm_rtc.browser.tables import table_of
from fsm_rtc.engine import Accepted, Chart, On, Row
from fsm_rtc.errors import Reason, Rejected
from fsm_rtc.machines.candidates import Candidates, RemoteDescription
from fsm_rtc.machines.data_channel import Flow
from fsm_rtc.machines.delivery import Deliveries
from fsm_rtc.machines.recovery import Recovery
from tests.engine.door_chart import Door, House
from tests.engine.naive_interpreter import World
from tests.engine.order_chart import CART, GONE, PAID, PAYING, RESERVED, Order, OrderState, Shop, is_solvent
from tests.engine.test_naive import chart_of, charts

REASONS = {Reason.CLOSED: "closed", Reason.NO_ROW: "no_row", Reason.ALREADY: "no_row"}
STEPS = 60
CHARTS = 100
LATE_SECONDS = 0.25
"""How long after the time of a tick it comes, by the machine's clock."""


class Backoff(Chart[OrderState, Shop]):
    """What the others leave out: a time that is drawn, and a row behind one whose first trigger is refused."""

    initial = CART
    begin = On(Row((CART, PAID, GONE), RESERVED))
    again = On(Row(RESERVED, PAYING), after=8, jitter="full", late="postpone")
    fail = On(Row(PAYING, RESERVED), after=1.5)
    end = On(Row((RESERVED, PAYING), PAID), after=3, per="sources")
    lose = On(Row(PAYING, GONE))
    pay = On(Row(RESERVED, PAYING, when=(is_solvent,)))
    hurry = On(Row(RESERVED, PAID, first="pay"), Row(RESERVED, GONE))


HEARD = ("heard", "heard_at")
"""What is changed to a time that is so long past, or to None."""

Event = tuple[Any, Any]
"""A payload as it is here, and as JSON."""


def any_number(trigger: str, random: Random) -> Event:
    number = random.choice([-1, 1, 2])
    return number, number


@dataclass(frozen=True)
class Traced:
    """How a chart's story is told.

    Attributes:
        context: makes what its guards and times read.
        changes: what of that changes, and to what.
        event: draws the payload of a trigger.
        rare: the triggers that lead far away, each of which is fired less often than the others.
        stories: how many are told.
    """

    context: Callable[[], Any]
    changes: Mapping[str, list[Any]]
    event: Callable[[str, Random], Event] = any_number
    rare: tuple[str, ...] = ()
    stories: int = 20


BOTH = [False, True]
RARELY = 0.2


def a_description(trigger: str, random: Random) -> Event:
    if trigger != "remote_description_set":
        return any_number(trigger, random)
    ufrag = random.choice(["a", "b"])
    return RemoteDescription(ufrag), {"ice_ufrag": ufrag}


@dataclass
class Greeting:
    has_received: int
    stream: str


def a_frame(trigger: str, random: Random) -> Event:
    number = random.choice([0, 1, 2])
    if trigger != "on_hello":
        return number, number
    greeting = Greeting(number, random.choice(["s", "another"]))
    return greeting, asdict(greeting)


@dataclass
class Messages:
    sent: int = 1
    next_number: int = 0
    knows_stream: bool = False
    peer_stream: str = "s"
    handed_over: int = 0


@dataclass
class Marks:
    high_bytes: int = 2
    low_bytes: int = 1


@dataclass
class Fragment:
    remote_ice_ufrag: str = "a"


@dataclass
class Times:
    suspect_after_seconds: float = 2.5
    follower_waits_seconds: float = 1.0
    attempt_seconds: float = 8.0
    stood_seconds: float = 10.0
    give_up_after_seconds: float = 40.0


@dataclass
class RecoveryMemory:
    """What recovery reads, as when all is well."""

    link_is_up: bool = True
    peer_is_there: bool = True
    peer_answers: bool = True
    attempts_left: int = 3
    can_restart_ice: bool = True
    is_exchanging: bool = False
    leads: bool = True
    cut_reason: str = "cut"
    heard_at: float = 100.0
    overdue_seconds: float = 2.0
    backoff_seconds: float = 4.0
    bye_seconds: float = 3.0
    policy: Times = field(default_factory=Times)


CONTEXTS: dict[type[Chart[Any, Any]], Traced] = {
    Door: Traced(House, {"key": [0, 1, 2], "somebody_in": BOTH}),
    Order: Traced(Shop, {"patience": [0.0, 3.0, 30.0], "heard_at": [None, 0.0, 4.0], "is_solvent": BOTH}),
    Backoff: Traced(Shop, {"is_solvent": BOTH}),
    Recovery: Traced(
        RecoveryMemory,
        {
            **dict.fromkeys(
                ("link_is_up", "peer_is_there", "peer_answers", "can_restart_ice", "is_exchanging", "leads"), BOTH
            ),
            "attempts_left": [0, 1, 2, 3],
            "heard_at": [0.0, 1.0, 4.0],
            "overdue_seconds": [0.0, 2.0],
            "backoff_seconds": [0.5, 4.0],
            "bye_seconds": [0.5, 3.0],
        },
        rare=("close", "on_dtls_failed", "on_too_long", "on_goodbye", "on_call_over", "on_new_call", "on_agreed"),
        stories=100,
    ),
    Deliveries: Traced(
        Messages,
        {"sent": [0, 1, 2], "next_number": [0, 1, 2], "knows_stream": BOTH, "handed_over": [0, 1, 2]},
        event=a_frame,
        rare=("on_goodbye",),
    ),
    Flow: Traced(Marks, {"high_bytes": [1, 2], "low_bytes": [0, 1]}),
    Candidates: Traced(Fragment, {"remote_ice_ufrag": ["a", "b"]}, event=a_description),
}
OF_DRAWN = Traced(
    World, {"flags": [[True, False], [False, True], [True, True]], "patience": [0.0, 1.5], "heard": [None, 0.0, 0.5]}
)


class Trace:
    """One machine and what it is told and does; each step has what it looked like afterwards."""

    def __init__(self, chart: type[Chart[Any, Any]], random: Random) -> None:
        self.traced = CONTEXTS.get(chart, OF_DRAWN)
        self.chart, self.random, self.now = chart, random, 100.0
        self.context = self.traced.context()
        # Both sides draw the middle.
        self.machine = chart(self.context, clock=lambda: self.now, uniform=lambda low, high: (low + high) / 2)
        self.told: list[Accepted | Rejected] = []
        self.machine.observe(lambda _, outcome: self.told.append(outcome))
        self.steps = [self.look({"do": "make", "now": self.now, "context": written(self.context)})]

    def written(self) -> dict[str, Any]:
        return {"table": table_of(self.chart), "steps": self.steps}

    def walk(self) -> None:
        for _ in range(STEPS):
            # Time passes, then something happens; mostly time itself.
            self.now += self.random.choice([0.0, 0.5, 1.0, 1.5])
            happens = self.random.choice([self.fire, self.fire, self.tick, self.tick, self.change, self.stand_still])
            self.told.clear()
            step = happens()
            if step is not None:
                self.steps.append(self.look({"now": self.now, **step}))

    def fire(self) -> dict[str, Any] | None:
        trigger = self.random.choice(list(self.chart.chart.triggers))
        if trigger == "jam":  # it raises
            return None
        if trigger in self.traced.rare and self.random.random() > RARELY:
            return None
        event, as_json = self.traced.event(trigger, self.random)
        self.machine.fire(trigger, event)
        return {"do": "fire", "trigger": trigger, "event": as_json, "outcomes": self.outcomes()}

    def tick(self) -> dict[str, Any]:
        at = self.now
        self.now += LATE_SECONDS
        self.machine.tick(at)
        self.now = at
        return {"do": "tick", "outcomes": self.outcomes()}

    def change(self) -> dict[str, Any]:
        name = self.random.choice(list(self.traced.changes))
        value = self.random.choice(self.traced.changes[name])
        if name in HEARD and value is not None:
            value = self.now - value
        setattr(self.context, name, value)
        return {"do": "change", "name": name, "value": value}

    def stand_still(self) -> dict[str, Any]:
        seconds, clock_ran = self.random.choice([0.5, 2.0]), self.random.choice([True, False])
        self.machine.stood_still(seconds, clock_ran=clock_ran)
        return {"do": "stand still", "seconds": seconds, "clock_ran": clock_ran}

    def outcomes(self) -> list[dict[str, Any]]:
        """What the machine said, with the effects of an implicit first transition in the one that it belongs to."""
        told: list[dict[str, Any]] = []
        before: list[str] | None = None
        for outcome in self.told:
            if isinstance(outcome, Rejected):
                told.append({"accepted": False, "reason": outcome.guard or REASONS[outcome.reason]})
                continue
            names = [one.__name__ for one in self.chart.chart.effects(outcome.row, outcome.source)]
            if outcome._is_first:
                before = names
            else:
                is_behind = {} if before is None else {"before": len(before)}
                told.append({"accepted": True, "effects": [*(before or []), *names], **is_behind})
                before = None
        return told

    def look(self, step: dict[str, Any]) -> dict[str, Any]:
        seen = {"state": self.machine.state.value, "armed": self.machine.armed(), "next": self.machine.next_timeout()}
        return {**step, **seen}


def written(context: Any) -> dict[str, Any]:
    return {name: asdict(value) if isinstance(value, Times) else value for name, value in vars(context).items()}


def write_traces(path: Path) -> list[dict[str, Any]]:
    """Write the traces as JSON, the same each time; what is in the file."""
    random = Random(1)
    drawn: list[type[Chart[Any, Any]]] = [chart for chart, traced in CONTEXTS.items() for _ in range(traced.stories)]

    @settings(
        settings.default,
        max_examples=CHARTS,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(charts())
    def draw(spec: Any) -> None:
        drawn.append(chart_of(spec))

    draw()
    traces = [Trace(chart, random) for chart in drawn]
    for trace in traces:
        trace.walk()
    told = [trace.written() for trace in traces]
    path.write_text(json.dumps(told))
    return told
