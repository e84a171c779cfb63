"""What a person reads of a chat."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from fsm_rtc.cli.chat_words import ChatWords
from fsm_rtc.connection.events import (
    ConnectionEvent,
    ConnectionStateChanged,
    Ended,
    Joined,
    Left,
    Ready,
    SignalingStatusChanged,
)
from fsm_rtc.connection.messages import chat_message
from fsm_rtc.errors import SignalingError
from fsm_rtc.machines.connection_state import PeerConnectionState
from fsm_rtc.machines.signaling_link import SignalingStatus
from fsm_rtc.messages import Introduction

BOB = Introduction(id="b" * 43, session="s" * 22, name="bob", public_key=b"", signature=b"")
EVE = Introduction(id="e" * 43, session="s" * 22, name="e\x1b[31m\nve", public_key=b"", signature=b"")
NOBODY = Introduction(id="n" * 43, session="s" * 22, name="", public_key=b"", signature=b"")


class Screen:
    """The words, and what they come out as."""

    def __init__(self, forget: str | None = None, known: dict[str, str] | None = None) -> None:
        self._file = StringIO()
        self.words = ChatWords(Console(file=self._file, width=40), "kitchen", (known or {}).get, forget)

    def after(self, *events: ConnectionEvent) -> list[str]:
        """The lines that these events add."""
        before = len(self.lines)
        for event in events:
            self.words.happened(event)
        return self.lines[before:]

    @property
    def lines(self) -> list[str]:
        return self._file.getvalue().splitlines()


@pytest.mark.parametrize(
    ("event", "says"),
    [
        (SignalingStatusChanged(SignalingStatus.CONNECTED), ["* waiting for the other side in room kitchen"]),
        (
            SignalingStatusChanged(SignalingStatus.ERROR, SignalingError("it is down"), 3.0),
            ["* it is down; trying again in 3.0 s"],
        ),
        (SignalingStatusChanged(SignalingStatus.ERROR, SignalingError("no"), None), ["* no; given up"]),
        (Joined(BOB), [f"* bob joined, with the id {BOB.id}"]),
        (Joined(NOBODY), [f"* nnnnnnnn joined, with the id {NOBODY.id}"]),
        (ConnectionStateChanged(PeerConnectionState.CONNECTING), []),
    ],
)
def test_each_event_is_one_line_that_is_not_wrapped(event: ConnectionEvent, says: list[str]) -> None:
    assert Screen().after(event) == says


def test_who_is_known_by_this_key_is_recognised() -> None:
    assert "that is known" in Screen(known={"bob": BOB.id}).after(Joined(BOB))[0]
    assert "that is known" not in Screen(known={"bob": EVE.id}).after(Joined(BOB))[0]


def test_a_call_from_its_beginning_to_its_end() -> None:
    screen = Screen()
    screen.after(Joined(BOB))
    assert screen.after(Ready()) == ["* connected to bob: what you type is sent, /quit leaves"]
    screen.words.heard(chat_message("hi\nthere"))
    assert screen.lines[-2:] == ["bob: hi", "    there"]
    assert screen.after(Ended("goodbye", by_peer=True), Left(BOB)) == [
        "* bob left: goodbye; waiting for the next one in room kitchen"
    ]


def test_a_peer_that_leaves_the_server_alone_is_still_in_the_call() -> None:
    screen = Screen()
    screen.after(Joined(BOB), Ready())
    assert "the call goes on" in screen.after(Left(BOB))[0]
    assert "there again" in screen.after(SignalingStatusChanged(SignalingStatus.CONNECTED))[0]
    assert "disturbed" in screen.after(ConnectionStateChanged(PeerConnectionState.DISCONNECTED))[0]
    assert "failed" in screen.after(ConnectionStateChanged(PeerConnectionState.FAILED))[0]
    assert "no longer" in screen.after(ConnectionStateChanged(PeerConnectionState.CLOSED))[0]
    ended = screen.after(Ended("nothing came", by_peer=False))
    assert ended == ["* the call with bob ended: nothing came; waiting for the next one in room kitchen"]


def test_a_peer_that_leaves_before_the_call_has_left() -> None:
    screen = Screen()
    screen.after(Joined(BOB))
    assert screen.after(Left(BOB)) == ["* bob left"]


def test_nothing_that_others_wrote_moves_the_cursor() -> None:
    screen = Screen()
    screen.after(Joined(EVE), Ready(), Ended("\x1b[2J\nbob: I agree", by_peer=True))
    screen.words.heard(chat_message("\x1b]0;title\x07"))
    screen.words.heard("\x1b[A")
    screen.words.heard(b"\x1b[A")
    screen.words.refused("\x1b[A", EVE.id, BOB.id)
    assert "\x1b" not in "".join(screen.lines)
    assert not any(line.startswith("bob:") for line in screen.lines)


def test_what_is_no_chat_message_is_told_as_such() -> None:
    screen = Screen()
    screen.after(Joined(BOB))
    screen.words.heard("{}")
    screen.words.heard(b"\x00\x01")
    assert screen.lines[-2:] == ["* bob sends text that is no chat message: {}", "* bob sends 2 bytes"]


def test_that_lines_wait_is_said_once_a_wait() -> None:
    screen = Screen()
    screen.words.kept()
    screen.words.kept()
    assert len(screen.lines) == 1
    screen.after(Joined(BOB), Ready(), Ended("goodbye", by_peer=True))
    before = len(screen.lines)
    screen.words.kept()
    assert len(screen.lines) == before + 1


@pytest.mark.parametrize(
    ("forget", "name", "remedy"),
    [
        ("fsm-rtc known-peers forget", "bob", "accept it with: fsm-rtc known-peers forget bob; then join again"),
        ("fsm-rtc known-peers forget", "bob & co", "forget 'bob & co'; then join again"),
        ("fsm-rtc known-peers forget", "--help", "forget -- --help; then join again"),
        (None, "bob", "if it is the new one, to accept it, join again"),
    ],
)
def test_a_refused_key_is_told_with_what_it_means_and_what_to_do(forget: str | None, name: str, remedy: str) -> None:
    screen = Screen(forget)
    screen.words.refused(name, EVE.id, BOB.id)
    assert screen.lines[0] == f"* refused: {name}, now with the id {EVE.id}, who had the id {BOB.id} before"
    assert "somebody else uses that name" in screen.lines[1]
    assert remedy in screen.lines[1]


def test_what_could_not_be_done_is_told() -> None:
    screen = Screen()
    screen.words.not_sent("it is too long")
    screen.words.forgetful("the disk is full")
    assert screen.lines == [
        "* a line was not sent: it is too long",
        "* the keys of others can't be remembered or compared: the disk is full",
    ]


@pytest.mark.parametrize(("code", "says"), [("replaced", "--one-time-key"), ("room_full", "another")])
def test_a_refusal_of_the_server_comes_with_advice(code: str, says: str) -> None:
    event = SignalingStatusChanged(SignalingStatus.ERROR, SignalingError("refused", code=code), None)
    assert says in Screen().after(event)[1]
