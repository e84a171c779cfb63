"""SignalingDriver: its tasks, timer and queues, in front of a peer connection that only notes what it is asked."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

import fsm_rtc.connection.exchange.driver as driver_module
from fsm_rtc.connection.channel import LinkDown, LinkUp, MessageReceived, PeerJoined, PeerLeft
from fsm_rtc.connection.exchange.exchanger import Exchanger
from fsm_rtc.connection.exchange.waiting import MAX_MEMBERS
from fsm_rtc.errors import KnownPeersError, LinkDownError, OperationError, SignalingError
from fsm_rtc.machines.exchange import ExchangeState
from fsm_rtc.machines.exchange_requests import MakeOffer
from fsm_rtc.messages import Ack, AnyPeer, Bye, Introduction, Member, Offer, decode, encode
from tests.connection.connection_pairs import FIRST
from tests.connection.exchange.driver_scene import CANDIDATE, Scene, drained, scene, until
from tests.connection.exchange.exchange_pair import ROOM


async def test_what_the_peer_asks_is_done_one_after_the_other() -> None:
    async with scene() as it:
        gate = it.peer.gates["apply_offer"] = asyncio.Event()
        it.other_joins()
        it.other_says()
        it.other.exchanger.candidate_found(CANDIDATE, 0.0)
        it.other.pump()
        it.other_says()
        await it.peer.is_asked("apply_offer")
        assert it.peer.asked == ["apply_offer"]
        gate.set()
        await it.observer.hears("settled")
        await it.peer.is_asked("add_candidate")
        assert sorted(it.peer.done) == ["add_candidate", "apply_offer", "make_answer"]
        assert it.peer.done[0] == "apply_offer"
        assert it.driver.refused == {}


async def test_what_comes_of_an_operation_after_the_goodbye_is_not_sent() -> None:
    async with scene() as it:
        await it.agree()
        gate = it.peer.gates["make_offer"] = asyncio.Event()
        it.driver.negotiate()
        await it.peer.is_asked("make_offer")
        it.other.exchanger.leave("supper", 0.0)
        it.other.pump()
        it.other_says()
        assert await it.observer.hears("ended") == ("ended", "supper", True)
        gate.set()
        it.tell(MessageReceived("{"))
        await until(lambda: bool(it.driver.refused))
        assert not any(isinstance(decode(text), Offer) for text in drained(it.channel.sent))


async def test_a_new_session_begins_anew_behind_the_operation_that_is_under_way() -> None:
    async with scene() as it:
        gate = it.peer.gates["apply_offer"] = asyncio.Event()
        it.other_joins()
        it.other_says()
        await it.peer.is_asked("apply_offer")
        before = it.driver.exchanger
        it.begin_other()
        it.other_joins()
        it.other_says()
        await until(lambda: it.driver.exchanger is not before)
        gate.set()
        assert await it.observer.hears("settled") == ("settled", f"{it.bob.introduction.session}.1")
        assert it.peer.done == ["apply_offer", "begin", "apply_offer", "make_answer"]
        assert before.state is ExchangeState.CLOSED


async def test_however_often_the_peer_comes_anew_the_machines_do_not_grow() -> None:
    async with scene() as it:
        await it.agree()
        it.other_joins()
        before = len(it.machines.by_label())
        for _ in range(100):
            it.observer.told.clear()
            it.begin_other()
            await it.agree()
        assert len(it.machines.by_label()) == before


async def test_a_failed_operation_ends_the_exchange_and_the_peer_is_told_why() -> None:
    async with scene() as it:
        it.peer.failures["apply_offer"] = OperationError("no room for that")
        it.other_joins()
        it.other_says()
        failed, error = await it.observer.hears("failed")
        assert (failed, str(error)) == ("failed", "no room for that")
        assert (await it.channel.next(Bye)).payload == "OperationError: no room for that"
        assert await it.observer.hears("ended") == ("ended", "OperationError: no room for that", False)


async def test_a_candidate_that_is_refused_is_counted_and_harms_nothing() -> None:
    async with scene() as it:
        it.peer.failures["add_candidate"] = OperationError("no such section")
        await it.agree()
        await it.other_hears(Ack)
        it.other.exchanger.candidate_found(CANDIDATE, 0.0)
        it.other.pump()
        it.other_says()
        await until(lambda: bool(it.driver.refused))
        assert it.driver.refused == {"OperationError": 1}
        assert it.driver.exchanger.state is ExchangeState.IDLE


@pytest.mark.parametrize("who_is_back", ["the link", "the peer"])
async def test_what_was_not_acknowledged_goes_out_again_at_once_when_somebody_is_back(who_is_back: str) -> None:
    async with scene() as it:
        await it.agree()
        it.driver.negotiate()
        await it.channel.next(Offer)  # and is lost
        if who_is_back == "the link":
            it.tell(LinkDown(SignalingError("cut"), 1.0), LinkUp())
        else:
            it.other_joins()
        async with asyncio.timeout(0.5):  # by itself it would be sent again after a second
            assert (await it.channel.next(Offer)).offer_id == f"{it.driver.me.introduction.session}.1"
        assert "begin" not in it.peer.asked


async def test_a_forged_introduction_of_the_present_session_makes_nobody_repeat_himself() -> None:
    async with scene() as it:
        await it.agree()
        it.driver.negotiate()
        await it.channel.next(Offer)
        drained(it.channel.sent)
        for forged in (replace(it.bob.introduction, signature=bytes(64)), replace(it.bob.introduction, name="eve")):
            it.tell(*(PeerJoined(forged) for _ in range(50)))
        await until(lambda: it.driver.refused.total() == 100)
        assert it.driver.refused == {"introduced_itself": 100}
        assert drained(it.channel.sent) == []
        assert it.driver.exchanger.state is ExchangeState.AWAITING_ANSWER


async def test_while_the_link_is_down_what_is_sent_is_kept() -> None:
    async with scene() as it:
        await it.agree()
        drained(it.channel.sent)
        it.channel.refuses = LinkDownError("down")
        it.tell(LinkDown(SignalingError("cut"), 1.0))
        it.driver.negotiate()
        await until(lambda: it.driver.exchanger.state is ExchangeState.AWAITING_ANSWER)
        await it.channel.refused.wait()
        it.channel.refuses = None
        it.tell(LinkUp())
        await it.channel.next(Offer)


async def test_what_an_exchange_that_is_over_had_asked_for_is_not_begun() -> None:
    async with scene() as it:
        gate = it.peer.gates["apply_offer"] = asyncio.Event()
        it.other_joins()
        it.other_says()
        for _ in range(3):
            it.other.exchanger.candidate_found(CANDIDATE, 0.0)
        it.other.pump()
        it.other_says()
        await it.peer.is_asked("apply_offer")
        it.driver._work.put_nowait((it.driver.exchanger, MakeOffer()))
        it.driver._work.put_nowait((Exchanger(it.bob, AnyPeer(), it.machines, "another"), MakeOffer()))
        it.other.exchanger.leave("supper", 0.0)
        it.other.pump()
        it.other_says()
        await it.observer.hears("ended")
        gate.set()
        await until(it.driver._work.empty)
        assert it.peer.asked == ["apply_offer"]


async def test_one_who_comes_during_a_call_is_talked_to_when_it_is_over() -> None:
    async with scene(AnyPeer()) as it:
        await it.agree()
        carol = Member(ROOM, None, "carol").introduction
        dora = Member(ROOM, type(FIRST).generate(), "dora").introduction
        it.tell(PeerJoined(carol), PeerJoined(dora), PeerLeft(it.bob.introduction.id, it.bob.introduction.session))
        await it.observer.hears("left")
        assert it.driver.peer == it.bob.introduction
        it.driver.leave("enough")
        await it.observer.hears("refused")
        await until(lambda: it.driver.peer == dora)
        assert [one[1].name for one in it.observer.told if one[0] == "joined"] == ["bob", "dora"]
        assert [one[1].name for one in it.observer.told if one[0] == "refused"] == ["carol"]


async def test_who_was_away_when_the_call_ended_is_told_as_soon_as_it_is_back() -> None:
    async with scene() as it:
        await it.agree()
        it.driver.leave("enough")
        await it.channel.next(Bye)
        it.tell(PeerLeft(it.bob.introduction.id, it.bob.introduction.session))
        await it.observer.hears("left")
        drained(it.channel.sent)
        it.other_joins()
        assert (await it.channel.next(Bye)).payload == "enough"


async def test_of_many_who_come_during_a_call_few_are_remembered() -> None:
    async with scene() as it:
        await it.agree()
        it.tell(*(PeerJoined(Introduction(f"x{number}", "s", "n", b"", b"")) for number in range(1000)), LinkUp())
        it.tell(*(PeerJoined(Introduction(f"y{number}", "s", "n", b"", b"")) for number in range(1000)))
        it.tell(MessageReceived("{"))
        await until(lambda: bool(it.driver.refused))
        assert len(it.driver._waiting.members) == MAX_MEMBERS
        assert it.driver.peer == it.bob.introduction


class BrokenTrust:
    """A known-peers file that can't be read, nor written."""

    def __init__(self) -> None:
        self.is_readable = False

    def accepts(self, name: str, key_id: str) -> bool:
        if not self.is_readable:
            raise KnownPeersError("line 3 is broken; mend it")
        return True

    def remember(self, name: str, public_key: bytes) -> None:
        raise KnownPeersError("the disk is full; make room")


async def test_while_trust_cannot_be_decided_nobody_is_let_in(caplog: pytest.LogCaptureFixture) -> None:
    trust = BrokenTrust()
    async with scene(trust) as it:
        it.other_joins()
        await until(lambda: bool(it.driver.refused))
        assert it.driver.refused == {"KnownPeersError": 1}
        assert not it.peer.asked
        trust.is_readable = True
        await it.agree()
        assert it.observer.told[-1][0] == "settled"
    assert "trust can't be decided: line 3 is broken" in caplog.text
    assert "not remembered: the disk is full" in caplog.text


@pytest.mark.parametrize("frame", ["", "{", b"\xff", "[" * 5000, encode(Ack("", "", "", "", "", 0, "", "", b""))])
async def test_hostile_frames_are_counted_and_the_driver_goes_on(frame: str | bytes) -> None:
    async with scene() as it:
        it.tell(*(MessageReceived(frame) for _ in range(10)))
        await it.agree()
        assert it.driver.refused.total() == 10


async def test_what_is_needed_during_an_exchange_is_offered_behind_it() -> None:
    async with scene() as it:
        it.peer.is_needed = True
        await it.agree()
        await it.peer.is_asked("make_offer")
        assert it.peer.asked == ["apply_offer", "make_answer", "make_offer"]


async def test_closing_says_goodbye_and_waits_until_it_has_arrived() -> None:
    async with scene() as it:
        await it.agree()
        closing = asyncio.create_task(it.driver.aclose("supper"))
        await it.other_hears(Bye)
        assert not closing.done()
        assert it.other.ended is not None
        assert it.other.ended.reason == "supper"
        it.other_says()
        await closing
        await it.driver.aclose()
        assert it.channel.closed == 1
        assert it.driver.exchanger.state is ExchangeState.CLOSED


@pytest.mark.parametrize("turns", range(12))
async def test_a_caller_of_aclose_who_is_cancelled_leaves_it_to_go_on(turns: int) -> None:
    async with scene() as it:
        await it.agree()
        it.tell(LinkDown())
        closing = asyncio.create_task(it.driver.aclose())
        for _ in range(turns):
            await asyncio.sleep(0)
        closing.cancel()
        await asyncio.gather(closing, return_exceptions=True)
        await it.driver.aclose()
        assert it.channel.closed == 1
        assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_closing_before_anything_began_is_enough() -> None:
    it = Scene()
    await it.driver.aclose()
    assert it.channel.closed == 1
    assert it.driver.exchanger.state is ExchangeState.CLOSED


async def test_a_channel_that_fails_to_close_leaves_no_task_behind(caplog: pytest.LogCaptureFixture) -> None:
    async with scene() as it:
        it.channel.fails_to_close = RuntimeError("the handle came off")
        await it.driver.aclose()
        assert asyncio.all_tasks() == {asyncio.current_task()}
    assert "the handle came off" in caplog.text


async def test_a_channel_that_never_closes_is_left(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never() -> None:
        await asyncio.get_running_loop().create_future()

    monkeypatch.setattr(driver_module, "CLOSE_SECONDS", 0.01)
    async with scene() as it:
        it.channel.aclose = never  # type: ignore[method-assign]
        await it.driver.aclose()
        assert asyncio.all_tasks() == {asyncio.current_task()}
    assert "didn't close" in caplog.text
