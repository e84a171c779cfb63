"""Whether a guard looks at the event at all: read from its code, so that it needn't be run to know."""

from __future__ import annotations

import dis
import inspect
from collections.abc import Callable

__all__ = ["reads_event"]


def reads_event(function: Callable[..., object]) -> bool:
    """Whether a guard or check uses its second argument; False where that can't be known, as behind ``*arguments``."""
    if not inspect.isfunction(function) or function.__code__.co_argcount < 2:
        return False
    event = function.__code__.co_varnames[1]
    if event in function.__code__.co_cellvars:
        return True
    return any(
        "LOAD_FAST" in one.opname and event in (one.argval if isinstance(one.argval, tuple) else (one.argval,))
        for one in dis.get_instructions(function)
    )
