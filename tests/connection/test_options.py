"""CallOptions: given whole or one by one, to whoever makes calls."""

from __future__ import annotations

from typing import Any

import pytest

import fsm_rtc
from fsm_rtc import CallOptions, Configuration, Connection, Room
from fsm_rtc.connection.options import options_of
from fsm_rtc.connection.pipe import memory_pipe
from fsm_rtc.testing import FakePeerConnection

URL = "ws://127.0.0.1:1/kitchen"

TAKERS: dict[str, Any] = {
    "Connection": lambda *given, **keywords: Connection(memory_pipe()[0], None, *given, **keywords),
    "Room": lambda *given, **keywords: Room(memory_pipe()[0], None, *given, **keywords),
    "join": lambda *given, **keywords: fsm_rtc.join(URL, None, *given, **keywords),
}


@pytest.mark.parametrize("taker", TAKERS)
def test_options_are_taken_whole_and_a_keyword_goes_before_them(taker: str) -> None:
    made = TAKERS[taker](CallOptions(name="alice", label="hers"), name="bob")
    assert made.me.name == "bob"
    assert any(label.startswith("hers.") for label in made.machines)


@pytest.mark.parametrize("taker", TAKERS)
def test_an_option_that_there_is_none_of_is_named_with_those_that_there_are(taker: str) -> None:
    with pytest.raises(TypeError, match="no option 'nmae' of a call; there are name, trust"):
        TAKERS[taker](nmae="alice")


@pytest.mark.parametrize("taker", TAKERS)
def test_what_are_no_options_is_said(taker: str) -> None:
    with pytest.raises(TypeError, match=r"give fsm_rtc.CallOptions"):
        TAKERS[taker]({"name": "alice"})


def test_they_are_checked_where_they_are_made() -> None:
    with pytest.raises(TypeError, match="recovery is 5"):
        CallOptions(recovery=5)  # type: ignore[arg-type]


def test_what_is_not_given_one_by_one_stays() -> None:
    here = CallOptions(configuration=Configuration(loopback=True), peer_connection_factory=FakePeerConnection)
    both = options_of(here, {"name": "alice"}, label="call")
    assert (both.configuration, both.peer_connection_factory) == (here.configuration, FakePeerConnection)
    assert (both.name, both.label) == ("alice", "call")
