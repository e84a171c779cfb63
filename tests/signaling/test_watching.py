"""The sessions in a journal: by numbers, from the first event to the last."""

from __future__ import annotations

import pytest

from fsm_rtc.engine import Entry, Journal
from fsm_rtc.machines.session import Session
from fsm_rtc.messages.signing import Member
from fsm_rtc.signaling import Settings, SignalingServer
from fsm_rtc.signaling.hub import Hub
from fsm_rtc.signaling.seats import Seat, SessionWatch
from tests.signaling.hub_talk import introduction
from tests.signaling.participants import ANNA, BERT, ROOM, bare

pytestmark = pytest.mark.live


def session() -> Session:
    return Seat(Hub[int](), "kitchen", introduction("anna")).machine


def told(journal: Journal) -> list[tuple[str, str]]:
    return [(one.label, one.trigger if isinstance(one, Entry) else one.state) for one in journal]


def test_sessions_and_rooms_are_numbered_as_they_come() -> None:
    journal = Journal()
    watch = SessionWatch(journal)
    for room in ("kitchen", "cellar", "kitchen"):
        watch.begin(room, session())
    assert [label for label, _ in told(journal)] == ["room.1.session.1", "room.2.session.2", "room.1.session.3"]


def test_a_room_that_was_empty_is_another_one() -> None:
    journal, one = Journal(), session()
    watch = SessionWatch(journal)
    watch.begin("kitchen", one)
    watch.end(one)
    watch.end(one)
    watch.begin("kitchen", session())
    assert [label for label, _ in told(journal)] == ["room.1.session.1", "room.2.session.2"]


def test_what_has_ended_is_watched_no_longer() -> None:
    journal, one = Journal(), session()
    watch = SessionWatch(journal)
    watch.begin("kitchen", one)
    one.on_link_lost()
    watch.end(one)
    one.on_link_lost()
    assert told(journal) == [("room.1.session.1", "joining"), ("room.1.session.1", "on_link_lost")]


def test_without_a_journal_nothing_is_kept() -> None:
    one = session()
    watch = SessionWatch(None)
    watch.begin("kitchen", one)
    watch.end(one)


async def test_a_server_writes_its_sessions_and_no_names(anna: Member, bert: Member) -> None:
    journal = Journal()
    settings = Settings(journal=journal)
    async with SignalingServer(settings=settings) as server, bare(server) as first, bare(server) as second:
        await first.joined(anna)
        await second.joined(bert)
    began = [
        ("hub", "serving"),
        *[(f"room.1.session.{number}", event) for number in (1, 2) for event in ("joining", "claim")],
    ]
    assert told(journal)[:5] == began
    assert {one.label for one in journal} == {label for label, _ in began}
    assert all(name not in line for line in journal.lines() for name in (ROOM, ANNA.id, BERT.id))
