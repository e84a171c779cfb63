"""Orderings at random, by Hypothesis: steered towards what was seldom done, shrunk to what shows a difference."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from typing import Protocol

import hypothesis
from hypothesis import HealthCheck, Phase, Verbosity, given, settings, target
from hypothesis import strategies as st

from fsm_rtc.conformance.difference import Difference, Key
from fsm_rtc.conformance.findings import Kind
from fsm_rtc.conformance.operations import OPERATIONS
from fsm_rtc.conformance.pair import PAIR_STEPS
from fsm_rtc.conformance.sequences import TOGETHER, Sequence
from fsm_rtc.conformance.side import Record

__all__ = ["orderings", "pair_orderings", "try_orderings"]

BATCH = 50
MAX_STEPS = 10
MAX_PAIR_STEPS = 5
EVERY_FOURTH = 4
SLOW = (Kind.HANG, Kind.CRASH)


class Shows(Exception):  # noqa: N818 - how Hypothesis hears of it
    """A sequence shows a difference that was not known."""


@cache
def shows(key: Key) -> type[Shows]:
    """A class of its own for each difference, so that shrinking one doesn't end at another."""
    return type("Shows", (Shows,), {"key": key})


def orderings(record: Record) -> st.SearchStrategy[Sequence]:
    """Sequences on one connection; operations that were done seldom come more often."""
    names = [one.name for one in OPERATIONS if record.can_say(one) and one.name != "close"]
    done = {name: sum(times for (_, step, _), times in record.transitions.items() if step == name) for name in names}
    seldom = sorted(names, key=lambda name: done[name])[: max(1, len(names) // 3)]
    one = st.sampled_from([*names, *seldom, *seldom])
    together = st.tuples(one, st.sampled_from([*names, "close"])).map(TOGETHER.join)
    step = st.one_of(one, one, one, together, st.just("close"))
    return st.lists(step, min_size=1, max_size=MAX_STEPS).map(lambda steps: Sequence(("createDataChannel", *steps)))


def pair_orderings() -> st.SearchStrategy[Sequence]:
    """Sequences on two connections."""
    steps = st.lists(st.sampled_from(PAIR_STEPS), min_size=1, max_size=MAX_PAIR_STEPS)
    return steps.map(lambda some: Sequence(("connect", *some)))


class OrderingRun(Protocol):
    """The run in which orderings are tried: a `Campaign`."""

    record: Record

    @property
    def connects(self) -> bool:
        """Whether two connections of the stack can be tried."""

    def try_sequence(self, sequence: Sequence) -> list[tuple[int, Difference]]:
        """Run one sequence."""

    def knows(self, difference: Difference) -> bool:
        """Whether a difference is no news."""

    def saw(self, sequence: Sequence, difference: Difference, *, is_deterministic: bool) -> None:
        """A sequence showed a difference."""


def try_orderings(
    campaign: OrderingRun,
    examples: int,
    seconds: float | None,
    seed: int,
    progress: Callable[[str, int, int], object],
) -> None:
    """Random orderings until there were enough, or the time is over; each new difference shrunk, and noted."""
    ends = time.monotonic() + seconds if seconds is not None else None
    done = batch = 0
    while done < examples and (ends is None or time.monotonic() < ends):
        progress("orderings", done, examples)
        batch += 1
        size = min(BATCH, examples - done)
        strategy = pair_orderings() if campaign.connects and batch % EVERY_FOURTH == 0 else orderings(campaign.record)
        done += _try_batch(campaign, strategy, size, seed * 1_000_003 + batch, ends)
    progress("orderings", done, examples)


def _try_batch(
    campaign: OrderingRun, strategy: st.SearchStrategy[Sequence], size: int, seed: int, ends: float | None
) -> int:
    """How many orderings were tried; a new difference ends the batch."""
    tried = 0
    last: tuple[Sequence, Difference] | None = None

    def try_one(sequence: Sequence) -> None:
        nonlocal tried, last
        if ends is not None and time.monotonic() > ends:
            return
        tried += 1
        before = len(campaign.record.transitions)
        for number, difference in campaign.try_sequence(sequence):
            if campaign.knows(difference):
                continue
            shown = Sequence(sequence.steps[:number])
            if difference.kind in SLOW:  # each try takes too long for Hypothesis to shrink it
                campaign.saw(shown, difference, is_deterministic=False)
                continue
            last = (shown, difference)
            raise shows(difference.key)
        target(float(len(campaign.record.transitions) - before))

    run = hypothesis.seed(seed)(
        settings(
            max_examples=size,
            database=None,
            deadline=None,
            verbosity=Verbosity.quiet,
            print_blob=False,
            report_multiple_bugs=False,
            phases=[Phase.generate, Phase.target, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        )(given(strategy)(try_one))
    )
    try:
        run()
    except (Shows, hypothesis.errors.Flaky):
        if last is not None:
            campaign.saw(*last, is_deterministic=False)
    return max(tried, 1)
