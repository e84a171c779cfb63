"""A server that lies can prevent a call, but never makes either side connect to a third party. On real connections."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass

import pytest

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
from fsm_rtc.messages.trust import Trust
from tests.connection.connection_pairs import refused_by
from tests.connection.exchange.lying_server import LyingServer
from tests.connection.exchange.server_attacks import LIES, Liar, Lie, honest
from tests.connection.exchange.third_party import ThirdParty
from tests.effort import by_profile
from tests.random_seed import seeded

pytestmark = pytest.mark.live

RUNS = by_profile(quick=1, default=2, ci=4, thorough=4)
"""How often each lie is told, by turns to who trusts on first use and knows the other's name, and who has a list."""

AT_ONCE = 16

PATIENCE_SECONDS = (2.5, 10.0, 40.0)
"""How long a call may take that the server may have prevented; one that isn't takes 50 ms, a lost message a second.
On a machine that is so slow that the lie isn't heard, the next."""

LIMIT_SECONDS = 60.0

ALICE, BOB = Identity.generate(), Identity.generate()
SECRETS = {"alice": "the secret of alice", "bob": "the secret of bob"}
BOTH = [[SECRETS["bob"]], [SECRETS["alice"]]]
"""What the two hear when they are connected to each other."""

REFUSED_BY = {
    "alters_a_field": "",
    "swaps_the_offer": "signed_by_the_peer",
    "swaps_the_fingerprint": "signed_by_the_peer",
    "signs_with_its_own_key": "signed_by_the_peer",
    "adds_a_candidate": "signed_by_the_peer",
    "introduces_the_third_party": "trusted",
    "swaps_the_key": "introduced_itself",
    "lets_the_third_party_offer": "from_the_peer",
    "repeats": "taken_once",
    "replays_an_earlier_call": "of_these_sessions",
    "breaks_frames": "not JSON",
    "answers_for_the_other": "signed_by_the_peer",
    "answers_first": "signed_by_the_peer",
    "swaps_the_candidates": "signed_by_the_peer",
    "brings_back_an_earlier_session": "of_these_sessions",
    "says_goodbye_for_them": "signed_by_the_peer",
}
"""By what each lie is refused; empty where that depends on what is drawn. The others leave no trace: what is lost or
early is as on any network, a departure and an error of the server's are its own to tell, and who is introduced to
itself has got what it signed."""

HARMLESS = (
    "adds_a_candidate",
    "breaks_frames",
    "lets_the_third_party_offer",
    "repeats",
    "replays_an_earlier_call",
    "says_goodbye_for_them",
    "says_that_they_left",
)
"""Lies beside the truth: the call is not even prevented."""


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


async def talk(call: Connection, name: str, patience_seconds: float) -> list[str | bytes]:
    """Try to connect and to tell the secret; what was heard."""
    heard = call.messages()
    try:
        async with asyncio.timeout(patience_seconds + 1):
            await call.wait_for_ready(patience_seconds)
            await call.send(SECRETS[name])
            return [await anext(heard)]
    except (ConnectTimeoutError, ConnectionFailedError, TimeoutError):
        return []


@dataclass
class Called:
    """What became of one attempt.

    Attributes:
        heard: what Alice heard, and what Bob.
        refused: how many frames were refused, by why.
        strangers: DTLS fingerprints that were applied and are not the other's.
    """

    heard: list[list[str | bytes]]
    refused: Counter[str]
    strangers: set[str]


async def call_through(url: str, *, listed: bool, patience_seconds: float = LIMIT_SECONDS) -> Called:
    """Let the two try to call each other."""
    channels = [WebSocketSignaling(f"{url}/kitchen") for _ in range(2)]
    recorders = [Recorder(), Recorder()]

    def side(number: int, identity: Identity, name: str, trust: Trust) -> Connection:
        return Connection(
            channels[number],
            identity,
            name=name,
            trust=trust,
            configuration=Configuration(loopback=True),
            peer_connection_factory=recorders[number].factory(),
        )

    async with (
        side(0, ALICE, "alice", trust_in(BOB, "bob", listed=listed)) as alice,
        side(1, BOB, "bob", trust_in(ALICE, "alice", listed=listed)) as bob,
    ):
        heard = await asyncio.gather(talk(alice, "alice", patience_seconds), talk(bob, "bob", patience_seconds))
    refused = alice.refused + bob.refused + channels[0].ignored + channels[1].ignored
    strangers = (recorders[0].remote - recorders[1].own) | (recorders[1].remote - recorders[0].own)
    return Called(list(heard), refused, strangers)


def is_refused(lie: str, called: Called) -> bool:
    """Whether what a lie leaves is there."""
    return lie not in REFUSED_BY or any(REFUSED_BY[lie] in reason for reason in called.refused)


@dataclass
class Told:
    """What became of one lie."""

    times: int
    lied_to: Called
    third_is_connected: bool
    third_heard: list[str | bytes]
    afterwards: Called


async def tell(lie: Lie, run: int) -> Told:
    random = seeded(f"{lie.__name__} {run}")
    listed = bool(run % 2)
    async with SignalingServer() as server, ThirdParty() as third:
        async with LyingServer(server.url, Liar(honest, third, random)) as recording:
            assert (await call_through(recording.url, listed=listed)).heard == BOTH
        strangers: set[str] = set()
        for patience_seconds in (LIMIT_SECONDS,) if lie.__name__ in HARMLESS else PATIENCE_SECONDS:
            liar = Liar(lie, third, random)
            liar.recorded = recording.seen
            async with LyingServer(server.url, liar) as lying:
                lied_to = await call_through(lying.url, listed=listed, patience_seconds=patience_seconds)
            strangers |= lied_to.strangers
            if liar.told and is_refused(lie.__name__, lied_to):
                break  # else the machine was so slow that the lie wasn't heard
        lied_to.strangers |= strangers
        async with LyingServer(server.url, Liar(honest, third, random)) as mended:
            afterwards = await call_through(mended.url, listed=listed)
    return Told(liar.told, lied_to, third.is_connected.is_set(), third.heard, afterwards)


Outcomes = dict[tuple[str, int], Told | BaseException]


@pytest.fixture(scope="module")
def outcomes() -> Outcomes:
    """Every lie is told, many at a time, since most of them make somebody wait."""
    told: Outcomes = {}
    left = iter([(lie, run) for lie in LIES for run in range(RUNS)])

    async def some() -> None:
        for lie, run in left:
            (told[lie.__name__, run],) = await asyncio.gather(tell(lie, run), return_exceptions=True)

    async def all_of_them() -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(some())

    asyncio.run(all_of_them())
    return told


@pytest.mark.parametrize("run", range(RUNS))
@pytest.mark.parametrize("lie", [lie.__name__ for lie in LIES])
def test_a_lie_may_prevent_the_call_and_nothing_else(outcomes: Outcomes, lie: str, run: int) -> None:
    told = outcomes[lie, run]
    if isinstance(told, BaseException):
        raise told
    assert told.times > 0
    for words, other in zip(told.lied_to.heard, BOTH, strict=True):
        assert words in ([], other)
    assert told.lied_to.strangers == set()
    assert not told.third_is_connected
    assert told.third_heard == []
    if lie in HARMLESS:
        assert told.lied_to.heard == BOTH
    assert is_refused(lie, told.lied_to), told.lied_to.refused
    assert told.afterwards.heard == BOTH
    assert told.afterwards.strangers == set()
    assert refused_by(told.afterwards) == {}


@pytest.mark.parametrize("lie", ["swaps_the_offer", "answers_for_the_other"])
async def test_without_the_signatures_the_same_lie_would_reach_the_third_party(
    lie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So the test above can fail: the liar and his friend are able to do what they want."""
    monkeypatch.setattr("fsm_rtc.connection.exchange.received.is_genuine", lambda *_: True)
    (told,) = (one for one in LIES if one.__name__ == lie)
    async with SignalingServer() as server, ThirdParty() as third:
        async with LyingServer(server.url, Liar(told, third, seeded(lie))) as lying:
            calling = asyncio.create_task(call_through(lying.url, listed=True, patience_seconds=PATIENCE_SECONDS[0]))
            async with asyncio.timeout(LIMIT_SECONDS):
                await third.is_connected.wait()
                assert (await calling).strangers
        assert third.heard
