"""SignalingService: the signalling server behind whatever front end brings it its sockets.

Theory. A socket's life: `challenge` out, `hello` in, `welcome` out, then peer messages either way, until it closes or
does something that the protocol doesn't allow. What is decided about rooms and members is decided in `hub`, at once;
here it is carried out, in the order in which it was decided.

What holds:

- A sender never waits for a reader: what a member doesn't read waits in its own mailbox.
- Nothing is known of a client before its proof: no room is made and no other member hears of it.
- Whatever a client sends, the worst that comes of it is its own socket's end, with a code that says why.
- However many join at once, the loop turns between each two of them.
- Logs and figures hold numbers and codes, and no room, id, key, address or text.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import msgspec

from fsm_rtc.engine import Journal
from fsm_rtc.errors import MessageError
from fsm_rtc.messages import wire
from fsm_rtc.messages.signing import is_genuine_introduction, is_proof
from fsm_rtc.messages.wire import ErrorCode
from fsm_rtc.peer.configuration import IceServer
from fsm_rtc.signaling.access import Access, Open
from fsm_rtc.signaling.address import room_of_path
from fsm_rtc.signaling.hub import Hub
from fsm_rtc.signaling.limits import CLOSE_CODES, SHUTTING_DOWN, Limits
from fsm_rtc.signaling.mailbox import Mailboxes, MemoryMailboxes
from fsm_rtc.signaling.outlet import LEAVING, SERVER, Link, LinkLostError, Outlet
from fsm_rtc.signaling.seats import Attach, DeliverText, Drop, Effect, ForgetMailbox, Refuse, Seat, Send
from fsm_rtc.signaling.turn import TurnServers

_LOG = logging.getLogger("fsm_rtc.signaling")

_NONCE_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a signalling server is told, whichever front end it has.

    Attributes:
        limits: its bounds.
        access: who may join which room.
        turn: the TURN servers that members are offered, with credentials of their own; None for none.
        mailboxes: where the members' mail is kept; None for this process' memory.
        page: whether a browser that asks for ``/`` gets the page to call with; see docs/browser.md.
        journal: watches the members' sessions, which it knows by numbers; None for none.
    """

    limits: Limits = field(default_factory=Limits)
    access: Access = field(default_factory=Open)
    turn: TurnServers | None = None
    mailboxes: Mailboxes | None = None
    page: bool = False
    journal: Journal | None = None


class _RefusedError(Exception):
    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(code)
        self.code = code
        self.message = message


class SignalingService:
    """Rooms for the clients that come over a link.

    Args:
        settings: its bounds, who may join, and what members are offered; None for the defaults.
        clock: seconds, for the bounds.
        wall_clock: seconds since 1970, for tokens and credentials.

    Attributes:
        hub: who is in which room.
        refused: how often something was refused, by code.
        counts: how often members joined, resumed, left and were given up, and how many messages were passed on.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self.settings = settings or Settings()
        turn = self.settings.turn
        self.hub: Hub[Link] = Hub(
            self.settings.limits, self.settings.journal, turn.renew_seconds if turn is not None else None
        )
        self.refused: Counter[ErrorCode] = Counter()
        self.counts: Counter[str] = Counter()
        self._clock = clock
        self._wall_clock = wall_clock
        self._mailboxes = self.settings.mailboxes or MemoryMailboxes()
        self._outlets: dict[Seat[Link], Outlet] = {}
        self._links: dict[Link, int] = {}
        self._numbers = itertools.count(1)
        self._close_tasks: dict[Link, asyncio.Task[None]] = {}
        self._ticker: asyncio.Task[None] | None = None
        self._renewer: asyncio.Task[None] | None = None
        self._empty = asyncio.Event()
        self._newcomers = asyncio.Lock()

    @property
    def link_count(self) -> int:
        """How many sockets there are."""
        return len(self._links)

    @property
    def unread_messages(self) -> int:
        """How many deliveries are kept, of all members."""
        return sum(outlet.unseen for outlet in self._outlets.values())

    # One link's life.

    async def turn_away(self, link: Link, code: ErrorCode, message: str) -> None:
        """Tell a client why it isn't served, and close its link."""
        self._refuse(link, code, message)
        await asyncio.wait({self._close_tasks[link]})

    async def serve(self, link: Link) -> None:
        """Talk with a client until its link is closed."""
        self._links[link] = next(self._numbers)
        try:
            if not self.hub.machine.permits("answer"):
                raise _RefusedError(SHUTTING_DOWN.code, SHUTTING_DOWN.message)
            await self._talk(link)
        except _RefusedError as refused:
            await self._leave(link)
            self._refuse(link, refused.code, refused.message)
        except LinkLostError as lost:
            if lost.refused is not None:
                self._count(lost.refused, link)
            if lost.refused is not None or lost.code in LEAVING:
                await self._leave(link)
        except Exception as bug:
            # The type alone: its text may hold what the client sent.
            _LOG.error("a socket's handler failed with %s; please report it", type(bug).__qualname__)
        finally:
            self._lost(link)
            self._links.pop(link, None)
            # Also when this is cancelled the task goes on: a socket is never left open.
            await asyncio.wait({self._close(link, 1000, "")})

    async def _leave(self, link: Link) -> None:
        await self._perform(self.hub.leave(link))

    def _lost(self, link: Link) -> None:
        seat = self.hub.seat_of(link)
        if seat is not None:
            if (outlet := self._outlets.get(seat)) is not None:
                outlet.detach(link)
            self.hub.lost(link, self._clock())
            self._note("lost", link)
            self._start_ticking()

    def _start_ticking(self) -> None:
        if self._ticker is None and self.hub.next_deadline is not None:
            self._ticker = asyncio.create_task(self._tick(), name="signalling grace time")

    async def _talk(self, link: Link) -> None:
        room = room_of_path(link.path)
        hello = await self._introduced(link, room)
        if room is None:
            raise _RefusedError(ErrorCode.WRONG_ROOM, "the URL names no room; use one like ws://host:port/room")
        await self._join(link, room, hello)
        while True:
            frame = await link.receive()
            message = self._decoded(frame)
            if isinstance(message, wire.PeerMessage) and isinstance(frame, str):
                await self._perform(self.hub.post(link, message, frame, self._clock()))
            elif isinstance(message, wire.DeliveriesReceived):
                await self._seen(link, message.number)
            else:
                raise _RefusedError(ErrorCode.BAD_MESSAGE, "only messages to other members are in place here")

    async def _introduced(self, link: Link, room: str | None) -> wire.Hello:
        """Let the client say who it is, and prove it."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        seconds = self.settings.limits.handshake_seconds
        try:
            async with asyncio.timeout(seconds):
                link.write(wire.encode(wire.Challenge(protocol=wire.PROTOCOL, nonce=nonce)))
                hello = self._decoded(await link.receive())
        except TimeoutError:
            raise _RefusedError(
                ErrorCode.HANDSHAKE_TIMEOUT, f"no answer to the challenge within {seconds:g} s; send hello"
            ) from None
        await self._turn_of_a_newcomer()
        if not isinstance(hello, wire.Hello):
            raise _RefusedError(ErrorCode.BAD_HELLO, "the first message must be a hello that answers the challenge")
        if hello.protocol != wire.PROTOCOL:
            raise _RefusedError(ErrorCode.WRONG_PROTOCOL, f"this server speaks {wire.PROTOCOL}; update the older side")
        if room is None or hello.room != room:
            raise _RefusedError(ErrorCode.WRONG_ROOM, "the hello's room is not the URL's; join ws://host:port/room")
        if not is_genuine_introduction(hello.introduction, room):
            raise _RefusedError(ErrorCode.BAD_HELLO, "the introduction is not signed by its key; join with an identity")
        if not is_proof(hello.introduction, nonce, room, hello.proof):
            raise _RefusedError(ErrorCode.BAD_HELLO, "the proof is not of this challenge; sign its nonce")
        refusal = self.settings.access.refusal(room, hello.introduction, hello.token, self._wall_clock())
        if refusal is not None:
            raise _RefusedError(ErrorCode.NO_ACCESS, refusal)
        return hello

    async def _turn_of_a_newcomer(self) -> None:
        """Let one newcomer through in each turn of the loop.

        To verify one, and to tell a large room of it, takes milliseconds: of hundreds at once everybody else would wait
        for all.
        """
        async with self._newcomers:
            await asyncio.sleep(0)

    async def _join(self, link: Link, room: str, hello: wire.Hello) -> None:
        seen, seat = hello.resume, self.hub.seat_at(room, hello.introduction.id)
        outlet = self._outlets.get(seat) if seat is not None else None
        is_kept = outlet is not None and seen is not None and outlet.can_resume(seen)
        effects = self.hub.join(link, room, hello.introduction, self._clock(), seen=seen, is_kept=is_kept)
        await self._perform(effects)

    async def _seen(self, link: Link, number: int) -> None:
        seat = self.hub.seat_of(link)
        outlet = self._outlets.get(seat) if seat is not None else None
        if outlet is None:
            return
        if number > outlet.sent:
            raise _RefusedError(ErrorCode.BAD_MESSAGE, "more was received than was sent; count again")
        if number <= outlet.seen:
            await self._perform(self.hub.repeat(link, self._clock()))
            return
        # The first count that a member tells shows that it has heard its welcome.
        if outlet.seen == 0:
            await self._perform(self.hub.seen(link))
        await outlet.acknowledge(number)

    # What was decided is done.

    async def _perform(self, effects: Iterable[Effect[Link]]) -> None:
        for effect in effects:
            match effect:
                case DeliverText():
                    await self._deliver(effect)
                case Send(to, message):
                    self._send(to, message)
                case Attach(seat, link, seen):
                    await self._attach(seat, link, seen)
                case Drop(seat):
                    await self._drop(seat)
                case ForgetMailbox(seat):
                    await self._forget(seat)
                case Refuse(to, code, message):
                    self._refuse(to, code, message)

    async def _deliver(self, delivery: DeliverText[Link]) -> None:
        outlet = self._outlets.get(delivery.to)
        if outlet is None:
            return
        sender = delivery.sender.introduction.id if delivery.sender is not None else SERVER
        if outlet.has_room_for(delivery.text, sender):
            self.counts["deliveries"] += 1
            await outlet.deliver(delivery.text, sender)
        elif delivery.sender is None:
            await self._overflow(delivery.to)
        elif delivery.sender.socket is not None:
            message = "the recipient has read too little of what was sent; send it again later"
            self._send(delivery.sender.socket, wire.Error(code=ErrorCode.RECIPIENT_FULL, message=message))

    async def _overflow(self, seat: Seat[Link]) -> None:
        """A member was told more of the others than it reads: it has to ask anew who is there."""
        effects = self.hub.overflow(seat, self._clock())
        self._start_ticking()
        await self._perform(effects)

    def _send(self, link: Link, message: wire.Message) -> None:
        if isinstance(message, wire.Error):
            self._count(message.code, link)
        elif isinstance(message, wire.Welcome | wire.IceServers):
            if isinstance(message, wire.Welcome):
                self._note("resumed" if message.resumed else "joined", link)
            seat = self.hub.seat_of(link)
            if seat is not None and self.settings.turn is not None:
                server = self.settings.turn.credentials(seat.introduction.id, self._wall_clock())
                message = msgspec.structs.replace(message, ice_servers=(_told(server),))
                if self._renewer is None and self.hub.machine.permits("answer"):
                    self._renewer = asyncio.create_task(self._renew(), name="signalling TURN credentials")
        link.write(wire.encode(message))

    async def _attach(self, seat: Seat[Link], link: Link, seen: int) -> None:
        outlet = self._outlets.get(seat)
        if outlet is None:
            me = seat.introduction
            mailbox = self._mailboxes.of(f"{me.id} {me.session} {seat.room}")
            outlet = self._outlets[seat] = Outlet(mailbox, self.settings.limits)
        self._empty.clear()
        await outlet.attach(link, seen)

    async def _forget(self, seat: Seat[Link]) -> None:
        self._note("left")
        if not len(self.hub):
            self._empty.set()
        await self._drop(seat)

    async def _drop(self, seat: Seat[Link]) -> None:
        if (outlet := self._outlets.pop(seat, None)) is not None:
            await outlet.delete()

    def _refuse(self, link: Link, code: ErrorCode, message: str) -> None:
        """Say why and close, without waiting for it."""
        if link in self._close_tasks:
            return
        self._count(code, link)
        link.write(wire.encode(wire.Error(code=code, message=message)))
        self._close(link, CLOSE_CODES[code], code.value)

    def _close(self, link: Link, code: int, reason: str) -> asyncio.Task[None]:
        """The task that closes a link, which is at it already or begins now."""
        if link not in self._close_tasks:
            task = self._close_tasks[link] = asyncio.create_task(
                link.close(code, reason), name="close a signalling link"
            )
            task.add_done_callback(lambda _: self._close_tasks.pop(link, None))
        return self._close_tasks[link]

    def _count(self, code: ErrorCode, link: Link) -> None:
        self.refused[code] += 1
        fields = {"link": self._links.get(link, 0), "code": code.value}
        _LOG.info("refused: %s", code.value, extra={"event": "refused", "fields": fields})

    def _note(self, event: str, link: Link | None = None) -> None:
        """Count and log what became of a session; no room, id, key or address is told."""
        self.counts[event] += 1
        if _LOG.isEnabledFor(logging.DEBUG):
            fields = {"members": self.hub.member_count, "rooms": len(self.hub)}
            number = {"link": self._links.get(link, 0)} if link is not None else {}
            _LOG.debug("%s", event, extra={"event": event, "fields": number | fields})

    def _decoded(self, frame: str | bytes) -> wire.Message:
        if not isinstance(frame, str):
            raise _RefusedError(ErrorCode.BAD_MESSAGE, "a binary frame; send JSON as text")
        bound = self.settings.limits.message_bytes
        if len(frame) > bound:
            raise _RefusedError(ErrorCode.BAD_MESSAGE, f"a frame of more than {bound} characters; send shorter ones")
        try:
            return wire.decode(frame)
        except MessageError as malformed:
            raise _RefusedError(ErrorCode.BAD_MESSAGE, f"{malformed.reason.value}; see docs/protocol.md") from None

    # Time, and the end.

    async def _tick(self) -> None:
        """Give members up when their grace time is over; ends when nobody is away."""
        while (deadline := self.hub.next_deadline) is not None:
            await asyncio.sleep(max(0.0, deadline - self._clock()))
            try:
                await self._perform(self.hub.tick(self._clock()))
            except Exception as broken:
                _LOG.error("members were given up, and %s came of it; please report it", type(broken).__qualname__)
        self._ticker = None

    async def _renew(self) -> None:
        """Give members new TURN credentials in good time; ends when nobody is there."""
        while (due := self.hub.next_renewal) is not None:
            await asyncio.sleep(max(0.0, due - self._clock()))
            await self._perform(self.hub.renew(self._clock()))
        self._renewer = None

    async def drain(self) -> None:
        """Let nobody new in, tell everybody, and wait until all have left, or for the grace time.

        Members whose socket is lost meanwhile may come back to it.
        """
        if not len(self.hub):
            self._empty.set()
        fields = {"members": self.hub.member_count, "seconds": self.settings.limits.grace_seconds}
        _LOG.info("draining: nobody new is let in", extra={"event": "draining", "fields": fields})
        await self._perform(self.hub.drain())
        try:
            async with asyncio.timeout(self.settings.limits.grace_seconds):
                await self._empty.wait()
        except TimeoutError:
            pass

    async def stop(self) -> None:
        """Tell everybody that it ends, and close every link. Idempotent."""
        if self._ticker is not None:
            self._ticker.cancel()
            self._ticker = None
        if self._renewer is not None:
            self._renewer.cancel()
            self._renewer = None
        await self._perform(self.hub.stop())  # before anyone is told: nobody needs to hear of every other one
        for link in tuple(self._links):
            self._refuse(link, SHUTTING_DOWN.code, SHUTTING_DOWN.message)
        while self._close_tasks:
            await asyncio.wait(set(self._close_tasks.values()))


def _told(server: IceServer) -> wire.IceServerInfo:
    urls = (server.urls,) if isinstance(server.urls, str) else server.urls
    return wire.IceServerInfo(urls, server.username or "", server.credential or "")
