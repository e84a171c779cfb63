"""The other side's candidates: early ones are kept until its description is applied, then all go in order.

`Candidates` decides; here its requests are carried out. Fact 7: a library drops a candidate that comes before the
remote description.
"""

from __future__ import annotations

import logging
from collections import deque
from typing import cast

import msgspec

from fsm_rtc.engine import Accepted
from fsm_rtc.errors import InvalidCandidateError, OperationError, Reason, Rejected
from fsm_rtc.machines.candidates import (
    ApplyCandidate,
    BufferCandidate,
    Candidates,
    ReleaseCandidates,
    RemoteDescription,
)
from fsm_rtc.peer.description import IceCandidate, SessionDescription
from fsm_rtc.peer.machine_set import MachineSet
from fsm_rtc.peer.sdp import sections_of

__all__ = ["KEPT_CANDIDATES", "EarlyCandidates", "ice_ufrag_of", "read_candidate"]

logger = logging.getLogger("fsm_rtc.connection")

KEPT_CANDIDATES = 1024
"""How many candidates are taken before a description is applied, and as many after it; no honest peer has as many."""

CANDIDATE_CHARACTERS = 4096
"""How long one may be, as JSON; those of honest peers have some 200."""


def ice_ufrag_of(description: SessionDescription) -> str:
    """The user fragment of a description's first media section; empty if it has none."""
    sections = sections_of(description)
    return sections[0].ufrag or "" if sections else ""


def read_candidate(payload: str) -> IceCandidate:
    """The candidate that a message holds, an RTCIceCandidateInit as JSON.

    Raises:
        InvalidCandidateError: it is none.
    """
    if len(payload) > CANDIDATE_CHARACTERS:
        raise InvalidCandidateError(
            f"a candidate of {len(payload)} characters; at most {CANDIDATE_CHARACTERS} are read"
        )
    try:
        return IceCandidate.from_dict(msgspec.json.decode(payload))
    except (msgspec.DecodeError, RecursionError) as broken:  # how deep is too deep is the interpreter's affair
        raise InvalidCandidateError("a candidate that is not JSON; send an RTCIceCandidateInit") from broken


class EarlyCandidates:
    """Carries out what the candidates machine asks for, and is its context.

    Args:
        machines: makes the machine.
        name: the machine's name in the journal.

    Attributes:
        machine: the candidates machine.
        remote_ice_ufrag: the user fragment of the description that was applied last.
    """

    def __init__(self, machines: MachineSet, name: str = "candidates") -> None:
        self.remote_ice_ufrag = ""
        self.machine = machines.make(Candidates, name, self)
        self._machines = machines
        self._name = name
        self._kept: deque[IceCandidate | None] = deque()
        self._taken = 0

    def take(self, candidate: IceCandidate | None) -> tuple[ApplyCandidate, ...]:
        """Keep a candidate, or say that it is to be applied now.

        Raises:
            OperationError: too many early candidates are kept already, or too many came for one description, or this
                one is too long.
            Rejected: the table doesn't allow it.
        """
        if len(self._kept) >= KEPT_CANDIDATES:
            raise OperationError(
                f"{KEPT_CANDIDATES} candidates came before the other side's description; process its offer or answer "
                "first"
            )
        if self._taken >= KEPT_CANDIDATES:
            raise OperationError(f"{KEPT_CANDIDATES} candidates came for one description; an honest peer has fewer")
        if candidate is not None and len(candidate.candidate) > CANDIDATE_CHARACTERS:
            raise OperationError(
                f"a candidate of more than {CANDIDATE_CHARACTERS} characters; an honest one is shorter"
            )
        self._taken += 1
        return self._take(candidate)

    def _take(self, candidate: IceCandidate | None) -> tuple[ApplyCandidate, ...]:
        is_end = candidate is None or not candidate.candidate
        return self._carry_out(
            self.machine.fire("end_of_candidates") if is_end else self.machine.fire("add_candidate", candidate)
        )

    def remote_description_set(self, description: SessionDescription) -> tuple[ApplyCandidate, ...]:
        """The early candidates, to be applied now, in order; `description` has just been applied."""
        ufrag = ice_ufrag_of(description)
        self._taken = 0
        requests = self._carry_out(self.machine.fire("remote_description_set", RemoteDescription(ufrag)))
        self.remote_ice_ufrag = ufrag
        return requests

    def reset(self) -> None:
        """Forget everything: the connection is over."""
        self._kept.clear()
        self._taken = 0
        self.remote_ice_ufrag = ""
        self.machine.fire("reset")

    def release(self) -> None:
        """Let the machine go: nobody asks any more."""
        self._kept.clear()
        self._machines.forget(self._name)

    def _carry_out(self, outcome: object) -> tuple[ApplyCandidate, ...]:
        if isinstance(outcome, Rejected):
            if outcome.reason is Reason.ALREADY:
                return ()
            raise outcome
        apply: list[ApplyCandidate] = []
        for request in outcome.effects if isinstance(outcome, Accepted) else ():
            if isinstance(request, BufferCandidate):
                self._kept.append(cast("IceCandidate | None", request.candidate))
            elif isinstance(request, ApplyCandidate):
                apply.append(request)
            elif isinstance(request, ReleaseCandidates):
                apply.extend(self._release())
        return tuple(apply)

    def _release(self) -> list[ApplyCandidate]:
        kept, self._kept = self._kept, deque()
        apply: list[ApplyCandidate] = []
        for candidate in kept:
            try:
                apply.extend(self._take(candidate))
            except Rejected as refused:
                logger.warning("an early candidate was refused: %s", refused)
        return apply
