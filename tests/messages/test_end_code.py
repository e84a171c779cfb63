"""What a goodbye says to people and to programs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsm_rtc.messages import SENTENCES, EndCode, read_end, written_end


@given(st.text(), st.sampled_from(EndCode))
def test_what_is_written_with_a_code_is_read_with_it(reason: str, code: EndCode) -> None:
    assert read_end(written_end(reason, code)) == (reason, code)


def test_the_default_goodbye_is_written_as_ever() -> None:
    assert written_end("closed", EndCode.CLOSED) == "closed"


@pytest.mark.parametrize("code", EndCode)
def test_a_sentence_of_an_earlier_version_is_still_understood(code: EndCode) -> None:
    assert read_end(SENTENCES[code]) == (SENTENCES[code], code)


@pytest.mark.parametrize("payload", ["", "supper", "later: we go on", ": ", "Closed: x", "closed ", "ValueError: x"])
def test_what_has_no_code_is_for_people_alone(payload: str) -> None:
    assert read_end(payload) == (payload, None)


def test_without_a_code_only_the_reason_is_written() -> None:
    assert written_end("later: we go on", None) == "later: we go on"
