"""Who is in which room, and what the others are told: the server without its sockets, its clock and its mailboxes.

A member is known by its id, which is its key's fingerprint, and by its session; both were proved before it is let in
here. What becomes of a session, its `Session` decides, and what becomes of the server, its `SignalingHub`: here it is
carried out. Each call takes effect at once and returns what to do, in the order in which to do it; time is an argument.

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

from collections.abc import Iterator
from typing import Generic, TypeVar, cast

from fsm_rtc.engine import Accepted, Clock, Journal, Outcome
from fsm_rtc.errors import Rejected
from fsm_rtc.machines import session_requests as asks
from fsm_rtc.machines.signaling_hub import ForgetAll, SignalingHub, TellDraining
from fsm_rtc.messages import wire
from fsm_rtc.messages.wire import ErrorCode
from fsm_rtc.peer.forwarding import Forwarded
from fsm_rtc.signaling import seats
from fsm_rtc.signaling.limits import Limits, Refusal, refusal_of
from fsm_rtc.signaling.seats import Claim, Effect, Seat, Send

ACKNOWLEDGE_EVERY = 32
"""So many peer messages are taken before their sender is told."""

REPLACED = Refusal(ErrorCode.REPLACED, "the same key joined again; use one key a program")
MAILBOX_FULL = Refusal(ErrorCode.MAILBOX_FULL, "too much waits unread; come back, and begin anew")

S = TypeVar("S")
"""A socket, whatever that is: it is only compared."""


class Hub(Generic[S]):
    """Every room that has somebody in it.

    Args:
        limits: how many rooms and members there may be, how fast they may talk, how long they may be away.
        journal: watches the hub's machine and the members' sessions, without their names; None for none.
        renew_seconds: how often members get new TURN credentials; None for never. The sender of a `Welcome` or
            `IceServers` puts them in.

    Attributes:
        machine: whether it lets somebody in.
        clock: the sessions' clock: what was said last to be the time, in seconds.
    """

    def __init__(
        self, limits: Limits | None = None, journal: Journal | None = None, renew_seconds: float | None = None
    ) -> None:
        self.limits = limits or Limits()
        self.machine = SignalingHub()
        self._watch = seats.SessionWatch(journal)
        self._watch.begin_hub(self.machine)
        self._rooms: dict[str, dict[str, Seat[S]]] = {}
        self._seats: dict[S, Seat[S]] = {}
        self._away: dict[Seat[S], None] = {}  # the grace time is the same for all, so the first is due first
        self._renewals: seats.Renewals[S] = seats.Renewals(renew_seconds)
        self._now = 0.0
        self.clock: Clock = self._time  # one for all: each bound method takes as much again as a small session

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
    def takes_sessions(self) -> bool:
        """Whether a session is let in that isn't there."""
        return bool(self.machine.permits("admit"))

    @property
    def next_deadline(self) -> float | None:
        """When `tick` has something to do; None if nobody is away."""
        first = next(iter(self._away), None)
        return first.machine.next_timeout() if first is not None else None

    next_renewal = Forwarded[float | None]("_renewals.next_due")
    """When `renew` has something to do; None if nobody is there who gets new credentials."""

    def members(self, room: str) -> tuple[wire.Introduction, ...]:
        """Who is in a room, in the order in which they came."""
        return tuple(seat.introduction for seat in self._rooms.get(room, {}).values())

    def has_room_left(self, room: str) -> bool:
        """Whether a room is there, or may be made."""
        return room in self._rooms or len(self._rooms) < self.limits.rooms

    def has_place_left(self, room: str) -> bool:
        """Whether one more may be in a room."""
        return len(self._rooms.get(room, ())) < self.limits.members

    def seat_of(self, socket: S) -> Seat[S] | None:
        """Whose socket this is."""
        return self._seats.get(socket)

    def seat_at(self, room: str, id: str) -> Seat[S] | None:  # noqa: A002 - as in Introduction
        """The place of a key in a room, whatever its session."""
        return self._rooms.get(room, {}).get(id)

    def _time(self) -> float:
        return self._now

    # What sockets do.

    def join(
        self,
        socket: S,
        room: str,
        introduction: wire.Introduction,
        now: float,
        *,
        seen: int | None = None,
        is_kept: bool = True,
    ) -> tuple[Effect[S], ...]:
        """Let somebody in.

        Args:
            socket: its socket, which is in no room yet.
            room: the room's name.
            introduction: who it is; verified.
            now: seconds.
            seen: how many deliveries it has seen, to go on behind them; None to begin.
            is_kept: whether what follows these is there still.
        """
        self._now = now
        return tuple(self._claimed(room, Claim(socket, introduction, seen, is_kept)))

    def _claimed(self, room: str, claim: Claim[S]) -> Iterator[Effect[S]]:
        seat = self.seat_at(room, claim.introduction.id)
        if seat is None:
            seat = Seat(self, room, claim.introduction)
            self._watch.begin(room, seat.machine)
        outcome = seat.machine.claim(claim)
        if isinstance(outcome, Rejected):
            refusal = refusal_of(outcome, self.limits)
            yield seats.Refuse(claim.socket, refusal.code, refusal.message)
            outcome = seat.machine.on_refused()
        yield from self._carried_out(seat, outcome)

    def post(self, socket: S, message: wire.PeerMessage, text: str, now: float) -> tuple[Effect[S], ...]:
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
        # A client that claims another room or sender is no honest one: it is out, and the code tells what it claimed.
        if message.room != seat.room:
            return self.evict(seat, ErrorCode.WRONG_ROOM, "the message names another room; send it to its own")
        if (message.sender, message.sender_session) != (me.id, me.session):
            return self.evict(seat, ErrorCode.BAD_MESSAGE, "the message names another sender; send your own only")
        seat.posts += 1
        heard = self._stepped(seat, seat.machine.on_heard()) if seat.posts == 1 else ()
        told: tuple[Effect[S], ...] = heard
        if seat.posts % ACKNOWLEDGE_EVERY == 0:
            told = (*heard, Send(socket, wire.DeliveriesReceived(seat.posts)))
        other = self._rooms[seat.room].get(message.recipient)
        if other is None or other is seat or other.introduction.session != message.recipient_session:
            error = wire.Error(code=ErrorCode.NOT_HERE, message="the recipient isn't here; wait for joined")
            return (Send(socket, error), *told)
        return (seats.DeliverText(other, text, seat), *told)

    def seen(self, socket: S) -> tuple[Effect[S], ...]:
        """A member has told for the first time how much it has seen, so it has heard its welcome."""
        seat = self._seats.get(socket)
        return () if seat is None else self._stepped(seat, seat.machine.on_heard())

    def repeat(self, socket: S, now: float) -> tuple[Effect[S], ...]:
        """A frame came that says nothing new: it counts as a message, for reading it costs as much."""
        seat = self._seats.get(socket)
        return () if seat is None or seat.bucket.take(now) else self._too_fast(seat)

    def _too_fast(self, seat: Seat[S]) -> tuple[Effect[S], ...]:
        rate = self.limits.messages_per_second
        return self.evict(seat, ErrorCode.TOO_FAST, f"more than {rate:g} messages a second; send fewer")

    def lost(self, socket: S, now: float) -> None:
        """A socket is gone without a word; its member may come back."""
        self._now = now
        if (seat := self._seats.get(socket)) is not None:
            self._stepped(seat, seat.machine.on_link_lost())

    def overflow(self, seat: Seat[S], now: float) -> tuple[Effect[S], ...]:
        """More of the server's own words wait for a member than are kept: it loses them and its socket, and may begin
        its session anew. The others don't notice, so nobody can have it thrown out by coming and going.
        """
        self._now = now
        return self._stepped(seat, seat.machine.on_overflow())

    def leave(self, socket: S) -> tuple[Effect[S], ...]:
        """A socket is closed in order: its member is gone."""
        seat = self._seats.get(socket)
        return () if seat is None else self._stepped(seat, seat.machine.leave())

    def evict(self, seat: Seat[S], code: ErrorCode, message: str) -> tuple[Effect[S], ...]:
        """A member is thrown out."""
        return self._stepped(seat, seat.machine.evict(Refusal(code, message)))

    # What time does, and the end.

    def tick(self, now: float) -> tuple[Effect[S], ...]:
        """Give up those whose grace time is over."""
        self._now = now
        effects: list[Effect[S]] = []
        while (due := self.next_deadline) is not None and due <= now:
            seat = next(iter(self._away))
            for outcome in seat.machine.tick(now):
                effects += self._carried_out(seat, outcome)
        return tuple(effects)

    def renew(self, now: float) -> tuple[Effect[S], ...]:
        """New TURN credentials for those whose have lasted half their time; who is away gets them when it is back."""
        self._now = now
        effects: list[Effect[S]] = []
        for seat in self._renewals.due(now):
            effects += self._carried_out(seat, seat.machine.on_credentials_due())
        return tuple(effects)

    def drain(self) -> tuple[Effect[S], ...]:
        """Let nobody new in, and tell everybody."""
        return tuple(self._done(self.machine.drain()))

    def stop(self) -> tuple[Effect[S], ...]:
        """Forget everybody, tell nobody, and let nobody in any more."""
        return tuple(self._done(self.machine.stop()))

    def _done(self, outcome: Outcome) -> Iterator[Effect[S]]:
        for request in outcome.effects if isinstance(outcome, Accepted) else ():
            match request:
                case TellDraining():
                    yield from (Send(socket, wire.Draining(self.limits.grace_seconds)) for socket in self._seats)
                case ForgetAll():
                    for seat in [seat for room in self._rooms.values() for seat in room.values()]:
                        yield from self._carried_out(seat, seat.machine.on_server_ends())
                    self._watch.end_hub()

    # What the sessions ask for.

    def _stepped(self, seat: Seat[S], outcome: Outcome) -> tuple[Effect[S], ...]:
        return tuple(self._carried_out(seat, outcome))

    def _carried_out(self, seat: Seat[S], outcome: Outcome) -> Iterator[Effect[S]]:
        for request in outcome.effects if isinstance(outcome, Accepted) else ():
            yield from self._done_for(seat, request)

    def _done_for(self, seat: Seat[S], request: object) -> Iterator[Effect[S]]:
        me = seat.introduction
        match request:
            case asks.LetIn(claim):
                yield from self._claimed(seat.room, cast("Claim[S]", claim))
            case asks.SendWelcome():
                yield from self._greeted(seat, wire.Welcome(members=seat.welcomed), 0)
            case asks.ResumeSession(seen):
                yield from self._greeted(seat, wire.Welcome(members=(), resumed=True, received=seat.posts), seen)
            case asks.OfferServers():
                self._renewals.begin(seat, self._now)
                if seat.socket is not None:
                    yield Send(seat.socket, wire.IceServers(()))
            case asks.TellJoined():
                yield from self._told_others(seat, wire.encode(wire.MemberJoined(member=me)))
            case asks.TellLeft():
                yield from self._told_others(seat, wire.encode(wire.MemberLeft(id=me.id, session=me.session)))
            case asks.TellReplaced():
                yield from self._cut(seat, REPLACED)
            case asks.TellOverflow():
                yield from self._cut(seat, MAILBOX_FULL)
            case asks.TellEvicted(why):
                yield from self._cut(seat, cast("Refusal", why))
            case asks.DropMail():
                yield seats.Drop(seat)
            case _:
                yield from self._kept_for(seat, request)

    def _kept_for(self, seat: Seat[S], request: object) -> Iterator[Effect[S]]:
        """What the hub remembers of a session."""
        match request:
            case asks.TakePlace():
                seat.welcomed = self.members(seat.room)
                self._rooms.setdefault(seat.room, {})[seat.introduction.id] = seat
                self._renewals.begin(seat, self._now)
            case asks.TakeSocket(claim):
                seat.socket = socket = cast("Claim[S]", claim).socket
                self._seats[socket] = seat
                self._away.pop(seat, None)
            case asks.BeginAnew():
                seat.posts = 0
                seat.welcomed = tuple(one for one in self.members(seat.room) if one is not seat.introduction)
                self._renewals.begin(seat, self._now)
                yield seats.ForgetMailbox(seat)
            case asks.BeginGrace():
                self._let_go(seat)
                self._away.setdefault(seat)
            case asks.ForgetWelcome():
                seat.welcomed = ()
            case asks.ForgetMember():
                self._forget(seat)
                yield seats.ForgetMailbox(seat)
            case asks.Unwatch():
                self._watch.end(seat.machine)

    def _greeted(self, seat: Seat[S], welcome: wire.Welcome, seen: int) -> Iterator[Effect[S]]:
        if seat.socket is None:
            return
        yield Send(seat.socket, welcome)
        yield seats.Attach(seat, seat.socket, seen)
        # The welcome's credentials are new, but what was due while it was away is told apart: its call may need them.
        if seat.renewal_due <= self._now:
            yield from self._carried_out(seat, seat.machine.on_credentials_due())

    def _told_others(self, seat: Seat[S], text: str) -> Iterator[Effect[S]]:
        others = [other for other in self._rooms.get(seat.room, {}).values() if other is not seat]
        return (seats.DeliverText(other, text) for other in others)

    def _cut(self, seat: Seat[S], why: Refusal) -> Iterator[Effect[S]]:
        """Refuse its socket, which is its own no longer."""
        if (socket := self._let_go(seat)) is not None:
            yield seats.Refuse(socket, why.code, why.message)

    def _let_go(self, seat: Seat[S]) -> S | None:
        """It has no socket from now on; the one that it had."""
        socket, seat.socket = seat.socket, None
        if socket is not None:
            del self._seats[socket]
        return socket

    def _forget(self, seat: Seat[S]) -> None:
        self._let_go(seat)
        self._away.pop(seat, None)
        self._renewals.end(seat)
        self._watch.end(seat.machine)
        there = self._rooms[seat.room]
        del there[seat.introduction.id]
        if not there:
            del self._rooms[seat.room]
