"""Sequence: what one trial does, in the words in which findings tell it and files keep it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from fsm_rtc.conformance.adapter import Adapter
from fsm_rtc.conformance.difference import Difference, Key
from fsm_rtc.conformance.findings import Kind
from fsm_rtc.conformance.operations import BY_NAME
from fsm_rtc.conformance.pair import PAIR_STEPS, PairTrial
from fsm_rtc.conformance.side import Record
from fsm_rtc.conformance.trial import Trial
from fsm_rtc.errors import AdapterError, ConformanceError

__all__ = ["CONNECTS", "TOGETHER", "Runner", "Sequence", "shortened"]

CONNECTS = ("connect", "connect with a wrong fingerprint", "close while connecting")
TOGETHER = " + "
PAIR_ONLY = ("a.closeChannel + send", "b.closeChannel + send")


@dataclass(frozen=True, slots=True)
class Sequence:
    """Steps on one connection, or on two that know each other.

    Attributes:
        steps: in words, e.g. ``createOffer + close``; of two connections ``connect``, ``a.send``.
    """

    steps: tuple[str, ...]

    @property
    def is_pair(self) -> bool:
        """Whether it needs two connections."""
        return any(step in CONNECTS or step[:2] in ("a.", "b.") for step in self.steps)

    def check(self) -> None:
        """Raise ConformanceError for a step that nobody knows."""
        known = {*CONNECTS, *PAIR_STEPS, *PAIR_ONLY} if self.is_pair else set(BY_NAME)
        for step in self.steps:
            if not {step} <= known and not {*step.split(TOGETHER)} <= known:
                raise ConformanceError(f"there is no step {step!r}; steps are written as fsm-rtc conform --json does")


class Runner:
    """Runs sequences on one stack.

    Args:
        adapter: the stack.
        record: what has been seen of it.
        pattern: an offer of the stack.
        profile: the tables.
    """

    def __init__(self, adapter: Adapter, record: Record, pattern: str, profile: str) -> None:
        self._adapter = adapter
        self._record = record
        self._pattern = pattern
        self._profile = profile

    async def run(
        self, sequence: Sequence, *, stop_before_last: Callable[[Trial], bool] | None = None
    ) -> list[tuple[int, Difference]]:
        """What was otherwise than the tables, with the number of steps that had been done by then.

        Args:
            sequence: what to do.
            stop_before_last: asked before the last step of a trial on one connection whether to leave it.
        """
        trial: Trial | PairTrial
        if sequence.is_pair:
            trial = PairTrial(self._adapter, self._record, self._profile)
        else:
            trial = Trial(self._adapter, self._record, self._pattern, self._profile)
        found: list[tuple[int, Difference]] = []
        number, step = 0, "new"
        try:
            found += [(0, one) for one in await trial.begin()]
            for number, step in enumerate(sequence.steps, 1):
                if isinstance(trial, PairTrial):
                    found += [(number, one) for one in await trial.do(step)]
                    continue
                if number == len(sequence.steps) and stop_before_last is not None and stop_before_last(trial):
                    break
                found += [(number, one) for one in await trial.do(tuple(step.split(TOGETHER)))]
        except AdapterError as error:
            if not error.has_ended:
                raise
            found.append((number, _crash(trial, step)))
            await self._adapter.restart()
        return found

    async def shows(self, sequence: Sequence, key: Key) -> bool:
        """Whether a run of the sequence shows a finding."""
        return any(one.key == key for _, one in await self.run(sequence))


def _crash(trial: Trial | PairTrial, step: str) -> Difference:
    """The stack is gone, or hangs as a whole."""
    kind = BY_NAME.get(step.partition(TOGETHER)[0])
    machine = kind.machine if kind is not None else "api"
    state = trial.state_of(machine) if isinstance(trial, Trial) else ""
    return Difference(machine, state, step, "a reply", "the stack crashes, or hangs as a whole", Kind.CRASH, "")


async def shortened(runner: Runner, sequence: Sequence, key: Key, *, tries: int) -> Sequence:
    """The sequence without the steps that a finding doesn't need."""
    best = sequence
    for without in _leaving_one_out(sequence):
        if tries <= 0:
            break
        candidate = Sequence(tuple(step for number, step in enumerate(best.steps) if step is not without))
        if len(candidate.steps) == len(best.steps):
            continue
        tries -= 1
        if await runner.shows(candidate, key):
            best = candidate
    return best


def _leaving_one_out(sequence: Sequence) -> Iterable[str]:
    """Each step but the last, the latest first."""
    return reversed(sequence.steps[:-1])
