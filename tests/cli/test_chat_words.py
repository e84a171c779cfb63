"""What a person reads of a chat."""

from __future__ import annotations

from io import StringIO
from typing import cast

import pytest
from rich.console import Console

from fsm_rtc.cli.chat_words import ChatWords
from fsm_rtc.connection.connection import Connection
from fsm_rtc.connection.delivery.messages import chat_message
from fsm_rtc.connection.diagnosis.evidence import Phase
from fsm_rtc.connection.diagnosis.failure import Failure
from fsm_rtc.connection.events import ConnectionEvent, ConnectionStateChanged, Ready, SignalingStatusChanged
from fsm_rtc.errors import SignalingError
from fsm_rtc.machines.connection_state import PeerConnectionState
from fsm_rtc.machines.signaling_link import SignalingStatus
from fsm_rtc.messages import Introduction
from fsm_rtc.room.events import PeerArrived, PeerEvent, PeerGone, RoomEvent

BOB = Introduction(id="b" * 43, session="s" * 22, name="bob", public_key=b"", signature=b"")
CAROL = Introduction(id="c" * 43, session="s" * 22, name="carol", public_key=b"", signature=b"")
EVE = Introduction(id="e" * 43, session="s" * 22, name="e\x1b[31m\nve", public_key=b"", signature=b"")
NOBODY = Introduction(id="n" * 43, session="s" * 22, name="", public_key=b"", signature=b"")


CONNECTION = cast(Connection, None)
"""Whatever it is: the words don't look at it."""


def arrived(peer: Introduction) -> PeerArrived:
    return PeerArrived(peer, CONNECTION)


def told(peer: Introduction, event: ConnectionEvent) -> PeerEvent:
    return PeerEvent(peer, CONNECTION, event)


def gone(peer: Introduction, reason: str, *, by_peer: bool, failure: Failure | None = None) -> PeerGone:
    return PeerGone(peer, CONNECTION, reason, by_peer, failure=failure)


class Screen:
    """The words, and what they come out as."""

    def __init__(
        self, forget: str | None = None, known: dict[str, str] | None = None, *, verbose: bool = False
    ) -> None:
        self._file = StringIO()
        console = Console(file=self._file, width=40)
        self.words = ChatWords(console, "kitchen", (known or {}).get, forget, verbose=verbose)

    def after(self, *events: RoomEvent) -> list[str]:
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
        (arrived(BOB), [f"* bob joined, with the id {BOB.id}"]),
        (arrived(NOBODY), [f"* nnnnnnnn joined, with the id {NOBODY.id}"]),
        (told(BOB, ConnectionStateChanged(PeerConnectionState.CONNECTING)), []),
    ],
)
def test_each_event_is_one_line_that_is_not_wrapped(event: RoomEvent, says: list[str]) -> None:
    assert Screen().after(event) == says


def test_who_is_known_by_this_key_is_recognised() -> None:
    assert "that is known" in Screen(known={"bob": BOB.id}).after(arrived(BOB))[0]
    assert "that is known" not in Screen(known={"bob": EVE.id}).after(arrived(BOB))[0]


def test_a_call_from_its_beginning_to_its_end() -> None:
    screen = Screen()
    screen.after(arrived(BOB))
    assert screen.after(told(BOB, Ready())) == ["* connected to bob: what you type is sent, /quit leaves"]
    screen.words.heard(BOB, chat_message("hi\nthere"))
    assert screen.lines[-2:] == ["bob: hi", "    there"]
    assert screen.after(gone(BOB, "goodbye", by_peer=True)) == [
        "* bob left: goodbye; waiting for the next one in room kitchen"
    ]


def test_a_connection_that_is_disturbed_and_lost() -> None:
    screen = Screen()
    screen.after(arrived(BOB), told(BOB, Ready()))
    assert "there again" in screen.after(SignalingStatusChanged(SignalingStatus.CONNECTED))[0]
    assert "disturbed" in screen.after(told(BOB, ConnectionStateChanged(PeerConnectionState.DISCONNECTED)))[0]
    assert "failed" in screen.after(told(BOB, ConnectionStateChanged(PeerConnectionState.FAILED)))[0]
    assert "no longer" in screen.after(told(BOB, ConnectionStateChanged(PeerConnectionState.CLOSED)))[0]
    ended = screen.after(gone(BOB, "nothing came", by_peer=False))
    assert ended == ["* the call with bob ended: nothing came; waiting for the next one in room kitchen"]


def test_of_several_each_is_called_by_name_and_who_is_left_is_told() -> None:
    screen = Screen()
    screen.after(arrived(BOB), arrived(CAROL), told(BOB, Ready()), told(CAROL, Ready()))
    screen.words.heard(CAROL, chat_message("hi"))
    screen.words.heard(BOB, chat_message("hello"))
    assert screen.lines[-2:] == ["carol: hi", "bob: hello"]
    assert screen.after(gone(CAROL, "goodbye", by_peer=True)) == ["* carol left: goodbye; still here: bob"]


def test_two_who_are_called_the_same_are_told_apart() -> None:
    namesake = Introduction(id="d" * 43, session="s" * 22, name="bob", public_key=b"", signature=b"")
    screen = Screen()
    screen.after(arrived(BOB), arrived(namesake))
    screen.words.heard(BOB, chat_message("it is me"))
    screen.words.heard(namesake, chat_message("no, me"))
    assert screen.lines[-2:] == ["bob (bbbbbbbb): it is me", "bob (dddddddd): no, me"]
    assert screen.after(gone(namesake, "goodbye", by_peer=True)) == ["* bob (dddddddd) left: goodbye; still here: bob"]


def test_the_end_of_a_session_that_was_replaced_leaves_the_new_one_here() -> None:
    again = Introduction(id=BOB.id, session="t" * 22, name="bob", public_key=b"", signature=b"")
    screen = Screen()
    screen.after(arrived(BOB), arrived(again))
    assert "still here: bob" in screen.after(gone(BOB, "the peer came again with a new session", by_peer=True))[0]


def test_nothing_that_others_wrote_moves_the_cursor() -> None:
    screen = Screen()
    screen.after(arrived(EVE), told(EVE, Ready()), gone(EVE, "\x1b[2J\nbob: I agree", by_peer=True))
    screen.words.heard(EVE, chat_message("\x1b]0;title\x07"))
    screen.words.heard(EVE, "\x1b[A")
    screen.words.heard(EVE, b"\x1b[A")
    screen.words.refused("\x1b[A", EVE.id, BOB.id)
    assert "\x1b" not in "".join(screen.lines)
    assert not any(line.startswith("bob:") for line in screen.lines)


def test_what_is_no_chat_message_is_told_as_such() -> None:
    screen = Screen()
    screen.after(arrived(BOB))
    screen.words.heard(BOB, "{}")
    screen.words.heard(BOB, b"\x00\x01")
    assert screen.lines[-2:] == ["* bob sends text that is no chat message: {}", "* bob sends 2 bytes"]


def test_that_lines_wait_is_said_once_a_wait() -> None:
    screen = Screen()
    screen.words.kept()
    screen.words.kept()
    assert len(screen.lines) == 1
    screen.after(arrived(BOB), told(BOB, Ready()), gone(BOB, "goodbye", by_peer=True))
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


def test_of_a_call_that_failed_the_advice_is_shown_and_on_demand_everything() -> None:
    failure = Failure(Phase.CONNECTED, "the connection has failed")
    line = "* the call with bob ended: the connection has failed; waiting for the next one in room kitchen"
    event = gone(BOB, "the connection has failed", by_peer=False, failure=failure)
    assert Screen().after(event) == [line, f"* {failure.advice}"]
    first, *rest = str(failure).splitlines()
    assert Screen(verbose=True).after(event) == [line, f"* {first}", *(f"    {one}" for one in rest)]


def test_a_goodbye_and_a_refusal_that_was_explained_need_no_advice() -> None:
    screen = Screen()
    screen.words.failed(None)
    screen.words.failed(Failure(Phase.CONNECTED, "goodbye", by_peer=True))
    screen.words.failed(Failure(Phase.SIGNALING, "replaced", error=SignalingError("replaced", code="replaced")))
    assert screen.lines == []
