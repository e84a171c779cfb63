"""How an event that comes while a machine is in a step, from a guard or another thread, is refused."""

from __future__ import annotations

import sys
from types import FrameType

from fsm_rtc.errors import ChartError, WrongThreadError

__all__ = ["is_in_step_of", "no_entrance"]

_DOORS = ("no_entrance", *(f"Chart.{name}" for name in ("_refuse_entrance", "_enqueue", "_handle", "tick", "observe")))
_TRIGGERS = ("_trigger_function.<locals>.trigger", "_timed_trigger_function.<locals>.trigger")
_STEPS = ("Chart._handle", "Chart.permits", *_TRIGGERS)


def no_entrance(machine: object, what: str) -> ChartError | WrongThreadError:
    """The error for a call within a step.

    Args:
        machine: which is in a step.
        what: what was called.
    """
    name = type(machine).__name__
    if not is_in_step_of(machine):
        return WrongThreadError(
            f"{name}: {what} was called while a step of the machine is under way on another thread, and nothing was "
            "done; let one thread run a machine: from others use loop.call_soon_threadsafe"
        )
    if what == "tick()":
        return ChartError(f"{name}: tick() within a step; call it when the step is done")
    return ChartError(
        f"{name}: a guard or effect fired the machine that asked it, by {what}; it is to return a request, which the "
        "machine's owner carries out"
    )


def is_in_step_of(machine: object) -> bool:
    """Whether one of the functions that called this one steps the machine: if none does, another thread does.

    So no step has to note its thread; a call within one looks for it.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_qualname in _DOORS:
        frame = frame.f_back
    if frame is not None and frame.f_code.co_qualname in _TRIGGERS:
        frame = frame.f_back  # the trigger that was called, and isn't let in
    while frame is not None:
        if frame.f_code.co_qualname in _STEPS and frame.f_locals.get("self") is machine:
            return True
        frame = frame.f_back
    return False
