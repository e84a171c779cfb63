"""What is of another kind gets a sentence that names it and says what to give, wherever a caller may bring it in."""

from __future__ import annotations

import asyncio
import functools
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import fsm_rtc
from fsm_rtc import (
    Configuration,
    Connection,
    ConnectionStore,
    IceServer,
    KnownPeers,
    PeerConnection,
    PipeChannel,
    RecoveryPolicy,
    RTCPeerConnection,
)
from fsm_rtc.connection import SqliteFile
from fsm_rtc.connection.delivery.frames import size_of
from fsm_rtc.connection.pipe import memory_pipe
from fsm_rtc.errors import (
    FileTransferError,
    FsmRtcError,
    IdentityError,
    KnownPeersError,
    MessageError,
    SignalingError,
    SnapshotError,
    TokenError,
)
from fsm_rtc.files import FileSource, ReceivingFolder
from fsm_rtc.inspector import InspectorError
from fsm_rtc.inspector.access import Gate
from fsm_rtc.media import subscribe
from fsm_rtc.messages import Allowlist, Identity, Member, TrustOnFirstUse, decode, key_id
from fsm_rtc.signaling import Backoff, Limits, SignalingServer, WebSocketSignaling
from fsm_rtc.signaling.access import JoinTokens, join_token
from fsm_rtc.signaling.access import RoomAllowlist as ServerAllowlist
from fsm_rtc.signaling.turn import TurnServers

URL = "ws://127.0.0.1:1/kitchen"
ME = Identity.generate()
SECRET = "x" * 32

NO_TEXT: list[Any] = [None, 5, b"ws://host/room", math.nan, ["x"], {"urls": "stun:x"}, Path("/x"), True, "\ud83c"]
NO_NUMBER: list[Any] = [None, "5", b"5", math.nan, math.inf, -1, 0, [5], True]
NO_PATH: list[Any] = [None, 5, b"/x", math.nan, ["x"], {}, "", "a\0b"]
NO_BYTES: list[Any] = [None, 5, "x", ["x"], {}]
NO_OBJECT: list[Any] = [5, "x", b"x", ["x"], {"a": 1}, math.nan]


async def asleep(*_: object) -> None:
    """What would have to be awaited."""


class Asleep:
    async def __call__(self, *_: object) -> None:
        """What would have to be awaited, too."""


NO_FUNCTION: list[Any] = [None, *NO_OBJECT, asleep, Asleep(), functools.partial(asleep, 1)]


DOORS: dict[str, tuple[Callable[[Any], object], type[Exception] | tuple[type[Exception], ...], list[Any]]] = {
    "a url": (WebSocketSignaling, SignalingError, [*NO_TEXT, "", '{"url":1}', "http://h/r", "/x", "ws://", "ws://h/"]),
    "a room's url": (fsm_rtc.join, SignalingError, [*NO_TEXT, "", '{"url":1}', "http://h/r", "/x", "h:1/r"]),
    "a token": (lambda v: WebSocketSignaling(URL, token=v), SignalingError, [*NO_TEXT, "x" * 4097]),
    "a time limit": (lambda v: WebSocketSignaling(URL, connect_timeout_seconds=v), ValueError, NO_NUMBER),
    "a ping interval": (lambda v: WebSocketSignaling(URL, ping_interval_seconds=v), ValueError, NO_NUMBER),
    "a name": (lambda v: fsm_rtc.join(URL, name=v), IdentityError, [*NO_TEXT, "x" * 129]),
    "a call's name": (lambda v: Connection(WebSocketSignaling(URL), ME, name=v), IdentityError, NO_TEXT),
    "an identity": (lambda v: Connection(WebSocketSignaling(URL), v), IdentityError, NO_OBJECT),
    "a channel": (Connection, TypeError, [None, URL, *NO_OBJECT]),
    "trust": (lambda v: Connection(WebSocketSignaling(URL), ME, trust=v), TypeError, NO_OBJECT),
    "a room's trust": (lambda v: fsm_rtc.join(URL, trust=v), TypeError, NO_OBJECT),
    "a configuration": (lambda v: fsm_rtc.join(URL, configuration=v), TypeError, NO_OBJECT),
    "kinds": (lambda v: Connection(WebSocketSignaling(URL), receive=v), TypeError, [None, "audio", ("text",), 5]),
    "a member's room": (lambda v: Member(v, ME), IdentityError, [*NO_TEXT, "x" * 129]),
    "a member's name": (lambda v: Member("kitchen", ME, v), IdentityError, NO_TEXT),
    "ids": (Allowlist, TypeError, [None, 5, ME.id, b"x", {"a": 1}, [5], math.nan]),
    "a server's ids": (ServerAllowlist, TypeError, [None, 5, ME.id, b"x", {"a": 1}, [5], math.nan]),
    "known peers": (lambda v: KnownPeers(v).entries(), KnownPeersError, NO_PATH),
    "a peer's name": (lambda v: KnownPeers("x").add(v, ME.public_key), KnownPeersError, NO_TEXT),
    "a peer's key": (lambda v: KnownPeers("x").add("bob", v), KnownPeersError, NO_BYTES),
    "a name to trust": (lambda v: TrustOnFirstUse().accepts(v, ME.id), IdentityError, NO_TEXT),
    "a key to trust": (lambda v: TrustOnFirstUse().remember("bob", v), IdentityError, NO_BYTES),
    "a key file": (Identity.load, IdentityError, NO_PATH),
    "a new key file": (ME.save, IdentityError, NO_PATH),
    "a key in PEM": (Identity.from_pem, IdentityError, [*NO_BYTES, b"", b"{}"]),
    "a password": (lambda v: Identity.from_pem(ME.to_pem("secret"), v), IdentityError, [None, 5, b"secret", ["x"], ""]),
    "a new password": (ME.to_pem, IdentityError, [5, b"secret", ["x"], ""]),
    "what is signed": (ME.sign, IdentityError, NO_BYTES),
    "a public key": (key_id, IdentityError, NO_BYTES),
    "a frame": (decode, MessageError, [None, 5, ["x"], {}, math.nan, "", "{}", b"", b"\xff", "5", "null", "\ud83c"]),
    "a host": (SignalingServer, SignalingError, NO_TEXT),
    "a port": (lambda v: SignalingServer(port=v), SignalingError, [None, "80", -1, 65_536, 1.5, True, [80]]),
    "settings": (lambda v: SignalingServer(settings=v), SignalingError, NO_OBJECT),
    "TURN servers": (lambda v: TurnServers(v, "s"), ValueError, [*NO_TEXT, "", [], ["x"], "http://h", "stun:h"]),
    "a TURN secret": (lambda v: TurnServers("turn:h", v), ValueError, [None, 5, "", b"", ["x"], "\ud83c"]),
    "credentials' time": (lambda v: TurnServers("turn:h", "s", v), ValueError, NO_NUMBER),
    "an ICE server": (IceServer, (TypeError, ValueError), [*NO_TEXT, "", "http://h", ("x",)]),
    "a user name": (lambda v: IceServer("turn:h", v), (TypeError, ValueError), [5, b"x", ["x"], "\ud83c"]),
    "ICE servers": (lambda v: Configuration(ice_servers=v), TypeError, [None, "stun:h", ("stun:h",), 5]),
    "a gathering time": (
        lambda v: Configuration(gather_timeout_seconds=v),
        ValueError,
        [None, "5", math.nan, -1, True],
    ),
    "a backoff": (Backoff, ValueError, NO_NUMBER),
    "a bound": (lambda v: Limits(members=v), ValueError, [*NO_NUMBER, 2.5]),
    "a grace time": (lambda v: Limits(grace_seconds=v), ValueError, [None, "5", math.nan, math.inf, -1, 0, [5]]),
    "recovery": (lambda v: Connection(WebSocketSignaling(URL), ME, recovery=v), TypeError, NO_OBJECT),
    "a room's recovery": (lambda v: fsm_rtc.join(URL, recovery=v), TypeError, NO_OBJECT),
    "persistence": (lambda v: Connection(WebSocketSignaling(URL), ME, persistence=v), TypeError, NO_OBJECT),
    "a kept call's file": (SqliteFile, SnapshotError, NO_PATH),
    "a capacity": (lambda v: Connection(WebSocketSignaling(URL), ME).events(v), TypeError, [None, "5", math.nan, 1.5]),
    "a reason": (lambda v: asyncio.run(Connection(WebSocketSignaling(URL), ME).aclose(v)), TypeError, [None, 5]),
    "a room's reason": (lambda v: asyncio.run(fsm_rtc.join(URL).aclose(v)), TypeError, [None, 5, b"x"]),
    "a wait": (
        lambda v: asyncio.run(Connection(WebSocketSignaling(URL), ME).wait_for_ready(v)),
        ValueError,
        ["5", math.nan, [5], True],
    ),
    "a message": (size_of, ValueError, ["\ud83c"]),
    "attempts": (lambda v: RecoveryPolicy(attempts=v), ValueError, [None, "5", math.nan, math.inf, 1.5, -1, True]),
    "a recovery time": (lambda v: RecoveryPolicy(heartbeat_seconds=v), ValueError, [None, "5", math.nan, -1, True]),
    "a token's secret": (lambda v: join_token(v, "kitchen"), TokenError, [None, 5, "short", b"short", ["x"], "\ud83c"]),
    "a server's secret": (JoinTokens, TokenError, [None, 5, "short", b"short", ["x"], "\ud83c"]),
    "a token's room": (lambda v: join_token(SECRET, v), ValueError, [*NO_TEXT, "", "x" * 129]),
    "a token's time": (lambda v: join_token(SECRET, "kitchen", seconds=v), ValueError, NO_NUMBER),
    "an inspector's token": (Gate, InspectorError, [5, b"x" * 20, ["x"], "", "short", "\ud83c"]),
    "a journal": (lambda v: Connection(WebSocketSignaling(URL), ME, journal=v), TypeError, NO_OBJECT),
    "a clock": (lambda v: Connection(WebSocketSignaling(URL), ME, clock=v), TypeError, NO_FUNCTION),
    "another configuration": (lambda v: PeerConnection().set_configuration(v), TypeError, [None, *NO_OBJECT]),
    "a track to read": (subscribe, TypeError, [None, *NO_OBJECT]),
    "migrations": (lambda v: SqliteFile("call.db", v), SnapshotError, [5, "x", b"x", ["x"], math.nan]),
    "recipients": (lambda v: asyncio.run(fsm_rtc.join(URL).send("x", v)), TypeError, [5, "x", b"x", ["x", 5], [None]]),
    "a library": (
        lambda v: Connection(WebSocketSignaling(URL), ME, peer_connection_factory=v),
        TypeError,
        [*NO_OBJECT, asleep],
    ),
    "a room's library": (lambda v: fsm_rtc.join(URL, peer_connection_factory=v), TypeError, [*NO_OBJECT, asleep]),
    "who hears tracks": (lambda v: Connection(WebSocketSignaling(URL), ME).on_track(v), TypeError, NO_FUNCTION),
    "who hears a store's tracks": (lambda v: ConnectionStore().on_track(v), TypeError, NO_FUNCTION),
    "who hears messages": (lambda v: ConnectionStore().on_message(v), TypeError, NO_FUNCTION),
    "a subscriber": (lambda v: ConnectionStore().subscribe(v), TypeError, NO_FUNCTION),
    "what is selected": (lambda v: ConnectionStore().subscribe(print, v), TypeError, NO_FUNCTION[1:]),
    "who hears events": (lambda v: PeerConnection().on("track", v), TypeError, NO_FUNCTION),
    "a channel's backoff": (lambda v: WebSocketSignaling(URL, backoff=v), TypeError, NO_OBJECT),
    "what sleeps": (lambda v: WebSocketSignaling(URL, sleep=v), TypeError, [None, *NO_OBJECT]),
    "what draws": (lambda v: Backoff(uniform=v), TypeError, NO_FUNCTION),
    "a stable time": (lambda v: Backoff(stable_seconds=v), ValueError, [None, "5", math.nan, -1, [5], True]),
    "a client's TLS": (lambda v: WebSocketSignaling("wss://h/r", ssl=v), SignalingError, [*NO_OBJECT, True, "\0"]),
    "a server's TLS": (lambda v: SignalingServer(ssl=v), SignalingError, [*NO_OBJECT, True, "\0"]),
    "an address to listen on": (SignalingServer, SignalingError, ["\0", "a\nb"]),
    "a yes or no": (lambda v: Configuration(loopback=v), TypeError, [None, *NO_OBJECT, 0]),
    "data channels or not": (lambda v: Configuration(always_negotiate_data_channels=v), TypeError, [None, *NO_OBJECT]),
    "whether to accept": (lambda v: Configuration(accept_offered=v), TypeError, NO_FUNCTION),
    "who was trusted": (TrustOnFirstUse, TypeError, NO_OBJECT),
    "a folder": (ReceivingFolder, TypeError, NO_PATH[:-2]),
    "whether to replace": (lambda v: ReceivingFolder(Path("x"), v), TypeError, [None, *NO_OBJECT, 1]),
    "a file to send": (lambda v: asyncio.run(FileSource.of(v)), (TypeError, FileTransferError), NO_PATH),
    "a pipe's room": (memory_pipe, TypeError, NO_TEXT),
    "a store's channel": (lambda v: asyncio.run(ConnectionStore().connect(v)), TypeError, [None, URL, *NO_OBJECT]),
    "a store's wait": (
        lambda v: asyncio.run(ConnectionStore().wait_for_connected(v)),
        ValueError,
        ["", "5", math.nan, [5], True],
    ),
    "a room's peer": (lambda v: fsm_rtc.join(URL).connection_to(v), TypeError, [None, *NO_OBJECT]),
    "a specified configuration": (RTCPeerConnection, TypeError, [*NO_OBJECT, 0, ""]),
    "another specified configuration": (
        lambda v: RTCPeerConnection().setConfiguration(v),
        TypeError,
        [*NO_OBJECT, 0, ""],
    ),
    "an event": (lambda v: RTCPeerConnection().on(v, print), TypeError, NO_TEXT),
    "an event of a decorator": (lambda v: RTCPeerConnection().on(v)(print), TypeError, NO_TEXT),
    "a handler": (lambda v: RTCPeerConnection().on("track", v), TypeError, NO_OBJECT),
    "a handler for once": (lambda v: RTCPeerConnection().once("track", v), TypeError, NO_OBJECT),
    "a pipe": (lambda v: PipeChannel(v, v), TypeError, [None, 5, "x"]),
}

INTERNALS = re.compile(
    r"has no attribute|object of type|not supported between|not iterable|unsupported operand|expected str, bytes|"
    r"codec can't|required positional|argument should be|buffer|NoneType' object"
)
"""Words of Python's own errors."""


@pytest.mark.parametrize("door", DOORS)
def test_what_is_of_another_kind_is_named_and_told_what_to_give(
    door: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    enter, error, wrong = DOORS[door]
    for value in wrong:
        with pytest.raises(error) as caught:
            enter(value)
        told = str(caught.value)
        assert not INTERNALS.search(told), f"{value!r}: {told}"
        assert len(told.split()) > 4, f"{value!r}: {told}"
        told.encode()  # it can be printed and logged, whatever was given


@pytest.mark.parametrize("door", ["a token", "a TURN secret", "a token's secret", "a server's secret", "a user name"])
def test_no_secret_is_told(door: str) -> None:
    enter, error, _ = DOORS[door]
    with pytest.raises(error) as caught:
        enter("hunter2\ud83c")
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in repr(caught.value.__cause__)


@pytest.mark.live
async def test_a_callable_that_gives_no_token_is_told_to_who_joins() -> None:
    from fsm_rtc.connection.channel import LinkDown
    from tests.signaling.participants import following, room_of

    async with SignalingServer() as server:
        channel = WebSocketSignaling(room_of(server), token=lambda: None)  # type: ignore[arg-type, return-value]
        await channel.open(Member("kitchen", ME))
        error = (await following(channel, LinkDown)).error
        await channel.aclose()
    assert isinstance(error, FsmRtcError)
    assert "the join token is a NoneType; give text" in str(error)
