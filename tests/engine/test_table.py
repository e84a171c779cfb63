"""Row, stay, resolves_to, On: what they hold and how they read."""

from __future__ import annotations

import pytest

from fsm_rtc.engine import On, Row, resolves_to, stay
from fsm_rtc.errors import ChartError
from tests.engine.door_chart import LOCKED, OPEN, SHUT, Door, creak, key_fits, nobody_in


def test_one_source_or_several() -> None:
    assert Row(OPEN, SHUT).sources == (OPEN,)
    assert Row([OPEN, LOCKED], SHUT).sources == (OPEN, LOCKED)
    assert list(Row((OPEN, LOCKED), SHUT).edges()) == [(OPEN, SHUT), (LOCKED, SHUT)]


def test_a_row_that_stays_leads_to_its_source() -> None:
    row = stay(OPEN, SHUT, when=(nobody_in,), then=(creak,), cite="here")
    assert row.target is None
    assert row.target_from(SHUT) is SHUT
    assert list(row.edges()) == [(OPEN, OPEN), (SHUT, SHUT)]
    assert (row.when, row.then, row.cite) == ((nobody_in,), (creak,), "here")


def test_a_row_describes_itself_on_one_line() -> None:
    row = Row((OPEN, SHUT), LOCKED, when=(key_fits, nobody_in), then=(creak,), first="shut")
    assert row.describe() == "open, shut -> locked after shut [key_fits and nobody_in] / creak"
    assert stay(OPEN).describe() == "open -> stays"
    assert resolves_to("shut", OPEN, LOCKED).describe() == "open, locked -> as shut"
    assert repr(Door.chart.triggers["shut"].rows[0]) == "Row(shut: open -> shut)"


def test_a_row_takes_its_triggers_source_unless_it_has_its_own() -> None:
    first, second = Door.chart.triggers["lock"].rows
    assert (first.cite, second.cite) == ("", "locksmiths")
    row = Row(OPEN, SHUT)
    bound = row.bound_to("shut", "carpentry")
    assert (bound.trigger, bound.cite) == ("shut", "carpentry")
    assert (row.trigger, row.cite) == ("", "")


@pytest.mark.parametrize("make", [stay, lambda: resolves_to("shut")])
def test_a_row_needs_a_state(make: object) -> None:
    with pytest.raises(ChartError, match="a row needs at least one state"):
        make()  # type: ignore[operator]


def test_a_trigger_holds_what_it_was_given() -> None:
    row = Row(OPEN, SHUT)
    on = On(row, checks=[key_fits], idempotent=True, cite="here")
    assert (on.rows, on.checks, on.error, on.idempotent, on.cite) == ((row,), (key_fits,), None, True, "here")
