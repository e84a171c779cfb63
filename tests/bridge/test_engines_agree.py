"""The compiled engine against `transitions`, event for event, on charts and events that nobody chose."""

from __future__ import annotations

from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fsm_rtc.bridge import on_transitions
from tests.bridge.player import MOVES, Move, play
from tests.bridge.random_charts import Draft, drafts

SEQUENCES = st.lists(st.tuples(st.integers(0, 5), st.lists(MOVES, min_size=4, max_size=20)), min_size=2, max_size=5)
"""(where to start, what is done), several times"""

Sequences = list[tuple[int, list[Move]]]


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(drafts(), SEQUENCES)
def test_both_engines_do_the_same(draft: Draft, sequences: Sequences) -> None:
    chart = draft.chart()
    for start, moves in sequences:
        assert play(chart, moves, start) == play(on_transitions(chart), moves, start)


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(drafts(), SEQUENCES)
def test_watching_changes_nothing(draft: Draft, sequences: Sequences) -> None:
    chart = draft.chart()
    watch = Move("observe", 0, None, 0, None, "watch")
    for start, moves in sequences:
        unwatched = [move for move in moves if move.kind not in ("observe", "unobserve")]
        watched = play(chart, [watch, *unwatched], start)
        alone = [seen for seen in watched[2:] if not (isinstance(seen, tuple) and seen[0] == "observer")]
        assert alone == play(chart, unwatched, start)


def test_the_random_sequences_reach_every_kind_of_answer() -> None:
    counts: Counter[str] = Counter()

    @settings(max_examples=150, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(drafts(), SEQUENCES)
    def count(draft: Draft, sequences: Sequences) -> None:
        for start, moves in sequences:
            counts.update(words(play(draft.chart(), moves, start)))

    count()
    wanted = {
        *("accepted", "rejected", "queued", "row", "raised", "log", "observer", "refused first", "after first"),
        *("no row", "check refused", "guard refused", "already there", "closed", "stale", "unknown report"),
    }
    assert wanted <= counts.keys(), counts
    assert counts["accepted"] > 200
    assert counts["after first"] > 25


def words(seen: object) -> Counter[str]:
    """How often each string occurs, however deep; `refused first` and `after first` for implicit transitions."""
    found: Counter[str] = Counter()
    if isinstance(seen, str):
        found[str(seen)] += 1
        found["after first"] += " after " in seen
    elif isinstance(seen, dict):
        found["refused first"] += seen["first"] is not None
        found[seen["reason"].value] += 1
    elif isinstance(seen, list | tuple):
        for part in seen:
            found.update(words(part))
    return found
