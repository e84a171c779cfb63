"""Chart: the step, its ways (hot, watched, general), its queue, its observers."""

from __future__ import annotations

import copy
import logging
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from fsm_rtc.engine import Accepted, Chart, Observed, On, Outcome, Queued, Row
from fsm_rtc.engine import chart as chart_module
from fsm_rtc.errors import ChartError, InvalidModificationError, Reason, Rejected, RunawayError, UnknownTriggerError
from tests.engine.door_chart import GONE, LOCKED, OPEN, SHUT, Creak, Door, DoorState, House, nobody_in

Way = Callable[[Door], Door]


class GeneralDoor(Door):
    """The same door without a hot path."""

    _hot = False


def bare(**options: Any) -> Door:
    return Door(House(), **options)


def watched(**options: Any) -> Door:
    door = Door(House(), **options)
    door.observe(lambda machine, outcome: None)
    return door


def general(**options: Any) -> Door:
    return GeneralDoor(House(), **options)


ways = pytest.mark.parametrize("make", [bare, watched, general])


def rejected(outcome: object) -> Rejected:
    assert isinstance(outcome, Rejected)
    return outcome


def accepted(outcome: object) -> Accepted:
    assert isinstance(outcome, Accepted)
    return outcome


@ways
def test_an_accepted_event_moves_and_returns_what_effects_request(make: Callable[..., Door]) -> None:
    door = make(state=SHUT)
    outcome = accepted(door.open("wide"))
    assert (outcome.source, outcome.target, outcome.trigger) == (SHUT, OPEN, "open")
    assert outcome.event == "wide"
    assert outcome.effects == (Creak("wide"),)
    assert door.state is OPEN


@ways
def test_a_guard_that_refuses_is_named_with_its_sentence(make: Callable[..., Door]) -> None:
    door = make()
    door.context.somebody_in = True
    outcome = rejected(door.remove(None))
    assert (outcome.reason, outcome.guard) == (Reason.GUARD, "nobody_in")
    assert outcome.explanation == "Nobody may be inside"
    assert outcome.allowed == ("jam", "lock", "remove", "shut", "slam", "toggle")
    assert door.state is OPEN


@ways
def test_of_several_rows_the_first_that_applies_is_taken(make: Callable[..., Door]) -> None:
    assert accepted(make(state=LOCKED).unlock(1)).target is SHUT
    assert accepted(make(state=LOCKED).unlock(2)).target is OPEN


@ways
def test_of_several_refusals_the_first_rows_is_told(make: Callable[..., Door]) -> None:
    door = make(state=LOCKED)
    door.context.somebody_in = True
    assert rejected(door.unlock(2)).guard == "key_fits"
    assert rejected(door.unlock(1)).guard == "nobody_in"


@ways
def test_checks_come_before_the_state_and_before_the_guards(make: Callable[..., Door]) -> None:
    for state in (SHUT, LOCKED):
        outcome = rejected(make(state=state).lock(-1))
        assert (outcome.reason, outcome.guard) == (Reason.CHECK, "key_is_positive")
        assert outcome.error is InvalidModificationError


@ways
def test_a_final_state_comes_before_the_checks(make: Callable[..., Door]) -> None:
    outcome = rejected(make(state=GONE).lock(-1))
    assert (outcome.reason, outcome.guard, outcome.error) == (Reason.CLOSED, None, None)


@ways
def test_no_row_already_there_and_closed_are_told_apart(make: Callable[..., Door]) -> None:
    assert rejected(make(state=LOCKED).shut()).reason is Reason.NO_ROW
    assert rejected(make(state=SHUT).shut()).reason is Reason.ALREADY
    assert rejected(make(state=GONE).shut()).reason is Reason.CLOSED


@ways
def test_each_refusal_is_one_of_its_own(make: Callable[..., Door]) -> None:
    for trigger, state in (("shut", LOCKED), ("lock", SHUT), ("lock", GONE), ("remove", OPEN)):
        door = make(state=state)
        door.context.somebody_in = True
        one, other = rejected(door.fire(trigger, 2)), rejected(door.fire(trigger, 3))
        with pytest.raises(Rejected) as raised:
            raise one
        assert raised.value.__traceback__
        assert (one.event, other.event, other.__traceback__) == (2, 3, None)
        assert (str(one), repr(one), one.args) == (str(other), repr(other), other.args)
        again = pickle.loads(pickle.dumps(other))
        assert vars(again) == vars(other)


@ways
def test_a_row_that_stays_permits_without_moving(make: Callable[..., Door]) -> None:
    outcome = accepted(make(state=LOCKED).knock("hard"))
    assert outcome.source is outcome.target is LOCKED
    assert outcome.effects == (Creak("hard"),)


@ways
def test_a_trigger_that_resolves_answers_with_what_it_resolved_to(make: Callable[..., Door]) -> None:
    outcome = accepted(make().toggle("x"))
    assert (outcome.trigger, outcome.target) == ("shut", SHUT)
    assert accepted(make(state=SHUT).toggle("x")).effects == (Creak("x"),)


@ways
def test_an_implicit_first_transition_comes_before_the_rows_own(make: Callable[..., Door]) -> None:
    outcome = accepted(make().lock(1))
    assert (outcome.source, outcome.target) == (SHUT, LOCKED)
    assert outcome.effects == ("click", Creak(1))


def test_an_implicit_first_transition_is_an_event_of_its_own_to_observers() -> None:
    door = bare()
    seen: list[object] = []
    door.observe(lambda machine, outcome: seen.append((outcome.trigger, machine.state)))
    door.lock(1)
    assert seen == [("shut", SHUT), ("lock", LOCKED)]


@ways
def test_a_row_fails_if_its_first_is_refused_and_nothing_moves(make: Callable[..., Door]) -> None:
    door = make(state=LOCKED)
    outcome = rejected(door.slam())
    assert (outcome.trigger, outcome.first, outcome.reason) == ("slam", "shut", Reason.NO_ROW)
    assert door.state is LOCKED


@ways
@pytest.mark.parametrize("state", [OPEN, SHUT, LOCKED])
def test_a_guard_or_effect_that_raises_changes_nothing_and_the_machine_stays_usable(
    make: Callable[..., Door], state: DoorState
) -> None:
    door = make(state=state)
    with pytest.raises(ZeroDivisionError):
        door.jam()
    assert door.state is state
    assert isinstance(door.remove(None), Accepted)


def test_permits_moves_nothing_calls_no_effect_and_tells_nobody() -> None:
    door = bare(state=LOCKED)
    seen: list[object] = []
    door.observe(lambda machine, outcome: seen.append(outcome))
    row = door.permits("jam")
    assert isinstance(row, Row)
    assert row.trigger == "jam"
    assert rejected(door.permits(Door.shut)).reason is Reason.NO_ROW
    assert isinstance(bare().permits("lock", 1), Row)
    assert door.state is LOCKED
    assert seen == []


def test_permits_takes_the_trigger_by_name_or_as_attribute_and_asks_the_generation() -> None:
    door = bare(generation=3)
    assert door.permits(Door.shut) is door.permits("shut")
    assert rejected(door.permits("shut", generation=2)).reason is Reason.STALE


@ways
def test_an_event_of_another_generation_is_stale(make: Callable[..., Door]) -> None:
    door = make(generation=3)
    outcome = rejected(door.fire("lock", -1, generation=2))
    assert outcome.reason is Reason.STALE
    assert door.state is OPEN
    assert door.fire("shut", generation=3)


def test_a_trigger_that_is_not_declared_is_an_error() -> None:
    with pytest.raises(UnknownTriggerError, match="Door has no trigger 'kick'; it has jam, knock, lock, open"):
        bare().fire("kick")
    with pytest.raises(UnknownTriggerError):
        bare().permits("kick")


def test_a_machine_is_restored_in_a_state() -> None:
    assert bare(state=LOCKED).state is LOCKED
    assert bare(state="locked").state is LOCKED
    with pytest.raises(ChartError, match="Door has no state 'ajar'; it has open, shut, locked, gone"):
        bare(state="ajar")


def test_final_states_say_so() -> None:
    assert not bare().is_final
    assert bare(state=GONE).is_final
    assert bare(state=GONE).allowed() == ()


def test_a_profile_overrides_whole_triggers_and_leaves_its_base_alone() -> None:
    class Barn(Door):
        shut = On(Row((OPEN, LOCKED), SHUT))

    assert Barn(House(), state=LOCKED).shut()
    assert rejected(Barn(House(), state=SHUT).shut()).reason is Reason.NO_ROW
    assert rejected(Barn(House(), state=SHUT).shut()).machine == "Barn"
    assert not bare(state=LOCKED).shut()


def test_triggers_are_documented_functions() -> None:
    assert Door.shut.__name__ == "shut"  # type: ignore[attr-defined]
    assert Door.shut.__doc__ == "Fire shut of Door.\n\n    open -> shut\n\nSource: carpentry\n"


def test_a_machine_has_no_dict_and_is_not_copied() -> None:
    door = bare()
    assert not hasattr(door, "__dict__")
    for copied in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="a running Door can't be copied or pickled; make a new one with state='op"):
            copied(door)
    assert repr(door) == "<Door 'open'>"


# Observers and the queue.


def test_an_event_that_an_observer_fires_waits_its_turn() -> None:
    door = bare()
    order: list[object] = []
    answers: list[Outcome] = []

    def answer(machine: Chart[Any, Any], outcome: Accepted | Rejected) -> None:
        order.append(("answering", outcome.trigger, machine.state))
        if outcome.trigger == "shut":
            answers.extend((door.lock(1), door.fire("unlock", 1, generation=9)))

    door.observe(answer)
    door.observe(lambda machine, outcome: order.append(("after", outcome.trigger, machine.state)))
    assert accepted(door.shut()).target is SHUT
    assert all(isinstance(one, Queued) for one in answers)
    assert order == [
        *[("answering", "shut", SHUT), ("after", "shut", SHUT)],
        *[("answering", "lock", LOCKED), ("after", "lock", LOCKED)],
        *[("answering", "unlock", LOCKED), ("after", "unlock", LOCKED)],
    ]
    assert door.state is LOCKED


def test_an_observer_hears_until_it_is_unsubscribed_also_within_a_callback() -> None:
    door = bare()
    heard: list[str] = []

    def first(machine: object, outcome: object) -> None:
        heard.append("first")
        leave_first()
        leave_second()

    leave_first = door.observe(first)
    leave_second = door.observe(lambda machine, outcome: heard.append("second"))
    door.observe(lambda machine, outcome: heard.append("third"))
    door.shut()
    door.open(None)
    assert heard == ["first", "third", "third"]


def test_who_unsubscribes_in_a_callback_and_then_fires_still_waits() -> None:
    door = bare()
    answers: list[Outcome] = []

    def once(machine: object, outcome: object) -> None:
        unsubscribe()
        answers.append(door.open(None))

    unsubscribe = door.observe(once)
    door.shut()
    assert isinstance(answers[0], Queued)
    assert door.state is OPEN
    assert isinstance(door.shut(), Accepted)


def test_unsubscribing_twice_leaves_a_second_subscription_of_the_same_function() -> None:
    door = bare()
    heard: list[object] = []

    def observer(machine: object, outcome: object) -> None:
        heard.append(outcome)

    unsubscribe = door.observe(observer)
    door.observe(observer)
    unsubscribe()
    unsubscribe()
    door.shut()
    assert len(heard) == 1


def test_an_observer_that_raises_is_logged_and_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    door = bare()
    heard: list[object] = []

    def broken(machine: object, outcome: object) -> None:
        raise LookupError("broken")

    door.observe(broken)
    door.observe(lambda machine, outcome: heard.append(outcome))
    with caplog.at_level(logging.ERROR, "fsm_rtc.engine"):
        outcome = door.remove("secret payload")
    assert heard == [outcome]
    assert "broken" in caplog.text
    assert "secret payload" not in caplog.text


def test_a_waiting_event_whose_guard_raises_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    door = bare()

    def answer(machine: object, outcome: Accepted | Rejected) -> None:
        if outcome.trigger == "shut":
            door.jam()
            door.lock(1)

    door.observe(answer)
    door.shut()
    assert "Door: a guard or effect of jam raised" in caplog.text
    assert door.state is LOCKED


@ways
def test_a_circle_of_observers_is_cut_off(make: Callable[..., Door], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chart_module, "QUEUE_LIMIT", 20)
    door = make()

    def answer(machine: Chart[Any, Any], outcome: object) -> None:
        machine.fire("toggle")

    leave = door.observe(answer)
    with pytest.raises(RunawayError, match="Door: 20 events followed from one; break the circle of its observers"):
        door.toggle(None)
    leave()
    door.context.somebody_in = False
    assert isinstance(door.remove(None), Accepted)


def test_an_observer_that_is_interrupted_leaves_a_usable_machine() -> None:
    door = bare()

    def interrupted(machine: object, outcome: Accepted | Rejected) -> None:
        if outcome.trigger == "shut":
            door.lock(1)
        else:
            leave()
            raise KeyboardInterrupt

    leave = door.observe(interrupted)
    with pytest.raises(KeyboardInterrupt):
        door.shut()
    assert isinstance(door.unlock(1), Accepted)


def test_rejections_are_told_to_observers_too() -> None:
    door = bare()
    heard: list[object] = []
    door.observe(lambda machine, outcome: heard.append(outcome))
    refusals = [door.open(None), door.lock(-1), door.fire("shut", generation=7)]
    assert heard == refusals


def test_the_context_may_be_replaced() -> None:
    door = bare()
    door.context = House(somebody_in=True)
    assert rejected(door.remove(None)).guard == nobody_in.__name__


def test_a_chart_without_context_is_written_with_its_states_alone() -> None:
    class Gate(Chart[DoorState]):
        """A gate."""

        initial = OPEN
        shut = On(Row(OPEN, SHUT))
        lock = On(Row(SHUT, LOCKED))
        remove = On(Row(LOCKED, GONE))

    class Watched(Observed[DoorState]):
        """A gate that somebody else moves."""

        initial = OPEN
        on_shut = On(Row(OPEN, SHUT))
        on_locked = On(Row(SHUT, LOCKED))
        on_gone = On(Row(LOCKED, GONE))

    assert accepted(Gate().shut()).target is accepted(Watched().report("shut")).target is SHUT
