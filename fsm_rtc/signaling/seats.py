"""A member's session in a room, and what the hub answers: effects, which the service carries out in their order.

Beside it what the hub keeps of its members: when each gets new TURN credentials (one queue for all, since the time is
the same for each), and the journal's labels. These are numbers: a room's name and a member's id are not for its
readers.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from fsm_rtc.engine import Clock, Journal
from fsm_rtc.machines.session import Session
from fsm_rtc.machines.signaling_hub import SignalingHub
from fsm_rtc.messages.wire import DeliveriesReceived, Draining, Error, ErrorCode, IceServers, Introduction, Welcome
from fsm_rtc.peer.forwarding import Forwarded
from fsm_rtc.signaling.limits import Limits, TokenBucket

S = TypeVar("S")
"""A socket, whatever that is: it is only compared."""


class SessionServer(Protocol):
    """What a session has to know of its server."""

    limits: Limits
    clock: Clock

    @property
    def takes_sessions(self) -> bool: ...
    def has_room_left(self, room: str) -> bool: ...
    def has_place_left(self, room: str) -> bool: ...


@dataclass(slots=True, eq=False)
class Seat(Generic[S]):
    """A member's session in a room, or on its way there: what its machine reads.

    Args:
        server: the hub.
        room: the room's name.
        introduction: who it is.

    Attributes:
        machine: where the session stands.
        socket: its socket, or None while it has none.
        bucket: how many messages it may send yet.
        posts: how many of its messages were taken.
        welcomed: who was there when it came, until it has heard so.
        renewal_due: when it gets new TURN credentials, in seconds; infinity if it never does.
    """

    server: SessionServer
    room: str
    introduction: Introduction
    socket: S | None = field(default=None, init=False)
    posts: int = field(default=0, init=False)
    welcomed: tuple[Introduction, ...] = field(default=(), init=False)
    renewal_due: float = field(default=math.inf, init=False)
    bucket: TokenBucket = field(init=False)
    machine: Session = field(init=False)

    def __post_init__(self) -> None:
        limits, clock = self.server.limits, self.server.clock
        self.bucket = TokenBucket(limits.messages_per_second, limits.burst, clock())
        self.machine = Session(self, clock=clock)

    session = Forwarded[str]("introduction.session")

    takes_sessions = Forwarded[bool]("server.takes_sessions")

    @property
    def has_room_left(self) -> bool:
        return self.server.has_room_left(self.room)

    @property
    def has_place_left(self) -> bool:
        return self.server.has_place_left(self.room)

    grace_seconds = Forwarded[float]("server.limits.grace_seconds")


@dataclass(frozen=True, slots=True)
class Claim(Generic[S]):
    """Somebody who has proved its key joins.

    Attributes:
        socket: on which.
        introduction: who it is.
        seen: how many deliveries it has seen; None if it begins.
        is_kept: whether what follows these is there still.
    """

    socket: S
    introduction: Introduction
    seen: int | None = None
    is_kept: bool = True

    @property
    def session(self) -> str:
        return self.introduction.session


@dataclass(frozen=True, slots=True)
class Send(Generic[S]):
    """Send a message of the server's own on a socket; it is not kept."""

    to: S
    message: Welcome | IceServers | DeliveriesReceived | Draining | Error


@dataclass(frozen=True, slots=True)
class DeliverText(Generic[S]):
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
class Drop(Generic[S]):
    """Throw away what waits for a member, and keep nothing for it until it has begun anew."""

    seat: Seat[S]


@dataclass(frozen=True, slots=True)
class ForgetMailbox(Generic[S]):
    """Drop a member's mailbox: its session has ended, or begins anew."""

    seat: Seat[S]


@dataclass(frozen=True, slots=True)
class Refuse(Generic[S]):
    """Send an error and close the socket."""

    to: S
    code: ErrorCode
    message: str


Effect = Send[S] | DeliverText[S] | Attach[S] | Drop[S] | ForgetMailbox[S] | Refuse[S]


class Renewals(Generic[S]):
    """See the module.

    Args:
        seconds: how long after the last ones; None for never.
    """

    def __init__(self, seconds: float | None) -> None:
        self._seconds = math.inf if seconds is None else seconds
        self._queue: deque[tuple[float, Seat[S]]] = deque()

    @property
    def next_due(self) -> float | None:
        """When the first gets new ones; None if nobody does."""
        while self._queue and self._queue[0][1].renewal_due != self._queue[0][0]:  # it has got others since, or is gone
            self._queue.popleft()
        return self._queue[0][0] if self._queue else None

    def begin(self, seat: Seat[S], now: float) -> None:
        """A member has just got credentials."""
        seat.renewal_due = now + self._seconds
        if seat.renewal_due < math.inf:
            self._queue.append((seat.renewal_due, seat))

    def end(self, seat: Seat[S]) -> None:
        """A member is gone."""
        seat.renewal_due = math.inf

    def due(self, now: float) -> Iterator[Seat[S]]:
        """Those whose time has come, each once; who gets none now is due until it does."""
        while (due := self.next_due) is not None and due <= now:
            yield self._queue.popleft()[1]


class SessionWatch:
    """Labels sessions ``room.2.session.5`` and lets a journal watch them.

    Args:
        journal: watches each session; None for none.
    """

    def __init__(self, journal: Journal | None) -> None:
        self._journal = journal
        self._unwatch_hub: Callable[[], None] = _nothing
        self._rooms: dict[str, int] = {}
        self._present: Counter[str] = Counter()
        self._watched: dict[Session, tuple[str, Callable[[], None]]] = {}
        self._rooms_begun = 0
        self._sessions_begun = 0

    def begin_hub(self, hub: SignalingHub) -> None:
        """Watch the hub's own machine, which is called ``hub``."""
        if self._journal is not None:
            self._unwatch_hub = self._journal.watch(hub, "hub")

    def end_hub(self) -> None:
        """Watch the hub no longer."""
        self._unwatch_hub()

    def begin(self, room: str, session: Session) -> None:
        """Watch a session from its first event on. A room that is empty and comes again has another number."""
        if self._journal is None:
            return
        if room not in self._rooms:
            self._rooms_begun += 1
            self._rooms[room] = self._rooms_begun
        self._sessions_begun += 1
        self._present[room] += 1
        label = f"room.{self._rooms[room]}.session.{self._sessions_begun}"
        self._watched[session] = (room, self._journal.watch(session, label))

    def end(self, session: Session) -> None:
        """Watch a session no longer."""
        room, unwatch = self._watched.pop(session, ("", None))
        if unwatch is not None:
            unwatch()
            self._present[room] -= 1
            if not self._present[room]:
                del self._present[room], self._rooms[room]


def _nothing() -> None:
    pass
