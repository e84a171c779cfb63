"""Another session in a room, and the connection to it: from its coming until the room no longer knows it.

A connection is made when it comes, counts when it is trusted, and is closed when the peer leaves, says goodbye, isn't
trusted or fails. With that session nothing begins again before it has left the room, or this side has joined anew:
either is known to both. A link that stands again may name those who are there without it: it may have gone, or have yet
to come back, as this side has.

Source: docs/rooms.md; docs/protocol.md, "Goodbye". Left out: the connection's own machines, and how many there may be
(connection/).
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Protocol

from fsm_rtc.engine import Chart, On, Row, stay
from fsm_rtc.machines.room_member_requests import (
    Arrive,
    BeginCall,
    CallEnding,
    EndAs,
    EndCall,
    EndForGood,
    ForgetPeer,
    LimitMemory,
    MemberEnd,
    Peer,
    TellGone,
)

__all__ = ["RoomMember", "RoomMemberState", "has_seat", "room_is_open"]


class RoomMemberState(StrEnum):
    """What this side has to do with another session."""

    COMING = "coming"
    UNPROVEN = "unproven"
    ACCEPTED = "accepted"
    UNPROVEN_ABSENT = "unproven, absent"
    ABSENT = "absent"
    OVER = "over"
    FORGOTTEN = "forgotten"


COMING, UNPROVEN, ACCEPTED, UNPROVEN_ABSENT, ABSENT, OVER, FORGOTTEN = RoomMemberState
DOUBTED = (UNPROVEN, UNPROVEN_ABSENT)
TRUSTED = (ACCEPTED, ABSENT)


class MemberMemory(Protocol):
    """The context: the room, and the connection to the peer."""

    @property
    def room_is_open(self) -> bool: ...
    @property
    def has_seat(self) -> bool:
        """Whether one more connection may be made."""

    @property
    def stands(self) -> bool:
        """Whether the connection is ready, so that it needs no signalling."""

    @property
    def is_still_trusted(self) -> bool:
        """Whether the peer is to be talked to, now that both agree."""

    @property
    def give_up_seconds(self) -> float:
        """How long somebody may be absent whose connection doesn't stand."""


def give_up_seconds(memory: MemberMemory) -> float:
    """How long somebody may be absent whose connection doesn't stand."""
    return memory.give_up_seconds


def room_is_open(memory: MemberMemory, peer: object) -> bool:
    """The room must be open."""
    return memory.room_is_open


def has_seat(memory: MemberMemory, peer: object) -> bool:
    """The room must have a connection left to make."""
    return memory.has_seat


def stands(memory: MemberMemory, event: object) -> bool:
    """The connection must be ready: then it needs no signalling."""
    return memory.stands


def is_still_trusted(memory: MemberMemory, event: object) -> bool:
    """Of two who came at once under one name only the first to agree is trusted."""
    return memory.is_still_trusted


def end_left(memory: object, event: object) -> EndCall:
    """It has left the room."""
    return EndCall(MemberEnd.LEFT)


def end_missing(memory: object, event: object) -> EndCall:
    """It is no longer in the room."""
    return EndCall(MemberEnd.MISSING)


def end_met_anew(memory: object, event: object) -> EndCall:
    """One of the two has joined anew, and what there was doesn't stand."""
    return EndCall(MemberEnd.MET_ANEW)


def end_replaced(memory: object, event: object) -> EndCall:
    """The same key has come with another session, and proved it."""
    return EndCall(MemberEnd.REPLACED)


def end_not_trusted(memory: object, event: object) -> EndCall:
    """This side doesn't trust it."""
    return EndCall(MemberEnd.NOT_TRUSTED)


def end_namesake(memory: object, event: object) -> EndCall:
    """Somebody else was the first under its name."""
    return EndCall(MemberEnd.NAMESAKE)


BEGINS = (room_is_open, has_seat)


class RoomMember(Chart[RoomMemberState, MemberMemory]):
    """Another session in a room."""

    source = "docs/rooms.md"
    initial = COMING
    final = frozenset({FORGOTTEN})
    entry: ClassVar = {OVER: (LimitMemory,), FORGOTTEN: (ForgetPeer,)}

    on_joined = On[MemberMemory, Peer](
        Row(COMING, UNPROVEN, when=BEGINS, then=BeginCall),
        Row(UNPROVEN_ABSENT, UNPROVEN, when=(stands,)),
        Row(ABSENT, ACCEPTED, when=(stands,)),
        Row(UNPROVEN_ABSENT, UNPROVEN, then=(end_met_anew, BeginCall)),
        Row(ABSENT, UNPROVEN, then=(end_met_anew, TellGone, BeginCall)),
        stay(UNPROVEN, ACCEPTED, OVER),
        cite="docs/protocol.md, joined",
    )
    on_joined_anew = On[MemberMemory, Peer](
        Row((COMING, OVER), UNPROVEN, when=BEGINS, then=BeginCall),
        Row(DOUBTED, UNPROVEN, when=(stands,)),
        Row(TRUSTED, ACCEPTED, when=(stands,)),
        Row(DOUBTED, UNPROVEN, then=(end_met_anew, BeginCall)),
        Row(TRUSTED, UNPROVEN, then=(end_met_anew, TellGone, BeginCall)),
        cite="docs/protocol.md, Sessions: for the others this side has joined anew",
    )
    on_turned_away = On(
        Row(COMING, FORGOTTEN),
        stay(*DOUBTED, *TRUSTED, OVER),
        cite="docs/rooms.md: who finds no seat is left alone",
    )
    on_missing = On(
        Row(UNPROVEN, UNPROVEN_ABSENT),
        Row(ACCEPTED, ABSENT),
        stay(UNPROVEN_ABSENT, ABSENT),
        Row(OVER, FORGOTTEN),
        cite="docs/protocol.md, welcome: the link stands again, and it isn't named",
    )
    on_missing_long = On(
        stay(UNPROVEN_ABSENT, ABSENT, when=(stands,)),
        Row(UNPROVEN_ABSENT, OVER, then=(end_missing,)),
        Row(ABSENT, OVER, then=(end_missing, TellGone)),
        after=give_up_seconds,
        per="sources",
        late="postpone",
        cite="docs/rooms.md: it did not come back",
    )
    on_left = On(
        Row(DOUBTED, FORGOTTEN, then=(end_left,)),
        Row(TRUSTED, FORGOTTEN, then=(end_left, TellGone)),
        Row(OVER, FORGOTTEN),
        cite="docs/protocol.md, left",
    )
    on_proved = On(
        Row(UNPROVEN, ACCEPTED, then=Arrive),
        Row(UNPROVEN_ABSENT, ABSENT, then=Arrive),
        cite="docs/rooms.md: it counts when it is trusted",
    )
    tell = On(stay(*TRUSTED), cite="docs/rooms.md: what happens between a coming and its end is told")
    on_refused = On(
        Row(DOUBTED, OVER, then=(end_not_trusted,)), stay(*TRUSTED, OVER), cite="docs/rooms.md: who isn't trusted"
    )
    on_agreed = On(
        stay(*DOUBTED, *TRUSTED, when=(is_still_trusted,)),
        Row(DOUBTED, OVER, then=(end_namesake,)),
        Row(TRUSTED, OVER, then=(end_namesake, TellGone)),
        stay(OVER),
        cite="docs/rooms.md: of two under one name",
    )
    on_replaced = On(
        Row(TRUSTED, OVER, then=(end_replaced, TellGone)),
        stay(*DOUBTED, OVER),
        cite="docs/rooms.md: who comes again with a new session",
    )
    on_ended = On[MemberMemory, CallEnding](
        Row(DOUBTED, OVER, then=(EndAs,)),
        Row(TRUSTED, OVER, then=(EndAs, TellGone)),
        stay(OVER),
        cite="docs/protocol.md, Goodbye",
    )
    forget = On(Row(OVER, FORGOTTEN), cite="docs/rooms.md: so many are remembered")
    close = On[MemberMemory, CallEnding](
        Row(DOUBTED, FORGOTTEN, then=(EndForGood,)),
        Row(TRUSTED, FORGOTTEN, then=(EndForGood, TellGone)),
        Row((COMING, OVER), FORGOTTEN),
        cite="the room is closed",
    )
