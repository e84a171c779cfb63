"""The operations of negotiation, through a peer connection in memory: what is permitted, what reaches the library."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from fsm_rtc.engine import Journal
from fsm_rtc.errors import (
    FsmRtcError,
    InvalidDescriptionError,
    InvalidModificationError,
    InvalidStateError,
    NotSupportedError,
    OperationError,
    Reason,
)
from fsm_rtc.peer import SessionDescription
from fsm_rtc.peer.backend import Capabilities
from fsm_rtc.testing import FakePeerConnection
from tests.peer.conftest import MakeFake
from tests.peer.peers import answer_of, exchange, offer_of, reasons, turns

SDP = """v=0
o=- 1 1 IN IP4 0.0.0.0
s=-
t=0 0
m=video 9 UDP/TLS/RTP/SAVPF 96
a=mid:0
a=ice-ufrag:away
a=ice-pwd:0123456789012345678901
a=fingerprint:sha-256 AA
"""
OFFER, PRANSWER, ANSWER = (SessionDescription(type_, SDP) for type_ in ("offer", "pranswer", "answer"))
ROLLBACK = SessionDescription("rollback")

NAMES = {
    "S": "stable",
    "HLO": "have-local-offer",
    "HRO": "have-remote-offer",
    "HLP": "have-local-pranswer",
    "HRP": "have-remote-pranswer",
}
TABLE = """
operation       S   HLO HRO HLP HRP closed
create_offer    =   =   ISE ISE ISE ISE
create_answer   ISE ISE =   =   ISE ISE
local_offer     HLO HLO ISE ISE ISE ISE
local_pranswer  ISE ISE HLP HLP ISE ISE
local_answer    ISE ISE S   S   ISE ISE
remote_offer    HRO HRO HRO ISE ISE ISE
remote_pranswer ISE HRP ISE ISE HRP ISE
remote_answer   ISE S   ISE ISE S   ISE
local_rollback  ISE S   S   ISE ISE ISE
remote_rollback ISE S   S   ISE ISE ISE
local           HLO HLO S   S   ISE ISE
"""
HEAD, *LINES = [[NAMES.get(word, word) for word in line.split()] for line in TABLE.strip().splitlines()]
CELLS = [(state, operation, cell) for operation, *cells in LINES for state, cell in zip(HEAD[1:], cells, strict=True)]


async def bring(peer: FakePeerConnection, state: str) -> None:
    """Go from stable to a state."""
    match state:
        case "have-local-offer":
            await peer.set_local_description()
        case "have-remote-offer":
            await peer.set_remote_description(OFFER)
        case "have-local-pranswer":
            await peer.set_remote_description(OFFER)
            answer = await peer.create_answer()
            await peer.set_local_description(SessionDescription("pranswer", answer.sdp))
        case "have-remote-pranswer":
            await peer.set_local_description()
            await peer.set_remote_description(PRANSWER)
        case "closed":
            await peer.close()
    assert peer.signaling_state == state


def operation_of(peer: FakePeerConnection, name: str) -> Callable[[], Awaitable[object]]:
    """The operation; a local description's SDP is empty, for the one that is due."""
    side, _, kind = name.partition("_")
    if side == "create":
        return getattr(peer, name)  # type: ignore[no-any-return]
    if side == "remote":
        description = {"offer": OFFER, "pranswer": PRANSWER, "answer": ANSWER, "rollback": ROLLBACK}[kind]
        return lambda: peer.set_remote_description(description)
    local = SessionDescription(kind) if kind else None  # type: ignore[arg-type]
    return lambda: peer.set_local_description(local)


@pytest.mark.parametrize(("state", "operation", "cell"), CELLS, ids=lambda value: value)
async def test_each_cell_of_the_specifications_table(
    make: MakeFake, journal: Journal, state: str, operation: str, cell: str
) -> None:
    peer = make()
    await bring(peer, state)
    calls = len(peer.library.operations)
    events = len(journal)
    if cell != "ISE":
        await operation_of(peer, operation)()
        assert peer.signaling_state == (state if cell == "=" else cell)
        return
    with pytest.raises(InvalidStateError) as raised:
        await operation_of(peer, operation)()
    assert peer.signaling_state == state
    assert len(peer.library.operations) == calls, "what the table refuses never reaches the library"
    if state != "closed":
        assert raised.value.rejected is not None
        assert raised.value.rejected.reason is Reason.NO_ROW
        assert len(journal) == events + 1
        assert not journal.entries()[-1].accepted


# Two phases.


@pytest.mark.parametrize(
    ("failing", "state", "operation"),
    [
        ("create_offer", "stable", "create_offer"),
        ("create_answer", "have-remote-offer", "create_answer"),
        ("set_local_description", "stable", "local"),
        ("set_local_description", "have-remote-offer", "local"),
        ("set_remote_description", "stable", "remote_offer"),
        ("set_remote_description", "have-local-offer", "remote_answer"),
        ("rollback", "have-local-offer", "local_rollback"),
        ("rollback", "have-local-offer", "remote_offer"),
    ],
)
async def test_what_fails_in_the_library_changes_no_state(
    make: MakeFake, failing: str, state: str, operation: str
) -> None:
    peer = make()
    await bring(peer, state)
    before = (peer.local_description, peer.remote_description)
    peer.library.fail_next(failing)
    with pytest.raises(OperationError, match="told to fail"):
        await operation_of(peer, operation)()
    assert peer.signaling_state == state
    assert (peer.local_description, peer.remote_description) == before
    await operation_of(peer, operation)()


async def test_when_the_offer_fails_behind_its_implicit_rollback_the_rollback_stays_done(make: MakeFake) -> None:
    peer = make()
    await bring(peer, "have-local-offer")
    peer.library.fail_next("set_remote_description")
    with pytest.raises(OperationError):
        await peer.set_remote_description(OFFER)
    assert peer.signaling_state == "stable"
    assert peer.local_description is None


async def test_an_implicit_rollback_is_an_event_of_its_own(make: MakeFake, journal: Journal) -> None:
    peer = make()
    seen: list[str] = []
    peer.on("signalingstatechange", lambda: seen.append(peer.signaling_state.value))
    await bring(peer, "have-local-offer")
    await peer.set_remote_description(OFFER)
    assert seen == ["have-local-offer", "stable", "have-remote-offer"]
    triggers = [entry.trigger for entry in journal.entries("peer.negotiation")]
    assert triggers[-2:] == ["rollback", "set_remote_offer"]
    assert peer.library.operations[-2:] == ["rollback", "set_remote_description"]


async def test_the_descriptions_are_there_when_the_change_is_told(make: MakeFake) -> None:
    offerer, answerer = make("offerer"), make("answerer")
    seen: list[tuple[str, SessionDescription | None, SessionDescription | None]] = []

    def note() -> None:
        seen.append((offerer.signaling_state.value, offerer.local_description, offerer.remote_description))

    offerer.on("signalingstatechange", note)
    await exchange(offerer, answerer)
    offer, answer = offerer.local_description, offerer.remote_description
    assert seen == [("have-local-offer", offer, None), ("stable", offer, answer)]


# Which description.


async def test_a_changed_description_is_refused_before_the_state_is_looked_at(make: MakeFake, journal: Journal) -> None:
    peer = make()
    await bring(peer, "have-remote-offer")
    calls = list(peer.library.operations)
    for kind in ("offer", "pranswer", "answer"):
        with pytest.raises(InvalidModificationError) as raised:
            await peer.set_local_description(SessionDescription(kind, SDP))
        assert raised.value.rejected is not None
        assert raised.value.rejected.reason is Reason.CHECK
    assert peer.library.operations == calls
    assert reasons(journal, "peer.negotiation") == [
        (f"set_local_{kind}", "check refused") for kind in ("offer", "pranswer", "answer")
    ]


async def test_only_the_last_created_offer_can_be_applied(make: MakeFake) -> None:
    peer = make()
    first = await peer.create_offer()
    peer.add_transceiver("audio")
    second = await peer.create_offer()
    assert first != second
    with pytest.raises(InvalidModificationError):
        await peer.set_local_description(first)
    await peer.set_local_description(second)
    assert peer.signaling_state == "have-local-offer"


async def test_an_answered_offer_is_not_the_last_created_one_any_more(make: MakeFake) -> None:
    offerer, answerer = make("offerer"), make("answerer")
    offer = await offerer.create_offer()
    await exchange(offerer, answerer)
    with pytest.raises(InvalidModificationError):
        await offerer.set_local_description(offer)
    assert offerer.signaling_state == "stable"


@pytest.mark.parametrize("kind", ["offer", "pranswer", "answer"])
async def test_an_empty_sdp_stands_for_the_last_created_description_and_keeps_its_own_type(
    make: MakeFake, kind: str
) -> None:
    peer = make()
    if kind != "offer":
        await bring(peer, "have-remote-offer")
    created = await (peer.create_offer() if kind == "offer" else peer.create_answer())
    calls = len(peer.library.operations)
    await peer.set_local_description(SessionDescription(kind))  # type: ignore[arg-type]
    assert peer.library.operations[calls:] == ["set_local_description"]
    assert peer.local_description is not None
    assert peer.local_description.type == kind
    assert peer.local_description.sdp.startswith(created.sdp)


@pytest.mark.parametrize(("state", "made"), [("stable", "create_offer"), ("have-remote-offer", "create_answer")])
@pytest.mark.parametrize("empty", [True, False])
async def test_without_a_created_description_the_one_that_is_due_is_made(
    make: MakeFake, state: str, made: str, *, empty: bool
) -> None:
    peer = make()
    await bring(peer, state)
    calls = len(peer.library.operations)
    kind = "offer" if made == "create_offer" else "answer"
    await peer.set_local_description(SessionDescription(kind) if empty else None)  # type: ignore[arg-type]
    assert peer.library.operations[calls:] == [made, "set_local_description"]
    assert peer.local_description is not None
    assert peer.local_description.type == kind


async def test_an_explicit_rollback_takes_the_pending_description_back(make: MakeFake) -> None:
    offerer, answerer = make("offerer"), make("answerer")
    await exchange(offerer, answerer)
    current = offerer.local_description
    await offer_of(offerer)
    await offerer.set_local_description(ROLLBACK)
    assert offerer.signaling_state == "stable"
    assert offerer.local_description == current
    await exchange(offerer, answerer)


async def test_a_provisional_answer_and_then_the_final_one(make: MakeFake) -> None:
    offerer, answerer = make("offerer"), make("answerer")
    await answerer.set_remote_description(await offer_of(offerer))
    answer = await answerer.create_answer()
    provisional = SessionDescription("pranswer", answer.sdp)
    await answerer.set_local_description(provisional)
    await offerer.set_remote_description(provisional)
    assert offerer.signaling_state == "have-remote-pranswer"
    await answerer.set_local_description()
    await offerer.set_remote_description(SessionDescription("answer", answer.sdp))
    assert (offerer.signaling_state, answerer.signaling_state) == ("stable", "stable")


@pytest.mark.parametrize("sdp", ["", "garbage", "v=0", SDP.replace("a=fingerprint", "a=x")])
async def test_an_offer_that_could_never_connect_does_not_reach_the_library(make: MakeFake, sdp: str) -> None:
    peer = make()
    with pytest.raises(InvalidDescriptionError):
        await peer.set_remote_description(SessionDescription("offer", sdp))
    assert peer.library.operations == []
    assert peer.signaling_state == "stable"


async def test_a_wrong_state_is_told_before_a_bad_description(make: MakeFake) -> None:
    with pytest.raises(InvalidStateError):
        await make().set_remote_description(SessionDescription("answer", "garbage"))


# Capabilities.


@pytest.mark.parametrize(
    ("state", "operation"),
    [
        ("have-local-offer", "local_rollback"),
        ("have-local-offer", "remote_rollback"),
        ("have-local-offer", "remote_offer"),
        ("have-local-offer", "remote_pranswer"),
        ("have-remote-offer", "local_pranswer"),
    ],
)
async def test_what_the_library_can_not_do_is_refused_by_name(make: MakeFake, state: str, operation: str) -> None:
    peer = make()
    await bring(peer, state)
    peer.library.capabilities, peer.library.rolls_back = Capabilities(), False
    calls = list(peer.library.operations)
    with pytest.raises(NotSupportedError, match="FakeBackend"):
        await operation_of(peer, operation)()
    assert peer.library.operations == calls
    assert peer.signaling_state == state


async def test_the_table_is_asked_before_the_capabilities(make: MakeFake) -> None:
    peer = make()
    peer.library.capabilities, peer.library.rolls_back = Capabilities(), False
    with pytest.raises(InvalidStateError):
        await peer.set_local_description(ROLLBACK)


# One at a time.


async def test_two_answers_at_once_are_applied_one_after_the_other_so_the_second_is_refused(make: MakeFake) -> None:
    offerer, answerer = make("offerer"), make("answerer")
    answer = await answer_of(answerer, await offer_of(offerer))
    outcomes = await asyncio.gather(
        offerer.set_remote_description(answer), offerer.set_remote_description(answer), return_exceptions=True
    )
    assert outcomes[0] is None
    assert isinstance(outcomes[1], InvalidStateError)


CANCELLED = ["create_offer", "local", "remote_offer"]


@pytest.mark.parametrize("operation", CANCELLED)
@pytest.mark.parametrize("after", range(8))
async def test_a_caller_who_is_cancelled_at_any_await_leaves_nothing_half_done(
    make: MakeFake, operation: str, after: int
) -> None:
    peer = make()
    caller = asyncio.ensure_future(operation_of(peer, operation)())
    await turns(after)
    caller.cancel()
    done = await asyncio.gather(caller, return_exceptions=True)
    begun = bool(peer.library.operations)
    await turns()
    expected = {"create_offer": "stable", "local": "have-local-offer", "remote_offer": "have-remote-offer"}[operation]
    assert peer.signaling_state == (expected if begun else "stable")
    assert not isinstance(done[0], FsmRtcError)
    if peer.signaling_state == "have-remote-offer":
        await peer.set_local_description()
    elif peer.signaling_state == "stable":
        await peer.create_offer()
