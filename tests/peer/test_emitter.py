"""Events to callbacks."""

from __future__ import annotations

import logging

import pytest

from fsm_rtc.peer.emitter import Emitter


def test_callbacks_are_called_in_the_order_in_which_they_came_with_the_arguments() -> None:
    emitter, seen = Emitter("track"), []
    emitter.on("track", lambda track: seen.append(("first", track)))
    emitter.on("track", lambda track: seen.append(("second", track)))
    emitter.emit("track", 7)
    assert seen == [("first", 7), ("second", 7)]


def test_a_callback_that_raises_is_logged_and_the_others_are_called(caplog: pytest.LogCaptureFixture) -> None:
    emitter, seen = Emitter("open"), []

    def broken() -> None:
        raise RuntimeError("mine")

    emitter.on("open", broken)
    emitter.on("open", lambda: seen.append("called"))
    with caplog.at_level(logging.ERROR, "fsm_rtc.peer"):
        emitter.emit("open")
    assert seen == ["called"]
    assert "broken" in caplog.text


def test_an_unsubscribed_callback_is_called_no_more_even_when_it_goes_during_the_event() -> None:
    emitter, seen = Emitter("open"), []

    def once() -> None:
        seen.append("once")
        stop()

    stop = emitter.on("open", once)
    emitter.emit("open")
    emitter.emit("open")
    assert seen == ["once"]
    assert not emitter.listens("open")


def test_an_unknown_event_names_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"no event 'opne'; there are close, open"):
        Emitter("open", "close").on("opne", print)


def test_a_coroutine_function_is_refused_with_what_to_do() -> None:
    async def handler() -> None: ...

    with pytest.raises(TypeError, match="plain function that starts a task you own"):
        Emitter("open").on("open", handler)
