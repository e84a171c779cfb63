"""What two peers' logs say of a fault: noticed, recovered, lost, twice. For recovery.py; no clock, no process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["LINK_LOSSES", "LOSSES", "Outcome", "noticed_by", "outcome_of"]

LOSSES = frozenset({"PeerLost", "disconnected", "failed", "closed"})
"""The events by which a peer says that it has noticed: ours, and connectionState's."""

LINK_LOSSES = frozenset({"SignalingStatusChanged", "signaling lost"})

Line = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one fault.

    Attributes:
        noticed: seconds from the fault's beginning to the first side that noticed; None if none did.
        recovered: seconds from the fault's end, when both sides can do something again, to the later of the two sides'
            first message that was sent behind that; None if one never came.
        lost: how many messages, of those sent between two runs that both live to the end, never came.
        twice: how many came more than once.
        media_stood: False where a fault that the media must not notice was noticed by it.
    """

    noticed: float | None
    recovered: float | None
    lost: int
    twice: int
    media_stood: bool = True


def outcome_of(
    logs: Sequence[Sequence[Line]],
    *,
    began: float,
    ended: float,
    counted_until: float,
    observers: Iterable[int] = (0, 1),
    losses: frozenset[str] = LOSSES,
) -> Outcome:
    """What the logs of the two sides say.

    Args:
        logs: of each side, its lines; of a side that was killed, those of all its runs.
        began: when the fault began.
        ended: when it ended.
        counted_until: messages sent later may still have been on their way at the end, and don't count.
        observers: which sides can notice.
        losses: the events that say so.
    """
    noticed = noticed_by([logs[side] for side in observers], began, losses)
    recovered = [_first_behind(logs[side], logs[1 - side], ended) for side in (0, 1)]
    lost = twice = 0
    for side in (0, 1):
        got = Counter(line["message"] for line in logs[1 - side] if line["what"] == "got")
        twice += sum(count > 1 for count in got.values())
        sent = [line["message"] for line in logs[side] if line["what"] == "sent" and line["t"] < counted_until]
        last_run = sent[-1].partition(".")[0] if sent else ""
        lost += sum(message not in got for message in sent if message.partition(".")[0] == last_run)
    times = [time - ended for time in recovered if time is not None]
    return Outcome(min(noticed, default=None), max(times) if len(times) == len(logs) else None, lost, twice)


def noticed_by(logs: Sequence[Sequence[Line]], began: float, losses: frozenset[str]) -> list[float]:
    """The seconds from `began` to every event of a loss behind it."""
    return [
        line["t"] - began
        for log in logs
        for line in log
        if line["what"] == "event" and line["name"] in losses and line["t"] >= began
    ]


def _first_behind(listener: Sequence[Line], sender: Sequence[Line], time: float) -> float | None:
    """When the first message that was sent behind a time arrived."""
    late = {line["message"] for line in sender if line["what"] == "sent" and line["t"] > time}
    return min((line["t"] for line in listener if line["what"] == "got" and line["message"] in late), default=None)
