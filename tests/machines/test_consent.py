"""Whether the other side still wants what is sent, and whether it is there: the cells, and what happens when."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsm_rtc.engine import Accepted, Outcome
from fsm_rtc.machines.consent import Consent, ConsentState, ConsentTimes
from tests.machines.handwritten_tables import asked, triggers_of, written


@dataclass
class Side:
    """What an agent knows, on a clock that a test sets, and what it was asked for: (when, what)."""

    consent: ConsentTimes = field(default_factory=ConsentTimes)
    now: float = 0.0
    heard_at: float = 0.0
    answered_at: float = 0.0
    asked_at: float = 0.0
    told: list[tuple[float, str]] = field(default_factory=list)

    def draw_interval_seconds(self) -> float:
        return self.consent.interval_seconds

    def clock(self) -> float:
        return self.now

    def hear(self) -> None:
        self.heard_at = self.now

    def carry_out(self, outcome: Outcome) -> None:
        for effect in outcome.effects if isinstance(outcome, Accepted) else ():
            name = type(effect).__name__
            self.asked_at = self.now if name == "Ask" else self.asked_at
            self.told.append((round(self.now, 3), name))

    def times_of(self, *names: str) -> list[float]:
        return [when for when, name in self.told if name in names]

    def news(self) -> list[tuple[float, str]]:
        return [(when, name) for when, name in self.told if name != "Ask"]


HEARD = Side(asked_at=-1.0)
SILENT = Side(asked_at=1.0)

NOTHING_IS_HEARD = """
               new    fresh       doubtful  unanswered  missing  expired
begin          fresh  -           -         -           -        -
on_answer      =      =           fresh     fresh       fresh    -
on_silence     -      doubtful    -         missing     -        -
ask_again      -      -           =         -           =        -
on_loss        -      -           missing   -           -        -
on_unanswered  -      unanswered  missing   -           -        -
on_expiry      -      expired     expired   expired     expired  -
ask            -      =           -         =           -        -
look_elsewhere -      -           -         =           =        =
"""

SOMETHING_IS_HEARD = NOTHING_IS_HEARD.replace(
    "ask_again      -      -           =         -           =        -",
    "ask_again      -      -           fresh     -           unanswered -",
)

ASKED_FOR = """
               new  fresh                    doubtful                 unanswered   missing      expired
begin          .    -                        -                        -            -            -
on_answer      .    .                        .                        TellBack     TellBack     -
on_silence     -    Ask                      -                        Ask          -            -
ask_again      -    -                        Ask                      -            Ask          -
on_loss        -    -                        TellMissing              -            -            -
on_unanswered  -    TellMissing              TellMissing              -            -            -
on_expiry      -    TellMissing,TellExpired  TellMissing,TellExpired  TellExpired  TellExpired  -
ask            -    Ask                      -                        Ask          -            -
look_elsewhere -    -                        -                        .            .            .
"""
"""What the owner is asked for, while nothing is heard; `.` for nothing."""

RUNNING = """
               new  fresh  doubtful  unanswered  missing  expired
on_silence     -    2.5    -         2.5         -        -
ask_again      -    -      0.25      -           0.25     -
on_loss        -    -      2         -           -        -
on_unanswered  -    16     16        -           -        -
on_expiry      -    30     30        30          30       -
ask            -    5      -         5           -        -
"""
"""Which timers run in each state, for how many seconds."""

TRIGGERS = triggers_of(NOTHING_IS_HEARD)


@pytest.mark.parametrize(("side", "table"), [(SILENT, NOTHING_IS_HEARD), (HEARD, SOMETHING_IS_HEARD)])
def test_every_cell_is_as_rfc_7675_and_libwebrtc_have_it(side: Side, table: str) -> None:
    assert asked(Consent, TRIGGERS, context=side) == written(table)
    assert {*Consent.chart.triggers} == {*TRIGGERS}


def requests(state: ConsentState, trigger: str) -> str:
    outcome = Consent(SILENT, state=state, clock=SILENT.clock).fire(trigger)
    if not isinstance(outcome, Accepted):
        return "-"
    return ",".join(type(effect).__name__ for effect in outcome.effects) or "."


def test_what_is_asked_for_in_every_cell() -> None:
    assert {(state.value, name): requests(state, name) for state in ConsentState for name in TRIGGERS} == written(
        ASKED_FOR
    )


def running(state: ConsentState, *, stands_still: float = 0.0) -> dict[str, float]:
    side = Side()
    consent = Consent(side, state=state, clock=side.clock)
    side.now += stands_still
    consent.stood_still(stands_still)
    return dict(consent.armed())


def test_the_times_are_rfc_7675s_and_libwebrtcs() -> None:
    timers = triggers_of(RUNNING)
    found = {
        (state.value, timer): f"{running(state)[timer]:g}" if timer in running(state) else "-"
        for state in ConsentState
        for timer in timers
    }
    assert found == written(RUNNING)
    assert {*Consent.chart.timers} == {*timers}


@pytest.mark.parametrize("state", ConsentState)
def test_who_stood_still_asks_at_once_and_does_not_take_it_for_silence(state: ConsentState) -> None:
    questions = {"ask", "ask_again"}
    before, after = running(state), running(state, stands_still=100.0)
    assert after == {name: when if name in questions else when + 100 for name, when in before.items()}


# What happens when.


def play(
    side: Side, seconds: float, *, hears: Callable[[float], bool] = lambda _: False, answers: bool = False
) -> Consent:
    """Let time pass from the beginning on, in steps of at most 50 ms in which something is heard or not."""
    consent = Consent(side, clock=side.clock)
    side.carry_out(consent.begin())
    for now in moments(consent, side, seconds):
        side.now = now
        if hears(now):
            side.hear()
        before = side.asked_at
        for outcome in consent.tick(now):
            side.carry_out(outcome)
        if answers and side.asked_at != before:
            side.answered_at = side.heard_at = now
            side.carry_out(consent.on_answer())
    return consent


def moments(consent: Consent, side: Side, seconds: float) -> Iterator[float]:
    """When something is due, and every 50 ms."""
    step = 1
    while True:
        due = consent.next_timeout()
        yield (now := min(step * 0.05, due if due is not None else seconds))
        step += now >= step * 0.05
        if now >= seconds:
            return


def always(_: float) -> bool:
    return True


def until(end: float) -> Callable[[float], bool]:
    return lambda now: now <= end


def test_one_that_is_heard_and_answers_is_asked_every_5_seconds() -> None:
    side = Side()
    assert play(side, 60.0, hears=always, answers=True).state is ConsentState.FRESH
    assert side.told == [(5.0 * number, "Ask") for number in range(1, 13)]


def test_one_that_only_answers_is_asked_every_two_and_a_half_seconds() -> None:
    side = Side()
    assert play(side, 60.0, answers=True).state is ConsentState.FRESH
    assert side.told == [(2.5 * number, "Ask") for number in range(1, 25)]


ODD = ConsentTimes(retry_seconds=0.3)
"""Doubt ends between two questions."""


def test_one_that_is_gone_is_asked_quickly_missing_soon_and_given_up_in_the_end() -> None:
    side = Side(ODD)
    assert play(side, 100.0).state is ConsentState.EXPIRED
    assert side.news() == [(4.5, "TellMissing"), (30.0, "TellExpired")]
    questions = side.times_of("Ask")
    assert questions == pytest.approx([2.5 + 0.3 * number for number in range(len(questions))])
    assert questions[-1] == pytest.approx(29.8)


def test_one_that_is_heard_and_never_answers_is_missing_and_given_up_too() -> None:
    side = Side()
    assert play(side, 100.0, hears=always).state is ConsentState.EXPIRED
    assert side.news() == [(16.0, "TellMissing"), (30.0, "TellExpired")]
    assert side.times_of("Ask")[:5] == [5.0, 10.0, 15.0, 20.0, 25.0]


def test_one_that_is_heard_in_time_is_not_missing_and_what_was_not_answered_counts_on() -> None:
    side = Side(ODD)
    play(side, 17.0, hears=lambda now: 4.4 < now < 4.5 or now > 5.0)
    assert side.times_of("Ask")[:8] == pytest.approx([2.5, 2.8, 3.1, 3.4, 3.7, 4.0, 4.3, 9.6])
    assert side.news() == [(16.0, "TellMissing")]


def test_one_that_does_not_answer_and_falls_silent_is_asked_quickly() -> None:
    side = Side()
    assert play(side, 17.8, hears=until(15.12)).state is ConsentState.MISSING
    assert side.told[3:] == [(16.0, "TellMissing"), (17.6, "Ask")]


def test_one_that_has_just_been_asked_is_not_in_doubt_before_it_can_answer() -> None:
    side = Side()
    play(side, 5.4, hears=until(2.62))
    assert side.times_of("Ask") == [5.0, 5.25]


def test_in_doubt_the_missing_answer_counts_as_well() -> None:
    side = Side()
    assert play(side, 16.0, hears=until(13.42)).state is ConsentState.MISSING
    assert side.news() == [(16.0, "TellMissing")]
    assert side.times_of("Ask")[-1] == pytest.approx(15.9)


def test_a_missing_one_that_is_heard_again_is_asked_at_the_usual_pace_until_it_answers() -> None:
    side = Side()
    assert play(side, 20.0, hears=lambda now: now > 10.1).state is ConsentState.UNANSWERED
    assert side.times_of("Ask")[-3:] == [9.75, 10.0, 15.25]
    assert side.news() == [(4.5, "TellMissing")]


def test_what_is_told_is_counted_from_the_last_answer() -> None:
    side = Side()
    consent = play(side, 10.0)
    side.answered_at = side.heard_at = 10.0
    side.carry_out(consent.on_answer())
    assert side.news()[-1] == (10.0, "TellBack")
    side.now = consent.next_timeout() or 0.0
    assert side.now == 12.5
    for now in moments(consent, side, 100.0):
        side.now = now
        for outcome in consent.tick(now):
            side.carry_out(outcome)
    assert side.news()[2:] == [(14.5, "TellMissing"), (40.0, "TellExpired")]


@given(st.lists(st.sampled_from(TRIGGERS)))
def test_the_transport_hears_missing_and_back_in_turn_and_expired_once_behind_missing(triggers: list[str]) -> None:
    side = Side(asked_at=1.0)
    consent = Consent(side, clock=side.clock)
    for trigger in triggers:
        side.carry_out(consent.fire(trigger))
    told = [name for _, name in side.news()]
    for before, after in zip(["TellBack", *told], told, strict=False):
        assert (before, after) in {
            ("TellBack", "TellMissing"),
            ("TellMissing", "TellBack"),
            ("TellMissing", "TellExpired"),
        }
