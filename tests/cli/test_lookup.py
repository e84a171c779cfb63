"""Names of machines on a command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from fsm_rtc.cli.lookup import find, find_chart
from fsm_rtc.errors import ChartError, UnknownMachineError
from fsm_rtc.machines.negotiation import Negotiation, NegotiationJsep

pytestmark = pytest.mark.usefixtures("workplace")


@pytest.mark.parametrize("name", ["negotiation_jsep", "negotiation-jsep", "NegotiationJsep"])
def test_a_machine_is_found_by_its_name_or_its_class(name: str) -> None:
    assert find(name) == ("negotiation_jsep", NegotiationJsep)


def test_a_users_chart_is_found_in_the_current_directory() -> None:
    assert find("house.door:Door").name == "Door"
    assert find("fsm_rtc.machines.negotiation:Negotiation").drawn is Negotiation


def test_a_derived_table_is_found_but_is_no_chart() -> None:
    assert find("house.door:Swing").name == "Swing"
    with pytest.raises(UnknownMachineError, match="is a derived table"):
        find_chart("house.door:Swing")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("negotiaton", "did you mean negotiation"),
        ("zzz", "no machine 'zzz'; `fsm-rtc machines` lists them"),
        ("", "no machine ''"),
        (":Door", "not of the form package.module:MyChart"),
        ("house.door:", "not of the form package.module:MyChart"),
        ("nowhere:Door", "no module 'nowhere', neither installed nor in "),
        ("house.nowhere:Door", "no module 'house.nowhere'"),
        ("house.door:Dor", "has no 'Dor'; did you mean Door"),
        ("house.door:Elephant", "has no 'Elephant'; it has Door, Swing"),
        ("json:Door", "has no 'Door'; it has no chart"),
        ("house.door:number", "is no chart but a int"),
        ("house.door:DoorState", "is no chart but the class DoorState"),
        ("house.door:Chart", "is no chart but the class Chart"),
        ("needy:Door", "module needy needs 'a_library_that_is_not_there', which is not installed"),
        ("loud:Door", "importing loud failed with ValueError: boo"),
        ("quitter:Door", "importing quitter failed with SystemExit"),
        ("unfinished:Door", "importing unfinished failed with SyntaxError"),
        ("..:Door", "importing"),
    ],
)
def test_a_name_that_leads_nowhere_is_told(name: str, message: str) -> None:
    with pytest.raises(UnknownMachineError, match=message):
        find(name)


def test_a_chart_that_is_not_sound_is_told_with_its_own_error() -> None:
    with pytest.raises(ChartError, match=r"Door.shut: On\(…\) without a row"):
        find("unsound:Door")


def test_the_current_directory_is_looked_at_first(workplace: Path) -> None:
    (workplace / "house" / "door.py").write_text("class Door: pass\n")
    with pytest.raises(UnknownMachineError, match="is no chart but the class Door"):
        find("house.door:Door")
