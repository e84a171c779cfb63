"""The by-state matrix, as a reader finds it."""

from __future__ import annotations

import pytest

from fsm_rtc.diagrams import matrix
from fsm_rtc.machines import CHARTS
from fsm_rtc.machines.negotiation import Negotiation, NegotiationJsep
from tests.diagrams.sample_charts import Door, DoorState, Light

DOOR = """\
# Door

A door with a lock.

Commanded machine, 4 states, 6 triggers. Source: The book of doors

| state              | `unlock`                                      | `shut`  | `replace`           | `restore` | `use`       | `demolish` |
| ------------------ | --------------------------------------------- | ------- | ------------------- | --------- | ----------- | ---------- |
| **shut** (initial) | wide-open [has_key] / ring_bell<br>Shut       | *stays* | Shut                | –         | as `unlock` | end        |
| **wide-open**      | –                                             | shut    | Shut *after shut*   | –         | as `shut`   | end        |
| **Shut**           | –                                             | –       | –                   | shut      | –           | end        |
| **end** (final)    | –                                             | –       | –                   | –         | –           | *already*  |
"""  # noqa: E501


def cells(text: str) -> dict[str, list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("| **")]
    split = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {line[0].split("**")[1]: line[1:] for line in split}


def squeezed(text: str) -> list[str]:
    return [" ".join(line.replace("-" * 3, "").replace("-", "").split()) for line in text.splitlines()]


def test_the_matrix_of_a_small_chart_is_what_one_would_write_by_hand() -> None:
    assert squeezed(matrix(Door))[: len(DOOR.splitlines())] == squeezed(DOOR)


def test_beneath_stand_checks_implicit_first_transitions_guards_effects_and_sources() -> None:
    text = matrix(Door)
    assert "`unlock`: `key_is_named`: The key must have a name; refused with InvalidModificationError" in text
    assert "`replace` from wide-open: `shut` comes first" in text
    assert "## Guards\n\n- `has_key`: The key must belong to the house\n" in text
    assert "## Effects\n\n- `ring_bell`: Ring the bell\n" in text
    assert "- `unlock`: #unlock\n- `shut`: #shut\n- `replace`: #replace-open" in text


def test_the_columns_line_up_for_a_reader_of_the_text() -> None:
    lines = [line for line in matrix(Door).splitlines() if line.startswith("|")]
    assert len({len(line) for line in lines}) == 1


def test_states_that_differ_only_by_case_have_rows_of_their_own() -> None:
    assert list(cells(matrix(Door))) == [state.value for state in DoorState]


def test_every_pair_of_state_and_trigger_is_told() -> None:
    table = Negotiation.chart
    for state, row in cells(matrix(Negotiation)).items():
        for trigger, cell in zip(table.triggers, row, strict=True):
            member = next(one for one in table.states if one.value == state)
            assert (cell in ("\u2013", "*already*")) == (not table.triggers[trigger].rows_from(member))


def test_the_same_chart_gives_the_same_text_and_another_one_another() -> None:
    assert matrix(Negotiation) == matrix(Negotiation)
    assert matrix(Negotiation) != matrix(NegotiationJsep)


@pytest.mark.parametrize("target", ["off", "dim", "on"])
def test_alternatives_stand_in_the_order_in_which_they_are_tried(target: str) -> None:
    others = [state for state in ("off", "dim", "on") if state != target]
    assert cells(matrix(Light))[target][-1] == "<br>".join(f"{one} [library_is_{one}]" for one in others)


def test_an_observed_machine_is_called_so() -> None:
    assert "Observed machine, 3 states" in matrix(Light)


def test_a_row_that_enters_its_state_anew_says_so_only_there() -> None:
    rows = {line.split("|")[1].strip(): line for line in matrix(CHARTS["file_sending"]).splitlines() if "|" in line}
    assert "offered *anew*" in rows["**offered**"]
    assert "anew" not in rows["**sending**"]
