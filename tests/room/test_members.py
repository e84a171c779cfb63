"""Members: the peers of a room, and a connection to each, which only notes what it is asked. Time takes no time."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from fsm_rtc.connection.connection import Connection
from fsm_rtc.connection.events import ConnectionEvent, Ended, Joined, Negotiated, Ready, Refused
from fsm_rtc.connection.exchange.retransmission import GIVE_UP_SECONDS
from fsm_rtc.errors import Reason, Rejected, SignalingError
from fsm_rtc.machines.exchange import ExchangeState
from fsm_rtc.machines.room_member_requests import MemberEnd
from fsm_rtc.messages import EndCode, Introduction
from fsm_rtc.peer.machine_set import MachineSet
from fsm_rtc.room import members as module
from fsm_rtc.room.members import ENDS, Members
from tests.instant_loop import instantly


def peer(who: str) -> Introduction:
    """Of an id and a session."""
    id_, session = who.split()
    return Introduction(id=id_, session=session, name="", public_key=b"", signature=b"")


A, B, C = peer("a 1"), peer("b 1"), peer("c 1")
A_AGAIN = peer("a 2")
NOT_TRUSTED = Rejected("exchange", ExchangeState.IDLE, "join", Reason.CHECK, guard="trusted")


class NotedConnection:
    """A connection that does what a test tells it to, and notes how it was closed.

    Attributes:
        closed: with which reason and code, and whether for good; each time.
    """

    def __init__(self, to: Introduction) -> None:
        self.to = to
        self.is_ready = False
        self.is_open = False
        self.refused: Counter[str] = Counter()
        self.closed: list[tuple[str, EndCode | None, bool]] = []
        self.fails_to_open: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self._events: asyncio.Queue[ConnectionEvent | Exception | None] = asyncio.Queue()

    async def open(self) -> None:
        if self.fails_to_open is not None:
            raise self.fails_to_open
        self.is_open = True

    async def events(self) -> AsyncIterator[ConnectionEvent]:
        while (event := await self._events.get()) is not None:
            if isinstance(event, Exception):
                raise event
            yield event

    def tell(self, *events: ConnectionEvent | Exception) -> None:
        for event in events:
            self._events.put_nowait(event)

    async def aclose(self, reason: str) -> None:
        await self._close(reason, None, for_good=True)

    async def leave(self, reason: str, *, code: EndCode | None) -> None:
        await self._close(reason, code, for_good=False)

    async def _close(self, reason: str, code: EndCode | None, *, for_good: bool) -> None:
        self.closed.append((reason, code, for_good))
        self._events.put_nowait(None)
        await self.gate.wait()


class NotingRoom:
    """The room: decides what a test has set, and notes what it is told."""

    def __init__(self) -> None:
        self.admits_peers = True
        self.trusts = True
        self.fails_to_open: Exception | None = None
        self.made: list[NotedConnection] = []
        self.told: list[tuple[Any, ...]] = []

    def connection_to(self, peer: Introduction) -> Connection:
        made = NotedConnection(peer)
        made.fails_to_open = self.fails_to_open
        self.made.append(made)
        return cast("Connection", made)

    def is_still_trusted(self, peer: Introduction) -> bool:
        return self.trusts

    def peer_arrived(self, peer: Introduction, connection: Connection) -> None:
        self.told.append(("arrived", peer))

    def peer_told(self, peer: Introduction, connection: Connection, event: ConnectionEvent) -> None:
        self.told.append(("told", peer, event))

    def peer_gone(self, peer: Introduction, connection: Connection, end: Ended, code: MemberEnd | None) -> None:
        self.told.append(("gone", peer, end, code))

    def peer_refused(self, refused: Refused) -> None:
        self.told.append(("refused", refused))


class Scene:
    """The members of a room, and the room."""

    def __init__(self) -> None:
        self.room = NotingRoom()
        self.ignored: Counter[str] = Counter()
        self.machines = MachineSet("room", generation=0, engine="compiled", journal=None)
        self.members = Members(self.room, self.ignored, self.machines)

    @property
    def told(self) -> list[tuple[Any, ...]]:
        return self.room.told

    async def joined(self, who: Introduction) -> NotedConnection:
        """It is there; nothing has been proved."""
        self.members.joined(who)
        await turns()
        return self.room.made[-1]

    async def arrived(self, who: Introduction) -> NotedConnection:
        """It is there, and counts."""
        connection = await self.joined(who)
        connection.tell(Joined(who))
        await turns()
        return connection


@asynccontextmanager
async def scene() -> AsyncIterator[Scene]:
    made = Scene()
    yield made
    await made.members.aclose("closed")
    assert not made.machines.by_label()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def turns(count: int = 20) -> None:
    """Let the connections' tasks run."""
    for _ in range(count):
        await asyncio.sleep(0)


# Who comes.


@instantly
async def test_who_joins_gets_one_connection_and_counts_when_he_is_proved() -> None:
    async with scene() as here:
        connection = await here.joined(A)
        here.members.joined(A)
        await turns()
        assert here.room.made == [connection]
        assert connection.is_open
        assert here.members.connections == (cast("Connection", connection),)
        assert (here.members.peers, here.told) == ({}, [])
        connection.tell(Joined(A))
        await turns()
        assert list(here.members.peers) == ["a"]
        assert here.told == [("arrived", A)]


@instantly
async def test_what_happens_is_told_from_the_arrival_to_the_end_and_no_further() -> None:
    async with scene() as here:
        connection = await here.joined(A)
        connection.tell(Ready(), Joined(A), Negotiated("1"), Ready(), Ended("bye", by_peer=True), Ready())
        await turns()
        end = Ended("bye", by_peer=True)
        assert here.told == [
            ("arrived", A),
            ("told", A, Negotiated("1")),
            ("told", A, Ready()),
            ("told", A, end),
            ("gone", A, end, None),
        ]


@instantly
async def test_events_in_the_wrong_order_break_nothing() -> None:
    async with scene() as here:
        connection = await here.joined(A)
        connection.tell(Ended("first", by_peer=True), Joined(A), Negotiated("1"), Ended("again", by_peer=True))
        await turns()
        assert here.told == []
        assert connection.closed == [("first", None, False)]


@instantly
async def test_who_finds_no_seat_or_a_closed_room_is_counted_and_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_PEERS", 1)
    async with scene() as here:
        await here.arrived(A)
        here.members.joined(B)
        here.room.admits_peers = False
        here.members.joined(C)
        await turns()
        assert here.ignored == {"too many peers": 1, "the room is closed": 1}
        assert len(here.room.made) == len(here.machines.by_label()) == 1
        here.room.admits_peers = True
        here.members.left("a", "1")
        assert (await here.joined(B)).to == B


@instantly
async def test_a_new_session_takes_the_place_of_the_one_before_when_it_is_proved_and_not_earlier() -> None:
    async with scene() as here:
        first = await here.arrived(A)
        second = await here.joined(A_AGAIN)
        assert first.closed == []
        second.tell(Joined(A_AGAIN))
        await turns()
        assert here.members.peers["a"] is cast("Connection", second)
        assert here.told[1:] == [("gone", A, ENDS[MemberEnd.REPLACED], MemberEnd.REPLACED), ("arrived", A_AGAIN)]
        assert [reason for reason, _, _ in first.closed] == [ENDS[MemberEnd.REPLACED].reason]
        assert second.closed == []


@instantly
async def test_a_session_that_is_over_takes_nobodys_place_however_late_it_is_proved() -> None:
    async with scene() as here:
        first = await here.joined(A)
        second = await here.arrived(A_AGAIN)
        first.tell(Ended("bye", by_peer=True), Joined(A))
        await turns()
        assert here.members.peers["a"] is cast("Connection", second)
        assert second.closed == []


# Whom this side doesn't trust.


@instantly
async def test_who_is_not_trusted_never_counts_and_is_told_why() -> None:
    async with scene() as here:
        connection = await here.joined(A)
        refused = Refused(A, NOT_TRUSTED)
        connection.tell(refused)
        await turns()
        assert here.told == [("refused", refused)]
        assert [code for _, code, _ in connection.closed] == [EndCode.NOT_TRUSTED]
        assert here.members.connections == ()


@instantly
async def test_a_forged_introduction_on_a_connection_that_counts_is_told_and_changes_nothing() -> None:
    async with scene() as here:
        connection = await here.arrived(A)
        connection.tell(Refused(A, NOT_TRUSTED))
        await turns()
        assert ("refused", Refused(A, NOT_TRUSTED)) in here.told
        assert connection.closed == []
        assert list(here.members.peers) == ["a"]


@instantly
async def test_of_two_under_one_name_the_one_who_agrees_too_late_goes() -> None:
    async with scene() as here:
        connection = await here.arrived(A)
        here.room.trusts = False
        connection.tell(Negotiated("1"))
        await turns()
        assert here.told[-1] == ("gone", A, ENDS[MemberEnd.NAMESAKE], MemberEnd.NAMESAKE)
        assert [code for _, code, _ in connection.closed] == [EndCode.NAMESAKE]


# Who goes.


@pytest.mark.parametrize("counts", [False, True])
@instantly
async def test_who_leaves_is_gone_once_if_he_counted_and_leaves_nothing(counts: bool) -> None:
    async with scene() as here:
        connection = await (here.arrived(A) if counts else here.joined(A))
        here.members.left("a", "1")
        here.members.left("a", "1")
        here.members.left("nobody", "1")
        connection.tell(Ended("late", by_peer=True))
        await turns()
        gone = [("gone", A, ENDS[MemberEnd.LEFT], MemberEnd.LEFT)]
        assert here.told[1:] == (gone if counts else [])
        assert connection.closed == [("the peer left", None, False)]
        assert (here.members.peers, here.members.connections) == ({}, ())
        assert not here.machines.by_label()


@instantly
async def test_with_a_session_that_is_over_nothing_begins_again_before_it_has_left() -> None:
    async with scene() as here:
        connection = await here.arrived(A)
        connection.tell(Ended("bye", by_peer=True))
        await turns()
        here.members.joined(A)
        await turns()
        assert len(here.room.made) == 1
        here.members.left("a", "1")
        await here.joined(A)
        assert len(here.room.made) == 2


@instantly
async def test_the_sessions_that_are_over_are_remembered_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_REMEMBERED", 2)
    async with scene() as here:
        for who in (A, B, C):
            (await here.arrived(who)).tell(Ended("bye", by_peer=True))
            await turns()
        assert len(here.machines.by_label()) == 2
        for who in (C, B, A):
            here.members.joined(who)
        await turns()
        assert [one.to for one in here.room.made[3:]] == [A]


@instantly
async def test_a_connection_that_can_not_be_opened_ends_with_its_error() -> None:
    async with scene() as here:
        here.room.fails_to_open = SignalingError("no way")
        connection = await here.joined(A)
        assert here.told == []
        assert connection.closed == [("no way", None, False)]


@instantly
async def test_a_connection_whose_events_fail_is_over_is_logged_and_harms_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with scene() as here:
        first, second = await here.arrived(A), await here.arrived(B)
        first.tell(RuntimeError("made up"))
        await turns()
        assert here.told[-1] == ("gone", A, Ended("the connection was closed", by_peer=False), None)
        assert "a connection of the room failed" in caplog.text
        assert list(here.members.peers) == ["b"]
        assert second.closed == []


# The link goes and comes.


@instantly
async def test_who_is_missing_and_stands_stays_and_who_does_not_stand_is_gone_after_a_while() -> None:
    async with scene() as here:
        standing, waiting = await here.arrived(A), await here.arrived(B)
        standing.is_ready = True
        here.members.present([], resumed=True)
        await asyncio.sleep(GIVE_UP_SECONDS - 1)
        assert len(here.members.peers) == 2
        await asyncio.sleep(2)
        assert list(here.members.peers) == ["a"]
        assert here.told[-1] == ("gone", B, ENDS[MemberEnd.MISSING], MemberEnd.MISSING)
        assert [reason for reason, _, _ in waiting.closed] == [ENDS[MemberEnd.MISSING].reason]


@pytest.mark.parametrize("stands", [True, False])
@instantly
async def test_who_was_missing_and_is_back_goes_on_if_he_stands_and_is_met_anew_if_not(stands: bool) -> None:
    async with scene() as here:
        connection = await here.arrived(A)
        connection.is_ready = stands
        here.members.present([], resumed=True)
        here.members.present([A], resumed=True)
        await turns()
        assert len(here.room.made) == (1 if stands else 2)
        met_anew = [("gone", A, ENDS[MemberEnd.MET_ANEW], MemberEnd.MET_ANEW)]
        assert here.told[1:] == ([] if stands else met_anew)


@pytest.mark.parametrize("resumed", [True, False])
@instantly
async def test_only_a_link_that_did_not_resume_lets_those_who_do_not_stand_begin_anew(resumed: bool) -> None:
    async with scene() as here:
        first, second = await here.arrived(A), await here.arrived(B)
        second.is_ready = True
        here.members.present([A, B], resumed=resumed)
        await turns()
        assert bool(first.closed) is not resumed
        assert second.closed == []


@instantly
async def test_what_a_replaced_connection_still_tells_is_nobodys() -> None:
    async with scene() as here:
        first = await here.arrived(A)
        first.gate.clear()
        here.members.joined(A, anew=True)
        await turns()
        told = len(here.told)
        first.tell(Joined(A), Ready(), Ended("late", by_peer=True))
        first.gate.set()
        await turns()
        assert here.told[told:] == []
        assert here.members.connections == (cast("Connection", here.room.made[1]),)
        assert here.room.made[1].closed == []


# Closing.


@instantly
async def test_closing_says_goodbye_to_all_at_once_and_tells_who_counted() -> None:
    async with scene() as here:
        connections = [await here.arrived(A), await here.joined(B)]
        for connection in connections:
            connection.gate.clear()
        closing = asyncio.create_task(here.members.aclose("good night"))
        await turns()
        assert [connection.closed for connection in connections] == [[("good night", None, True)]] * 2
        assert not closing.done()
        for connection in connections:
            connection.gate.set()
        await closing
        assert here.told == [("arrived", A), ("gone", A, Ended("good night", by_peer=False), None)]
        assert here.members.connections == ()


@instantly
async def test_closing_twice_and_what_the_signalling_says_behind_it_change_nothing() -> None:
    async with scene() as here:
        connection = await here.arrived(A)
        await asyncio.gather(here.members.aclose("once"), here.members.aclose("twice"))
        await here.members.aclose("thrice")
        here.members.left("a", "1")
        assert connection.closed == [("once", None, True)]


@instantly
async def test_a_closing_that_is_cancelled_goes_on() -> None:
    async with scene() as here:
        connection = await here.arrived(A)
        connection.gate.clear()
        closing = asyncio.create_task(here.members.aclose("good night"))
        await turns()
        closing.cancel()
        await asyncio.wait({closing})
        assert closing.cancelled()
        connection.gate.set()
        await here.members.aclose("again")
        assert connection.closed == [("good night", None, True)]


@instantly
async def test_refused_frames_are_counted_through_a_connections_closing_and_behind_it() -> None:
    async with scene() as here:
        first, second = await here.arrived(A), await here.arrived(B)
        first.refused["taken_once"], second.refused["taken_once"] = 2, 3
        counts = [here.members.refused]
        first.gate.clear()
        here.members.left("a", "1")
        await turns()
        first.refused["taken_once"] += 1
        counts.append(here.members.refused)
        first.gate.set()
        await turns()
        counts.append(here.members.refused)
        assert [count["taken_once"] for count in counts] == [5, 6, 6]
