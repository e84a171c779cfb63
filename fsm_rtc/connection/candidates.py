"""The other side's candidates: early ones are kept until its description is applied, then all go in order.

`Candidates` decides; here its requests are carried out. Fact 7: a library drops a candidate that comes before the
remote description.
"""

from __future__ import annotations

import logging
from collections import deque
from typing import cast

from fsm_rtc.engine import Accepted
from fsm_rtc.errors import OperationError, Reason, Rejected
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

__all__ = ["KEPT_CANDIDATES", "EarlyCandidates", "ice_ufrag_of"]

logger = logging.getLogger("fsm_rtc.connection")

KEPT_CANDIDATES = 256
"""How many early candidates are kept; no honest peer has as many."""


def ice_ufrag_of(description: SessionDescription) -> str:
    """The user fragment of a description's first media section; empty if it has none."""
    sections = sections_of(description)
    return sections[0].ufrag or "" if sections else ""


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

    def take(self, candidate: IceCandidate | None) -> tuple[ApplyCandidate, ...]:
        """Keep a candidate, or say that it is to be applied now.

        Raises:
            OperationError: too many early candidates are kept already.
            Rejected: the table doesn't allow it.
        """
        is_end = candidate is None or not candidate.candidate
        if len(self._kept) >= KEPT_CANDIDATES:
            raise OperationError(
                f"{KEPT_CANDIDATES} candidates came before the other side's description; process its offer or answer "
                "first"
            )
        return self._carry_out(
            self.machine.fire("end_of_candidates") if is_end else self.machine.fire("add_candidate", candidate)
        )

    def remote_description_set(self, description: SessionDescription) -> tuple[ApplyCandidate, ...]:
        """The early candidates, to be applied now, in order; `description` has just been applied."""
        ufrag = ice_ufrag_of(description)
        requests = self._carry_out(self.machine.fire("remote_description_set", RemoteDescription(ufrag)))
        self.remote_ice_ufrag = ufrag
        return requests

    def reset(self) -> None:
        """Forget everything: the connection is over."""
        self._kept.clear()
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
                apply.extend(self.take(candidate))
            except Rejected as refused:
                logger.warning("an early candidate was refused: %s", refused)
        return apply
