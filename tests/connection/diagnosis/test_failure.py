"""A failure tells how the call was at its end: to people by its text, to programs without addresses and secrets."""

from __future__ import annotations

import asyncio
import json
import pickle
from dataclasses import fields
from pathlib import Path
from textwrap import indent

import pytest
from msgspec.structs import replace

from fsm_rtc import (
    Allowlist,
    ConnectionFailedError,
    ConnectTimeoutError,
    Identity,
    Journal,
    NoUsableAddressError,
    SignalingError,
)
from fsm_rtc.connection import memory_pipe
from fsm_rtc.connection.channel import PeerJoined
from fsm_rtc.connection.connection import Connection
from fsm_rtc.connection.diagnosis.evidence import PairCounts, Phase, ServerAnswer
from fsm_rtc.connection.diagnosis.failure import Failure
from fsm_rtc.connection.events import (
    ConnectionEvent,
    Ended,
    GaveUp,
    Joined,
    LossReason,
    PeerLost,
    Recovered,
    Refused,
)
from fsm_rtc.connection.recovery.policy import NO_RECOVERY
from fsm_rtc.connection.streams import StreamReader
from fsm_rtc.errors import OperationError
from fsm_rtc.messages import Member
from fsm_rtc.peer.ice.gatherer import IceCandidateError
from fsm_rtc.testing import FakeNetwork, FakePeerConnection
from tests.connection.connection_pairs import FIRST, SECOND, Tap, connection, pair, ready
from tests.connection.diagnosis.sample_failures import NO_TURN, PRIVATE, REFLEXIVE, WRONG_USER, at


def library(call: Connection) -> FakePeerConnection:
    assert isinstance(call.peer_connection, FakePeerConnection)
    return call.peer_connection


async def ended(call: Connection) -> Failure:
    """The failure with which a call ended."""
    with pytest.raises(ConnectionFailedError) as caught:
        await call.wait_for_ready(5)
    assert caught.value.failure is call.failure
    assert call.failure is not None
    return call.failure


async def lost(call: Connection) -> Failure:
    """The failure of a call that stood, when it is given up."""
    async for event in call.events():
        if isinstance(event, Ended):
            break
    return await ended(call)


async def gave_up(events: StreamReader[ConnectionEvent]) -> list[GaveUp]:
    """What was told of giving up, until the end."""
    told = []
    async for event in events:
        if isinstance(event, Ended):
            break
        if isinstance(event, GaveUp):
            told.append(event)
    return told


async def given_up(call: Connection, seconds: float = 0.01) -> Failure:
    """The failure with which a call was waited for in vain."""
    with pytest.raises(ConnectTimeoutError) as caught:
        await call.wait_for_ready(seconds)
    assert caught.value.failure is call.failure
    assert call.failure is not None
    assert call.failure.advice in str(caught.value)
    return call.failure


async def test_a_call_that_is_ready_has_no_failure_and_one_from_before_is_forgotten() -> None:
    network = FakeNetwork()
    here, there = memory_pipe("kitchen")
    async with connection(here, FIRST, network) as alice:
        assert alice.failure is None
        await given_up(alice)
        async with connection(there, SECOND, network) as bob:
            await ready(alice, bob)
            assert alice.failure is None
            assert bob.failure is None
    assert alice.failure is not None


async def test_without_a_link_it_is_the_signalling() -> None:
    here = Tap(memory_pipe("kitchen")[0])
    async with connection(here, FIRST, FakeNetwork()) as alice:
        here.down(SignalingError("connection refused"), 1.0)
        events = alice.events()
        await anext(events)
        failure = await given_up(alice)
        assert (failure.phase, str(failure.error)) == (Phase.SIGNALING, "connection refused")
        here.up()
        await anext(events)
        assert (await given_up(alice)).phase is Phase.WAITING


async def test_signalling_that_is_given_up_carries_the_servers_code() -> None:
    here = Tap(memory_pipe("kitchen")[0])
    async with connection(here, FIRST, FakeNetwork()) as alice:
        here.down(SignalingError("the room is full", code="room_full"), None)
        failure = await ended(alice)
        assert (failure.phase, failure.code) == (Phase.SIGNALING, "room_full")
        assert "use another one" in failure.advice


async def test_signalling_that_is_given_up_is_no_failure_of_a_call_that_stands() -> None:
    async with pair() as (alice, bob, here, _):
        await ready(alice, bob)
        events = alice.events()
        here.down(SignalingError("replaced", code="replaced"), None)
        await anext(events)
        assert alice.failure is None
        here.up()


async def test_when_nobody_joins_it_waited() -> None:
    async with connection(memory_pipe("kitchen")[0], FIRST, FakeNetwork()) as alice:
        failure = await given_up(alice)
        assert failure.phase is Phase.WAITING
        assert failure.states == {
            "connection.busy_signal": "quiet",
            "connection.exchange": "idle",
            "connection.call": "open",
            "connection.recovery": "idle",
            "connection.relay_credentials": "newest",
            "connection.signaling_link": "Connected",
        }


async def test_who_is_not_trusted_and_who_does_not_trust_both_know_it() -> None:
    network = FakeNetwork()
    here, there = memory_pipe("kitchen")
    async with (
        connection(here, FIRST, network, trust=Allowlist([])) as alice,
        connection(there, SECOND, network) as bob,
    ):
        told = await ended(bob)
        assert (told.phase, told.by_peer) == (Phase.TRUST, True)
        own = await given_up(alice)
        assert (own.phase, own.by_peer) == (Phase.TRUST, False)
        assert own.rejections["trusted"] > 0
        assert told.advice != own.advice


async def test_a_host_without_an_address_fails_in_gathering() -> None:
    network = FakeNetwork()

    def without_address(*arguments: object, **options: object) -> FakePeerConnection:
        made = FakePeerConnection(*arguments, network=network, **options)  # type: ignore[arg-type]
        made.library.fail_next("set_local_description", NoUsableAddressError("no address"))
        return made

    here, there = memory_pipe("kitchen")
    async with (
        Connection(here, SECOND, peer_connection_factory=without_address) as alice,
        connection(there, FIRST, network) as bob,
    ):
        failure = await ended(alice)
        assert failure.phase is Phase.GATHERING
        assert "no network address" in failure.advice
        assert isinstance(failure.error, NoUsableAddressError)
        assert (await ended(bob)).by_peer


async def test_an_operation_that_fails_is_told_with_its_error() -> None:
    network = FakeNetwork()

    def failing(*arguments: object, **options: object) -> FakePeerConnection:
        made = FakePeerConnection(*arguments, network=network, **options)  # type: ignore[arg-type]
        made.library.fail_next("set_remote_description", OperationError("no room for that"))
        return made

    here, there = memory_pipe("kitchen")
    async with (
        Connection(here, FIRST, peer_connection_factory=failing) as alice,
        connection(there, SECOND, network) as bob,
    ):
        failure = await ended(alice)
        assert (failure.phase, str(failure.error)) == (Phase.EXCHANGE, "no room for that")
        other = await ended(bob)
        assert (other.phase, other.by_peer, other.error) == (Phase.EXCHANGE, True, None)


async def test_a_call_that_stood_is_told_as_it_was_before_it_was_closed() -> None:
    async with pair(recovery=NO_RECOVERY) as (alice, bob, *_):
        await ready(alice, bob)
        states = {label: machine.state.value for label, machine in alice.machines.items()}
        library(alice).library.pairs = ("succeeded", "failed", "in-progress", "frozen")
        events = alice.events()
        library(alice).library.lose()
        failure = await lost(alice)
        assert [event.failure for event in await gave_up(events)] == [failure]
        assert (failure.phase, failure.by_peer, failure.is_goodbye) == (Phase.CONNECTED, False, False)
        assert failure.was_lost
        live = {label: state for label, state in failure.states.items() if ".peer." in label}
        assert live["alice.peer.ice"] == states["alice.peer.ice"]
        assert live["alice.peer.dtls"] == "connected"
        assert live["alice.peer.sctp"] == "connected"
        assert failure.pairs_tried == PairCounts(frozen=1, in_progress=1, succeeded=1, failed=1)
        assert [(one.type, one.count) for one in failure.local_candidates] == [("host", 1)]
        assert [(one.type, one.count) for one in failure.remote_candidates] == [("host", 1)]


async def test_a_call_that_was_had_back_has_no_failure() -> None:
    async with pair() as (alice, bob, *_):
        await ready(alice, bob)
        for number in range(40):
            library(alice).candidate_failed(IceCandidateError("stun:one.example", None, None, 701, f"{number}"))
        events = alice.events()
        library(alice).library.lose()
        async for event in events:
            if isinstance(event, Recovered):
                break
        await ready(alice, bob)
        assert alice.failure is None
        assert not alice.examine().was_lost
        assert alice.examine().candidate_errors == ()
        library(alice).candidate_failed(IceCandidateError("stun:one.example", None, None, 701, "no answer"))
        assert len(alice.examine().candidate_errors) == 1


async def test_a_wrong_certificate_in_a_call_that_is_being_had_back_is_told_as_such() -> None:
    async with pair() as (alice, bob, *_):
        await ready(alice, bob)
        alice._call.recovery_told(PeerLost(LossReason.SILENT))
        library(alice).library.report("dtls", "failed")
        failure = await lost(alice) if alice.failure is None else alice.failure
        assert failure.phase is Phase.DTLS
        assert not failure.may_be_retried


async def test_a_call_with_somebody_new_begins_at_the_beginning() -> None:
    async with pair() as (alice, bob, here, _):
        await ready(alice, bob)
        await bob.aclose()
        assert (await ended(alice)).phase is Phase.CONNECTED
        events = alice.events()
        here.tell(PeerJoined(Member("kitchen", Identity.generate(), "carol").introduction))
        assert isinstance(await anext(events), Joined)
        assert alice.examine().phase is Phase.EXCHANGE


async def test_who_forges_an_introduction_is_told_from_nobody() -> None:
    here = Tap(memory_pipe("kitchen")[0])
    async with connection(here, FIRST, FakeNetwork()) as alice:
        events = alice.events()
        forged = replace(Member("kitchen", SECOND, "bob").introduction, signature=b"")
        here.tell(PeerJoined(forged))
        while not isinstance(await anext(events), Refused):
            pass
        failure = await given_up(alice)
        assert failure.phase is Phase.TRUST
        assert "aren't signed" in failure.advice


async def test_each_step_of_a_call_that_comes_about_is_a_phase_of_its_own() -> None:
    network, phases = FakeNetwork(), []
    calls: list[Connection] = []

    def followed(*arguments: object, **options: object) -> FakePeerConnection:
        made = FakePeerConnection(*arguments, network=network, **options)  # type: ignore[arg-type]
        for event in ("icegatheringstatechange", "iceconnectionstatechange", "connectionstatechange"):
            made.on(event, lambda: phases.append(calls[0].examine().phase))
        return made

    here, there = memory_pipe("kitchen")
    calls.append(Connection(here, FIRST, peer_connection_factory=followed))
    async with calls[0] as alice, connection(there, SECOND, network) as bob:
        phases.append(alice.examine().phase)
        await ready(alice, bob)
        phases.append(alice.examine().phase)
    assert phases[0] in (Phase.WAITING, Phase.SIGNALING)
    assert {Phase.GATHERING, Phase.ICE, Phase.DTLS, Phase.CHANNEL, Phase.CONNECTED} <= {*phases}
    order = list(Phase)
    reached = [phase for phase in dict.fromkeys(phases) if order.index(phase) > order.index(Phase.GATHERING)]
    assert reached == [Phase.ICE, Phase.DTLS, Phase.CHANNEL, Phase.CONNECTED]


async def test_a_goodbye_is_told_from_a_loss() -> None:
    async with pair() as (alice, bob, *_):
        await ready(alice, bob)
        await bob.aclose("enough")
        failure = await ended(alice)
        assert (failure.phase, failure.by_peer, failure.reason) == (Phase.CONNECTED, True, "enough")
        assert failure.is_goodbye
        assert bob.failure is None


@pytest.mark.parametrize(
    ("reports", "phase"),
    [
        ({"ice": "failed"}, Phase.ICE),
        ({"dtls": "failed"}, Phase.DTLS),
    ],
)
async def test_what_failed_below_is_the_phase(reports: dict[str, str], phase: Phase) -> None:
    network = FakeNetwork()

    def failing(*arguments: object, **options: object) -> FakePeerConnection:
        made = FakePeerConnection(*arguments, network=network, **options)  # type: ignore[arg-type]

        def break_off() -> None:
            what, value = next(iter(reports.items()))
            made.library.report(what, value)  # type: ignore[arg-type]

        before = "checking" if phase is Phase.ICE else "connected"
        watching = made.on(
            "iceconnectionstatechange", lambda: break_off() if made.ice_connection_state.value == before else None
        )
        assert watching is not None
        return made

    here, there = memory_pipe("kitchen")
    async with (
        Connection(here, FIRST, label="alice", peer_connection_factory=failing) as alice,
        connection(there, SECOND, network),
    ):
        failure = await ended(alice)
        assert failure.phase is phase
        assert failure.states[f"alice.peer.{next(iter(reports))}"] == "failed"


async def test_what_servers_answered_is_told_once() -> None:
    async with pair(recovery=NO_RECOVERY) as (alice, bob, *_):
        await ready(alice, bob)
        error = IceCandidateError("turn:turn.example.org:3478", "192.168.0.7", 5000, 401, "Unauthorized")
        for _ in range(100):
            library(alice).candidate_failed(error)
        for number in range(100):
            library(alice).candidate_failed(IceCandidateError("stun:one.example", None, None, 701, f"{number}"))
        answers = alice.examine().candidate_errors
        assert answers[0] == ServerAnswer("turn:turn.example.org:3478", 401, "Unauthorized")
        assert len(answers) == 32
        library(alice).library.lose()
        assert (await lost(alice)).candidate_errors == answers


async def test_with_a_journal_what_the_machines_rejected_is_counted_too() -> None:
    journal = Journal()
    async with pair(journal=journal) as (alice, bob, here, _):
        await ready(alice, bob)
        events = alice.events()
        here.tell(PeerJoined(replace(Member("kitchen", SECOND, "bob").introduction, signature=b"")))
        assert isinstance(await anext(events), Refused)
        assert library(alice).negotiation.fire("set_remote_answer", None) is not None
        rejections = alice.examine().rejections
        assert [name for name in rejections if name.startswith("Negotiation set_remote_answer: ")] != []
        assert rejections["introduced_itself"] == 1
        assert not any(name.startswith("Exchange") for name in rejections)
        assert bob.examine().rejections == {}


async def test_closing_is_no_failure() -> None:
    async with pair() as (alice, bob, *_):
        await ready(alice, bob)
        await alice.aclose()
    assert alice.failure is None
    with pytest.raises(ConnectionFailedError) as caught:
        await alice.wait_for_ready(1)
    assert caught.value.failure is None


# As text, and for programs.

SHOWN = """\
phase:       ICE checks
ended by:    this side: the connection has failed
candidates:  here 2 host (private IPv4 udp), 1 srflx (public IPv4 udp); there 2 host (private IPv4 udp)
pairs tried: 1 waiting, 3 failed
server:      turn:turn.example.org:3478: 401 Unauthorized
refused:     from_the_peer 2
states:      alice.peer.ice failed
advice:      Check the TURN server's user name and credential, and this host's clock: credentials expire by it."""


def test_it_is_shown_in_a_few_lines() -> None:
    failure = at(
        Phase.ICE,
        reason="the connection has failed",
        local_candidates=(PRIVATE, REFLEXIVE),
        remote_candidates=(PRIVATE,),
        pairs_tried=PairCounts(waiting=1, failed=3),
        candidate_errors=(WRONG_USER,),
        rejections={"from_the_peer": 2},
        states={"alice.peer.ice": "failed"},
    )
    assert str(failure) == SHOWN


def test_the_documentation_shows_it_as_it_is() -> None:
    page = (Path(__file__).parents[3] / "docs" / "connection.md").read_text()
    assert indent(SHOWN, "    ") in page
    assert [phase for phase in Phase if f"`{phase}`" not in page] == []
    assert [field.name for field in fields(Failure) if f"`{field.name}`" not in page] == []


def test_before_the_two_met_there_is_nothing_to_say_of_candidates() -> None:
    lines = str(at(Phase.SIGNALING, by_peer=True, error=SignalingError("refused"))).splitlines()
    assert lines[:3] == [
        "phase:       signaling",
        "ended by:    the other side: it was made up",
        "error:       SignalingError: refused",
    ]
    assert len(lines) == 4
    assert "candidates:  here none; there none" in str(at(Phase.EXCHANGE))


SECRETS = [
    "192.168.7.13",
    "10.0.0.5:54321",
    "2001:db8::17",
    "[fe80::1%eth0]:5000",
    "::1",
    "turn.example.org",
    "wss://user:hunter2@rtc.example.org/kitchen?token=abc",
    Identity.generate().id,
    Identity.generate().public_key.hex(),
    "sha-256 " + bytes(range(32)).hex(":").upper(),
    "a=ice-pwd:JyqVnkPmIVKXxKbuqnSfnd",
    "candidate:1 1 udp 2122 192.168.7.13 54321 typ host",
    "1b4e28ba-2fa1-11d2-883f-0016d3cca427.local",
    "eyJhbGciOiJIUzI1NiJ9.eyJyb29tIjoia2l0Y2hlbiJ9.mZ0",
]


@pytest.mark.parametrize("secret", SECRETS, ids=range(len(SECRETS)))
def test_for_programs_it_is_without_addresses_servers_keys_and_sdp(secret: str) -> None:
    failure = at(
        Phase.SIGNALING,
        reason=f"cannot go on with {secret}",
        error=OSError(f"({secret!r}) failed"),
        candidate_errors=(ServerAnswer("turn:turn.example.org", 401, f"who is {secret}?"), NO_TURN),
        states={f"alice.peer.channel.{secret}": "open", f"alice.peer.channel#2.{secret}.flow": "clear"},
    )
    text = json.dumps(failure.to_dict())
    for word in secret.split():
        assert word in ("1", "udp", "2122", "typ", "host", "54321", "sha-256") or word not in text
    assert "cannot go on with" in text
    assert "example.org" not in text


@pytest.mark.parametrize(
    "text",
    [
        "the connection has failed",
        "not connected within 2.5 s",
        "set_remote_description: 3 of 12 refused (have-local-offer)",
    ],
)
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert at(Phase.ICE, reason=text).to_dict()["reason"] == text


async def test_it_survives_json_and_pickling() -> None:
    async with pair(recovery=NO_RECOVERY) as (alice, bob, *_):
        await ready(alice, bob)
        bob.peer_connection.create_data_channel("files", negotiated=True, id=9)  # type: ignore[union-attr]
        library(alice).library.lose()
        failure = await lost(alice)
    again = json.loads(json.dumps(failure.to_dict()))
    assert again["states"] == failure.states
    assert again["phase"] == "connected"
    assert again["advice"] == failure.advice
    assert pickle.loads(pickle.dumps(failure)) == failure
    error = ConnectionFailedError("gone", failure=failure)
    assert pickle.loads(pickle.dumps(error)).failure == failure


async def test_examining_a_closed_call_harms_nobody() -> None:
    async with pair() as (alice, bob, *_):
        await ready(alice, bob)
    await asyncio.sleep(0)
    assert alice.examine().phase in Phase


async def test_how_far_a_call_came_is_told_also_behind_its_close() -> None:
    async with pair() as (alice, bob, *_):
        await ready(alice, bob)
        closing = asyncio.create_task(alice.aclose())
        await asyncio.sleep(0)
        assert alice.examine().phase is Phase.CONNECTED
        await closing
        assert alice.examine().phase is Phase.CONNECTED


async def test_what_is_no_code_is_refused_before_anything_is_closed() -> None:
    async with pair() as (alice, bob, *_):
        await ready(alice, bob)
        with pytest.raises(TypeError, match="EndCode"):
            await alice.leave("foo", code="bogus")  # type: ignore[arg-type]
        assert alice.is_ready
