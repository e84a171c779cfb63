"""The mutation check itself: what it gets wrong in a table, and that it tells a weak suite from a strong one."""

from __future__ import annotations

import faulthandler
from enum import StrEnum
from pathlib import Path

import pytest

from fsm_rtc.engine import Accepted, Chart, Derived, On, Row, Rule, stay
from fsm_rtc.errors import InvalidStateError, Reason, Rejected
from tests.engine.order_chart import CART, PAID, PAYING, RESERVED, AskBank, Order, OrderState, Shop, patience
from tests.mutation.children import EQUIVALENT, Suite, Verdict, in_children
from tests.mutation.equivalence import behaviour_of
from tests.mutation.mutants import AnyChart, Mutant, mutants_of_chart, mutants_of_derived


class Door(StrEnum):
    OPEN = "open"
    SHUT = "shut"
    LOCKED = "locked"


OPEN, SHUT, LOCKED = Door


def has_key(context: None, key: str) -> bool:
    """The key must be the right one."""
    return key == "right"


def is_named(context: None, key: str) -> bool:
    """The key must have a name."""
    return bool(key)


def ring(context: None, event: object) -> str:
    """Ring the bell."""
    return "ring"


class DoorChart(Chart[Door, None]):
    """A door."""

    initial = SHUT
    open = On(Row((SHUT, LOCKED), OPEN, then=(ring,)), idempotent=True)
    shut = On(Row(OPEN, SHUT))
    lock = On(Row(SHUT, LOCKED, when=(has_key,)), checks=(is_named,), error=InvalidStateError)
    slam = On(Row((OPEN, SHUT), LOCKED, first="lock"))
    knock = On(stay(SHUT, LOCKED))


class GlassDoor(DoorChart):
    """A profile."""

    knock = On(stay(OPEN, SHUT, LOCKED))


def freezes(degrees: int) -> bool:
    """It must freeze."""
    return degrees < 0


def is_cold(degrees: int) -> bool:
    """It must be cold."""
    return degrees < 10


class Warmth(Derived[Door, int]):
    """A derived status."""

    rules = (Rule(LOCKED, freezes), Rule(SHUT, is_cold), Rule(OPEN))


class Till(Chart[OrderState, Shop]):
    """What the order leaves out: a time that is drawn, two effects, and what makes no difference."""

    initial = CART
    entry = {RESERVED: (ring, AskBank), CART: (ring,)}
    go = On(Row((CART, RESERVED), RESERVED), Row(PAYING, PAYING, reenters=True), Row(PAID, OrderState.GONE))
    retry = On(Row(RESERVED, PAYING), after=0, jitter="full")
    pay = On(Row(PAYING, PAID))
    wait = On(stay(RESERVED), after=patience)


@pytest.fixture(autouse=True)
def no_guard() -> None:
    """Pytest's hang guard is a thread, which a forked child would wait for in vain."""
    faulthandler.cancel_dump_traceback_later()


def test_each_part_of_a_table_is_got_wrong_once() -> None:
    names = [str(mutant) for mutant in mutants_of_chart(DoorChart)]
    assert len(names) == len(set(names))
    for expected in (
        "DoorChart: open: drop the row in the row 'shut, locked -> open / ring'",
        "DoorChart: open: drop source 'locked' in the row 'shut, locked -> open / ring'",
        "DoorChart: open: drop effect ring in the row 'shut, locked -> open / ring'",
        "DoorChart: open: target 'locked' in the row 'shut, locked -> open / ring'",
        "DoorChart: open: stay in the row 'shut, locked -> open / ring'",
        "DoorChart: open: drop idempotent",
        "DoorChart: lock: drop guard has_key in the row 'shut -> locked [has_key]'",
        "DoorChart: lock: drop check is_named",
        "DoorChart: lock: drop error",
        "DoorChart: slam: drop first lock in the row 'open, shut -> locked after lock'",
        "DoorChart: knock: target 'open' in the row 'shut, locked -> stays'",
        "DoorChart: initial is 'open'",
    ):
        assert expected in names


def test_a_profile_has_only_its_own_mutants() -> None:
    assert {mutant.name.partition(":")[0] for mutant in mutants_of_chart(GlassDoor)} == {"knock"}


def test_each_rule_of_a_derived_table_is_got_wrong() -> None:
    names = [mutant.name for mutant in mutants_of_derived(Warmth)]
    assert sum(name.startswith("drop the rule") for name in names) == 3
    assert sum(name.startswith("swap the rules") for name in names) == 2
    assert sum(name.startswith("exchange the targets") for name in names) == 3
    assert sum(name.startswith("target") for name in names) == 6


def test_time_entry_and_exit_are_got_wrong() -> None:
    names = {mutant.name for cls in (Order, Till) for mutant in mutants_of_chart(cls)}
    for expected in (
        "poll: drop after",
        "poll: after 4 s",
        "poll: after 1 s",
        "poll: after patience",
        "retry: after 1 s",
        "give_up: twice patience",
        "give_up: per state",
        "poll: per sources",
        "poll: late postpone",
        "bank_is_silent: late fire",
        "bank_is_silent: drop since heard_at",
        "retry: drop jitter",
        "poll: drop restarts poll in the row 'paying -> stays / AskBank, restarts poll'",
        "on_news: add restarts give_up in the row 'paying -> stays, restarts bank_is_silent'",
        "check_out: drop reenters in the row 'cart, reserved -> reserved'",
        "entry of 'reserved': drop effect Reserve",
        "exit of 'reserved': drop effect Release",
        "entry of 'reserved': swap ring and AskBank",
        "exchange the entry and exit of 'reserved'",
        "exchange the entry and exit of 'paying'",
    ):
        assert expected in names


def mutant_named(name: str, cls: AnyChart = DoorChart) -> Mutant:
    return next(mutant for mutant in mutants_of_chart(cls) if name in mutant.name)


def verdict_with(mutant: Mutant, suite: Suite, output: Path) -> Verdict:
    def work(mutant: Mutant) -> int:
        mutant.apply()
        return suite.run("DoorChart")

    ((_, verdict, _),) = in_children([mutant], work, at_once=1, output=output)
    return verdict


@pytest.mark.parametrize(
    ("mutant", "verdict"),
    [
        ("lock: drop guard", Verdict.KILLED),
        ("open: drop effect", Verdict.GOLDEN),
        ("open: drop idempotent", Verdict.SURVIVED),
        ("lock: drop the row", Verdict.REFUSED),
    ],
)
def test_a_suite_is_judged_by_what_it_notices(mutant: str, verdict: Verdict, tmp_path: Path) -> None:
    (tmp_path / "test_door.py").write_text(
        f"from {__name__} import DoorChart\n"
        "def test_a_wrong_key_is_refused():\n    assert not DoorChart().lock('wrong')\n"
        "def test_golden():\n    assert '/ ring' in DoorChart.open.__doc__\n"
    )
    assert verdict_with(mutant_named(mutant), Suite(tmp_path), tmp_path) is verdict


@pytest.mark.parametrize("mutant", [*mutants_of_chart(Order), *mutants_of_chart(Till)], ids=str)
def test_no_wrong_table_is_taken_for_the_right_one(mutant: Mutant, tmp_path: Path) -> None:
    cls: AnyChart = Order if mutant.machine == "Order" else Till

    def work(mutant: Mutant) -> int:
        before = behaviour_of(cls)
        mutant.apply()
        return EQUIVALENT if behaviour_of(cls) == before else 0

    ((_, verdict, _),) = in_children([mutant], work, at_once=1, output=tmp_path)
    # One state is no scope, nothing runs or is asked for on entering it anew, and nothing leads to the first one.
    same = (
        *("Order: poll: per sources", "Order: bank_is_silent: per sources"),
        *("Till: retry: per sources", "Till: wait: per sources", "Till: go: drop reenters"),
        "Till: entry of 'cart': drop effect ring",
    )
    assert (verdict is Verdict.EQUIVALENT) == str(mutant).startswith(same)


@pytest.mark.parametrize(
    ("mutant", "verdict"),
    [
        ("give_up: drop after", Verdict.KILLED),
        ("give_up: twice patience", Verdict.KILLED),
        ("bank_is_silent: drop after", Verdict.SURVIVED),
        ("entry of 'paying': drop effect", Verdict.KILLED),
        ("exit of 'reserved': drop effect", Verdict.SURVIVED),
        ("exchange the entry and exit of 'paying'", Verdict.KILLED),
    ],
)
def test_a_suite_is_judged_by_the_time_that_it_notices(mutant: str, verdict: Verdict, tmp_path: Path) -> None:
    (tmp_path / "test_order.py").write_text(
        "from tests.engine.order_chart import RESERVED, AskBank, Order, Shop\n"
        "def test_patience_ends():\n"
        "    order = Order(Shop(), clock=lambda: 0.0, state=RESERVED)\n"
        "    assert order.next_timeout() == 30\n"
        "    assert any(isinstance(one, AskBank) for one in order.pay().effects)\n"
    )
    assert verdict_with(mutant_named(mutant, Order), Suite(tmp_path), tmp_path) is verdict


def test_a_mutant_changes_the_class_and_its_heirs_alone_in_its_child(tmp_path: Path) -> None:
    def work(mutant: Mutant) -> int:
        mutant.apply()
        return 0 if DoorChart().open() and isinstance(GlassDoor(state=LOCKED).open(), Rejected) else 1

    ((_, verdict, _),) = in_children([mutant_named("open: drop source 'locked'")], work, at_once=1, output=tmp_path)
    assert verdict is Verdict.SURVIVED
    assert isinstance(GlassDoor(state=LOCKED).open(), Accepted)


def test_tests_that_can_not_be_run_are_no_kill(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="can't be run"):
        list(in_children([None], lambda _: int(pytest.ExitCode.USAGE_ERROR), at_once=1, output=tmp_path))


def test_the_sample_refuses_for_the_reasons_it_says() -> None:
    outcome = DoorChart().lock("wrong")
    assert isinstance(outcome, Rejected)
    assert outcome.reason is Reason.GUARD
