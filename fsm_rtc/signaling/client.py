"""WebSocketSignaling: the way to a room over a signalling server, made again whenever it is lost.

One task owns the link. It connects, answers the server's challenge, tells `LinkUp`, passes on what arrives, tells
`LinkDown` when the link is lost, waits, and begins again; until the channel is closed, or the server refuses something
that would be refused again. If it comes back in time the session goes on where it was, and nothing is lost or repeated
on the way to the server and back.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.connection import broadcast
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.protocol import State

from fsm_rtc.connection.channel import (
    IceServersChanged,
    LinkDown,
    LinkUp,
    MessageReceived,
    PeerJoined,
    PeerLeft,
    SignalingEvent,
)
from fsm_rtc.connection.saved import SavedLink
from fsm_rtc.engine.doors import callback, finite_seconds, text, tls_context, told
from fsm_rtc.engine.own_thread import OwnThread
from fsm_rtc.errors import LinkDownError, MessageError, SignalingError
from fsm_rtc.messages.signing import Member
from fsm_rtc.messages.wire import (
    MAX_MESSAGE_BYTES,
    PROTOCOL,
    Challenge,
    Error,
    ErrorCode,
    Hello,
    IceServerInfo,
    IceServers,
    Joined,
    Left,
    PeerMessage,
    Received,
    Welcome,
    decode,
    encode,
)
from fsm_rtc.peer.configuration import IceServer
from fsm_rtc.signaling.address import Address
from fsm_rtc.signaling.backoff import Backoff
from fsm_rtc.signaling.bounded import CONTROL_FRAMES_PER_SECOND, BoundedClient
from fsm_rtc.signaling.inbox import Inbox
from fsm_rtc.signaling.refusals import CLOSE_CODES, FINAL
from fsm_rtc.signaling.resumption import TELL_SECONDS, Resumption
from fsm_rtc.signaling.sockets import SILENT, WRITE_BUFFER_BYTES, close

if TYPE_CHECKING:
    from ssl import SSLContext

__all__ = ["EVENTS_NOT_READ", "MAX_WAITING_EVENTS", "SERVER_TOO_FAST", "WebSocketSignaling"]

MAX_WAITING_EVENTS, MAX_WAITING_BYTES = 4096, 16 * 1024 * 1024
"""So many events may wait to be read, and so many bytes of frames; at one more the link is dropped, and what was lost
is repeated by its sender. A server sends far less that it wasn't told to have been read."""

EVENTS_NOT_READ = "events_not_read"
"""The code of the error with which the link is dropped then."""

SERVER_TOO_FAST = "server_too_fast"
"""The code of the error with which the link is dropped when the server sends more pings than a client bears."""

COMING_BACK = 4100
"""The close code of a client that closes its socket and means to come back."""

MAX_TOKEN_CHARACTERS = 4096
"""The protocol's limit."""

_MAX_TEXT = 300
"""So many characters of a server's own words are repeated in an error."""

M = TypeVar("M", Challenge, Welcome)


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

    Attributes:
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
        self._connect_timeout_seconds = connect_timeout_seconds
        self._stall_timeout_seconds = stall_timeout_seconds
        self._close_timeout_seconds = close_timeout_seconds
        self._ping_interval_seconds = ping_interval_seconds
        self._check_timeout_seconds = check_timeout_seconds
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
        self._task: asyncio.Task[None] | None = None
        self._checking: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def url(self) -> str:
        """The room's address, with the room percent-encoded."""
        return self._address.url

    @property
    def room(self) -> str:
        """The room's name."""
        return self._address.room

    async def open(self, me: Member) -> None:
        """Begin to connect; events tell what becomes of it.

        Args:
            me: who this side is, in this channel's room.

        Raises:
            SignalingError: it was opened or closed before.
        """
        self._own_thread.check("WebSocketSignaling.open")
        if self._closed or self._task is not None:
            raise SignalingError("the channel was opened or closed before; make a new one")
        self._task = asyncio.create_task(self._run(me), name="signalling link")
        self._task.add_done_callback(self._finished)

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
            socket = self._writable()
            self._session.posted(text)
            broadcast((socket,), text)

    def _writable(self) -> ClientConnection:
        socket = self._socket
        if socket is None or socket.state is not State.OPEN or socket.transport.is_closing():
            raise LinkDownError("the signalling link is down; send it again after the next LinkUp")
        return socket

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
        socket = self._socket
        if socket is not None and self._checking is None and not self._closed:
            self._checking = asyncio.create_task(self._check(socket), name="signalling link check")
            self._checking.add_done_callback(self._checked)

    async def _check(self, socket: ClientConnection) -> None:
        try:
            async with asyncio.timeout(self._check_timeout_seconds):
                await (await socket.ping())
        except TimeoutError:
            socket.transport.abort()
        except ConnectionClosed:
            pass  # the task that owns the link has seen that too

    def _checked(self, _: asyncio.Task[None]) -> None:
        self._checking = None

    async def aclose(self) -> None:
        """Leave the room and let everything go. Idempotent; when cancelled, the closing goes on by itself."""
        first, self._closed = not self._closed, True
        if self._checking is not None:
            self._checking.cancel()
        if self._telling is not None:
            self._telling.cancel()
        if self._task is None or self._task.done():
            self._inbox.end()
            return
        if first:  # a second one would cut the closing short
            self._task.cancel()
        await asyncio.wait({self._task})

    # The task that owns the link

    async def _run(self, me: Member) -> None:
        while True:
            await self._inbox.wait_for_room()
            error = await self._link(me)
            seconds = None if error.code in FINAL else self._backoff.next_seconds()
            self._inbox.put(LinkDown(error, seconds))
            if seconds is None:
                return
            await self._sleep(seconds)

    def _finished(self, task: asyncio.Task[None]) -> None:
        if self._closed or task.cancelled():
            self._inbox.end()

    async def _link(self, me: Member) -> SignalingError:
        """Connect and pass on what arrives, until the link is lost; return why."""
        clock = asyncio.get_running_loop().time
        socket: ClientConnection | None = None
        up_since: float | None = None
        try:
            async with asyncio.timeout(self._connect_timeout_seconds):
                socket = await self._connected()
                welcome = await self._shake_hands(socket, me)
            up_since = clock()
            self._go_on(socket, welcome)
            while True:
                self._take(await socket.recv())
        except asyncio.CancelledError:
            if up_since is not None:
                self._inbox.put(LinkDown())
            raise
        except SignalingError as refused:
            return refused
        except ConnectionClosed as lost:
            return _refusal(lost) or _floods(socket) or self._error("the link was lost", lost)
        except InvalidStatus as status:
            return self._error(f"it answers HTTP {status.response.status_code} to a WebSocket", status)
        except TimeoutError as late:
            return self._error(f"no welcome within {self._connect_timeout_seconds:g} s", late)
        except OSError as unreachable:
            return self._error(unreachable.strerror or str(unreachable) or type(unreachable).__name__, unreachable)
        except Exception as wrong:  # whatever it is, the task goes on, and the channel's user is told
            return self._error(str(wrong) or type(wrong).__name__, wrong)
        finally:
            self._socket = None
            self._room_to_post.set()
            if socket is not None:
                code = 1000 if self._closed else COMING_BACK
                await close(socket, code, timeout_seconds=self._close_timeout_seconds)
            if up_since is not None:
                self._backoff.link_stood(clock() - up_since)

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
            max_size=MAX_MESSAGE_BYTES,
            write_limit=WRITE_BUFFER_BYTES,
            logger=SILENT,
            create_connection=BoundedClient,
        )

    async def _shake_hands(self, socket: ClientConnection, me: Member) -> Welcome:
        """Prove who this side is; return what the server says to it."""
        challenge = await self._answer(socket, Challenge)
        if challenge.protocol != PROTOCOL:
            raise SignalingError(
                f"the server speaks another protocol than {PROTOCOL}; update the older side",
                code=ErrorCode.WRONG_PROTOCOL.value,
            )
        hello = Hello(
            protocol=PROTOCOL,
            room=self.room,
            introduction=me.introduction,
            proof=me.prove(challenge.nonce),
            token=self._token if isinstance(self._token, str) else _checked_token(self._token()),
            resume=self._session.seen,
        )
        await socket.send(encode(hello))
        return await self._answer(socket, Welcome)

    def _go_on(self, socket: ClientConnection, welcome: Welcome) -> None:
        """Begin on a new link, or go on where the one before was lost."""
        session = self._session
        if welcome.resumed:
            for text in session.go_on(welcome.received):
                broadcast((socket,), text)
        else:
            session.begin(welcome.members)
        self._socket = socket
        self._inbox.put(LinkUp(session.members, welcome.resumed, _ice_servers(welcome.ice_servers)))

    async def _answer(self, socket: ClientConnection, kind: type[M]) -> M:
        try:
            message = decode(await socket.recv())
        except MessageError as malformed:
            raise self._error(f"it sent what is no message ({malformed.reason.value})", malformed) from malformed
        if isinstance(message, Error):
            raise _refused(message.code, message.message)
        if not isinstance(message, kind):
            raise self._error(f"it sent another message than a {kind.__name__.lower()}", None)
        return message

    def _take(self, frame: str | bytes) -> None:
        """Pass on what arrived; what isn't a message, or not in place, is counted."""
        try:
            message = decode(frame)
        except MessageError as malformed:
            self.ignored[malformed.reason.value] += 1
            return
        if isinstance(message, Error) and message.code in CLOSE_CODES:
            raise _refused(message.code, message.message)
        if isinstance(message, Received):
            self._session.taken(message.number)
            self._room_to_post.set()
        elif isinstance(message, PeerMessage | Joined | Left):
            self._deliver(message, frame)
        elif isinstance(message, IceServers):
            self._offer(IceServersChanged(_ice_servers(message.ice_servers)), 0)
        else:
            self.ignored[message.code.value if isinstance(message, Error) else type(message).__name__.lower()] += 1

    def _deliver(self, message: PeerMessage | Joined | Left, frame: str | bytes) -> None:
        self._offer(_event(message, frame), len(frame))
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
        socket = self._socket
        if socket is not None and socket.state is State.OPEN and (number := self._session.told()) is not None:
            broadcast((socket,), encode(Received(number)))

    def _error(self, why: str, cause: Exception | None) -> SignalingError:
        error = SignalingError(f"no link to {self.url}: {why}; is a signalling server running there?")
        error.__cause__ = cause
        return error


def _checked_token(token: object) -> str:
    given = text(token, "the join token", SignalingError, is_secret=True)
    if len(given) > MAX_TOKEN_CHARACTERS:
        raise SignalingError(f"the join token has {len(given)} characters, and may have {MAX_TOKEN_CHARACTERS}")
    return given


def _event(message: PeerMessage | Joined | Left, frame: str | bytes) -> SignalingEvent:
    if isinstance(message, Joined):
        return PeerJoined(message.member)
    if isinstance(message, Left):
        return PeerLeft(message.id, message.session)
    return MessageReceived(frame)


def _ice_servers(told: tuple[IceServerInfo, ...]) -> tuple[IceServer, ...]:
    """What the server offers; a URL that none could use is left out."""
    servers = []
    for offered in told:
        with suppress(ValueError):
            servers.append(IceServer(offered.urls, offered.username or None, offered.credential or None))
    return tuple(servers)


def _refused(code: ErrorCode, message: str) -> SignalingError:
    """The server's refusal; its text comes from outside, so nothing in it reaches a terminal unseen."""
    text = "".join(character if character.isprintable() else "?" for character in message[:_MAX_TEXT])
    return SignalingError(f"the server refused ({code.value}): {text}", code=code.value)


def _floods(socket: ClientConnection | None) -> SignalingError | None:
    """What to say of a server with which this side's own socket broke off."""
    if not isinstance(socket, BoundedClient) or not socket.is_cut_off:
        return None
    most = f"{CONTROL_FRAMES_PER_SECOND:g} a second"
    return SignalingError(f"the server sends more pings than {most}, so the link was dropped", code=SERVER_TOO_FAST)


def _refusal(lost: ConnectionClosed) -> SignalingError | None:
    """The refusal that a close frame tells, if the error before it got lost."""
    for code, number in CLOSE_CODES.items():
        if lost.rcvd is not None and lost.rcvd.code == number:
            return _refused(code, "it closed the link")
    return None
