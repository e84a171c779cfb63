"""From the name on a command line to the chart: a machine of this package, or `package.module:MyChart`."""

from __future__ import annotations

import difflib
import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from fsm_rtc.diagrams import all_machines
from fsm_rtc.engine import Chart, Derived
from fsm_rtc.errors import ChartError, UnknownMachineError

if TYPE_CHECKING:
    from types import ModuleType

    from fsm_rtc.diagrams.drawable import ChartClass, DerivedClass

__all__ = ["Found", "find", "find_chart"]


class Found(NamedTuple):
    """A machine and the name that its files have."""

    name: str
    drawn: ChartClass | DerivedClass


def find(name: str) -> Found:
    """The machine of this name.

    Args:
        name: as `fsm-rtc machines` lists it, its class' name, or `package.module:MyChart`, also of a module in the
            current directory.

    Raises:
        UnknownMachineError: there is none; the message names those that are near.
        ChartError: the chart's table is not sound.
    """
    if ":" in name:
        drawn = _imported(name)
        return Found(drawn.__name__, drawn)
    known = all_machines()
    slug = name.replace("-", "_")
    for key, drawn in known.items():
        if slug.lower() == key or name == drawn.__name__:
            return Found(key, drawn)
    near = _near(slug.lower(), known)
    raise UnknownMachineError(
        f"no machine {name!r}{near}; `fsm-rtc machines` lists them, and your own is package.module:MyChart"
    )


def find_chart(name: str) -> ChartClass:
    """The chart of this name; a derived table is none.

    Raises:
        UnknownMachineError: there is none, or it is a derived table.
        ChartError: the chart's table is not sound.
    """
    drawn = find(name).drawn
    if issubclass(drawn, Derived):
        raise UnknownMachineError(f"{name} is a derived table, which handles no events; name a chart")
    return drawn


def _imported(name: str) -> ChartClass | DerivedClass:
    module_name, _, attribute = name.partition(":")
    if not module_name or not attribute:
        raise UnknownMachineError(f"{name!r} is not of the form package.module:MyChart")
    module = _module(module_name)
    try:
        drawn: object = getattr(module, attribute)
    except AttributeError:
        charts = {key for key, value in vars(module).items() if _is_drawable(value)}
        near = _near(attribute, charts) or (f"; it has {', '.join(sorted(charts))}" if charts else "; it has no chart")
        raise UnknownMachineError(f"module {module_name} has no {attribute!r}{near}") from None
    if isinstance(drawn, type) and _is_drawable(drawn) and issubclass(drawn, (Chart, Derived)):
        return drawn
    raise UnknownMachineError(
        f"{name} is no chart but {_kind(drawn)}; name a class made with fsm_rtc's Chart, Observed or Derived"
    )


def _module(name: str) -> ModuleType:
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as missing:
        if missing.name is not None and (name == missing.name or name.startswith(f"{missing.name}.")):
            raise UnknownMachineError(
                f"no module {missing.name!r}, neither installed nor in {here}; write it as in an import"
            ) from missing
        raise UnknownMachineError(f"module {name} needs {missing.name!r}, which is not installed") from missing
    except ChartError:
        raise
    except (Exception, SystemExit) as failed:
        raise UnknownMachineError(
            f"importing {name} failed with {type(failed).__name__}: {failed}; mend that, then name it again"
        ) from failed


def _is_drawable(value: object) -> bool:
    if not isinstance(value, type):
        return False
    return (issubclass(value, Chart) and hasattr(value, "chart")) or (
        issubclass(value, Derived) and hasattr(value, "rules")
    )


def _kind(value: object) -> str:
    return f"the class {value.__name__}" if isinstance(value, type) else f"a {type(value).__name__}"


def _near(name: str, known: set[str] | dict[str, ChartClass | DerivedClass]) -> str:
    close = difflib.get_close_matches(name, sorted(known), n=3, cutoff=0.5)
    return f"; did you mean {' or '.join(close)}?" if close else ""
