"""A server that lies can prevent a call, but never makes either side connect to a third party. On real connections."""

from __future__ import annotations

import asyncio
from collections import Counter
from random import Random

import pytest
from hypothesis import settings

from fsm_rtc import (
    Allowlist,
    Configuration,
    Connection,
    ConnectionFailedError,
    ConnectTimeoutError,
    Identity,
    PeerConnection,
    SessionDescription,
    SignalingServer,
    TrustOnFirstUse,
    WebSocketSignaling,
)
from fsm_rtc.messages import decode
from fsm_rtc.messages.trust import Trust
from fsm_rtc.messages.wire import PeerMessage
from tests.connection.lying_server import LIES, Liar, LyingServer, ThirdParty, honest

RUNS = {15: 1, 100: 1}.get(settings().max_examples, 5)
"""How often each lie is told: more often in CI."""

PATIENCE_SECONDS = 2.5
"""How long a call may take that the server may have prevented; one that isn't takes 50 ms, a lost message a second."""

ALICE, BOB = Identity.generate(), Identity.generate()
SECRETS = {"alice": "the secret of alice", "bob": "the secret of bob"}


def trust_in(friend: Identity, name: str, *, listed: bool) -> Trust:
    if listed:
        return Allowlist([friend.id])
    known = TrustOnFirstUse()
    known.remember(name, friend.public_key)
    return known


def fingerprints(sdp: str) -> set[str]:
    return {line for line in sdp.splitlines() if line.startswith("a=fingerprint")}


class Recorder:
    """Makes peer connections, and keeps the DTLS fingerprints of all that one side has ever applied."""

    def __init__(self) -> None:
        self.own: set[str] = set()
        self.remote: set[str] = set()

    def factory(self) -> type[PeerConnection]:
        recorder = self

        class Recorded(PeerConnection):
            async def set_local_description(self, description: SessionDescription | None = None) -> None:
                await super().set_local_description(description)
                recorder.own |= fingerprints(self.local_description.sdp if self.local_description else "")

            async def set_remote_description(self, description: SessionDescription) -> None:
                recorder.remote |= fingerprints(description.sdp)
                await super().set_remote_description(description)

        return Recorded


async def talk(call: Connection, name: str) -> list[str | bytes]:
    """Try to connect and to tell the secret; what was heard."""
    heard = call.messages()
    try:
        await call.wait_for_ready(PATIENCE_SECONDS)
    except (ConnectTimeoutError, ConnectionFailedError):
        return []
    await call.send(SECRETS[name])
    async with asyncio.timeout(PATIENCE_SECONDS):
        return [await anext(heard)]


async def call_through(url: str, *, listed: bool) -> tuple[Counter[str], list[list[str | bytes]]]:
    """Let the two try to call each other; how many frames were refused, and what each heard."""
    here = Configuration(loopback=True)
    channels = [WebSocketSignaling(f"{url}/kitchen") for _ in range(2)]
    recorders = [Recorder(), Recorder()]
    async with (
        Connection(
            channels[0],
            ALICE,
            name="alice",
            trust=trust_in(BOB, "bob", listed=listed),
            configuration=here,
            peer_connection_factory=recorders[0].factory(),
        ) as alice,
        Connection(
            channels[1],
            BOB,
            name="bob",
            trust=trust_in(ALICE, "alice", listed=listed),
            configuration=here,
            peer_connection_factory=recorders[1].factory(),
        ) as bob,
    ):
        heard = await asyncio.gather(talk(alice, "alice"), talk(bob, "bob"))
    assert recorders[0].remote <= recorders[1].own
    assert recorders[1].remote <= recorders[0].own
    refused = alice.refused + bob.refused + channels[0].ignored + channels[1].ignored
    return refused, list(heard)


@pytest.mark.parametrize("run", range(RUNS))
@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.__name__)
async def test_a_lie_may_prevent_the_call_and_nothing_else(lie: object, run: int) -> None:
    seed = Random().randrange(2**32)
    print(f"seed {seed}")  # pytest shows it if the test fails
    async with SignalingServer() as server, ThirdParty() as third:
        async with LyingServer(server.url, Liar(honest, third, Random(seed))) as recording:
            await call_through(recording.url, listed=True)
        liar = Liar(lie, third, Random(seed))  # type: ignore[arg-type]
        liar.recorded = [text for text in recording.seen if isinstance(decode(text), PeerMessage)]
        async with LyingServer(server.url, liar) as lying:
            refused, heard = await call_through(lying.url, listed=bool(run % 2))
        assert liar.told > 0
        for words, other in zip(heard, ("bob", "alice"), strict=True):
            assert words in ([], [SECRETS[other]])
        assert third.connection.connection_state != "connected"
        assert third.heard == []
        if lie not in WITHOUT_A_TRACE:
            assert refused
        async with LyingServer(server.url, Liar(honest, third, Random(seed))) as mended:
            *_, heard = await call_through(mended.url, listed=bool(run % 2))
        assert heard == [[SECRETS["bob"]], [SECRETS["alice"]]]


WITHOUT_A_TRACE = [lie for lie in LIES if lie.__name__ in ("drops", "reorders")]
"""A network does the same: what is lost is sent again, what is early waits its turn."""
