"""The mutation check: ``python -m tests.mutation [MACHINE …]``.

Gets one thing in one table wrong at a time, and runs the machines' tests. A wrong table that no test notices is a
survivor: the table could be changed by accident, and nobody would know. Ends with 1 if there is one.

A test that only compares with a golden file notices every change, so a machine's own tests are run without those first;
how many mutants need them is printed. The other machines' tests are run for what not even those notice.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

os.environ["HYPOTHESIS_PROFILE"] = "quick"
os.environ.pop("UPDATE_GOLDEN", None)  # a mutant's matrix must never get into a golden file

import aiortc
import hypothesis.stateful

from fsm_rtc.machines import CHARTS, DERIVED
from tests.mutation.children import EQUIVALENT, Suite, Verdict, in_children
from tests.mutation.equivalence import behaviour_of
from tests.mutation.mutants import AnyChart, AnyDerived, Mutant, mutants_of_chart, mutants_of_derived

IMPORTED_ONCE = hypothesis.stateful, aiortc
"""Not used here, but by every child; aiortc by tests/conftest.py."""

SUITE = Suite(Path(__file__).parent.parent / "machines")
UNCHANGED = Mutant("no machine", "nothing is wrong", lambda: None)
CLASSES: dict[str, AnyChart | AnyDerived] = {
    **{cls.__name__: cls for cls in CHARTS.values()},
    **{cls.__name__: cls for cls in DERIVED.values()},
}


def all_mutants(machines: list[str]) -> list[Mutant]:
    """The mutants of these machines, or of all, by class name or slug."""
    slugs = {slug: cls.__name__ for slug, cls in (*CHARTS.items(), *DERIVED.items())}
    wanted = {slugs.get(machine, machine) for machine in machines} or CLASSES.keys()
    if unknown := sorted(wanted - CLASSES.keys()):
        sys.exit(f"There is no {', '.join(unknown)}; the machines are {', '.join(slugs)}.")
    charts = (mutant for cls in CHARTS.values() for mutant in mutants_of_chart(cls))
    derived = (mutant for cls in DERIVED.values() for mutant in mutants_of_derived(cls))
    return [mutant for mutant in (*charts, *derived) if mutant.machine in wanted]


def try_mutant(mutant: Mutant) -> int:
    """In a child: make the table wrong and run the tests; the exit code."""
    cls = CLASSES.get(mutant.machine)
    before = behaviour_of(cls) if cls else None
    mutant.apply()
    if cls and behaviour_of(cls) == before:
        return EQUIVALENT
    return SUITE.run(mutant.machine)


def main() -> int:
    """Run the check and print what survived."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__.partition("\n")[0])
    parser.add_argument("machines", nargs="*", help="class names or slugs; all machines if none is given")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="children at once")
    parser.add_argument("--verbose", action="store_true", help="print the verdict of every mutant")
    arguments = parser.parse_args()
    mutants = all_mutants(arguments.machines)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        ((_, verdict, text),) = in_children([UNCHANGED], try_mutant, at_once=1, output=Path(folder))
        if verdict is not Verdict.SURVIVED:
            print(text, "The tests of the machines must pass before they can be checked.", sep="\n")
            return 2
        counts: Counter[Verdict] = Counter()
        survivors: list[Mutant] = []
        for mutant, verdict, _ in in_children(mutants, try_mutant, at_once=arguments.jobs, output=Path(folder)):
            counts[verdict] += 1
            if verdict is Verdict.SURVIVED:
                survivors.append(mutant)
            if arguments.verbose:
                print(f"{verdict}: {mutant}", flush=True)
    for survivor in survivors:
        print(f"SURVIVED  {survivor}")
    print(report(len(mutants), counts), f"{time.monotonic() - began:.0f} s")
    return 1 if survivors else 0


def report(total: int, counts: Counter[Verdict]) -> str:
    """The closing line."""
    parts = ", ".join(f"{counts[verdict]} {verdict.value}" for verdict in Verdict)
    return f"{total} mutants: {parts};"


if __name__ == "__main__":
    sys.exit(main())
