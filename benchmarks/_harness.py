"""What the benchmarks share: timing in turn, the A/A ratio, and how results are told.

A ratio is taken between medians of samples that alternate, ours and the peer's, in one process or over one series of
processes, so that a slow moment of the machine meets both. The A/A ratio beside it is that of the peer against itself,
from every other of its samples: how much a ratio moves when nothing differs.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from statistics import median

__all__ = ["Result", "Samples", "alternate", "arguments", "exponent", "finish", "per_call_seconds", "ratio_of"]


@dataclass(frozen=True, slots=True)
class Result:
    """One measured figure.

    Attributes:
        name: what was measured, with its unit.
        value: ours.
        against: the peer's, or None where the budget is a plain number.
        ratio: how ours stands to the peer's.
        budget: the limit, in words.
        holds: whether it is kept; True where there is none.
        noise: the A/A ratio.
    """

    name: str
    value: float
    against: float | None
    ratio: float | None
    budget: str
    holds: bool
    noise: float | None = None


@dataclass(frozen=True, slots=True)
class Samples:
    """Alternating samples of ours and the peer's, in seconds."""

    ours: Sequence[float]
    peer: Sequence[float]

    @property
    def value(self) -> float:
        """Our median."""
        return median(self.ours)

    @property
    def against(self) -> float:
        """The peer's median."""
        return median(self.peer)

    @property
    def ratio(self) -> float:
        """Ours over the peer's."""
        return self.value / self.against

    @property
    def noise(self) -> float:
        """The peer over itself."""
        return median(self.peer[::2]) / median(self.peer[1::2])


def alternate(ours: Callable[[], float], peer: Callable[[], float], rounds: int) -> Samples:
    """Take `rounds` samples of each, in turn, after one of each that doesn't count."""
    ours(), peer()
    pairs = [(ours(), peer()) if number % 2 else (peer(), ours())[::-1] for number in range(rounds)]
    return Samples([pair[0] for pair in pairs], [pair[1] for pair in pairs])


def per_call_seconds(action: Callable[[], object], calls: int) -> Callable[[], float]:
    """A sampler: the time of one call of `action`, which does `calls` of what is measured."""

    def sample() -> float:
        gc.disable()
        try:
            began = time.perf_counter()
            action()
            return (time.perf_counter() - began) / calls
        finally:
            gc.enable()

    return sample


def ratio_of(name: str, samples: Samples, *, scale: float, at_most: float | None = None) -> Result:
    """A result with an upper limit for the ratio, or none. `scale` turns seconds into the unit that `name` says."""
    budget = "" if at_most is None else f"≤ {at_most:g} ×"
    holds = at_most is None or samples.ratio <= at_most
    return Result(name, samples.value * scale, samples.against * scale, samples.ratio, budget, holds, samples.noise)


def exponent(sizes: Sequence[int], seconds: Sequence[float]) -> float:
    """How the time grows with the size: the slope of the logarithms, by least squares; 0 is flat, 1 is linear."""
    xs, ys = [math.log(size) for size in sizes], [math.log(one) for one in seconds]
    x, y = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((a - x) * (b - y) for a, b in zip(xs, ys, strict=True)) / sum((a - x) ** 2 for a in xs)


def arguments(description: str) -> argparse.Namespace:
    """``--json`` and ``--quick``, which every benchmark has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", action="store_true", help="print one list of results, for a program")
    parser.add_argument("--quick", action="store_true", help="fewer samples: seconds instead of minutes")
    return parser.parse_args()


def finish(results: Sequence[Result], *, as_json: bool) -> None:
    """Print the results and leave: with 1 if a budget doesn't hold."""
    if as_json:
        fields = ("name", "value", "against", "ratio", "budget", "holds")
        print(json.dumps([{key: asdict(result)[key] for key in fields} for result in results]))
    else:
        _print_table(results)
    sys.exit(0 if all(result.holds for result in results) else 1)


def _print_table(results: Sequence[Result]) -> None:
    rows = [("what", "ours", "peer", "ratio", "A/A", "budget", "")]
    for result in results:
        verdict = ("holds" if result.holds else "BROKEN") if result.budget else ""
        rows.append(
            (
                result.name,
                f"{result.value:.4g}",
                _figure(result.against, "{:.4g}"),
                _figure(result.ratio, "{:.2f}"),
                _figure(result.noise, "{:.2f}"),
                result.budget,
                verdict,
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        print("  ".join(cells).rstrip())


def _figure(value: float | None, form: str) -> str:
    return "" if value is None else form.format(value)
