"""Whether the other side still wants what is sent, and whether it is there."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fsm_rtc.engine import Accepted
from fsm_rtc.machines.consent import Consent, ConsentChanged, ConsentState
from tests.machines.tables import asked, triggers_of, written

CONSENT = """
            fresh     doubtful  missing  expired
on_answer   =         fresh     fresh    -
on_heard    =         fresh     =        -
on_silence  doubtful  =         =        -
on_loss     missing   missing   =        -
on_expiry   -         -         expired  -
"""

TRIGGERS = st.lists(st.sampled_from(triggers_of(CONSENT)))


def test_every_cell_is_as_rfc_7675_and_libwebrtc_have_it() -> None:
    triggers = triggers_of(CONSENT)
    assert asked(Consent, triggers) == written(CONSENT)
    assert {*Consent.chart.triggers} == {*triggers}
    assert Consent().state is ConsentState.FRESH


def told(triggers: list[str]) -> list[ConsentState]:
    """What the transport hears while this happens."""
    consent = Consent()
    heard: list[ConsentState] = []
    for trigger in triggers:
        outcome = consent.fire(trigger)
        for effect in outcome.effects if isinstance(outcome, Accepted) else ():
            assert isinstance(effect, ConsentChanged)
            assert effect.state is consent.state
            heard.append(effect.state)
    return heard


@given(TRIGGERS)
def test_the_transport_hears_missing_and_back_in_turn_and_expired_once_behind_missing(triggers: list[str]) -> None:
    heard = told(triggers)
    for before, after in zip([ConsentState.FRESH, *heard], heard, strict=False):
        assert (before, after) in {
            (ConsentState.FRESH, ConsentState.MISSING),
            (ConsentState.MISSING, ConsentState.FRESH),
            (ConsentState.MISSING, ConsentState.EXPIRED),
        }


@given(TRIGGERS)
def test_doubt_alone_tells_nobody_and_hearing_something_does_not_bring_a_missing_side_back(triggers: list[str]) -> None:
    assert told(["on_silence", "on_heard", "on_silence", "on_answer"]) == []
    quiet = [trigger for trigger in triggers if trigger != "on_answer"]
    assert ConsentState.FRESH not in told(["on_loss", *quiet])
