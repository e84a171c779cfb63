"""Who is in which room, and what the others are told: the server without its sockets.

A room holds two. A member is known by its id, which is its key's fingerprint, and by its session; both were proved
before it is let in here. Each call takes effect at once and returns what to send, in the order in which to send it.

| what happens | who is told |
| --- | --- |
| somebody joins | it: `welcome` with the other one; the other one: `joined` |
| a third joins | it: `room_full`, and it is out |
| the same id and session again, on another socket | the old socket: `replaced`, and it is out; the new one: `welcome` |
| the same id with a new session | as before, and the other one: `left` and `joined` |
| a message to the other one | the other one: the very text |
| a message to somebody who isn't there | the sender: `not_here` |
| a message that claims another room or sender | the sender: `wrong_room` or `bad_message`, and it is out |
| a socket closes | the other one: `left` |

A socket that is not in a room, or no longer, is answered nothing: what it sent may still have been under way.

Left out: signatures of peer messages, which the peers verify themselves; mailboxes and grace times for sockets that
come back.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from fsm_rtc.messages.wire import Error, ErrorCode, Introduction, Joined, Left, PeerMessage, Welcome

__all__ = ["ROOM_SIZE", "Effect", "Refuse", "Relay", "Rooms", "Send"]

ROOM_SIZE = 2
"""How many members a room has at most."""

S = TypeVar("S", bound=Hashable)
"""A socket, whatever that is: it is only compared."""


@dataclass(frozen=True, slots=True)
class Send(Generic[S]):
    """Send a message of the server's own."""

    to: S
    message: Welcome | Joined | Left | Error


@dataclass(frozen=True, slots=True)
class Relay(Generic[S]):
    """Send on a peer's text, unchanged."""

    to: S
    text: str


@dataclass(frozen=True, slots=True)
class Refuse(Generic[S]):
    """Send an error and close the socket."""

    to: S
    code: ErrorCode
    message: str


Effect = Send[S] | Relay[S] | Refuse[S]


@dataclass(frozen=True, slots=True)
class _Seat(Generic[S]):
    room: str
    socket: S
    introduction: Introduction


class Rooms(Generic[S]):
    """Every room that has somebody in it."""

    def __init__(self) -> None:
        self._rooms: dict[str, dict[str, _Seat[S]]] = {}
        self._seats: dict[S, _Seat[S]] = {}

    def __len__(self) -> int:
        """How many rooms have somebody in them."""
        return len(self._rooms)

    def members(self, room: str) -> tuple[Introduction, ...]:
        """Who is in a room, in the order in which they came."""
        return tuple(seat.introduction for seat in self._rooms.get(room, {}).values())

    def join(self, socket: S, room: str, introduction: Introduction) -> tuple[Effect[S], ...]:
        """Let somebody in.

        Args:
            socket: its socket, which is in no room yet.
            room: the room's name.
            introduction: who it is; verified.
        """
        seats = self._rooms.get(room, {})
        old = seats.get(introduction.id)
        if old is None and len(seats) >= ROOM_SIZE:
            return (Refuse(socket, ErrorCode.ROOM_FULL, f"the room has its {ROOM_SIZE} members; choose another room"),)
        others = tuple(seat for seat in seats.values() if seat is not old)
        effects: list[Effect[S]] = []
        if old is not None:
            del self._seats[old.socket]
            effects.append(Refuse(old.socket, ErrorCode.REPLACED, "the same key joined again; use one key a program"))
        self._seats[socket] = self._rooms.setdefault(room, {})[introduction.id] = _Seat(room, socket, introduction)
        effects.append(Send(socket, Welcome(members=tuple(other.introduction for other in others))))
        same_session = old is not None and old.introduction.session == introduction.session
        for other in () if same_session else others:
            if old is not None:
                effects.append(Send(other.socket, Left(id=old.introduction.id, session=old.introduction.session)))
            effects.append(Send(other.socket, Joined(member=introduction)))
        return tuple(effects)

    def relay(self, socket: S, message: PeerMessage, text: str) -> tuple[Effect[S], ...]:
        """Pass a message on.

        Args:
            socket: where it came from.
            message: what it says.
            text: the text that says so, which is what is passed on.
        """
        seat = self._seats.get(socket)
        if seat is None:
            return ()
        me = seat.introduction
        if message.room != seat.room:
            return self._put_out(seat, ErrorCode.WRONG_ROOM, "the message names another room; send it to its own")
        if (message.sender, message.sender_session) != (me.id, me.session):
            return self._put_out(seat, ErrorCode.BAD_MESSAGE, "the message names another sender; send your own only")
        other = self._rooms[seat.room].get(message.recipient)
        there = other is not None and other is not seat and other.introduction.session == message.recipient_session
        if other is None or not there:
            return (Send(socket, Error(code=ErrorCode.NOT_HERE, message="the recipient isn't here; wait for joined")),)
        return (Relay(other.socket, text),)

    def leave(self, socket: S) -> tuple[Effect[S], ...]:
        """Take note that a socket is gone, or is to go."""
        seat = self._seats.pop(socket, None)
        if seat is None:
            return ()
        me = seat.introduction
        seats = self._rooms[seat.room]
        del seats[me.id]
        if not seats:
            del self._rooms[seat.room]
        return tuple(Send(other.socket, Left(id=me.id, session=me.session)) for other in seats.values())

    def _put_out(self, seat: _Seat[S], code: ErrorCode, message: str) -> tuple[Effect[S], ...]:
        return (Refuse(seat.socket, code, message), *self.leave(seat.socket))
