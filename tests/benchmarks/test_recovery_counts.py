"""What benchmarks/recovery.py reads in two peers' logs."""

from __future__ import annotations

from typing import Any

from _recovery_counts import LINK_LOSSES, LOSSES, Outcome, noticed_by, outcome_of

Line = dict[str, Any]


def event(time: float, name: str) -> Line:
    return {"t": time, "what": "event", "name": name}


def sent(time: float, message: str) -> Line:
    return {"t": time, "what": "sent", "message": message}


def got(time: float, message: str) -> Line:
    return {"t": time, "what": "got", "message": message}


def outcome(alice: list[Line], bob: list[Line], **options: Any) -> Outcome:
    """Of a fault from second 10 to second 14."""
    return outcome_of([alice, bob], **{"began": 10.0, "ended": 14.0, "counted_until": 100.0, **options})


def test_the_first_side_that_notices_counts() -> None:
    assert outcome([event(13.0, "PeerLost")], [event(12.5, "failed")]).noticed == 2.5


def test_a_loss_before_the_fault_is_not_its() -> None:
    assert outcome([event(9.0, "PeerLost")], []).noticed is None


def test_a_side_that_cannot_observe_is_not_asked() -> None:
    assert outcome([], [event(12.0, "PeerLost")], observers=(0,)).noticed is None


def test_other_events_are_no_losses() -> None:
    assert outcome([event(11.0, "Recovering"), event(11.0, "SignalingStatusChanged")], []).noticed is None


def test_losing_the_signalling_is_told_from_losing_the_peer() -> None:
    log = [event(11.0, "SignalingStatusChanged"), event(9.0, "PeerLost")]
    assert outcome(log, [], losses=LINK_LOSSES).noticed == 1.0
    assert noticed_by([log], 10.0, LOSSES) == []


def test_it_has_recovered_when_both_sides_hear_what_was_sent_behind_the_fault() -> None:
    alice = [sent(14.5, "a.1"), got(16.0, "b.1")]
    bob = [sent(14.5, "b.1"), got(15.0, "a.1")]
    assert outcome(alice, bob).recovered == 2.0


def test_what_was_sent_before_the_end_of_the_fault_shows_no_recovery() -> None:
    alice = [sent(13.0, "a.1"), got(15.0, "b.1")]
    bob = [sent(14.5, "b.1"), got(15.0, "a.1")]
    assert outcome(alice, bob).recovered is None


def test_one_direction_alone_is_no_recovery() -> None:
    assert outcome([sent(14.5, "a.1")], [sent(14.5, "b.1"), got(15.0, "a.1")]).recovered is None


def test_a_message_that_never_came_is_lost() -> None:
    assert outcome([sent(1.0, "a.1"), sent(2.0, "a.2")], [got(1.1, "a.1")]).lost == 1


def test_a_message_that_may_still_be_on_its_way_is_not_lost() -> None:
    assert outcome([sent(99.0, "a.1")], [], counted_until=98.0).lost == 0


def test_a_message_that_came_more_than_once_counts_once_as_twice() -> None:
    result = outcome([sent(1.0, "a.1")], [got(1.1, "a.1"), got(15.0, "a.1"), got(16.0, "a.1")])
    assert (result.lost, result.twice) == (0, 1)


def test_the_survivors_messages_may_come_to_either_run_of_the_killed_peer() -> None:
    survivor = [sent(1.0, "a.1"), sent(15.0, "a.2")]
    killed = [sent(1.0, "first.1"), got(1.1, "a.1"), sent(14.5, "second.1"), got(15.1, "a.2")]
    assert outcome(survivor, killed).lost == 1  # second.1; what died with the first run is not asked for


def test_empty_logs_are_no_outcome() -> None:
    assert outcome([], []) == Outcome(None, None, 0, 0)
