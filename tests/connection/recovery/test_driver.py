"""RecoveryDriver: a loss is noticed, and undone by whoever begins. A call that a test sets; time takes no time."""

from __future__ import annotations

import asyncio
from functools import partial
from itertools import pairwise

import pytest

from fsm_rtc.connection.events import GaveUp, LossReason, PeerLost, Recovered, Recovering
from fsm_rtc.connection.recovery.driver import SIGNALED_BYE_SECONDS, RecoveryDriver
from fsm_rtc.connection.recovery.policy import NO_RECOVERY, RecoveryPolicy
from fsm_rtc.machines.data_channel import DataChannelState
from fsm_rtc.machines.exchange import ExchangeState
from fsm_rtc.machines.recovery import CUT_SECONDS, EARLY_SECONDS, RecoveryState
from fsm_rtc.machines.signaling_link import SignalingStatus
from fsm_rtc.messages import SENTENCES, EndCode
from tests.connection.recovery.watched_call import WatchedCall, now, recoverer_of
from tests.instant_loop import InstantLoop, instantly

POLICY = RecoveryPolicy()
BEGIN = POLICY.begin_after_seconds
ICE_RESTART, RECREATION = "ICE restart", "new peer connection"
LATER = 0.001


def leads(me: str, peer: str | None) -> bool:
    with asyncio.Runner(loop_factory=InstantLoop):
        return recoverer_of(WatchedCall(me, peer)).leads


# Who begins.


@pytest.mark.parametrize(("one", "other"), [("a s", "b t"), ("a t", "b s"), ("b s", "b t"), ("a é", "a z")])
def test_of_two_sessions_exactly_the_greater_leads_by_id_and_of_one_key_by_session(one: str, other: str) -> None:
    lesser, greater = sorted((one, other))
    assert (leads(lesser, greater), leads(greater, lesser)) == (False, True)


def test_who_has_no_peer_leads_nobody() -> None:
    assert not leads("b s", None)


@instantly
async def test_the_leader_begins_and_the_other_side_so_much_later() -> None:
    leader, follower = WatchedCall("b s", "a s"), WatchedCall("a s", "b s")
    recoverers = [recoverer_of(call) for call in (leader, follower)]
    for recoverer in recoverers:
        recoverer.heard()
    await asyncio.sleep(BEGIN + POLICY.follower_waits_seconds + LATER)
    assert leader.when(Recovering) == [BEGIN]
    assert follower.when(Recovering) == [BEGIN + POLICY.follower_waits_seconds]
    for recoverer in recoverers:
        recoverer.close()


# Noticing.


@instantly
async def test_before_the_call_has_worked_nothing_is_noticed_and_no_heart_beats() -> None:
    call = WatchedCall()
    recoverer = recoverer_of(call)
    recoverer.lost(LossReason.ICE_DISCONNECTED)
    recoverer.lost_for_good(LossReason.ICE_FAILED)
    await asyncio.sleep(100)
    assert call.done == call.beats == []
    assert not recoverer.is_at_work


@instantly
async def test_silence_is_told_once_and_the_link_checked() -> None:
    call = WatchedCall()
    recoverer = recoverer_of(call)
    recoverer.heard()
    await asyncio.sleep(BEGIN - LATER)
    assert call.done == [PeerLost(LossReason.SILENT)]
    assert call.times == call.checked[:1] == [POLICY.suspect_after_seconds]
    recoverer.close()


@instantly
async def test_each_sign_of_life_puts_it_off() -> None:
    call = WatchedCall()
    recoverer = recoverer_of(call)
    for _ in range(10):
        recoverer.heard()
        await asyncio.sleep(POLICY.suspect_after_seconds - LATER)
    assert call.done == []
    recoverer.close()


@instantly
async def test_the_heart_beats_while_the_call_is_watched_and_one_that_is_closed_is_not() -> None:
    call = WatchedCall()
    recoverer = recoverer_of(call)
    recoverer.heard()
    await asyncio.sleep(2.5)
    recoverer.close()
    await asyncio.sleep(10)
    assert call.beats == [1.0, 2.0]


@instantly
async def test_the_silence_of_a_peer_that_answers_no_heartbeat_says_nothing() -> None:
    call = WatchedCall()
    call.link.is_numbered = False
    recoverer = recoverer_of(call)
    recoverer.heard()
    await asyncio.sleep(100)
    assert call.done == []
    recoverer.lost(LossReason.ICE_DISCONNECTED)
    assert call.done == [PeerLost(LossReason.ICE_DISCONNECTED)]
    recoverer.close()


@instantly
async def test_one_that_comes_back_by_itself_was_lost_so_long_and_cost_no_attempt() -> None:
    call = WatchedCall()
    recoverer = recoverer_of(call)
    recoverer.heard()
    recoverer.lost(LossReason.ICE_DISCONNECTED)
    recoverer.lost(LossReason.ICE_DISCONNECTED)
    await asyncio.sleep(1.5)
    recoverer.heard()
    assert call.done == [PeerLost(LossReason.ICE_DISCONNECTED), Recovered(1.5)]
    assert recoverer.attempts_left == POLICY.attempts
    recoverer.close()


@instantly
async def test_a_connection_that_ended_without_a_goodbye_is_lost_soon_and_says_how_it_was_noticed() -> None:
    call = WatchedCall()
    recoverer = recoverer_of(call)
    recoverer.heard()
    recoverer.closed(LossReason.CHANNEL_CLOSED)
    recoverer.closed(LossReason.CONNECTION_CLOSED)
    assert call.done == []
    await asyncio.sleep(CUT_SECONDS)
    assert call.done[0] == PeerLost(LossReason.CHANNEL_CLOSED)
    assert call.times[0] == CUT_SECONDS
    recoverer.close()


@instantly
async def test_a_connection_that_ended_before_it_ever_worked_ends_the_call_unless_another_offer_comes() -> None:
    for offers in (False, True):
        call = WatchedCall()
        recoverer = recoverer_of(call)
        began = now()
        recoverer.closed(LossReason.CHANNEL_CLOSED)
        await asyncio.sleep(EARLY_SECONDS - LATER)
        assert call.done == []
        if offers:
            recoverer.agreed()
        await asyncio.sleep(1)
        lost = EndCode.CONNECTION_LOST
        assert call.done == ([] if offers else [("leave", SENTENCES[lost], lost)])
        assert call.times == ([] if offers else [began + EARLY_SECONDS])
        recoverer.close()


async def converse(round_trip_seconds: float) -> tuple[int, int]:
    """How often each of two sides asks within a minute in which neither says anything else; the first leads."""
    loop = asyncio.get_running_loop()
    asked = [0, 0]
    sides: list[RecoveryDriver] = []

    def ping(side: int) -> None:
        asked[side] += 1
        loop.call_later(round_trip_seconds / 2, sides[1 - side].heard)
        loop.call_later(round_trip_seconds, sides[side].heard)

    for side, (me, peer) in enumerate([("b s", "a s"), ("a s", "b s")]):
        call = WatchedCall(me, peer)
        call.link.ping = partial(ping, side)
        sides.append(recoverer_of(call))
    for one in sides:
        one.new_call()
        one.heard()
    await asyncio.sleep(60.0)
    for one in sides:
        assert one.machine.state is RecoveryState.WATCHING
        one.close()
    return asked[0], asked[1]


@pytest.mark.parametrize("round_trip_seconds", [0.001, 0.05, 0.2])
def test_of_two_that_are_silent_one_asks_and_the_other_answers(round_trip_seconds: float) -> None:
    with asyncio.Runner(loop_factory=InstantLoop) as runner:
        leader, follower = runner.run(converse(round_trip_seconds))
    assert 60 / (1 + round_trip_seconds) - 2 < leader < 60
    assert follower == 0


@pytest.mark.parametrize("round_trip_seconds", [0.3, 0.6, 1.0, 1.4])
def test_on_a_slow_way_both_ask_less_than_once_a_second_and_nobody_is_suspected(round_trip_seconds: float) -> None:
    with asyncio.Runner(loop_factory=InstantLoop) as runner:
        assert max(runner.run(converse(round_trip_seconds))) < 50


@instantly
async def test_while_the_call_is_lost_the_link_is_checked_again_and_again() -> None:
    call = WatchedCall()
    recoverer = recoverer_of(call)
    recoverer.heard()
    await asyncio.sleep(20)
    gaps = [later - sooner for sooner, later in pairwise(call.checked)]
    assert call.checked[0] == POLICY.suspect_after_seconds
    assert max(gaps) <= 1.0
    recoverer.close()


# Attempts.


@instantly
async def test_the_first_attempt_keeps_the_connection_and_the_next_replaces_it() -> None:
    call = WatchedCall()
    recoverer = recoverer_of(call)
    recoverer.heard()
    await asyncio.sleep(BEGIN + POLICY.attempt_seconds + LATER)
    assert call.done == [
        PeerLost(LossReason.SILENT),
        Recovering(ICE_RESTART, 1),
        "restart_ice",
        "negotiate",
        Recovering(RECREATION, 2),
        "give up the connection",
        "negotiate",
    ]
    assert call.when(Recovering) == [BEGIN, BEGIN + POLICY.attempt_seconds]
    recoverer.close()


@pytest.mark.parametrize("ended", ["the connection", "the channel", "there is no channel", "there is no connection"])
@instantly
async def test_a_connection_that_has_ended_is_replaced_at_once(ended: str) -> None:
    call = WatchedCall()
    match ended:
        case "the connection":
            call.negotiation.is_final = True
        case "the channel":
            call.channel.ready_state = DataChannelState.CLOSING
        case "there is no channel":
            call.peers.channel = None
        case _:
            call.peers.connection = None
    recoverer = recoverer_of(call)
    recoverer.heard()
    recoverer.lost_for_good(LossReason.ICE_FAILED)
    await asyncio.sleep(LATER)
    assert call.done == [
        PeerLost(LossReason.ICE_FAILED),
        Recovering(RECREATION, 1),
        "give up the connection",
        "negotiate",
    ]
    recoverer.close()


@instantly
async def test_a_loss_that_is_for_good_waits_for_nothing_and_one_that_may_pass_has_its_time() -> None:
    call = WatchedCall()
    recoverer = recoverer_of(call)
    recoverer.heard()
    recoverer.lost(LossReason.ICE_DISCONNECTED)
    await asyncio.sleep(1)
    assert call.when(Recovering) == []
    recoverer.lost_for_good(LossReason.ICE_FAILED)
    await asyncio.sleep(LATER)
    assert call.when(PeerLost) == [0.0]
    assert call.when(Recovering) == [1.0]
    recoverer.close()


@pytest.mark.parametrize("missing", ["link", "peer", "exchange"])
@instantly
async def test_what_an_attempt_needs_is_waited_for_and_it_begins_as_soon_as_that_is_there(missing: str) -> None:
    call = WatchedCall()

    def give(is_there: bool) -> None:
        match missing:
            case "link":
                call.signaling_link.state = SignalingStatus.CONNECTED if is_there else SignalingStatus.DISCONNECTED
            case "peer":
                call.driver.peer_is_there = is_there
            case _:
                call.exchange.state = ExchangeState.IDLE if is_there else ExchangeState.AWAITING_ANSWER

    recoverer = recoverer_of(call)
    recoverer.heard()
    give(False)
    recoverer.lost_for_good(LossReason.ICE_FAILED)
    await asyncio.sleep(20)
    recoverer.changed()
    assert call.when(Recovering) == []
    give(True)
    recoverer.changed()
    assert call.when(Recovering) == [20.0]
    recoverer.close()


@instantly
async def test_a_change_while_all_is_well_begins_nothing() -> None:
    call = WatchedCall()
    recoverer = recoverer_of(call)
    recoverer.changed()
    recoverer.heard()
    recoverer.changed()
    recoverer.progressed()
    recoverer.attempt_failed()
    assert call.done == []
    assert recoverer.machine.state is RecoveryState.WATCHING
    recoverer.close()


@instantly
async def test_an_attempt_that_comes_nearer_has_its_whole_time_again() -> None:
    call = WatchedCall()
    recoverer = recoverer_of(call)
    recoverer.heard()
    recoverer.lost_for_good(LossReason.ICE_FAILED)
    await asyncio.sleep(POLICY.attempt_seconds - 1)
    recoverer.progressed()
    await asyncio.sleep(POLICY.attempt_seconds - LATER)
    assert len(call.when(Recovering)) == 1
    await asyncio.sleep(2 * LATER)
    assert len(call.when(Recovering)) == 2
    recoverer.close()


@instantly
async def test_an_offer_that_could_not_be_made_is_an_attempt_less_and_the_next_follows_its_pause() -> None:
    call = WatchedCall()
    recoverer = recoverer_of(call)
    recoverer.heard()
    recoverer.lost_for_good(LossReason.ICE_FAILED)
    await asyncio.sleep(1)
    recoverer.attempt_failed()  # of the restart: the next one replaces the connection, at once
    assert call.when(Recovering) == [0.0, 1.0]
    recoverer.attempt_failed()
    await asyncio.sleep(POLICY.attempt_seconds)
    assert call.when(Recovering) == [0.0, 1.0, 1.0 + POLICY.backoff_seconds(2)]
    recoverer.close()


@instantly
async def test_a_recovered_call_has_all_its_attempts_again_once_it_has_stood() -> None:
    call = WatchedCall()
    recoverer = recoverer_of(call)
    recoverer.heard()
    recoverer.lost_for_good(LossReason.ICE_FAILED)
    await asyncio.sleep(1)
    recoverer.heard()
    assert call.done[-1] == Recovered(1.0)
    assert recoverer.attempts_left == POLICY.attempts - 1
    for _ in range(int(POLICY.stood_seconds)):
        await asyncio.sleep(1)
        recoverer.heard()
    await asyncio.sleep(LATER)
    assert recoverer.attempts_left == POLICY.attempts
    recoverer.close()


# Giving up, goodbyes, and its end.


@instantly
async def test_without_attempts_a_loss_is_told_and_the_call_given_up() -> None:
    call = WatchedCall()
    recoverer = recoverer_of(call, NO_RECOVERY)
    recoverer.heard()
    await asyncio.sleep(100)
    reason = "every attempt to recover the call failed"
    assert call.done == [PeerLost(LossReason.SILENT), GaveUp(reason), ("leave", reason, None)]
    beats = len(call.beats)
    await asyncio.sleep(10)
    assert len(call.beats) == beats


@instantly
async def test_what_takes_too_long_is_given_up_whatever_attempts_are_left() -> None:
    call = WatchedCall()
    call.signaling_link.state = SignalingStatus.DISCONNECTED
    recoverer = recoverer_of(call)
    recoverer.heard()
    recoverer.lost(LossReason.ICE_DISCONNECTED)
    await asyncio.sleep(POLICY.give_up_after_seconds + LATER)
    assert call.when(GaveUp) == [POLICY.give_up_after_seconds]
    assert recoverer.attempts_left == POLICY.attempts
    assert not recoverer.is_at_work
    recoverer.heard()
    recoverer.changed()
    assert recoverer.machine.state is RecoveryState.GAVE_UP


@instantly
async def test_a_wrong_certificate_is_never_tried_again() -> None:
    call = WatchedCall()
    recoverer = recoverer_of(call)
    recoverer.heard()
    recoverer.dtls_failed("the wrong certificate")
    recoverer.dtls_failed("the wrong certificate")
    recoverer.lost_for_good(LossReason.ICE_FAILED)
    await asyncio.sleep(100)
    assert call.done == [GaveUp("the wrong certificate"), ("leave", "the wrong certificate", None)]


@pytest.mark.parametrize("failed", [False, True])
@pytest.mark.parametrize("link_is_up", [True, False])
@instantly
async def test_a_goodbye_on_the_channel_ends_the_call_when_the_one_over_signalling_does_not_come(
    link_is_up: bool, failed: bool
) -> None:
    call = WatchedCall()
    recoverer = recoverer_of(call)
    recoverer.heard()
    if not link_is_up:
        call.signaling_link.state = SignalingStatus.DISCONNECTED
    call.peer_says_goodbye("good night", failed=failed)
    recoverer.said_goodbye("good night")
    recoverer.said_goodbye("good night")
    recoverer.closed(LossReason.CHANNEL_CLOSED)
    recoverer.heard()
    await asyncio.sleep(10)
    assert call.done == [("end by peer", "good night", not failed)]
    assert call.times == [SIGNALED_BYE_SECONDS if link_is_up else CUT_SECONDS]


@instantly
async def test_the_goodbye_over_signalling_ends_the_waiting_for_it() -> None:
    call = WatchedCall()
    recoverer = recoverer_of(call)
    recoverer.heard()
    call.peer_says_goodbye("good night")
    recoverer.said_goodbye("good night")
    await asyncio.sleep(1)
    recoverer.call_over()
    await asyncio.sleep(10)
    assert call.done == []
    assert recoverer.machine.state is RecoveryState.IDLE


@instantly
async def test_the_end_of_the_exchange_ends_the_attempts_and_a_new_call_has_them_all() -> None:
    call = WatchedCall()
    recoverer = recoverer_of(call)
    recoverer.heard()
    recoverer.lost_for_good(LossReason.ICE_FAILED)
    await asyncio.sleep(1)
    recoverer.call_over()
    recoverer.call_over()
    done = len(call.done)
    await asyncio.sleep(100)
    assert len(call.done) == done
    states = [recoverer.machine.state]
    recoverer.new_call()
    states.append(recoverer.machine.state)
    assert recoverer.attempts_left == POLICY.attempts
    recoverer.heard()
    states.append(recoverer.machine.state)
    assert states == [RecoveryState.GAVE_UP, RecoveryState.IDLE, RecoveryState.WATCHING]
    recoverer.close()


@instantly
async def test_one_that_is_closed_in_the_middle_of_an_attempt_does_nothing_more_whatever_is_told() -> None:
    call = WatchedCall()
    recoverer = recoverer_of(call)
    recoverer.heard()
    recoverer.lost_for_good(LossReason.ICE_FAILED)
    await asyncio.sleep(1)
    recoverer.close()
    recoverer.close()
    done = len(call.done)
    recoverer.heard()
    recoverer.lost(LossReason.SILENT)
    recoverer.lost_for_good(LossReason.ICE_FAILED)
    recoverer.closed(LossReason.CHANNEL_CLOSED)
    recoverer.said_goodbye("late")
    recoverer.agreed()
    recoverer.changed()
    recoverer.attempt_failed()
    recoverer.dtls_failed("late")
    recoverer.call_over()
    recoverer.new_call()
    await asyncio.sleep(100)
    assert len(call.done) == done
    assert recoverer.machine.state is RecoveryState.CLOSED
