"""Who is in which room, and what the others are told: the server without its sockets, its clock and its mailboxes.

A member is known by its id, which is its key's fingerprint, and by its session; both were proved before it is let in
here. Each call takes effect at once and returns what to do, in the order in which to do it; time is an argument.

| what happens | who is told |
| --- | --- |
| somebody joins | it: `welcome` with the others; the others: `joined` |
| one more than a room holds, or the hub has rooms | it: `room_full` or `too_many_rooms`, and it is out |
| the same session again, which goes on | the old socket: `replaced`; the new one: `welcome`, and what waits |
| the same session again, which has not heard its first `welcome` | as at first, and what waits |
| the same session again, from its beginning | the same, but what waited is dropped |
| the same id with a new session | the old socket: `replaced`; the others: `left` and `joined` |
| a message to a member | the member: the very text |
| a message to somebody who isn't there | the sender: `not_here` |
| a message for which the recipient's mailbox has no room | the sender: `recipient_full`; it is not kept |
| more of the server's own words for a member than are kept | it: `mailbox_full`; its session begins anew |
| a message that claims another room or sender, or too many of them | the sender: the error, and it is out |
| a socket is lost | nobody; what comes for its member waits until the grace time ends |
| a socket is closed in order, or the grace time ends | the others: `left` |
| new TURN credentials are due | it: `ice_servers`; if it is away, behind its next `welcome` |
| the server drains | everybody: `draining`; who comes anew: `shutting_down` |

A socket that is not in a room, or no longer, is answered nothing: what it sent may still have been under way.

Left out: signatures of peer messages, which the peers verify themselves.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from fsm_rtc.engine import Journal
from fsm_rtc.machines.session import Session
from fsm_rtc.messages.wire import (
    Draining,
    Error,
    ErrorCode,
    IceServers,
    Introduction,
    Joined,
    Left,
    PeerMessage,
    Received,
    Welcome,
    encode,
)
from fsm_rtc.signaling.limits import Limits, TokenBucket
from fsm_rtc.signaling.watching import SessionWatch

__all__ = ["Attach", "Deliver", "Effect", "Forget", "Hub", "Refuse", "Seat", "Send"]

ACKNOWLEDGE_EVERY = 32
"""So many peer messages are taken before their sender is told."""

S = TypeVar("S")
"""A socket, whatever that is: it is only compared."""


class Seat(Generic[S]):
    """A member's session in a room.

    Attributes:
        room: the room's name.
        introduction: who it is.
        machine: whether it is there.
        socket: its socket, or None while it has none.
        posts: how many of its messages were taken.
        first_members: who was there when it came, while it may still not have heard so; None afterwards.
        grace_ends: when it is given up; None while it has a socket.
        renewal_due: when it gets new TURN credentials; None if it never does.
    """

    __slots__ = (
        "bucket",
        "first_members",
        "grace_ends",
        "introduction",
        "machine",
        "posts",
        "renewal_due",
        "room",
        "socket",
    )

    def __init__(
        self,
        room: str,
        socket: S,
        introduction: Introduction,
        bucket: TokenBucket,
        first_members: tuple[Introduction, ...],
    ) -> None:
        self.room = room
        self.introduction = introduction
        self.machine = Session()
        self.socket: S | None = socket
        self.bucket = bucket
        self.posts = 0
        self.first_members: tuple[Introduction, ...] | None = first_members
        self.grace_ends: float | None = None
        self.renewal_due: float | None = None


@dataclass(frozen=True, slots=True)
class Send(Generic[S]):
    """Send a message of the server's own on a socket; it is not kept."""

    to: S
    message: Welcome | IceServers | Received | Draining | Error


@dataclass(frozen=True, slots=True)
class Deliver(Generic[S]):
    """Put a text into a member's mailbox, and send it when its socket has room.

    Attributes:
        sender: whose message it is; None if it is the server's own.
    """

    to: Seat[S]
    text: str
    sender: Seat[S] | None = None


@dataclass(frozen=True, slots=True)
class Attach(Generic[S]):
    """Send what is in a member's mailbox on its socket, behind so many deliveries that it has seen."""

    seat: Seat[S]
    socket: S
    seen: int


@dataclass(frozen=True, slots=True)
class Forget(Generic[S]):
    """Drop a member's mailbox."""

    seat: Seat[S]


@dataclass(frozen=True, slots=True)
class Refuse(Generic[S]):
    """Send an error and close the socket."""

    to: S
    code: ErrorCode
    message: str


Effect = Send[S] | Deliver[S] | Attach[S] | Forget[S] | Refuse[S]


class Hub(Generic[S]):
    """Every room that has somebody in it.

    Args:
        limits: how many rooms and members there may be, how fast they may talk, how long they may be away.
        journal: watches the members' sessions, without their names; None for none.
        renew_seconds: how often members get new TURN credentials; None for never. Whoever sends a `Welcome` or
            `IceServers` puts them in.
    """

    def __init__(
        self, limits: Limits | None = None, journal: Journal | None = None, renew_seconds: float | None = None
    ) -> None:
        self.limits = limits or Limits()
        self._watch = SessionWatch(journal)
        self.is_draining = False
        self._rooms: dict[str, dict[str, Seat[S]]] = {}
        self._seats: dict[S, Seat[S]] = {}
        self._away: dict[Seat[S], float] = {}
        self._renew_seconds = renew_seconds
        self._renewals: deque[tuple[float, Seat[S]]] = deque()  # the first is due first: the time is the same for all

    def __len__(self) -> int:
        """How many rooms have somebody in them."""
        return len(self._rooms)

    @property
    def member_count(self) -> int:
        """How many members there are, those in grace included."""
        return len(self._seats) + len(self._away)

    @property
    def away_count(self) -> int:
        """How many members have no socket and may come back."""
        return len(self._away)

    @property
    def next_deadline(self) -> float | None:
        """When `tick` has something to do; None if nobody is away."""
        return next(iter(self._away.values()), None)  # the grace time is the same for all, so the first ends first

    @property
    def next_renewal(self) -> float | None:
        """When `renew` has something to do; None if nobody is there who gets new credentials."""
        while self._renewals and self._renewals[0][1].machine.is_final:
            self._renewals.popleft()
        return self._renewals[0][0] if self._renewals else None

    def members(self, room: str) -> tuple[Introduction, ...]:
        """Who is in a room, in the order in which they came."""
        return tuple(seat.introduction for seat in self._rooms.get(room, {}).values())

    def seat_of(self, socket: S) -> Seat[S] | None:
        """Whose socket this is."""
        return self._seats.get(socket)

    def waiting(self, room: str, introduction: Introduction) -> Seat[S] | None:
        """The seat of this very session, which may go on."""
        seat = self._rooms.get(room, {}).get(introduction.id)
        return seat if seat is not None and seat.introduction.session == introduction.session else None

    # What sockets do.

    def join(
        self, socket: S, room: str, introduction: Introduction, now: float, *, seen: int | None = None
    ) -> tuple[Effect[S], ...]:
        """Let somebody in.

        Args:
            socket: its socket, which is in no room yet.
            room: the room's name.
            introduction: who it is; verified.
            now: seconds.
            seen: how many deliveries it has seen, to go on behind them; None to begin.
        """
        old = self._rooms.get(room, {}).get(introduction.id)
        if old is not None and old.introduction.session == introduction.session:
            if seen is not None:
                old.first_members = None
                welcome = Welcome(members=(), resumed=True, received=old.posts)
                return self._resume(old, socket, welcome, seen, now)
            if old.first_members is not None:
                return self._resume(old, socket, Welcome(members=old.first_members), 0, now)
        if self.is_draining:
            return (Refuse(socket, ErrorCode.SHUTTING_DOWN, "the server is shutting down; try again in a while"),)
        if old is None and room not in self._rooms and len(self._rooms) >= self.limits.rooms:
            return (Refuse(socket, ErrorCode.TOO_MANY_ROOMS, "the server has all the rooms it can hold; try later"),)
        if old is None and len(self._rooms.get(room, {})) >= self.limits.members:
            message = f"the room has its {self.limits.members} members; choose another room"
            return (Refuse(socket, ErrorCode.ROOM_FULL, message),)
        return tuple(self._begin(old, socket, room, introduction, now))

    def _resume(self, seat: Seat[S], socket: S, welcome: Welcome, seen: int, now: float) -> tuple[Effect[S], ...]:
        old, seat.socket = seat.socket, socket
        seat.machine.resume()
        seat.grace_ends = None
        self._away.pop(seat, None)
        self._seats[socket] = seat
        # The welcome's credentials are new, but what was due while it was away is told apart: its call may need them.
        is_late = seat.renewal_due is not None and seat.renewal_due <= now
        renewed = (Send(socket, IceServers(())),) if is_late else ()
        if is_late:
            self._await_renewal(seat, now)
        return (*self._replaced(old), Send(socket, welcome), Attach(seat, socket, seen), *renewed)

    def _await_renewal(self, seat: Seat[S], now: float) -> None:
        """A member has just got credentials."""
        if self._renew_seconds is not None:
            seat.renewal_due = now + self._renew_seconds
            self._renewals.append((seat.renewal_due, seat))

    def _begin(
        self, old: Seat[S] | None, socket: S, room: str, introduction: Introduction, now: float
    ) -> Iterator[Effect[S]]:
        seats = self._rooms.setdefault(room, {})
        if old is not None:
            yield from self._replaced(old.socket)
            yield from self._forget(old, "leave")
        others = tuple(seat for seat in seats.values() if seat is not old)
        bucket = TokenBucket(self.limits.messages_per_second, self.limits.burst, now)
        members = tuple(other.introduction for other in others)
        seat = self._seats[socket] = seats[introduction.id] = Seat(room, socket, introduction, bucket, members)
        self._watch.begin(room, seat.machine)
        self._await_renewal(seat, now)
        yield Send(socket, Welcome(members=members))
        yield Attach(seat, socket, 0)
        if old is None or old.introduction.session != introduction.session:
            for other in others:
                if old is not None:
                    yield Deliver(other, _left(old.introduction))
                yield Deliver(other, encode(Joined(member=introduction)))

    def _replaced(self, socket: S | None) -> tuple[Effect[S], ...]:
        if socket is None:
            return ()
        del self._seats[socket]
        return (Refuse(socket, ErrorCode.REPLACED, "the same key joined again; use one key a program"),)

    def post(self, socket: S, message: PeerMessage, text: str, now: float) -> tuple[Effect[S], ...]:
        """Pass a message on.

        Args:
            socket: where it came from.
            message: what it says.
            text: the text that says so, which is what is passed on.
            now: seconds.
        """
        seat = self._seats.get(socket)
        if seat is None:
            return ()
        if not seat.bucket.take(now):
            return self._too_fast(seat)
        me = seat.introduction
        if message.room != seat.room:
            return self.put_out(seat, ErrorCode.WRONG_ROOM, "the message names another room; send it to its own")
        if (message.sender, message.sender_session) != (me.id, me.session):
            return self.put_out(seat, ErrorCode.BAD_MESSAGE, "the message names another sender; send your own only")
        seat.posts += 1
        seat.first_members = None
        told: tuple[Effect[S], ...] = ()
        if seat.posts % ACKNOWLEDGE_EVERY == 0:
            told = (Send(socket, Received(seat.posts)),)
        other = self._rooms[seat.room].get(message.recipient)
        if other is None or other is seat or other.introduction.session != message.recipient_session:
            error = Error(code=ErrorCode.NOT_HERE, message="the recipient isn't here; wait for joined")
            return (Send(socket, error), *told)
        return (Deliver(other, text, seat), *told)

    def seen(self, socket: S) -> None:
        """A member has told how much it has seen, so it has heard its welcome."""
        if (seat := self._seats.get(socket)) is not None:
            seat.first_members = None

    def repeat(self, socket: S, now: float) -> tuple[Effect[S], ...]:
        """A frame came that says nothing new: it counts as a message, for reading it costs as much."""
        seat = self._seats.get(socket)
        return () if seat is None or seat.bucket.take(now) else self._too_fast(seat)

    def _too_fast(self, seat: Seat[S]) -> tuple[Effect[S], ...]:
        rate = self.limits.messages_per_second
        return self.put_out(seat, ErrorCode.TOO_FAST, f"more than {rate:g} messages a second; send fewer")

    def lost(self, socket: S, now: float) -> None:
        """A socket is gone without a word; its member may come back."""
        seat = self._seats.pop(socket, None)
        if seat is not None:
            seat.machine.on_link_lost()
            seat.socket = None
            seat.grace_ends = self._away[seat] = now + self.limits.grace_seconds

    def overflow(self, seat: Seat[S], now: float) -> tuple[Effect[S], ...]:
        """More of the server's own words wait for a member than are kept: it loses them and its socket, and may begin
        its session anew. The others don't notice, so nobody can have it thrown out by coming and going.
        """
        seat.first_members = None
        socket = seat.socket
        if socket is None:
            return ()
        self.lost(socket, now)
        return (Refuse(socket, ErrorCode.MAILBOX_FULL, "too much waits unread; come back, and begin anew"),)

    def leave(self, socket: S) -> tuple[Effect[S], ...]:
        """A socket is closed in order: its member is gone."""
        seat = self._seats.get(socket)
        return () if seat is None else tuple(self._gone(seat, "leave"))

    def put_out(self, seat: Seat[S], code: ErrorCode, message: str) -> tuple[Effect[S], ...]:
        """A member is thrown out."""
        if seat.machine.is_final:
            return ()
        refused = (Refuse(seat.socket, code, message),) if seat.socket is not None else ()
        return (*refused, *self._gone(seat, "put_out"))

    # What time does.

    def tick(self, now: float) -> tuple[Effect[S], ...]:
        """Give up those whose grace time is over."""
        over = [seat for seat, ends in self._away.items() if ends <= now]
        return tuple(effect for seat in over for effect in self._gone(seat, "on_grace_over"))

    def renew(self, now: float) -> tuple[Effect[S], ...]:
        """New TURN credentials for those whose have lasted half their time; who is away gets them when it is back."""
        effects: list[Effect[S]] = []
        while (due := self.next_renewal) is not None and due <= now:
            _, seat = self._renewals.popleft()
            if seat.socket is not None:
                self._await_renewal(seat, now)
                effects.append(Send(seat.socket, IceServers(())))
        return tuple(effects)

    def drain(self) -> tuple[Effect[S], ...]:
        """Let nobody new in, and tell everybody."""
        self.is_draining = True
        return tuple(Send(socket, Draining(self.limits.grace_seconds)) for socket in self._seats)

    def clear(self) -> tuple[Effect[S], ...]:
        """Forget everybody, and tell nobody."""
        seats = [seat for room in self._rooms.values() for seat in room.values()]
        self._rooms.clear()
        return tuple(effect for seat in seats for effect in self._forget(seat, "leave"))

    def _gone(self, seat: Seat[S], trigger: str) -> Iterator[Effect[S]]:
        seats = self._rooms[seat.room]
        del seats[seat.introduction.id]
        if not seats:
            del self._rooms[seat.room]
        yield from self._forget(seat, trigger)
        for other in seats.values():
            yield Deliver(other, _left(seat.introduction))

    def _forget(self, seat: Seat[S], trigger: str) -> Iterator[Effect[S]]:
        seat.machine.fire(trigger)
        self._watch.end(seat.machine)
        self._away.pop(seat, None)
        if seat.socket is not None:
            self._seats.pop(seat.socket, None)
            seat.socket = None
        yield Forget(seat)


def _left(introduction: Introduction) -> str:
    return encode(Left(id=introduction.id, session=introduction.session))
