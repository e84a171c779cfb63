"""What makes a table unsound, each with a message that names the chart, the row and the mend; and the table as data."""

from __future__ import annotations

import functools
from collections.abc import Callable
from enum import StrEnum
from typing import Any

import pytest

from fsm_rtc.engine import Chart, On, Row, adopt, resolves_to, stay
from fsm_rtc.engine.chart_class import ChartMeta
from fsm_rtc.errors import ChartError
from tests.engine.door_chart import GONE, LOCKED, OPEN, SHUT, Door, House, creak, key_fits, nobody_in


class Light(StrEnum):
    """States of something else, one of which reads as a door's."""

    OPEN = "open"
    OFF = "off"


ON = On(Row(OPEN, SHUT), Row(SHUT, LOCKED), Row(LOCKED, GONE))
"""A trigger that makes every state reachable."""


def without_docstring(context: object, event: object) -> bool:
    return True


def one_argument(context: object) -> bool:
    """Takes too little."""
    return True


async def waiting(context: object, event: object) -> bool:
    """Would wait."""
    return True


def unsound(message: str, **body: Any) -> None:
    with pytest.raises(ChartError) as caught:
        ChartMeta("Odd", (Chart,), {"initial": OPEN, **body})
    assert message in str(caught.value)
    assert str(caught.value).startswith("Odd")


def test_initial_must_be_a_state() -> None:
    unsound("`initial` must be a member of the chart's StrEnum of states, not 'open'", initial="open", go=ON)


def test_a_table_needs_a_trigger() -> None:
    unsound("Odd: the table has no trigger; write at least one `name = On(Row(…))`")


@pytest.mark.parametrize("name", ["state", "fire", "observe", "report", "context", "_go"])
def test_a_trigger_may_not_take_a_machines_own_name(name: str) -> None:
    unsound(f"Odd.{name}: this name belongs to every machine; choose another", **{name: ON})


def test_a_final_state_must_be_one_of_the_charts() -> None:
    unsound("final state <Light.OFF: 'off'> is not a member of DoorState", go=ON, final={Light.OFF})
    unsound("final state <Light.OPEN: 'open'> is not a member of DoorState", go=ON, final={Light.OPEN})


def test_both_ends_of_a_row_must_be_the_charts_states() -> None:
    unsound("Odd.dim: source <Light.OPEN: 'open'> is not declared in DoorState", go=ON, dim=On(Row(Light.OPEN, OPEN)))
    unsound("Odd.dim: target <Light.OFF: 'off'> is not declared in DoorState", go=ON, dim=On(Row(OPEN, Light.OFF)))
    unsound("Odd.dim: source <Light.OPEN", go=ON, dim=On(resolves_to("go", Light.OPEN)))


@pytest.mark.parametrize("row", [Row(GONE, OPEN), stay(GONE), Row((OPEN, GONE), OPEN), resolves_to("go", GONE)])
def test_no_row_leads_out_of_a_final_state(row: Row[Any, Any, Any]) -> None:
    unsound("Odd.back: a row leads out of 'gone', which is final", go=ON, final={GONE}, back=On(row))


def test_a_trigger_needs_a_row_and_a_row_a_source() -> None:
    unsound("Odd.idle: On(…) without a row; a trigger that is never possible is no trigger", go=ON, idle=On())
    unsound("Odd.idle: a row without source states", go=ON, idle=On(Row((), OPEN)))


def test_a_row_behind_a_certain_one_is_never_reached() -> None:
    message = "Odd.go: this row is never reached from open; an earlier row without guard takes it"
    unsound(message, go=On(*ON.rows, Row((OPEN, GONE), SHUT, when=(nobody_in,))))
    sound = ChartMeta("Odd", (Chart,), {"initial": OPEN, "go": On(Row(OPEN, GONE, when=(nobody_in,)), *ON.rows)})
    assert isinstance(sound, type)


@pytest.mark.parametrize("kind", ["guard", "effect", "check"])
@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda context, event: True, "must be a named function, so that a refusal can be told; found <function"),
        (
            functools.partial(nobody_in, House()),
            "must be a named function, so that a refusal can be told; found functoo",
        ),
        (without_docstring, "without_docstring has no docstring; its first line is the sentence that a user reads"),
        (one_argument, "one_argument must take (context, event)"),
        (max, "max must take (context, event)"),
        (waiting, "waiting is async; a step waits for nothing, so write a plain function"),
    ],
)
def test_guards_effects_and_checks_are_named_plain_functions(
    kind: str, function: Callable[..., Any], message: str
) -> None:
    rows: dict[str, Any] = {"guard": {"when": (function,)}, "effect": {"then": (function,)}, "check": {}}
    checks = (function,) if kind == "check" else ()
    odd = On(Row(OPEN, SHUT, **rows[kind]), checks=checks)
    unsound(f"Odd.odd: {'a ' if 'named' in message else ''}{kind} ", go=ON, odd=odd)
    unsound(message, go=ON, odd=odd)


def test_first_must_name_another_trigger_that_is_a_single_step() -> None:
    unsound("Odd.slam: first='shut' is no other trigger of this chart", go=ON, slam=On(Row(OPEN, LOCKED, first="shut")))
    unsound("Odd.slam: first='slam' is no other trigger of this chart", go=ON, slam=On(Row(OPEN, SHUT, first="slam")))
    slam, twice = On(Row(OPEN, LOCKED, first="go")), On(Row(OPEN, LOCKED, first="slam"))
    unsound("Odd.twice: first='slam' has itself rows with first or resolves_to", go=ON, slam=slam, twice=twice)
    slam = On(resolves_to("go", OPEN))
    unsound("Odd.twice: first='slam' has itself rows with first or resolves_to", go=ON, slam=slam, twice=twice)


def test_first_must_end_in_one_state_that_is_not_final() -> None:
    either = On(Row(OPEN, SHUT, when=(nobody_in,)), Row(OPEN, LOCKED))
    slam = On(Row(OPEN, SHUT, first="either"))
    unsound("Odd.slam: first='either' may end in several states from 'open'", go=ON, either=either, slam=slam)
    unsound(
        "Odd.slam: first='end' ends in 'gone', which is final; the row can't lead out of it",
        go=ON,
        final={GONE},
        end=On(Row(OPEN, GONE)),
        slam=On(Row(OPEN, SHUT, first="end")),
    )


def test_resolves_to_must_name_another_trigger_that_is_possible() -> None:
    unsound(
        "Odd.either: resolves_to('up') is no other trigger of this chart", go=ON, either=On(resolves_to("up", OPEN))
    )
    unsound("Odd.up: resolves_to('up') is no other trigger of this chart", go=ON, up=On(resolves_to("up", OPEN)))
    up, down = On(resolves_to("down", OPEN)), On(resolves_to("up", OPEN))
    unsound("Odd.up: resolves_to('down') leads to a trigger that itself resolves", go=ON, up=up, down=down)
    unsound(
        "Odd.up: what it resolves to has no row in any of its states",
        go=ON,
        down=On(Row(OPEN, SHUT)),
        up=On(resolves_to("down", LOCKED)),
    )


def test_every_state_must_be_reachable() -> None:
    unsound("Odd: no way leads to locked, gone; add a row or drop the state", go=On(Row(OPEN, SHUT)))


def test_a_trigger_is_only_replaced_by_a_trigger() -> None:
    with pytest.raises(ChartError, match=r"Barn.shut: a trigger can only be replaced by another On\(…\)"):
        ChartMeta("Barn", (Door,), {"shut": lambda self: None})


def test_adopt_needs_targets() -> None:
    with pytest.raises(ChartError, match="needs the states that the library may be found in"):
        adopt((OPEN,), ())


def test_the_table_can_be_read() -> None:
    table = Door.chart
    assert (table.name, table.doc) == ("Door", "A door.\n\nMore than one line.")
    assert table.states == (OPEN, SHUT, LOCKED, GONE)
    assert table.initial is OPEN
    assert table.final == frozenset({GONE})
    assert list(table.triggers) == ["shut", "open", "lock", "unlock", "knock", "toggle", "slam", "remove", "jam"]
    assert table.triggers["lock"].checks[0].__name__ == "key_is_positive"
    assert [row.trigger for row in table.rows("toggle", OPEN)] == ["shut"]
    assert table.triggers["toggle"].rows_from(OPEN)[0].resolves == "shut"
    assert table.rows("toggle", LOCKED) == ()
    assert table.allowed(LOCKED) == ("jam", "knock", "remove", "unlock")
    assert [row.first for row in table.rows("slam", LOCKED)] == ["shut"]
    with pytest.raises(TypeError):
        table.triggers["more"] = table.triggers["shut"]  # type: ignore[index]


def test_edges_are_in_the_tables_order_without_those_that_resolve() -> None:
    edges = [(source.value, row.trigger, target.value) for source, row, target in Door.chart.edges()]
    assert edges[:3] == [("open", "shut", "shut"), ("shut", "open", "open"), ("shut", "lock", "locked")]
    assert ("locked", "knock", "locked") in edges
    assert "toggle" not in {trigger for _, trigger, _ in edges}


def test_the_text_is_one_edge_a_line() -> None:
    lines = Door.chart.text().splitlines()
    assert lines[0] == "Door initial=open final=gone"
    assert lines[1:3] == ["shut checks= idempotent=True", "  open -> shut when= then= first="]
    assert "  open -> locked when=key_fits then=click,creak first=shut" in lines
    assert "  shut,locked -> (stays) when= then=creak first=" in lines
    assert "  shut -> open when= then= first=" in lines


def test_the_digest_changes_with_the_table_and_with_nothing_else() -> None:
    def made(**body: Any) -> str:
        return ChartMeta("Odd", (Chart,), {"initial": OPEN, "go": ON, **body}).chart.digest

    assert made() == made(__doc__="Other words.")
    assert len(made()) == 16
    others = [made(initial=SHUT, back=On(Row(GONE, OPEN))), made(final={GONE}), made(back=On(Row(SHUT, OPEN)))]
    others += [made(back=On(Row(SHUT, OPEN, when=(key_fits,)))), made(back=On(Row(SHUT, OPEN, then=(creak,))))]
    assert len({made(), *others}) == 6
