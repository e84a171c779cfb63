"""Time in a table: what is armed when, what is due, and what can't be written."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

import pytest

from fsm_rtc.diagrams import matrix
from fsm_rtc.diagrams.drawing import chart_drawing
from fsm_rtc.diagrams.scxml import scxml
from fsm_rtc.engine import Accepted, Chart, Dropped, Entry, Journal, Observed, On, Row, Started, stay
from fsm_rtc.engine.chart_class import ChartMeta
from fsm_rtc.engine.replay import replay
from fsm_rtc.engine.snapshot import remaining_seconds, restored_state, snapshot_of
from fsm_rtc.errors import ChartError
from fsm_rtc.messages.journal import read_journal
from tests.engine.door_chart import Door, House
from tests.engine.order_chart import (
    CART,
    GONE,
    PAID,
    PAYING,
    RESERVED,
    AskBank,
    Order,
    OrderState,
    Release,
    Reserve,
    Shop,
    is_solvent,
    patience,
)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def order(clock: Clock) -> Order:
    return Order(Shop(), clock=clock)


def test_nothing_runs_where_no_timed_trigger_has_a_row(order: Order) -> None:
    assert order.next_timeout() is None
    assert order.armed() == {}
    assert order.tick(1e9) == ()


def test_a_bound_over_several_states_runs_on_while_it_moves_among_them(order: Order, clock: Clock) -> None:
    order.check_out("shoes")
    clock.now += 5
    order.pay()
    assert order.armed() == {"give_up": 130, "poll": 107, "bank_is_silent": 115}
    order.on_receipt()
    assert order.armed() == {}


def test_what_is_due_fires_and_a_row_that_stays_arms_what_it_restarts(order: Order, clock: Clock) -> None:
    order.check_out("shoes")
    order.pay()
    clock.now += 3
    (polled,) = order.tick(clock.now)
    assert isinstance(polled, Accepted)
    assert [type(one) for one in polled.effects] == [AskBank]
    assert order.armed()["poll"] == clock.now + 2
    order.on_news()
    assert order.armed()["bank_is_silent"] == clock.now + 10
    assert order.tick(clock.now) == ()


def test_what_was_heard_meanwhile_puts_it_off_without_an_event(order: Order, clock: Clock) -> None:
    journal = Journal(clock)
    order.check_out("shoes")
    order.pay()
    journal.watch(order, "order")
    order.context.heard_at = clock.now + 4
    clock.now += 10
    assert [one.trigger for one in order.tick(clock.now) if isinstance(one, Accepted)] == ["poll"]
    assert order.state is PAYING
    assert order.armed()["bank_is_silent"] == clock.now + 4
    assert len(journal.entries("order")) == 1


def test_of_two_that_are_due_the_earlier_goes_first_and_may_clear_the_other(order: Order, clock: Clock) -> None:
    order.check_out("shoes")
    order.pay()
    clock.now += 40
    fired = order.tick(clock.now)
    assert [one.trigger for one in fired if isinstance(one, Accepted)] == ["poll", "bank_is_silent", "give_up"]
    assert order.state is GONE


def test_who_stood_still_waits_longer_for_what_it_could_not_hear(order: Order, clock: Clock) -> None:
    order.check_out("shoes")
    order.pay()
    clock.now += 60
    order.stood_still(60)
    assert order.armed() == {"poll": 102, "bank_is_silent": 170, "give_up": 130}
    order.stood_still(5, clock_ran=False)
    assert order.armed() == {"poll": 97, "bank_is_silent": 170, "give_up": 125}


def test_who_stood_still_counts_what_was_heard_before_as_so_much_later(clock: Clock) -> None:
    order = Order(Shop(patience=1000), clock=clock)
    order.check_out("shoes")
    order.pay()
    order.context.heard_at = 104.0
    clock.now = 165.0
    order.stood_still(60)
    assert order.armed()["bank_is_silent"] == 174
    order.context.heard_at = 165.0  # heard since: nothing is put off beyond what that says
    order.stood_still(0.5)
    clock.now = 174.5
    order.tick(clock.now)
    assert order.armed()["bank_is_silent"] == 175


def test_a_row_that_enters_its_state_anew_arms_anew_and_asks_for_both(order: Order, clock: Clock) -> None:
    order.check_out("shoes")
    clock.now += 5
    again = order.check_out("boots")
    assert isinstance(again, Accepted)
    assert [type(one) for one in again.effects] == [Release, Reserve]
    assert again.effects[1] == Reserve("boots")
    assert order.armed() == {"give_up": 130}


class Twofold(Chart[OrderState]):
    """Goes through another row first, which enters its state anew or doesn't."""

    initial = CART
    entry = {CART: (Reserve,)}
    exit = {CART: (Release,)}
    anew = On(Row(CART, CART, reenters=True))
    same = On(Row(CART, CART))
    again = On(Row(CART, CART, first="anew"))
    still = On(Row(CART, CART, first="same"))
    go = On(Row(CART, RESERVED), Row(RESERVED, PAYING), Row(PAYING, GONE), Row(GONE, OrderState.PAID))
    out = On(Row(CART, RESERVED), after=4)


@pytest.mark.parametrize(("trigger", "deadline"), [("again", 103), ("still", 102)])
def test_a_first_row_that_enters_its_state_anew_arms_anew(clock: Clock, trigger: str, deadline: float) -> None:
    clock.now = 98
    machine = Twofold(clock=clock)
    clock.now += 1
    outcome = machine.fire(trigger)
    assert isinstance(outcome, Accepted)
    assert len(outcome.effects) == (2 if trigger == "again" else 0)
    assert machine.armed() == {"out": deadline}


def test_exit_row_and_entry_are_asked_for_in_this_order(order: Order) -> None:
    order.check_out("shoes")
    outcome = order.pay()
    assert isinstance(outcome, Accepted)
    assert [type(one) for one in outcome.effects] == [Release, AskBank]
    one, other = Order(Shop(), state=RESERVED, clock=Clock()), Order(Shop(), state=RESERVED, clock=Clock())
    first, second = one.pay(), other.pay()
    assert isinstance(first, Accepted)
    assert isinstance(second, Accepted)
    assert first.effects[1] is second.effects[1]  # a request without fields is made once


def test_the_time_may_be_drawn(clock: Clock) -> None:
    class Backoff(Chart[OrderState, Shop]):
        """Waits."""

        initial = CART
        go = On(Row(CART, RESERVED))
        reset = On(Row((RESERVED, PAYING, GONE, OrderState.PAID), CART))
        retry = On(Row(RESERVED, PAYING), after=8, jitter="full")
        lose = On(Row(PAYING, GONE), Row(GONE, OrderState.PAID))

    drawn: list[tuple[float, float]] = []

    def draw(low: float, high: float) -> float:
        drawn.append((low, high))
        return 3.0

    machine = Backoff(Shop(), clock=clock, uniform=draw)
    machine.go()
    assert drawn == [(0, 8)]
    assert machine.next_timeout() == 103


def test_one_that_raises_is_still_due(order: Order, clock: Clock) -> None:
    order.check_out("shoes")
    order.pay()
    clock.now += 11
    order.context = None  # type: ignore[assignment]
    assert [outcome.trigger for outcome in order.tick(clock.now)] == ["poll"], "what was fired before isn't lost"
    with pytest.raises(AttributeError):
        order.tick(clock.now)
    assert "bank_is_silent" in order.armed()
    order.context = Shop()
    order.tick(clock.now)
    assert order.state is RESERVED


def test_time_within_a_step_is_refused(order: Order, clock: Clock) -> None:
    caught: list[str] = []

    def tick(machine: Any, _: object) -> None:
        try:
            machine.tick(1e9)
        except ChartError as error:
            caught.append(str(error))

    order.check_out("shoes")
    order.observe(tick)
    order.pay()
    assert caught == ["Order: tick() within a step; call it when the step is done"]


def test_a_chart_with_timers_needs_a_clock_and_another_may_have_one() -> None:
    with pytest.raises(ChartError, match=r"Order has timers, so it needs a clock: Order\(…, clock=time.monotonic\)"):
        Order(Shop())
    assert Door(House(), clock=Clock()).next_timeout() is None


def test_a_profile_may_leave_the_timers_out() -> None:
    class Lamp(Chart[OrderState]):
        """A lamp."""

        initial = CART
        go = On(Row(CART, RESERVED), Row(RESERVED, PAYING), Row(PAYING, GONE), Row(GONE, OrderState.PAID))
        out = On(Row(RESERVED, CART), after=1)

    class Lasting(Lamp):
        """Burns on."""

        out = On(Row(RESERVED, CART))

    lamp = Lasting()
    lamp.observe(lambda *_: None)
    assert lamp.go()
    assert lamp.next_timeout() is None
    assert lamp.tick(1e9) == ()
    assert lamp.armed() == {}


def test_a_step_that_arms_or_clears_the_only_timer_is_seen_by_whoever_asks(clock: Clock) -> None:
    class Lamp(Chart[OrderState]):
        """A lamp."""

        initial = CART
        go = On(Row(CART, RESERVED), Row(RESERVED, PAYING), Row(PAYING, GONE), Row(GONE, OrderState.PAID))
        out = On(Row(RESERVED, CART), after=4)

    lamp = Lamp(clock=clock)
    assert lamp.next_timeout() is None
    lamp.go()
    assert (lamp.next_timeout(), lamp.armed(), snapshot_of(lamp).timers) == (104, {"out": 104}, {"out": 4})
    lamp.go()
    assert (lamp.next_timeout(), lamp.armed()) == (None, {})
    again = Lamp(clock=clock)
    again.go()
    journal = Journal(clock)
    journal.watch(again, "lamp")
    clock.now += 4
    (outcome,) = again.tick(clock.now)
    assert isinstance(outcome, Accepted)
    assert (again.state, again.next_timeout(), again.armed()) == (CART, None, {})
    assert [one.armed for one in journal if not isinstance(one, Dropped)] == [{"out": 4}, {}]


# What reads it.


def test_it_goes_on_after_a_while_in_which_nobody_ran_it(order: Order, clock: Clock) -> None:
    order.check_out("shoes")
    clock.now += 10
    kept = snapshot_of(order, wall=lambda: 5_000.0)
    assert kept.timers == {"give_up": 20}
    state, later = restored_state(kept, Order), Clock()
    assert Order(Shop(), state=state, clock=later, armed=remaining_seconds(kept)).armed() == {"give_up": 120}
    asleep = remaining_seconds(kept, asleep="run", wall=lambda: 5_012.0)
    assert Order(Shop(), state=state, clock=later, armed=asleep).armed() == {"give_up": 108}
    assert remaining_seconds(kept, asleep="run", wall=lambda: 9_999.0) == {"give_up": 0}
    assert remaining_seconds(kept, asleep="run", wall=lambda: 0.0) == {"give_up": 20}
    with pytest.raises(ValueError, match="give 'pause' or 'run'"):
        remaining_seconds(kept, asleep="yes")  # type: ignore[arg-type]


def test_a_journal_holds_for_how_long_timers_were_armed_and_a_replay_asks_no_function(clock: Clock) -> None:
    journal, order = Journal(clock), Order(Shop(patience=7), clock=clock)
    journal.watch(order, "order")
    order.check_out("shoes")
    order.pay()
    order.on_news()
    clock.now += 8
    order.tick(clock.now)
    records = read_journal(line.encode() for line in journal.lines()).records
    assert tuple(journal) == records
    assert [one.armed for one in records if isinstance(one, Entry)] == [
        {"give_up": 7},
        {"poll": 2, "bank_is_silent": 10},
        {"bank_is_silent": 10},
        {"poll": 2},
        {},
    ]
    assert replay(records, {"Order": Order}).agrees
    begun = Journal(clock)
    begun.watch(Order(Shop(), state=RESERVED, clock=clock), "order")
    (started,) = begun
    assert isinstance(started, Started)
    assert started.armed == {"give_up": 30}


def test_a_timer_that_the_chart_does_not_have_is_no_record_of_it() -> None:
    started = Started(0, "door", "Door", Door.chart.digest, 0, "open")
    entry = Entry(0, "door", "Door", 0, "shut", True, "open", "shut", armed={"close": 3})
    (mismatch,) = replay([started, entry], {"Door": Door}).mismatches
    assert "Door has no timer close" in mismatch.message


def test_the_matrix_and_the_drawings_tell_it() -> None:
    text = matrix(Order)
    assert "`bank_is_silent` *after 10 s since heard_at*" in text
    assert "`give_up` *after patience in all these states*" in text
    assert "- **reserved**: entry / Reserve; exit / Release" in text
    assert "*stays* / AskBank, restarts poll" in text
    assert "reserved *anew*" in text
    drawing = chart_drawing(Order)
    assert ("reserved", "entry / Reserve", "exit / Release") in [box.lines for box in drawing.boxes]
    words = " ".join(" ".join(arrow.lines) for arrow in drawing.arrows)
    assert "poll (after 2 s)" in words
    assert "restarts poll" in words
    document = scxml(Order)
    assert '<send event="give_up" id="give_up" delayexpr="patience"/>' in document
    assert '<cancel sendid="poll"/>' in document


def test_the_digest_holds_names_and_scopes_and_not_the_seconds() -> None:
    def digest(after: Any, per: Any = "state") -> str:
        class Lamp(Chart[OrderState]):
            """A lamp."""

            initial = CART
            go = On(Row(CART, RESERVED), Row(RESERVED, PAYING), Row(PAYING, GONE), Row(GONE, OrderState.PAID))
            out = On(Row(RESERVED, CART), after=after, per=per)

        return Lamp.chart.digest

    assert digest(1) == digest(2.5)
    assert len({digest(1), digest(patience), digest(1, "sources")}) == 3


def test_outcomes_pickle(order: Order) -> None:
    for outcome in (order.check_out("shoes"), order.on_receipt(), order.pay()):
        again = pickle.loads(pickle.dumps(outcome))
        assert (type(again), str(again)) == (type(outcome), str(outcome))
        if isinstance(outcome, Accepted):
            assert [type(one) for one in again.effects] == [type(one) for one in outcome.effects]


# What can't be written.

an_on: Any = On  # a type checker finds most of it


def chart(**body: Any) -> None:
    ChartMeta("Bad", (Chart,), {"__doc__": "Bad.", "initial": CART, **body})


LEAPS = {
    f"to_{state.name.lower()}": On(Row([one for one in OrderState if one is not state], state)) for state in OrderState
}


class Two:
    """Wants two things."""

    def __init__(self, one: object, other: object) -> None: ...


class Reentrant(Chart[OrderState, Any]):
    """Its guard fires it."""

    initial = CART
    go = On(Row(CART, RESERVED), Row(RESERVED, PAYING), Row(PAYING, GONE), Row(GONE, OrderState.PAID))


def fires_itself(context: list[Any], event: object) -> bool:
    """It may not."""
    context[0].go()
    return True


class Guarded(Reentrant):
    """Its guard fires it."""

    leap = On(Row(CART, GONE, when=(fires_itself,)))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            {"wait": an_on(Row(CART, GONE, when=(is_solvent,)), after=1)},
            "needs a last row without guard and first",
        ),
        ({"wait": an_on(Row(CART, GONE, first="to_paid"), after=1)}, "needs a last row without guard and first"),
        (
            {
                "wait": an_on(Row(CART, GONE), after=1),
                "part": an_on(Row(CART, CART, when=(is_solvent,), reenters=True), stay(CART)),
                "both": an_on(Row(CART, GONE, first="part")),
            },
            "first='part' may enter 'cart' anew or not",
        ),
        ({"wait": an_on(Row(CART, GONE), after=-1)}, "give seconds, 0 or more"),
        ({"wait": an_on(Row(CART, GONE), after=True)}, "give seconds, 0 or more"),
        ({"wait": an_on(Row(CART, GONE), after=float("inf"))}, "give seconds, 0 or more"),
        ({"wait": an_on(Row(CART, GONE), after=lambda context: 1.0)}, "must be a named function of the context"),
        ({"wait": an_on(Row(CART, GONE), per="sources")}, "need after="),
        ({"wait": an_on(Row(CART, GONE), after=1, per="all")}, "per='all'; give 'state' or 'sources'"),
        ({"wait": an_on(Row(CART, GONE), after=1, checks=(is_solvent,))}, "a timed trigger has no checks"),
        ({"wait": an_on(stay(CART, restarts=("to_paid",)))}, "restarts='to_paid' is no trigger with after="),
        ({"entry": {"elsewhere": (Release,)}}, "'elsewhere' is no state"),
        ({"entry": (Release,)}, "write {STATE: "),
        ({"entry": {CART: (Two,)}}, "has the fields one, other; a class as effect"),
        ({"exit": {GONE: (Release,)}, "final": frozenset({GONE})}, "a row leads out of|nothing leaves gone"),
        ({"wait": an_on(Row(CART, GONE, reenters=True))}, "reenters=True is for a row from a state to itself"),
        ({"tick": an_on(Row(CART, GONE))}, "this name belongs to every machine"),
    ],
)
def test_what_is_not_sound_is_refused_with_what_to_do(body: dict[str, Any], message: str) -> None:
    with pytest.raises(ChartError, match=message):
        chart(**{**LEAPS, **body})


def test_a_plain_enum_a_bare_guard_and_a_bare_name_are_refused_with_what_to_write() -> None:
    class Plain(Enum):
        A = "a"

    with pytest.raises(ChartError, match=r"make its class an enum\.StrEnum"):
        ChartMeta("Bad", (Chart,), {"__doc__": "Bad.", "initial": Plain.A, "go": On(Row(CART, GONE))})
    with pytest.raises(ChartError, match=r"write a tuple, with a comma: \(is_solvent,\)"):
        Row(CART, GONE, when=is_solvent)  # type: ignore[arg-type]
    with pytest.raises(ChartError, match=r"write a tuple, with a comma: \(is_solvent,\)"):
        Row(CART, GONE, then=is_solvent)  # type: ignore[arg-type]
    with pytest.raises(ChartError, match=r"write a tuple, with a comma: \('poll',\)"):
        stay(CART, restarts="poll")


def test_a_chart_that_follows_reports_does_not_move_by_time() -> None:
    body = {"__doc__": "Bad.", "initial": CART, **LEAPS, "on_gone": On(Row(CART, GONE), after=1)}
    with pytest.raises(ChartError, match="doesn't move by time"):
        ChartMeta("Bad", (Observed,), body)


def watched(machine: Chart[Any, Any]) -> Chart[Any, Any]:
    machine.observe(lambda *_: None)
    return machine


@pytest.mark.parametrize("prepare", [lambda machine: machine, watched], ids=["alone", "watched"])
def test_a_guard_that_fires_its_own_machine_is_refused(prepare: Callable[[Any], Any]) -> None:
    context: list[Any] = []
    machine = prepare(Guarded(context))
    context.append(machine)
    with pytest.raises(ChartError, match="a guard or effect fired the machine that asked it"):
        machine.leap()


class TestRestoredTimers:
    def test_what_is_heard_behind_a_restore_puts_off_by_the_whole_time(self, clock: Clock) -> None:
        shop = Shop()
        order = Order(shop, state=PAYING, clock=clock, armed={"bank_is_silent": 2.0})
        shop.heard_at = clock.now + 1
        clock.now += 2
        assert order.tick(clock.now) == ()
        assert order.armed() == {"bank_is_silent": clock.now + 9}

    @pytest.mark.parametrize(
        ("armed", "message"),
        [
            ({"foo": 1.0}, "this state has no such timer, but poll, bank_is_silent, give_up"),
            ({"check_out": 1.0}, "no such timer"),
            ({"poll": float("nan")}, "give seconds"),
            ({"poll": "1"}, "give seconds"),
        ],
    )
    def test_what_can_not_be_armed_is_refused(self, clock: Clock, armed: Any, message: str) -> None:
        with pytest.raises(ChartError, match=message):
            Order(Shop(), state=PAYING, clock=clock, armed=armed)


@dataclass(frozen=True)
class Put:
    """A request whose one field has a default."""

    goods: object = None


@dataclass(frozen=True)
class Both:
    """A request with two fields, of which none need be given."""

    one: object = None
    other: object = None


def test_a_request_with_one_field_takes_the_event_also_if_it_has_a_default() -> None:
    class Shelf(Chart[OrderState, None]):
        initial = CART
        put = On[None, str](stay(CART, then=(Put,)))
        pay = On(Row(CART, RESERVED), Row(RESERVED, PAYING))
        end = On(Row(PAYING, PAID), Row(RESERVED, GONE))

    outcome = Shelf().put("shoes")
    assert isinstance(outcome, Accepted)
    assert outcome.effects == (Put("shoes"),)
    with pytest.raises(ChartError, match="has the fields one, other"):
        ChartMeta("Bad", (Shelf,), {"put": On(stay(CART, then=(Both,))), "__module__": __name__})


def test_triggers_that_would_be_none_are_refused() -> None:
    class Mixin:
        lost = On(Row(CART, RESERVED))

    with pytest.raises(ChartError, match=r"Mixin\.lost is no trigger there; derive Mixin from Chart"):
        ChartMeta("Bad", (Mixin, Order), {"__module__": __name__})
    with pytest.raises(ChartError, match="is there a comma behind On"):
        ChartMeta("Bad", (Order,), {"go": (On(Row(CART, RESERVED)),), "__module__": __name__})
