"""What stands in a chart's body and would do nothing, or something else than it says, is refused with what to write."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from fsm_rtc.engine import Accepted, Chart, Observed, On, Row, stay
from fsm_rtc.engine.chart_class import ChartMeta
from fsm_rtc.errors import ChartError
from tests.engine.door_chart import GONE, LOCKED, OPEN, SHUT, Door, DoorState, House


class Ringing:
    """A class that is no chart."""

    def ring(self) -> str:
        return "ring"


class Belled(Door):
    """A chart with a method."""

    def ring(self) -> str:
        return f"ring, {self.state}"


def barn(*bases: type, **body: Any) -> Any:
    return ChartMeta("Barn", bases or (Door,), {"__doc__": "A barn.", **body})


def fires(self: Any, event: object = None) -> object:
    return None


@pytest.mark.parametrize(
    ("bases", "body", "message"),
    [
        ((Door,), {"shut": fires}, "Barn.shut: a trigger can only be replaced by another On(…)"),
        ((Door,), {"shut": None}, "Barn.shut: a trigger can only be replaced by another On(…)"),
        ((Door,), {"__annotations__": {"shut": int}}, "Barn.shut: a trigger can only be replaced by another On(…)"),
        (
            (Door,),
            {"swing": Row(OPEN, SHUT)},
            "Barn.swing is a row, which does nothing there; write swing = On(Row(…))",
        ),
        ((Door,), {"swing": (stay(OPEN),)}, "Barn.swing is a row, which does nothing there; write swing = On(Row(…))"),
        ((Door,), {"state": SHUT}, "Barn.state: this name belongs to every machine; choose another"),
        ((Door,), {"context": House()}, "Barn.context: this name belongs to every machine; choose another"),
        ((Door,), {"context": fires}, "Barn.context: this name belongs to every machine; choose another"),
        ((Door,), {"chart": None}, "Barn.chart: this name belongs to every machine; choose another"),
        ((Observed,), {"report": 1}, "Barn.report: this name belongs to every machine; choose another"),
        ((Door,), {"__annotations__": {"keys": int}}, "Barn.keys: a machine has no fields of its own"),
        ((Door,), {"__annotations__": {"keys": "int"}, "keys": 1}, "For a constant write keys: ClassVar[…]"),
        ((Door, Ringing), {"ring": On(stay(OPEN))}, "Barn.ring: the trigger hides Ringing.ring; rename one of them"),
        ((Belled,), {"ring": On(stay(OPEN))}, "Barn.ring: the trigger hides Belled.ring; rename one of them"),
        ((Ringing, Door), {"ring": On(stay(OPEN))}, "Barn.ring: the trigger hides Ringing.ring; rename one of them"),
    ],
)
def test_what_would_be_in_vain_is_refused(bases: tuple[type, ...], body: dict[str, Any], message: str) -> None:
    with pytest.raises(ChartError) as caught:
        barn(*bases, **body)
    assert message in str(caught.value)


def test_a_mixin_that_hides_a_trigger_is_refused() -> None:
    class Shutting:
        def shut(self) -> None: ...

    with pytest.raises(ChartError, match=r"Barn.shut: the trigger hides Shutting.shut; rename one of them"):
        barn(Shutting, Door)


def test_what_does_something_stays_possible() -> None:
    class Barn(Belled, Ringing):
        """A barn."""

        __slots__ = ("doors",)
        context: House
        doors: int
        limit: ClassVar[int] = 3
        other: ClassVar = 4
        bolts = 5
        initial: DoorState = SHUT  # type: ignore[misc]
        source = "carpentry"

        def fire(self, trigger: str, event: object = None, *, generation: int | None = None) -> Any:
            return super().fire(trigger, event, generation=generation)

        @property
        def is_final(self) -> bool:
            return False

        @classmethod
        def made(cls) -> Barn:
            return cls(House())

    machine = Barn.made()
    machine.doors = 2
    assert (machine.doors, machine.limit, machine.other, machine.bolts, machine.state) == (2, 3, 4, 5, SHUT)
    assert (machine.ring(), machine.is_final) == ("ring, shut", False)
    assert isinstance(machine.fire("open"), Accepted)


def test_a_timed_chart_may_have_fields_too() -> None:
    class Timed(Chart[DoorState]):
        """A door that falls shut."""

        __slots__ = ("doors",)
        doors: int
        initial = OPEN
        shut = On(Row(OPEN, SHUT), after=1)
        go = On(Row(SHUT, LOCKED), Row(LOCKED, GONE))

    machine = Timed(clock=lambda: 0.0)
    machine.doors = 1
    assert (machine.doors, machine.next_timeout()) == (1, 1)


@pytest.mark.parametrize("name", ["shut", "initial", "final", "entry", "exit"])
def test_a_table_is_not_changed_once_it_is_made(name: str) -> None:
    before = getattr(Door, name)
    with pytest.raises(ChartError, match=f"Door.{name} belongs to the table, which is made once; write a subclass"):
        setattr(Door, name, None)
    assert getattr(Door, name) is before
    with pytest.raises(AttributeError, match="read-only"):
        Door(House()).shut = None  # type: ignore[assignment]
