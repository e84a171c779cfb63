"""What one event, one machine and one import cost: ``python benchmarks/engine.py [--json] [--quick]``.

One accepted event has a guard and an effect. The peers: the plain dict that one would write by hand, transitions,
python-statemachine and Automat, in the packages' present versions.
"""

from __future__ import annotations

import subprocess
import sys
import time
import timeit
import tracemalloc
from collections.abc import Callable

from _harness import Result, Samples, alternate, arguments, finish, per_call_seconds, ratio_of
from _machines import Limits, Ours, Plain, StateMachineDoor, Timed, TransitionsModel, automat_door, wide

from fsm_rtc import Journal

INSTANCES = 100_000

MACHINES = 10_000


def cycle(machine: object, events: int) -> Callable[[], None]:
    """Open and shut a door by its methods, `events` events in all."""
    open_, shut = machine.open, machine.shut  # type: ignore[attr-defined]
    rounds = range(events // 2)

    def run() -> None:
        for _ in rounds:
            open_()
            shut()

    return run


def cycle_plain(events: int) -> Callable[[], None]:
    """The same for the dict behind a method."""
    fire = Plain(Limits()).fire
    rounds = range(events // 2)

    def run() -> None:
        for _ in rounds:
            fire("open")
            fire("shut")

    return run


def journalled(events: int) -> Callable[[], None]:
    """Our machine, watched by a journal."""
    machine = Ours(Limits())
    Journal(capacity=10_000).watch(machine, "door")
    return cycle(machine, events)


def event_results(*, quick: bool) -> list[Result]:
    """One accepted event, against each peer."""
    events, rounds = (2_000, 40) if quick else (10_000, 100)
    slow_events = events // 20
    ours = per_call_seconds(cycle(Ours(Limits()), events), events)
    plain = per_call_seconds(cycle_plain(events), events)
    journal = per_call_seconds(journalled(events), events)
    stock = per_call_seconds(cycle(TransitionsModel(), slow_events), slow_events)
    statemachine = per_call_seconds(cycle(StateMachineDoor(), slow_events), slow_events)
    automat = per_call_seconds(cycle(automat_door(), events), events)
    return [
        ratio_of("event, ns, against the dict", alternate(ours, plain, rounds), scale=1e9, at_most=1.5),
        ratio_of("event with journal, ns, against the dict", alternate(journal, plain, rounds), scale=1e9, at_most=5),
        speed_up("event, ns, against transitions", alternate(ours, stock, rounds), at_least=30),
        speed_up("event, ns, against python-statemachine", alternate(ours, statemachine, rounds)),
        speed_up("event, ns, against Automat", alternate(ours, automat, rounds)),
    ]


def speed_up(name: str, samples: Samples, *, at_least: float | None = None) -> Result:
    """A result whose ratio says how many times faster we are."""
    ratio = 1 / samples.ratio
    budget = "" if at_least is None else f"≥ {at_least:g} ×"
    holds = at_least is None or ratio >= at_least
    return Result(name, samples.value * 1e9, samples.against * 1e9, ratio, budget, holds, samples.noise)


def instance_results(*, quick: bool) -> list[Result]:
    """What a machine weighs and costs to make, without its context."""
    context = Limits()
    tracemalloc.start()
    kept: list[object] = [None] * INSTANCES
    before, _ = tracemalloc.get_traced_memory()
    for index in range(INSTANCES):
        kept[index] = Ours(context)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    size_bytes = (after - before) / INSTANCES
    del kept

    def make(cls: type[Ours] | type[Plain], count: int) -> Callable[[], None]:
        def run() -> None:
            for _ in range(count):
                cls(context)

        return run

    count, rounds = (2_000, 20) if quick else (10_000, 60)
    samples = alternate(per_call_seconds(make(Ours, count), count), per_call_seconds(make(Plain, count), count), rounds)
    made = samples.value * 1e6
    return [
        Result("instance, bytes", size_bytes, None, None, "≤ 100", size_bytes <= 100),
        Result("instance made, µs", made, samples.against * 1e6, samples.ratio, "≤ 1", made <= 1, samples.noise),
    ]


def time_results(*, quick: bool) -> list[Result]:
    """What timers cost: an event that arms or clears one, and a tick of many machines when nothing is due."""
    events, rounds = (2_000, 40) if quick else (10_000, 100)
    timed = per_call_seconds(cycle(Timed(Limits(), clock=time.monotonic), events), events)
    untimed = per_call_seconds(cycle(Ours(Limits()), events), events)
    machines = [Timed(Limits(), clock=time.monotonic) for _ in range(MACHINES)]
    for machine in machines:
        machine.open()

    def tick() -> None:
        now = time.monotonic()
        for machine in machines:
            machine.tick(now)

    ticked = min(timeit.repeat(tick, number=1, repeat=5 if quick else 20)) * 1e3
    return [
        ratio_of("timed event, ns, against an untimed one", alternate(timed, untimed, rounds), scale=1e9, at_most=2),
        Result(f"tick of {MACHINES} armed machines, ms", ticked, None, None, "≤ 5 ms", ticked <= 5),
    ]


def rejection_results(*, quick: bool) -> list[Result]:
    """What a refusal costs, in tables of several sizes."""
    results = []
    for states in (4, 16, 64):
        machine = wide(states)()
        refused = machine.to_s0  # type: ignore[attr-defined]
        number = 2_000 if quick else 20_000
        cost = min(timeit.repeat(refused, number=number, repeat=5)) / number * 1e6
        results.append(Result(f"rejection, {states} states, µs", cost, None, None, "≤ 2 µs", cost <= 2))
    return results


def import_results(*, quick: bool) -> list[Result]:
    """``import fsm_rtc`` against the standard library's share of it, each in new interpreters."""

    def importing(modules: str) -> Callable[[], float]:
        code = f"import time\nbegan = time.perf_counter()\nimport {modules}\nprint(time.perf_counter() - began)"

        def sample() -> float:
            return float(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)

        return sample

    engine = "asyncio, dataclasses, fsm_rtc.engine"
    peer = importing("asyncio, dataclasses")
    rounds = 10 if quick else 40
    return [
        ratio_of("import fsm_rtc, ms", alternate(importing("fsm_rtc"), peer, rounds), scale=1e3, at_most=1.6),
        ratio_of(
            "import asyncio, dataclasses, fsm_rtc.engine, ms", alternate(importing(engine), peer, rounds), scale=1e3
        ),
    ]


def main() -> None:
    """Measure, print, leave."""
    options = arguments("What one event, one machine and one import cost.")
    began = time.monotonic()
    results = [
        *event_results(quick=options.quick),
        *instance_results(quick=options.quick),
        *time_results(quick=options.quick),
        *rejection_results(quick=options.quick),
        *import_results(quick=options.quick),
    ]
    if not options.json:
        print(f"Python {sys.version.split()[0]}, {time.monotonic() - began:.0f} s")
    finish(results, as_json=options.json)


if __name__ == "__main__":
    main()
