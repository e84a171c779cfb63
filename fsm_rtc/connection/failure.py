"""Failure: why a call is not there, or not any more, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from fsm_rtc.connection import symptoms
from fsm_rtc.connection.advice import advice_on
from fsm_rtc.connection.evidence import CandidateCount, PairCounts, Phase, ServerAnswer
from fsm_rtc.connection.progress import LOST
from fsm_rtc.connection.redaction import redacted, redacted_label

__all__ = ["Failure"]


@dataclass(frozen=True, slots=True)
class Failure:
    """What became of a call, as it was at the moment of its end: before anything was closed or replaced.

    Attributes:
        phase: how far it came.
        reason: why it ended, for people; of the other side's own words if `by_peer`.
        by_peer: whether the other side ended it.
        error: the exception behind it, or None.
        local_candidates: this side's candidates, by kind.
        remote_candidates: the other side's, with those that showed in checks.
        pairs_tried: how many candidate pairs there were, by their last state.
        shares_a_network: whether the two sides have host addresses in one network; None if that can't be seen.
        relay_only: whether this side may use TURN servers alone.
        candidate_errors: what STUN and TURN servers answered that gave no candidate.
        was_lost: whether a call that stood was lost, and not had back; all else is as it was when that was noticed.
        peer_was_busy: whether the other side was in a call with somebody else.
        states: the last state of each machine, by its label.
        rejections: how often something was refused, by the guard's name or the reason: frames of the other side, and
            with a journal also events of this side's machines.
    """

    phase: Phase
    reason: str
    by_peer: bool = False
    error: Exception | None = None
    local_candidates: tuple[CandidateCount, ...] = ()
    remote_candidates: tuple[CandidateCount, ...] = ()
    pairs_tried: PairCounts = field(default_factory=PairCounts)
    shares_a_network: bool | None = None
    relay_only: bool = False
    candidate_errors: tuple[ServerAnswer, ...] = ()
    was_lost: bool = False
    peer_was_busy: bool = False
    states: Mapping[str, str] = field(default_factory=dict)
    rejections: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_goodbye(self) -> bool:
        """Whether a call that stood was ended by the other side, and neither side had lost the other."""
        is_loss = self.was_lost or self.reason.startswith(tuple(LOST.values()))
        return self.by_peer and self.phase is Phase.CONNECTED and not is_loss

    @property
    def may_be_retried(self) -> bool:
        """Whether calling again may help: not with whoever isn't trusted, is forged, or shows a wrong certificate."""
        return not any(is_final(self) for is_final in FINAL)

    @property
    def code(self) -> str | None:
        """The signalling server's code for its refusal (``room_full`` …), or None."""
        return getattr(self.error, "code", None)

    @property
    def advice(self) -> str:
        """One sentence that says what to do."""
        return advice_on(self)

    def __str__(self) -> str:
        who = "the other side" if self.by_peer else "this side"
        lines = [f"phase:       {self.phase}", f"ended by:    {who}: {self.reason}"]
        if self.error is not None and str(self.error) not in self.reason:
            lines.append(f"error:       {type(self.error).__name__}: {self.error}")
        if self.phase in MET:
            lines.append(f"candidates:  here {_listed(self.local_candidates)}; there {_listed(self.remote_candidates)}")
            lines.append(f"pairs tried: {self.pairs_tried}")
        lines += [f"server:      {one.url}: {one.code} {one.text}" for one in self.candidate_errors]
        if self.rejections:
            lines.append(f"refused:     {', '.join(f'{name} {number}' for name, number in self.rejections.items())}")
        if self.states:
            lines.append(f"states:      {', '.join(f'{label} {state}' for label, state in self.states.items())}")
        return "\n".join([*lines, f"advice:      {self.advice}"])

    def to_dict(self) -> dict[str, Any]:
        """The same for JSON, without addresses, servers' names, keys, SDP or passwords in it."""
        return {
            "phase": self.phase.value,
            "reason": redacted(self.reason),
            "by_peer": self.by_peer,
            "error": type(self.error).__name__ if self.error is not None else None,
            "code": self.code,
            "local_candidates": [asdict(one) for one in self.local_candidates],
            "remote_candidates": [asdict(one) for one in self.remote_candidates],
            "pairs_tried": asdict(self.pairs_tried),
            "shares_a_network": self.shares_a_network,
            "relay_only": self.relay_only,
            "was_lost": self.was_lost,
            "peer_was_busy": self.peer_was_busy,
            "candidate_errors": [
                {"scheme": one.scheme, "code": one.code, "text": redacted(one.text)} for one in self.candidate_errors
            ],
            "states": {redacted_label(label): state for label, state in self.states.items()},
            "rejections": dict(self.rejections),
            "advice": self.advice,
        }


FINAL = (symptoms.does_not_trust, symptoms.was_forged, symptoms.met_a_wrong_certificate)

MET = (Phase.EXCHANGE, Phase.GATHERING, Phase.ICE, Phase.DTLS, Phase.CHANNEL, Phase.CONNECTED)
"""Where the two sides have met, so that there is something to say about candidates."""


def _listed(candidates: tuple[CandidateCount, ...]) -> str:
    return ", ".join(map(str, candidates)) or "none"
