"""The same door in the two libraries that have statecharts with time; each is left out where it isn't installed.

`open` arms a timer of 30 s, `shut` clears it, `touch` arms it anew, and a call of `tick` asks whether it is due.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol

from _machines import SHUT, Door, Limits, is_free, ring

from fsm_rtc import Chart, On, Row, stay

__all__ = ["STATECHARTS", "WIDE_STATECHARTS", "Clocked", "OurClocked", "Wide"]

SECONDS = 30

Wide = Callable[[int], Callable[[], object]]
"""Makes a refused event of a table with so many states, each of which all others lead to."""


class Clocked(Protocol):
    """A door with a timer."""

    def open(self) -> object: ...
    def shut(self) -> object: ...
    def touch(self) -> object: ...
    def tick(self, now: float) -> object: ...


class OurClocked(Chart[Door, Limits]):
    """This engine's."""

    initial = SHUT
    open = On(Row(SHUT, Door.OPEN, when=(is_free,), then=(ring,)))
    shut = On(Row(Door.OPEN, SHUT, when=(is_free,), then=(ring,)))
    touch = On(stay(Door.OPEN, restarts=("fall_shut",)))
    fall_shut = On(Row(Door.OPEN, SHUT), after=SECONDS)


def xstate_machine(table: dict[str, Any], limits: Limits) -> Any:
    """A started machine of xstate-statemachine, that steps synchronously."""
    xstate: Any = import_module("xstate_statemachine")
    guards = {"is_free": lambda context, event: is_free(limits, event)}
    logic = xstate.MachineLogic(guards=guards, actions={"ring": lambda *_: ring(limits, None)})
    return xstate.SyncInterpreter(xstate.create_machine(table, logic=logic)).start()


class XStateDoor:
    """xstate-statemachine."""

    def __init__(self, *, is_timed: bool) -> None:
        step = {"guard": "is_free", "actions": "ring"}
        opened: dict[str, Any] = {
            "on": {"shut": {"target": "shut", **step}, "touch": {"target": "opened", "reenter": True}}
        }
        if is_timed:
            opened["after"] = {str(SECONDS * 1000): {"target": "shut"}}
        states = {"shut": {"on": {"open": {"target": "opened", **step}}}, "opened": opened}
        machine = xstate_machine({"id": "door", "initial": "shut", "states": states}, Limits())
        self._send, self._tick = machine.send, machine.tick

    def open(self) -> object:
        return self._send("open")

    def shut(self) -> object:
        return self._send("shut")

    def touch(self) -> object:
        return self._send("touch")

    def tick(self, now: float) -> object:
        return self._tick()


class SismicDoor:
    """Sismic."""

    def __init__(self, *, is_timed: bool) -> None:
        transition = import_module("sismic.model").Transition
        step = {"guard": "is_free(limits, None)", "action": "ring(limits, None)"}
        transitions = [
            transition("shut", "opened", event="open", **step),
            transition("opened", "shut", event="shut", **step),
            transition("opened", "opened", event="touch"),
        ]
        if is_timed:
            transitions.append(transition("opened", "shut", guard=f"after({SECONDS})"))
        self._machine = sismic_machine(["shut", "opened"], transitions)

    def _send(self, name: str) -> object:
        self._machine.queue(name)
        return self._machine.execute_once()

    def open(self) -> object:
        return self._send("open")

    def shut(self) -> object:
        return self._send("shut")

    def touch(self) -> object:
        return self._send("touch")

    def tick(self, now: float) -> object:
        return self._machine.execute_once()


def sismic_machine(states: list[str], transitions: list[Any]) -> Any:
    """A started machine of Sismic on the wall clock."""
    model: Any = import_module("sismic.model")
    chart = model.Statechart("door")
    chart.add_state(model.CompoundState("root", initial=states[0]), None)
    for state in states:
        chart.add_state(model.BasicState(state), "root")
    for transition in transitions:
        chart.add_transition(transition)
    context = {"limits": Limits(), "is_free": is_free, "ring": ring}
    clock = import_module("sismic.clock").UtcClock()
    machine = import_module("sismic.interpreter").Interpreter(chart, initial_context=context, clock=clock)
    machine.execute()
    return machine


def wide_xstate(states: int) -> Callable[[], object]:
    """A refused event of a table with so many states, each of which all others lead to."""
    names = [f"s{number}" for number in range(states)]
    table = {name: {"on": {f"to_{other}": {"target": other} for other in names if other != name}} for name in names}
    machine = xstate_machine({"id": "wide", "initial": "s0", "states": table}, Limits())
    return lambda: machine.send("to_s0")


def wide_sismic(states: int) -> Callable[[], object]:
    """The same for Sismic."""
    transition = import_module("sismic.model").Transition
    names = [f"s{number}" for number in range(states)]
    edges = [transition(name, other, event=f"to_{other}") for name in names for other in names if other != name]
    machine = sismic_machine(names, edges)

    def refused() -> object:
        machine.queue("to_s0")
        return machine.execute_once()

    return refused


_KNOWN: dict[str, tuple[str, Callable[..., Clocked], Wide]] = {
    "xstate-statemachine": ("xstate_statemachine", XStateDoor, wide_xstate),
    "Sismic": ("sismic", SismicDoor, wide_sismic),
}
STATECHARTS = {name: door for name, (module, door, _) in _KNOWN.items() if find_spec(module)}
"""By library, what makes a door; `is_timed` says whether it has its timer."""

WIDE_STATECHARTS = {name: wide for name, (module, _, wide) in _KNOWN.items() if find_spec(module)}
"""By library, what makes a refused event of a table with so many states."""
