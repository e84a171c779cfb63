"""A local track as a source: whether it is being read, for all who send it or watch it.

Source: docs/media.md, "One reader"; what an end is, mediacapture-streams says of a track's readyState.
A track that was begun is read on for as long as it lives, for one that keeps the wall clock makes up for every frame
that nobody took. Left out: who the readers are, and what each of them missed; the pump knows both.
"""

from __future__ import annotations

from enum import StrEnum

from fsm_rtc.engine import Chart, On, Row, stay

__all__ = ["TrackSource", "TrackSourceState"]


class TrackSourceState(StrEnum):
    """Where a source stands."""

    IDLE = "idle"
    READING = "reading"
    FAILED = "failed"
    ENDED = "ended"


IDLE, READING, FAILED, ENDED = TrackSourceState


class TrackSource(Chart[TrackSourceState, None]):
    """A local track as a source."""

    source = "docs/media.md, One reader"
    initial = IDLE
    final = frozenset({ENDED})

    begin = On(
        Row((IDLE, FAILED), READING, cite="somebody wants its first frame, or its first since it failed"),
        stay(READING, cite="one more reader is served by the same pump"),
    )
    on_failed = On(Row(READING, FAILED, cite="its recv() raised something else than a MediaStreamError"))
    on_ended = On(Row((IDLE, READING, FAILED), ENDED, cite="it was stopped, or its recv() raised MediaStreamError"))
