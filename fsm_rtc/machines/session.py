"""A member's session at the signalling server: whether it is there, may still come back, or is gone.

Whoever joins claims the place of its key in the room. Nobody may have it, or a session may: this very one, which goes
on where it was or from its beginning, or another one, which ends then. The table says which, and what follows.

Source: docs/protocol.md, "Rooms" and "Sessions". Left out: proofs, which come before, and messages between members
(signaling/); that the claim is of the same key, since a place is found by the key's id.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from fsm_rtc.engine import Chart, On, Row, stay
from fsm_rtc.machines.session_requests import (
    BeginAnew,
    BeginGrace,
    DropMail,
    ForgetMember,
    ForgetWelcome,
    LetIn,
    OfferServers,
    ResumeSession,
    SendWelcome,
    SessionClaim,
    TakePlace,
    TakeSocket,
    TellEvicted,
    TellJoined,
    TellLeft,
    TellOverflow,
    TellReplaced,
    Unwatch,
    Why,
)

__all__ = ["Session", "SessionState", "place_is_left", "room_is_left", "server_takes_sessions"]


class SessionState(StrEnum):
    """Where a member's session stands."""

    JOINING = "joining"
    WELCOMED = "welcomed"
    JOINED = "joined"
    UNHEARD = "in grace, unheard"
    IN_GRACE = "in grace"
    OVERFLOWED = "in grace, overflowed"
    GONE = "gone"


JOINING, WELCOMED, JOINED, UNHEARD, IN_GRACE, OVERFLOWED, GONE = SessionState
HERE = (WELCOMED, JOINED)
AWAY = (UNHEARD, IN_GRACE, OVERFLOWED)


class SessionMemory(Protocol):
    """The context: whose session it is, and what the server has left."""

    @property
    def session(self) -> str: ...
    @property
    def takes_sessions(self) -> bool:
        """Whether the server lets anybody in who isn't there."""

    @property
    def has_room_left(self) -> bool:
        """Whether the room is there, or may be made."""

    @property
    def has_place_left(self) -> bool:
        """Whether the room holds one more."""

    @property
    def grace_seconds(self) -> float: ...


def grace_seconds(memory: SessionMemory) -> float:
    """How long a member without a socket is waited for."""
    return memory.grace_seconds


def server_takes_sessions(memory: SessionMemory, claim: object) -> bool:
    """The server must not be going to end."""
    return memory.takes_sessions


def room_is_left(memory: SessionMemory, claim: object) -> bool:
    """The room must be there already, or the server have one left."""
    return memory.has_room_left


def place_is_left(memory: SessionMemory, claim: object) -> bool:
    """The room must have a place left."""
    return memory.has_place_left


def is_this_session(memory: SessionMemory, claim: SessionClaim) -> bool:
    """The session that is claimed must be the one that is there."""
    return claim.session == memory.session


def is_another_session(memory: SessionMemory, claim: SessionClaim) -> bool:
    """The key must come with another session than the one that is there."""
    return claim.session != memory.session


def goes_on(memory: object, claim: SessionClaim) -> bool:
    """Who comes back must say how much it has seen, and what follows must be kept still."""
    return claim.seen is not None and claim.is_kept


def go_on(memory: object, claim: SessionClaim) -> ResumeSession:
    """Say that the session goes on, and send what it has not seen."""
    return ResumeSession(claim.seen or 0)


FIRST = (is_this_session,)
BACK = (is_this_session, goes_on)
NEW = (server_takes_sessions, is_another_session)


class Session(Chart[SessionState, SessionMemory]):
    """A member's session at the signalling server."""

    source = "docs/protocol.md, Sessions"
    initial = JOINING
    final = frozenset({GONE})
    entry = {  # noqa: RUF012 - the chart's own, which nobody changes
        JOINED: (ForgetWelcome,),
        UNHEARD: (BeginGrace,),
        IN_GRACE: (BeginGrace,),
        OVERFLOWED: (BeginGrace,),
    }

    claim = On[SessionMemory, SessionClaim](
        Row(
            JOINING,
            WELCOMED,
            when=(server_takes_sessions, room_is_left, place_is_left),
            then=(TakePlace, TakeSocket, SendWelcome, TellJoined),
            cite="Rooms: somebody joins",
        ),
        Row(HERE, GONE, when=NEW, then=(TellReplaced, ForgetMember, TellLeft, LetIn), cite="Rooms: with a new session"),
        Row(AWAY, GONE, when=NEW, then=(ForgetMember, TellLeft, LetIn), cite="Rooms: with a new session"),
        Row(HERE, JOINED, when=BACK, then=(TellReplaced, TakeSocket, go_on), cite="taken over by another socket"),
        Row((UNHEARD, IN_GRACE), JOINED, when=BACK, then=(TakeSocket, go_on), cite="it comes back"),
        stay(
            WELCOMED, when=FIRST, then=(TellReplaced, TakeSocket, SendWelcome), cite="before the first welcome is heard"
        ),
        Row(UNHEARD, WELCOMED, when=FIRST, then=(TakeSocket, SendWelcome), cite="before the first welcome is heard"),
        Row(
            JOINED,
            WELCOMED,
            when=(server_takes_sessions,),
            then=(TellReplaced, BeginAnew, TakeSocket, SendWelcome),
            cite="what was asked for is not there: all counts begin from 0",
        ),
        Row(
            (IN_GRACE, OVERFLOWED),
            WELCOMED,
            when=(server_takes_sessions,),
            then=(BeginAnew, TakeSocket, SendWelcome),
            cite="what was asked for is not there: all counts begin from 0",
        ),
    )
    on_refused = On(
        Row(JOINING, GONE, then=Unwatch), stay(*HERE, *AWAY), cite="the claim is refused; who has the place keeps it"
    )
    on_heard = On(Row(WELCOMED, JOINED), stay(JOINED), cite="it has sent or acknowledged something")
    on_credentials_due = On(
        stay(*HERE, then=OfferServers), stay(*AWAY), cite="ice_servers: to one that is away, behind its next welcome"
    )
    on_link_lost = On(Row(WELCOMED, UNHEARD), Row(JOINED, IN_GRACE), cite="the socket is gone, and nobody said goodbye")
    on_overflow = On(
        Row(HERE, OVERFLOWED, then=(TellOverflow, DropMail)),
        Row((UNHEARD, IN_GRACE), OVERFLOWED, then=DropMail),
        stay(OVERFLOWED),
        cite="Bounds: it loses what waits and its socket, its place is kept",
    )
    on_grace_over = On(
        Row(AWAY, GONE, then=(ForgetMember, TellLeft)), after=grace_seconds, per="sources", cite="it did not come back"
    )
    leave = On(Row(HERE, GONE, then=(ForgetMember, TellLeft)), cite="the client closed in order")
    evict = On[SessionMemory, Why](
        Row(HERE, GONE, then=(TellEvicted, ForgetMember, TellLeft)),
        Row(AWAY, GONE, then=(ForgetMember, TellLeft)),
        cite="it did what the protocol forbids",
    )
    on_server_ends = On(Row((*HERE, *AWAY), GONE, then=ForgetMember), cite="nobody needs to hear of every other one")
