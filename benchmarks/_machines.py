"""One machine five times: a door whose every move has a guard and an effect.

Each has the same two states, a guard that reads the context and an effect that returns a value, and is driven through
the same cycle: `open`, `shut`.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from types import FunctionType
from typing import Any, ClassVar

from automat import NoTransition, TypeMachineBuilder
from statemachine import State, StateMachine
from statemachine.exceptions import TransitionNotAllowed
from transitions import Machine, MachineError

from fsm_rtc import Chart, On, Row


class Door(StrEnum):
    """Two states."""

    SHUT = "shut"
    OPEN = "open"


SHUT, OPEN = Door


class Limits:
    """What the guard reads."""

    __slots__ = ("is_free",)

    def __init__(self) -> None:
        self.is_free = True


def is_free(context: Limits, event: object) -> bool:
    """The way must be free."""
    return context.is_free


def ring(context: Limits, event: object) -> str:
    """Ring the bell."""
    return "ring"


class Ours(Chart[Door, Limits]):
    """This engine."""

    initial = SHUT
    open = On(Row(SHUT, OPEN, when=(is_free,), then=(ring,)))
    shut = On(Row(OPEN, SHUT, when=(is_free,), then=(ring,)))


def wide(states: int) -> type[Chart[Any, Any]]:
    """A chart of so many states and as many triggers, each of which leads from all others to its own."""
    names = [f"s{number}" for number in range(states)]
    enum = StrEnum("Wide", {name.upper(): name for name in names})  # type: ignore[misc]
    body = {f"to_{state.value}": On(Row([one for one in enum if one is not state], state)) for state in enum}
    return type(Chart)("WideChart", (Chart,), {"__doc__": "Wide.", "initial": enum("s0"), **body})  # type: ignore[misc, no-any-return]


def wide_transitions(states: int) -> Callable[[], object]:
    """A refused event of the same table in transitions."""
    names = [f"s{number}" for number in range(states)]
    edges = [{"trigger": f"to_{name}", "source": [one for one in names if one != name], "dest": name} for name in names]
    machine: Any = Machine(states=names, transitions=edges, initial="s0", auto_transitions=False)

    def refused() -> object:
        try:
            return machine.to_s0()
        except MachineError as error:
            return error

    return refused


def wide_statemachine(states: int) -> Callable[[], object]:
    """The same in python-statemachine."""
    names = [f"s{number}" for number in range(states)]
    body: dict[str, Any] = {name: State(initial=name == "s0") for name in names}
    for name in names:
        body[f"to_{name}"] = body[name].from_(*(body[one] for one in names if one != name))
    metaclass: Any = type(StateMachine)
    machine = metaclass("WideMachine", (StateMachine,), body)()

    def refused() -> object:
        try:
            return machine.to_s0()
        except TransitionNotAllowed as error:
            return error

    return refused


def wide_automat(states: int) -> Callable[[], object]:
    """The same in Automat."""
    names = [f"s{number}" for number in range(states)]

    def trigger(self: object) -> None:
        raise NotImplementedError

    handles: Any = type(
        "Handles", (), {f"to_{name}": FunctionType(trigger.__code__, {}, f"to_{name}") for name in names}
    )
    builder: Any = TypeMachineBuilder(handles, Limits)
    built = {name: builder.state(name) for name in names}
    for source in names:
        for name in names:
            if source != name:
                built[source].upon(getattr(handles, f"to_{name}")).to(built[name]).returns(None)
    machine = builder.build()(Limits())

    def refused() -> object:
        try:
            return machine.to_s0()
        except NoTransition as error:
            return error

    return refused


Cell = tuple[Callable[[Limits, object], bool], Callable[[Limits, object], str], Door]


class Plain:
    """The same lookup and calls, in a dict behind a method."""

    __slots__ = ("context", "state")

    table: ClassVar[dict[tuple[Door, str], Cell]] = {
        (SHUT, "open"): (is_free, ring, OPEN),
        (OPEN, "shut"): (is_free, ring, SHUT),
    }

    def __init__(self, context: Limits) -> None:
        self.context = context
        self.state = SHUT

    def fire(self, trigger: str, event: object = None) -> str | None:
        """Step; what the effect returned, or None if the table doesn't allow the trigger."""
        cell = self.table.get((self.state, trigger))
        if cell is None:
            return None
        guard, effect, target = cell
        if not guard(self.context, event):
            return None
        request = effect(self.context, event)
        self.state = target
        return request


class TransitionsModel:
    """Stock transitions.Machine drives this model."""

    def __init__(self) -> None:
        self.context = Limits()
        transitions = [
            {"trigger": trigger, "source": source, "dest": dest, "conditions": "is_free", "after": "ring"}
            for trigger, source, dest in (("open", SHUT, OPEN), ("shut", OPEN, SHUT))
        ]
        Machine(self, states=Door, transitions=transitions, initial=SHUT, auto_transitions=False)

    def is_free(self) -> bool:
        """The guard."""
        return self.context.is_free

    def ring(self) -> str:
        """The effect."""
        return "ring"


class StateMachineDoor(StateMachine):
    """python-statemachine."""

    closed = State(initial=True)
    opened = State()
    open = closed.to(opened, cond="is_free", on="ring")
    shut = opened.to(closed, cond="is_free", on="ring")

    def __init__(self) -> None:
        self.context = Limits()
        super().__init__()

    def is_free(self) -> bool:
        """The guard."""
        return self.context.is_free

    def ring(self) -> str:
        """The effect."""
        return "ring"


def automat_door() -> Any:
    """Automat, which has no guards: the guard is asked inside the transition's method."""

    class Handles:
        def open(self) -> str | None:
            raise NotImplementedError

        def shut(self) -> str | None:
            raise NotImplementedError

    builder: Any = TypeMachineBuilder(Handles, Limits)
    shut, opened = builder.state("shut"), builder.state("open")

    @shut.upon(Handles.open).to(opened)  # type: ignore[untyped-decorator]
    def on_open(handles: object, context: Limits) -> str | None:
        return ring(context, None) if is_free(context, None) else None

    @opened.upon(Handles.shut).to(shut)  # type: ignore[untyped-decorator]
    def on_shut(handles: object, context: Limits) -> str | None:
        return ring(context, None) if is_free(context, None) else None

    return builder.build()(Limits())
