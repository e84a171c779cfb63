"""A client's link to its signalling server: made, proved, gone on with, and made again whenever it is lost.

Source: docs/protocol.md, "With a server" and "Coming back"; browser/link.js does the same in a page. Left out: the
counts of a session, which say what to send again, and how long each wait is (signaling/); what a room shows of it is
`SignalingLink`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from fsm_rtc.engine import Chart, On, Row, stay
from fsm_rtc.machines.signaling_requests import (
    Abort,
    AwaitReader,
    BackOff,
    BackOffLate,
    BeginSession,
    CheckLink,
    Connect,
    EndEvents,
    GoOnWithSession,
    HangUp,
    Leave,
    Read,
    ResetBackoff,
    ShakeHands,
    TellClosed,
    TellRefused,
)

__all__ = ["SignalingClient", "SignalingClientState"]


class SignalingClientState(StrEnum):
    """How far the link is."""

    NEW = "new"
    CONNECTING = "connecting"
    HANDSHAKING = "handshaking"
    RESUMING = "resuming"
    UP = "up"
    CHECKING = "checking"
    WAITING = "waiting"
    HELD = "held"
    REFUSED = "refused"
    CLOSED = "closed"


NEW, CONNECTING, HANDSHAKING, RESUMING, UP, CHECKING, WAITING, HELD, REFUSED, CLOSED = SignalingClientState
GREETING = (HANDSHAKING, RESUMING)
TRYING = (CONNECTING, *GREETING)
LINKED = (UP, CHECKING)
BETWEEN = (WAITING, HELD)


class WelcomeEvent(Protocol):
    """The payload of `on_welcome`: the server's welcome."""

    @property
    def resumed(self) -> bool: ...


class LinkMemory(Protocol):
    """The context: what the next step depends on, and the times, in seconds."""

    @property
    def has_session(self) -> bool:
        """Whether the server has let this session in before."""

    @property
    def has_reader(self) -> bool:
        """Whether what has come is read, so that more may come."""

    @property
    def connect_timeout_seconds(self) -> float: ...
    @property
    def check_timeout_seconds(self) -> float: ...
    @property
    def stable_seconds(self) -> float: ...
    def is_final(self, loss: Exception) -> bool:
        """Whether the server refuses what it would refuse again."""

    def is_cancelled(self, loss: Exception) -> bool:
        """Whether this program has cancelled its own work, as it does at its end."""


def connect_seconds(memory: LinkMemory) -> float:
    """How long an attempt may take, from the TCP connection to the welcome."""
    return memory.connect_timeout_seconds


def check_seconds(memory: LinkMemory) -> float:
    """How long a server that is asked for a sign of life may take."""
    return memory.check_timeout_seconds


def stable_seconds(memory: LinkMemory) -> float:
    """How long a link must stand to have recovered."""
    return memory.stable_seconds


def has_session(memory: LinkMemory, event: object) -> bool:
    """There must be a session to go on with."""
    return memory.has_session


def has_reader(memory: LinkMemory, event: object) -> bool:
    """Somebody must read what comes."""
    return memory.has_reader


def is_resumed(memory: object, welcome: WelcomeEvent) -> bool:
    """The server must go on with the session."""
    return welcome.resumed


def is_final(memory: LinkMemory, loss: Exception) -> bool:
    """The server must have refused what it would refuse again."""
    return memory.is_final(loss)


def is_cancelled(memory: LinkMemory, loss: Exception) -> bool:
    """The program must have cancelled the work itself."""
    return memory.is_cancelled(loss)


class SignalingClient(Chart[SignalingClientState, LinkMemory]):
    """A client's link to its signalling server, again and again until it is closed."""

    source = "docs/protocol.md, Coming back"
    initial = NEW
    final = frozenset({CLOSED})

    open = On(Row(NEW, CONNECTING, then=Connect), cite="Where")
    on_connected = On(
        Row(CONNECTING, RESUMING, when=(has_session,), then=ShakeHands),
        Row(CONNECTING, HANDSHAKING, then=ShakeHands),
        cite="hello: `resume`, to go on",
    )
    on_welcome = On[LinkMemory, WelcomeEvent](
        Row(RESUMING, UP, when=(is_resumed,), then=(GoOnWithSession, Read)),
        Row(GREETING, UP, then=(BeginSession, Read)),
        cite="welcome",
    )
    on_late = On(
        Row(TRYING, WAITING, then=(HangUp, BackOffLate)),
        after=connect_seconds,
        per="sources",
        cite="Bounds: from the connection to the hello",
    )
    on_lost = On[LinkMemory, Exception](
        Row(TRYING, CLOSED, when=(is_cancelled,), then=(Abort, EndEvents), cite="the program ends"),
        Row(LINKED, CLOSED, when=(is_cancelled,), then=(Abort, TellClosed, EndEvents), cite="the program ends"),
        Row((*TRYING, *LINKED), REFUSED, when=(is_final,), then=(HangUp, TellRefused), cite="Errors: final"),
        Row((*TRYING, *LINKED), WAITING, then=(HangUp, BackOff), cite="Coming back"),
    )
    on_waited = On(
        Row(WAITING, CONNECTING, when=(has_reader,), then=Connect),
        Row(WAITING, HELD, then=AwaitReader),
        cite="Coming back; Bounds: what it hasn't read",
    )
    on_reader = On(Row(HELD, CONNECTING, then=Connect), cite="Bounds: then it makes another")
    on_stood = On(
        stay(*LINKED, then=ResetBackoff),
        after=stable_seconds,
        per="sources",
        cite="Coming back: a link that has stood for 10 s ends the row",
    )
    send = On(stay(*LINKED), cite="Messages between peers")
    check = On(
        Row(UP, CHECKING, then=CheckLink),
        stay(NEW, *TRYING, CHECKING, *BETWEEN, REFUSED),
        cite="Where: either side may ping",
    )
    on_pong = On(
        Row(CHECKING, UP), stay(*TRYING, UP, *BETWEEN, REFUSED), cite="Where: gives a link up if it hears no pong"
    )
    on_no_pong = On(stay(CHECKING, then=Abort), after=check_seconds, cite="Where: gives a link up if it hears no pong")
    close = On(
        Row((*TRYING, *BETWEEN), CLOSED, then=(Leave, EndEvents)),
        Row(LINKED, CLOSED, then=(TellClosed, Leave, EndEvents)),
        Row((NEW, REFUSED), CLOSED, then=EndEvents),
        idempotent=True,
        cite="Sessions: it is over when its client closes the link with the code 1000",
    )
