"""What one event, one machine and one import cost: ``python benchmarks/engine.py [--json] [--quick]``.

One accepted event has a guard and an effect. The peers: the plain dict that one would write by hand, transitions,
python-statemachine and Automat, in the packages' present versions; xstate-statemachine and Sismic, which have timers,
where they are installed. Peers are timed in turn with ours, and medians compared; a peer that takes microseconds takes
fewer events.
"""

from __future__ import annotations

import subprocess
import sys
import time
import timeit
import tracemalloc
from collections.abc import Callable, Sequence
from typing import Any

from _harness import Result, Samples, alternate, arguments, finish, per_call_seconds, ratio_of
from _machines import (
    Limits,
    Ours,
    Plain,
    StateMachineDoor,
    TransitionsModel,
    automat_door,
    wide,
    wide_automat,
    wide_statemachine,
    wide_transitions,
)
from _statecharts import STATECHARTS, WIDE_STATECHARTS, Clocked, OurClocked, Wide

from fsm_rtc import Journal

INSTANCES = 100_000

MACHINES = 10_000

WIDE: dict[str, Wide] = {
    "transitions": wide_transitions,
    "python-statemachine": wide_statemachine,
    "Automat": wide_automat,
    **WIDE_STATECHARTS,
}
"""By library, what makes a refused event of a table with so many states."""


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
    statecharts = {
        name: per_call_seconds(cycle(door(is_timed=False), slow_events), slow_events)
        for name, door in STATECHARTS.items()
    }
    return [
        ratio_of("event, ns, against the dict", alternate(ours, plain, rounds), scale=1e9, at_most=1.5),
        ratio_of("event with journal, ns, against the dict", alternate(journal, plain, rounds), scale=1e9, at_most=5),
        speed_up("event, ns, against transitions", alternate(ours, stock, rounds), at_least=30),
        speed_up("event, ns, against python-statemachine", alternate(ours, statemachine, rounds)),
        speed_up("event, ns, against Automat", alternate(ours, automat, rounds)),
        *(speed_up(f"event, ns, against {name}", alternate(ours, peer, rounds)) for name, peer in statecharts.items()),
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


def our_clocked() -> OurClocked:
    """Our door with a timer."""
    return OurClocked(Limits(), clock=time.monotonic)


def time_results(*, quick: bool) -> list[Result]:
    """What timers cost: an event that arms or clears one, or arms it anew; a tick of many, when nothing is due."""
    events, rounds = (2_000, 40) if quick else (10_000, 100)
    slow_events = events // 20
    timed = per_call_seconds(cycle(our_clocked(), events), events)
    untimed = per_call_seconds(cycle(Ours(Limits()), events), events)
    again = per_call_seconds(touches(our_clocked(), events), events)
    results = [
        ratio_of("timed event, ns, against an untimed one", alternate(timed, untimed, rounds), scale=1e9, at_most=2)
    ]
    for name, door in STATECHARTS.items():
        peer = per_call_seconds(cycle(door(is_timed=True), slow_events), slow_events)
        results.append(speed_up(f"timed event, ns, against {name}", alternate(timed, peer, rounds)))
        peer = per_call_seconds(touches(door(is_timed=True), slow_events), slow_events)
        results.append(speed_up(f"timer armed anew, ns, against {name}", alternate(again, peer, rounds)))
    repeat = 5 if quick else 20
    ticked = ticking_ms([our_clocked() for _ in range(MACHINES)], repeat)
    results.append(Result(f"tick of {MACHINES} armed machines, ms", ticked, None, None, "≤ 5 ms", ticked <= 5))
    for name, door in STATECHARTS.items():
        fewer = MACHINES // 20
        theirs = ticking_ms([door(is_timed=True) for _ in range(fewer)], repeat) * MACHINES / fewer
        results.append(
            Result(f"tick of {MACHINES} armed machines, ms, against {name}", ticked, theirs, theirs / ticked, "", True)
        )
    return results


def touches(door: Clocked, events: int) -> Callable[[], None]:
    """Open a door, and arm its timer anew so many times."""
    door.open()
    touch = door.touch

    def run() -> None:
        for _ in range(events):
            touch()

    return run


def ticking_ms(machines: Sequence[Clocked], repeat: int) -> float:
    """A tick of all of them, the best of some."""
    for machine in machines:
        machine.open()

    def tick() -> None:
        now = time.monotonic()
        for machine in machines:
            machine.tick(now)

    return min(timeit.repeat(tick, number=1, repeat=repeat)) * 1e3


def rejection_results(*, quick: bool) -> list[Result]:
    """What a refusal costs: without a row, in tables of several sizes, and by a guard."""
    occupied = Limits()
    occupied.is_free = False
    results = []
    for states in (4, 16, 64):
        machine: Any = wide(states)()
        cost = least_us(machine.to_s0, 2_000 if quick else 20_000)
        results.append(Result(f"rejection, {states} states, µs", cost, None, None, "≤ 2 µs", cost <= 2))
        for name, peer in WIDE.items() if states != 16 else ():
            theirs = least_us(peer(states), 20 if quick else 200)
            what = f"rejection, {states} states, µs, against {name}"
            results.append(Result(what, cost, theirs, theirs / cost, "", True))
    by_guard = least_us(Ours(occupied).open, 2_000 if quick else 20_000)
    results.append(Result("rejection by a guard, µs", by_guard, None, None, "≤ 2 µs", by_guard <= 2))
    return results


def least_us(action: Callable[[], object], number: int) -> float:
    """What one of so many calls takes, in the best of five rounds."""
    return min(timeit.repeat(action, number=number, repeat=5)) / number * 1e6


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
