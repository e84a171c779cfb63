"""Failure: why a call is not there, or not any more, and what to do about it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from fsm_rtc.connection.diagnosis.advice import advice_on, does_not_trust, met_a_wrong_certificate, was_forged
from fsm_rtc.connection.diagnosis.evidence import CandidateCount, FailedCall, Phase
from fsm_rtc.connection.diagnosis.redaction import redacted, redacted_label

__all__ = ["Failure"]


@dataclass(frozen=True, slots=True)
class Failure(FailedCall):
    """What became of a call, and what to do about it."""

    @property
    def may_be_retried(self) -> bool:
        """Whether calling again may help: not with one that isn't trusted, is forged, or has a wrong certificate."""
        return not any(is_final(self) for is_final in FINAL)

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
            "end_code": self.end_code,
            "candidate_errors": [
                {"scheme": one.scheme, "code": one.code, "text": redacted(one.text)} for one in self.candidate_errors
            ],
            "states": {redacted_label(label): state for label, state in self.states.items()},
            "rejections": dict(self.rejections),
            "advice": self.advice,
        }


FINAL = (does_not_trust, was_forged, met_a_wrong_certificate)

MET = (Phase.EXCHANGE, Phase.GATHERING, Phase.ICE, Phase.DTLS, Phase.CHANNEL, Phase.CONNECTED)
"""Where the two sides have met, so that there is something to say about candidates."""


def _listed(candidates: tuple[CandidateCount, ...]) -> str:
    return ", ".join(map(str, candidates)) or "none"
