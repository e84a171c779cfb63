"""What a call leaves behind in memory: ``python benchmarks/leaks.py [--json] [--quick]``.

500 calls of ours that connect, say one message and close, 500 that are cancelled at a random turn of the loop, and 500
of a bare aiortc pair; each kind in a process of its own, ours with the machines, signatures and signalling that bare
aiortc doesn't have. The figure is the slope of the bytes in use over the calls behind the first fifty, in bytes a call:
the median of the slopes between any two points (Theil and Sen).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from statistics import median

from _harness import Result, arguments, finish

ROUNDS = 500
QUICK_ROUNDS = 150
EVERY = 10
WARM_UP_ROUNDS = 50
LIMIT_SECONDS = 600

CHILD = Path(__file__).with_name("_leaks_child.py")


def bytes_in_use(kind: str, rounds: int) -> list[int]:
    """What a process of this kind has in use after every ten calls, those behind the warming up."""
    done = subprocess.run(
        [sys.executable, str(CHILD), kind, str(rounds), str(EVERY)],
        env={**os.environ, "PYTHONMALLOC": "malloc", "MALLOC_ARENA_MAX": "1"},
        stdout=subprocess.PIPE,
        timeout=LIMIT_SECONDS,
        check=True,
    )
    figures: list[int] = json.loads(done.stdout)
    return figures[WARM_UP_ROUNDS // EVERY - 1 :]


def slope(figures: Sequence[int]) -> float:
    """By how many bytes a call they grow."""
    points = combinations(enumerate(figures), 2)
    return median((later - one) / ((after - before) * EVERY) for (before, one), (after, later) in points)


def main() -> None:
    """Measure, print, leave."""
    options = arguments("What a call leaves behind in memory.")
    rounds = QUICK_ROUNDS if options.quick else ROUNDS
    bare = slope(bytes_in_use("bare", rounds))
    results = [
        Result(f"{what}, bytes in use a call more", ours, bare, ours / bare if bare else None, "≤ bare", ours <= bare)
        for what, ours in (
            ("connected and closed", slope(bytes_in_use("ours", rounds))),
            ("cancelled at a random await", slope(bytes_in_use("cancelled", rounds))),
        )
    ]
    finish(results, as_json=options.json)


if __name__ == "__main__":
    main()
