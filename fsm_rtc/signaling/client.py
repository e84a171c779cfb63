"""WebSocketSignaling: the way to a room over a signalling server, made again whenever it is lost.

Theory. `SignalingClient` decides, and here it is carried out, one thing after the other: connect, answer the server's
challenge, tell `LinkUp`, pass on what arrives, tell `LinkDown` when the link is lost, wait, and begin again; until the
channel is closed, or the server refuses something that would be refused again. If it comes back in time the session
goes on where it was.

What holds:

- Within a session nothing is lost or repeated on the way to the server and back: what was passed on is kept until the
  server has taken it, and what came is counted.
- No frame leaves before the welcome but the hello: the server would refuse it for good.
- The server is told of what was read, not of what came; so it sends no more than this side reads.
- `events` ends only after `aclose`, or after a refusal that a retry can't mend; until then every loss is told by a
  `LinkDown`, as a `SignalingError` that says what to do.
- A caller of `send` who is cancelled has passed on the whole message or nothing of it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar, cast

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.connection import broadcast
from websockets.exceptions import ConnectionClosed
from websockets.protocol import State

from fsm_rtc.connection.channel import IceServersChanged, LinkDown, LinkUp, SignalingEvent
from fsm_rtc.connection.saving.saved import SavedLink
from fsm_rtc.driver import Driver, Handler
from fsm_rtc.engine import Chart, Journal
from fsm_rtc.engine.doors import callback, finite_seconds, text, tls_context, told
from fsm_rtc.engine.own_thread import OwnThread
from fsm_rtc.errors import LinkDownError, MessageError, SignalingError
from fsm_rtc.machines import signaling_requests as asks
from fsm_rtc.machines.signaling_client import SignalingClient
from fsm_rtc.messages import wire
from fsm_rtc.messages.signing import Member
from fsm_rtc.messages.wire import ErrorCode
from fsm_rtc.peer.forwarding import Forwarded
from fsm_rtc.signaling.address import Address
from fsm_rtc.signaling.backoff import Backoff
from fsm_rtc.signaling.inbox import TELL_SECONDS, Inbox, Resumption, event_of, ice_servers_of
from fsm_rtc.signaling.limits import CLOSE_CODES, FINAL
from fsm_rtc.signaling.sockets import EVENTS_NOT_READ, SILENT, WRITE_BUFFER_BYTES, BoundedClient, Losses, close, refused

if TYPE_CHECKING:
    from ssl import SSLContext

MAX_WAITING_EVENTS, MAX_WAITING_BYTES = 4096, 16 * 1024 * 1024
"""So many events may wait to be read, and so many bytes of frames; at one more the link is dropped, and what was lost
is repeated by its sender. A server sends far less that it wasn't told to have been read."""

COMING_BACK = 4100
"""The close code of a client that closes its socket and means to come back."""

MAX_TOKEN_CHARACTERS = 4096
"""The protocol's limit."""

LANE = "signalling link"
"""What is done with the link, one after the other."""

M = TypeVar("M", wire.Challenge, wire.Welcome)


class WebSocketSignaling:
    """A `SignalingChannel` over a WebSocket to a `SignalingServer`.

    Args:
        url: the room's address, ``ws://host:port/room`` or ``wss://host:port/room``.
        backoff: how long to wait before the next attempt.
        connect_timeout_seconds: how long an attempt may take, from the TCP connection to the server's welcome.
        stall_timeout_seconds: how long the server may read nothing of what is sent, before the link is given up.
        close_timeout_seconds: how long to wait for the server's part in closing.
        ping_interval_seconds: how often to look whether a silent server is still there; it has as long to answer.
        ssl: a TLS context for ``wss``; None for the system's trust.
        token: what lets this side in, where the server asks for one; a callable is asked before each attempt.
        sleep: waits for so many seconds; `asyncio.sleep`.
        journal: watches the link's machine; None for none.
        label: how the machine is called in the journal.

    Attributes:
        machine: how far the link is.
        ignored: how often a frame of the server was ignored, by why: one of `Malformed` or an `ErrorCode` or a type.

    Raises:
        SignalingError: the URL is no address of a room, or the token is none.
        ValueError: a time limit is not above 0.
        TypeError: `backoff` is no `Backoff`, or `sleep` can't be called.
    """

    def __init__(
        self,
        url: str,
        *,
        backoff: Backoff | None = None,
        connect_timeout_seconds: float = 10.0,
        stall_timeout_seconds: float = 20.0,
        close_timeout_seconds: float = 2.0,
        ping_interval_seconds: float = 20.0,
        check_timeout_seconds: float = 2.0,
        ssl: SSLContext | None = None,
        token: str | Callable[[], str] = "",
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        journal: Journal | None = None,
        label: str = "signaling_client",
    ) -> None:
        self._address = Address.parse(url)
        tls_context(ssl, SignalingError)
        if ssl is not None and not self._address.secure:
            raise SignalingError(f"{url!r} doesn't use TLS; give no `ssl`, or an address with wss://")
        if not callable(token):
            _checked_token(token)
        for what, seconds in (
            ("connect_timeout_seconds", connect_timeout_seconds),
            ("stall_timeout_seconds", stall_timeout_seconds),
            ("close_timeout_seconds", close_timeout_seconds),
            ("ping_interval_seconds", ping_interval_seconds),
            ("check_timeout_seconds", check_timeout_seconds),
        ):
            finite_seconds(seconds, what)
        given: object = backoff
        if given is not None and not isinstance(given, Backoff):
            raise TypeError(f"backoff is {told(given)}; give fsm_rtc.signaling.Backoff(…), or None")
        callback(sleep, "sleep", may_wait=True)
        self.ignored: Counter[str] = Counter()
        self._backoff = backoff or Backoff()
        self.connect_timeout_seconds = connect_timeout_seconds
        self.check_timeout_seconds = check_timeout_seconds
        self._stall_timeout_seconds = stall_timeout_seconds
        self._close_timeout_seconds = close_timeout_seconds
        self._ping_interval_seconds = ping_interval_seconds
        self._ssl = ssl
        self._token = token
        self._sleep = sleep
        self._own_thread = OwnThread()
        self._session = Resumption()
        self._room_to_post = asyncio.Event()
        self._turn = asyncio.Lock()
        self._inbox = Inbox(MAX_WAITING_EVENTS, MAX_WAITING_BYTES, self._read)
        self._telling: asyncio.TimerHandle | None = None
        self._socket: ClientConnection | None = None
        self._me: Member | None = None
        self._label = label
        self._losses = Losses(self._address.url)
        self._driver = Driver(journal=journal)
        self.machine = SignalingClient(self, clock=self._driver.clock)
        self._driver.add(self.machine, self._handlers(), label=label)

    def _handlers(self) -> Mapping[type[object], Handler | Callable[[Any], Any]]:
        return {
            asks.Connect: Handler(self._connect, LANE, done="on_connected", failed="on_lost"),
            asks.ShakeHands: Handler(self._shake_hands, LANE, done="on_welcome", failed="on_lost"),
            asks.BeginSession: Handler(self._begin, LANE),
            asks.GoOnWithSession: Handler(self._go_on, LANE),
            asks.Read: Handler(self._read_frames, LANE, failed="on_lost"),
            asks.HangUp: Handler(lambda _: self._close(COMING_BACK), LANE, cuts_in=True),
            asks.BackOff: Handler(lambda request: self._back_off(request.loss), LANE, done="on_waited"),
            asks.BackOffLate: Handler(lambda _: self._back_off(self._late()), LANE, done="on_waited"),
            asks.AwaitReader: Handler(lambda _: self._inbox.wait_for_room(), LANE, done="on_reader"),
            asks.ResetBackoff: lambda _: self._backoff.recovered(),
            asks.CheckLink: Handler(self._ping, "signalling link check", done="on_pong"),
            asks.Abort: Handler(self._abort, "cut"),
            asks.TellRefused: Handler(lambda request: self._inbox.put(LinkDown(request.loss, None)), LANE),
            asks.TellClosed: Handler(lambda _: self._inbox.put(LinkDown()), "tell"),
            asks.Leave: Handler(lambda _: self._close(1000), LANE, shielded=True, cuts_in=True),
            asks.EndEvents: Handler(lambda _: self._inbox.end(), LANE, shielded=True),
        }

    @property
    def machines(self) -> Mapping[str, Chart[Any, Any]]:
        """The link's machine, by its label."""
        return {self._label: self.machine}

    # What the machine's guards and times read.

    @property
    def has_session(self) -> bool:
        """Whether the server has let this session in before."""
        return self._session.seen is not None

    @property
    def has_reader(self) -> bool:
        """Whether what has come is read, so that more may come."""
        return not self._inbox.is_full

    stable_seconds = Forwarded[float]("_backoff.stable_seconds")
    """How long a link must stand to have recovered."""

    def is_final(self, loss: Exception) -> bool:
        """Whether the server refuses what it would refuse again."""
        return isinstance(loss, SignalingError) and loss.code in FINAL

    def is_cancelled(self, loss: Exception) -> bool:
        """Whether this program has cancelled its own work: whatever else happens is told as a `SignalingError`."""
        return not isinstance(loss, SignalingError)

    url = Forwarded[str]("_address.url")
    """The room's address, with the room percent-encoded."""

    room = Forwarded[str]("_address.room")
    """The room's name."""

    async def open(self, me: Member) -> None:
        """Begin to connect; events tell what becomes of it.

        Args:
            me: who this side is, in this channel's room.

        Raises:
            SignalingError: it was opened or closed before.
        """
        self._own_thread.check("WebSocketSignaling.open")
        if not self.machine.permits("open"):
            raise SignalingError("the channel was opened or closed before; make a new one")
        self._me = me
        self._driver.fire(self.machine.open)

    async def send(self, text: str) -> None:
        """Pass a message on; when cancelled it is either passed on whole or not at all.

        What was passed on reaches the server, on the next link if need be, unless the session ends before.

        Args:
            text: the message, at most `MAX_MESSAGE_BYTES` in UTF-8.

        Raises:
            LinkDownError: the link is down, and nothing was passed on.
        """
        async with self._turn:
            socket = self._writable()
            try:
                async with asyncio.timeout(self._stall_timeout_seconds):
                    while self._session.is_full and socket is self._socket:
                        self._room_to_post.clear()
                        await self._room_to_post.wait()
                    if socket.transport.get_write_buffer_size() > WRITE_BUFFER_BYTES:
                        with suppress(ConnectionClosed):
                            await socket.ping()  # returns when the buffer has room
            except TimeoutError:
                socket.transport.abort()  # the library's keepalive wouldn't notice: its ping waits behind this message
                raise LinkDownError("the server reads nothing; the link is given up, send again after LinkUp") from None
            # The link may have been lost while this waited.
            socket = self._writable()
            self._session.posted(text)
            # Not socket.send(): it may suspend between the message and its count, and be cancelled there. This writes
            # at once.
            broadcast((socket,), text)

    def _writable(self) -> ClientConnection:
        if (socket := self._link()) is None:
            raise LinkDownError("the signalling link is down; send it again after the next LinkUp")
        return socket

    def _link(self) -> ClientConnection | None:
        """The socket, if a frame may be written: one before the welcome is refused by the server as no hello, for good.

        The library may know before this side's machine that the link is lost.
        """
        socket = self._socket
        if socket is None or not self.machine.permits("send"):
            return None
        return socket if socket.state is State.OPEN and not socket.transport.is_closing() else None

    def events(self) -> AsyncIterator[SignalingEvent]:
        """What happens, in order, until the channel is closed."""
        return self._inbox

    def export(self) -> SavedLink | None:
        """What another run of the program needs to go on with this session; None before it has begun."""
        return self._session.export()

    def restore(self, saved: SavedLink) -> None:
        """Go on with the session of another run, whose `Member` has the same key and session; before `open`."""
        self._session.restore(saved)

    def check(self) -> None:
        """Find out whether the link still stands: a server that doesn't answer in time is asked on another link."""
        self._own_thread.check("WebSocketSignaling.check")
        if self.machine.permits("check"):
            self._driver.fire(self.machine.check)

    async def aclose(self) -> None:
        """Leave the room and let everything go. Idempotent; when cancelled, the closing goes on by itself."""
        if self._telling is not None:
            self._telling.cancel()
        if self.machine.permits("close"):
            self._driver.fire(self.machine.close)
        await self._driver.aclose()

    # What the machine asks for.

    async def _connect(self, request: asks.Connect) -> None:
        self._socket = await self._losses.explained(self._connected())

    async def _connected(self) -> ClientConnection:
        return await connect(
            self._address.url,
            ssl=self._ssl or (True if self._address.secure else None),
            proxy=None if self._address.local else True,  # the environment's, as a browser would
            compression=None,
            user_agent_header=None,
            open_timeout=None,  # the whole attempt has one
            close_timeout=self._close_timeout_seconds,
            ping_interval=self._ping_interval_seconds,
            ping_timeout=self._ping_interval_seconds,
            max_size=wire.MAX_MESSAGE_BYTES,
            write_limit=WRITE_BUFFER_BYTES,
            logger=SILENT,
            create_connection=BoundedClient,
        )

    async def _shake_hands(self, request: asks.ShakeHands) -> wire.Welcome:
        socket, me = self._present()
        return await self._losses.explained(self._welcomed(socket, me), socket)

    def _present(self) -> tuple[ClientConnection, Member]:
        if self._socket is None or self._me is None:
            raise self._losses.error("there is none")
        return self._socket, self._me

    async def _welcomed(self, socket: ClientConnection, me: Member) -> wire.Welcome:
        """Prove who this side is; return what the server says to it."""
        challenge = await self._answer(socket, wire.Challenge)
        if challenge.protocol != wire.PROTOCOL:
            raise SignalingError(
                f"the server speaks another protocol than {wire.PROTOCOL}; update the older side",
                code=ErrorCode.WRONG_PROTOCOL.value,
            )
        hello = wire.Hello(
            protocol=wire.PROTOCOL,
            room=self.room,
            introduction=me.introduction,
            proof=me.prove(challenge.nonce),
            token=self._token if isinstance(self._token, str) else _checked_token(self._token()),
            resume=self._session.seen,
        )
        await socket.send(wire.encode(hello))
        return await self._answer(socket, wire.Welcome)

    def _begin(self, request: asks.BeginSession) -> None:
        welcome = cast("wire.Welcome", request.welcome)
        self._session.begin(welcome.members)
        self._tell_up(welcome, is_resumed=False)

    def _go_on(self, request: asks.GoOnWithSession) -> None:
        welcome = cast("wire.Welcome", request.welcome)
        socket, _ = self._present()
        for untaken in self._session.go_on(welcome.received):
            broadcast((socket,), untaken)
        self._tell_up(welcome, is_resumed=True)

    def _tell_up(self, welcome: wire.Welcome, *, is_resumed: bool) -> None:
        self._inbox.put(LinkUp(self._session.members, is_resumed, ice_servers_of(welcome.ice_servers)))

    async def _read_frames(self, request: asks.Read) -> None:
        socket, _ = self._present()
        await self._losses.explained(self._read_all(socket), socket)

    async def _read_all(self, socket: ClientConnection) -> None:
        while True:
            self._take(await socket.recv())

    async def _close(self, code: int) -> None:
        socket, self._socket = self._socket, None
        self._room_to_post.set()
        if socket is not None:
            await close(socket, code, timeout_seconds=self._close_timeout_seconds)

    def _late(self) -> Exception:
        return self._losses.error(f"no welcome within {self.connect_timeout_seconds:g} s")

    async def _back_off(self, loss: Exception) -> None:
        seconds = self._backoff.next_seconds()
        self._inbox.put(LinkDown(loss, seconds))
        await self._sleep(seconds)

    async def _ping(self, request: asks.CheckLink) -> None:
        socket, _ = self._present()
        with suppress(ConnectionClosed):  # who reads has seen that too
            await (await socket.ping())

    def _abort(self, request: asks.Abort) -> None:
        if self._socket is not None:
            self._socket.transport.abort()

    # The frames.

    async def _answer(self, socket: ClientConnection, kind: type[M]) -> M:
        try:
            message = wire.decode(await socket.recv())
        except MessageError as malformed:
            raise self._losses.error(f"it sent what is no message ({malformed.reason.value})", malformed) from malformed
        if isinstance(message, wire.Error):
            raise refused(message.code, message.message)
        if not isinstance(message, kind):
            raise self._losses.error(f"it sent another message than a {kind.__name__.lower()}")
        return message

    def _take(self, frame: str | bytes) -> None:
        """Pass on what arrived; what isn't a message, or not in place, is counted."""
        try:
            message = wire.decode(frame)
        except MessageError as malformed:
            self.ignored[malformed.reason.value] += 1
            return
        if isinstance(message, wire.Error) and message.code in CLOSE_CODES:
            raise refused(message.code, message.message)
        if isinstance(message, wire.DeliveriesReceived):
            self._session.taken(message.number)
            self._room_to_post.set()
        elif isinstance(message, wire.PeerMessage | wire.MemberJoined | wire.MemberLeft):
            self._deliver(message, frame)
        elif isinstance(message, wire.IceServers):
            self._offer(IceServersChanged(ice_servers_of(message.ice_servers)), 0)
        else:
            self.ignored[message.code.value if isinstance(message, wire.Error) else type(message).__name__.lower()] += 1

    def _deliver(self, message: wire.PeerMessage | wire.MemberJoined | wire.MemberLeft, frame: str | bytes) -> None:
        self._offer(event_of(message, frame), len(frame))
        self._session.delivered(message)

    def _offer(self, event: SignalingEvent, size: int) -> None:
        if not self._inbox.offer(event, size):
            raise SignalingError(
                f"{len(self._inbox)} events wait unread, so the link was dropped; read events() all the time",
                code=EVENTS_NOT_READ,
            )

    def _read(self, size: int) -> None:
        """An event was read: the server is told of what it brought, soon or at once."""
        if size and self._session.read(size):
            self._tell()
        elif size and self._telling is None:
            self._telling = asyncio.get_running_loop().call_later(TELL_SECONDS, self._tell)

    def _tell(self) -> None:
        if self._telling is not None:
            self._telling.cancel()
            self._telling = None
        if (socket := self._link()) is not None and (number := self._session.told()) is not None:
            broadcast((socket,), wire.encode(wire.DeliveriesReceived(number)))


def _checked_token(token: object) -> str:
    given = text(token, "the join token", SignalingError, is_secret=True)
    if len(given) > MAX_TOKEN_CHARACTERS:
        raise SignalingError(f"the join token has {len(given)} characters, and may have {MAX_TOKEN_CHARACTERS}")
    return given
