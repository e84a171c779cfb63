"""What a type checker finds in a program that uses charts."""

from __future__ import annotations

from pathlib import Path

import pytest
from mypy import api

pytestmark = pytest.mark.live

PROGRAM = '''
from dataclasses import dataclass
from enum import StrEnum
from fsm_rtc.engine import Accepted, Chart, On, Row
from fsm_rtc.errors import Rejected

class Door(StrEnum):
    OPEN = "open"
    SHUT = "shut"

@dataclass
class House:
    key: int

def key_fits(context: House, key: int) -> bool:
    """The key must fit."""
    return key == context.key

class DoorChart(Chart[Door, House]):
    """A door."""
    initial = Door.OPEN
    shut = On(Row(Door.OPEN, Door.SHUT))
    unlock = On(Row(Door.SHUT, Door.OPEN, when=(key_fits,)))
    knock = On[House, int | None](Row(Door.SHUT, Door.OPEN))

class Plain(Chart[Door, None]):
    """A door without a house."""
    initial = Door.OPEN
    shut = On(Row(Door.OPEN, Door.SHUT))

def is_day(context: object, event: object) -> bool:
    """It must be day."""
    return True

class Bare(Chart[Door]):
    """A door whose guard reads nothing."""
    initial = Door.OPEN
    shut = On[object, None](Row(Door.OPEN, Door.SHUT, when=(is_day,)))

Bare().shut()
door = DoorChart(House(1))
plain = Plain()
outcome = door.unlock(1)
if isinstance(outcome, Accepted):
    effects: tuple[object, ...] = outcome.effects
elif isinstance(outcome, Rejected):
    allowed: tuple[str, ...] = outcome.allowed
state: Door = door.state
door.shut()
plain.shut()
door.knock()
door.knock(3)
door.permits(DoorChart.unlock, 1)
door.permits("unlock", 1)
door.observe(lambda machine, outcome: print(machine.state, outcome.trigger))
'''

WRONG = {
    'door.unlock("1")  # a wrong payload': "arg-type",
    'door.knock("3")  # a wrong payload where it may be missing': "arg-type",
    "door.unlock()  # a payload that is missing": "call-arg",
    "door.shut(1)  # a payload that nobody reads": "arg-type",
    "door.unlok(1)  # a misspelt trigger": "attr-defined",
    "DoorChart(3)  # a wrong context": "call-overload|arg-type|misc",
    'door.permits(DoorChart.unlock, "1")  # a wrong payload to permits': "misc",
    "door.state = Door.SHUT  # a state set by hand": "misc",
    "number: int = door.state  # a state as something else": "assignment",
}


@pytest.fixture(scope="module")
def complaints(tmp_path_factory: pytest.TempPathFactory) -> dict[int, str]:
    """mypy's errors in the program with all wrong lines at its end, by line."""
    folder = tmp_path_factory.mktemp("typing")
    (folder / "program.py").write_text(PROGRAM + "\n".join(WRONG) + "\n")
    (folder / "mypy.ini").write_text(
        "[mypy]\nstrict = true\nfollow_imports = silent\nmypy_path = $MYPY_CONFIG_FILE_DIR"
    )
    root = Path(__file__).parents[2]
    (folder / "fsm_rtc").symlink_to(root / "fsm_rtc")
    options = ["--config-file", str(folder / "mypy.ini"), "--cache-dir", str(folder / "cache"), "--no-error-summary"]
    out, err, _ = api.run([*options, "--hide-error-context", str(folder / "program.py")])
    assert not err
    found: dict[int, str] = {}
    for line in out.splitlines():
        path, number, level, text = line.split(":", 3)
        if "program.py" in path and level.strip() == "error":
            found.setdefault(int(number), text)
    return found


def test_right_uses_pass(complaints: dict[int, str]) -> None:
    last = PROGRAM.count("\n")
    assert {line: text for line, text in complaints.items() if line <= last} == {}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_use_is_a_type_error(wrong: str, complaints: dict[int, str]) -> None:
    line = PROGRAM.count("\n") + 1 + list(WRONG).index(wrong)
    assert line in complaints
    assert any(f"[{code}]" in complaints[line] for code in WRONG[wrong].split("|")), complaints[line]
