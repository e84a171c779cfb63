"""The charts that a page is told of: as data, and as the project's own drawing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from fsm_rtc.diagrams import DiagramError, svg
from fsm_rtc.diagrams.drawable import opening_of
from fsm_rtc.diagrams.drawing import box_ids
from fsm_rtc.errors import sentence_of
from fsm_rtc.machines import CHARTS

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from fsm_rtc.diagrams.drawable import ChartClass
    from fsm_rtc.engine import ChartTable

__all__ = ["ChartBook", "ChartWords"]


class ChartWords(TypedDict):
    """A chart as its page is told it.

    Attributes:
        name: the chart's name.
        about: what it is, in a sentence.
        initial: the state of a new machine.
        final: the states without a way out.
        boxes: the id of each state's box in the drawing.
        allowed: by state, the triggers that have a row there.
        sentences: what each guard and check says.
    """

    name: str
    about: str
    initial: str
    final: list[str]
    boxes: dict[str, str]
    allowed: dict[str, list[str]]
    sentences: dict[str, str]


class ChartBook:
    """Every chart that is known, by its digest.

    Args:
        own: charts besides those of `fsm_rtc.machines`.
    """

    def __init__(self, own: Iterable[ChartClass] = ()) -> None:
        self._charts: dict[str, ChartClass] = {}
        self._names: dict[str, str] = {}
        self._files: dict[str, str] = {}
        self._drawn: dict[str, str | None] = {}
        for name, chart in CHARTS.items():
            self._add(chart)
            self._files[chart.chart.digest] = f"{name}.svg"
        for chart in own:
            self._add(chart)

    def _add(self, chart: ChartClass) -> None:
        self._charts[chart.chart.digest] = chart
        self._names.setdefault(chart.chart.name, chart.chart.digest)

    def digest_of(self, name: str) -> str:
        """The digest of the chart of this name; empty if none is known."""
        return self._names.get(name, "")

    def final_states(self, digest: str) -> frozenset[str]:
        """The states of a chart without a way out; none of a chart that isn't known."""
        chart = self._charts.get(digest)
        return frozenset() if chart is None else frozenset(state.value for state in chart.chart.final)

    def words(self, digest: str) -> ChartWords | None:
        """A chart as data; None if it isn't known."""
        chart = self._charts.get(digest)
        if chart is None:
            return None
        table = chart.chart
        return ChartWords(
            name=table.name,
            about=opening_of(table.doc),
            initial=table.initial.value,
            final=sorted(state.value for state in table.final),
            boxes={state.value: box for state, box in box_ids(table.states).items()},
            allowed={state.value: list(table.allowed(state)) for state in table.states},
            sentences=_sentences(table),
        )

    async def drawing(self, digest: str) -> str | None:
        """A chart as SVG: the one that comes with the package, else drawn anew if Graphviz is installed, else None."""
        if digest not in self._drawn:
            self._drawn[digest] = await asyncio.to_thread(self._drawing, digest)
        return self._drawn[digest]

    def _drawing(self, digest: str) -> str | None:
        chart = self._charts.get(digest)
        if chart is None:
            return None
        name = self._files.get(digest)
        if name is not None and (file := _drawings() / name).is_file():
            return file.read_text(encoding="utf-8")
        try:
            return svg(chart)
        except DiagramError:
            return None


def _sentences(table: ChartTable) -> dict[str, str]:
    functions = [check for trigger in table.triggers.values() for check in trigger.checks]
    functions += [guard for trigger in table.triggers.values() for row in trigger.rows for guard in row.when]
    return {function.__name__: sentence_of(function) or "" for function in functions}


def _drawings() -> Traversable:
    """The folder of drawings: a wheel has it beside this file, the source tree has it at its root."""
    packaged = files("fsm_rtc.inspector") / "drawings"
    return packaged if packaged.is_dir() else Path(__file__).parent.parent.parent / "diagrams"
