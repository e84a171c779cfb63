"""What conformance testing costs: ``python benchmarks/conformance.py [--json] [--quick]``.

The kit's own cost of one operation, against a stack in memory that does next to nothing, and how many sequences a
second each stack that is here takes through it. The second is the stack's speed more than the kit's: it has no budget.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

from _harness import Result, arguments, finish

sys.path.insert(0, str(Path(__file__).parents[1]))

from fsm_rtc.conformance.adapter import Adapter, LocalAdapter, ProcessAdapter
from fsm_rtc.conformance.campaign import Campaign, Options
from fsm_rtc.conformance.stacks import STACKS
from tests.conformance.memory_stack import MemoryStack

EXAMPLES = 1000
QUICK_EXAMPLES = 100
BUDGET_MS = 2.0


def measured(make: Callable[[], Adapter], examples: int) -> tuple[float, float]:
    """Milliseconds for each operation, and sequences a second; the adapter's start is left out."""
    with Campaign(make, Options(examples=examples, reruns=0)) as campaign:
        began = time.perf_counter()
        campaign.run()
        seconds = time.perf_counter() - began
        return 1e3 * seconds / campaign.record.steps, campaign.record.sequences / seconds


def main() -> None:
    """Measure, print, leave."""
    options = arguments("What conformance testing costs.")
    examples = QUICK_EXAMPLES if options.quick else EXAMPLES
    milliseconds, rate = measured(lambda: LocalAdapter(MemoryStack()), examples)
    within = milliseconds <= BUDGET_MS
    results = [
        Result("an operation on a stack in memory, ms", milliseconds, None, None, f"≤ {BUDGET_MS:g} ms", within),
        Result("the stack in memory, sequences a second", rate, None, None, "", holds=True),
    ]
    for stack in STACKS:
        if stack.version() is not None:
            command = stack.command
            _, rate = measured(lambda command=command: ProcessAdapter(command), examples // 5)  # type: ignore[misc]
            results.append(Result(f"{stack.name}, sequences a second", rate, None, None, "", holds=True))
    finish(results, as_json=options.json)


if __name__ == "__main__":
    main()
