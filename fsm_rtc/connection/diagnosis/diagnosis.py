"""Diagnosis: watches a call, so that its failure can be told as it was before anything was closed or replaced."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from fsm_rtc.connection.diagnosis.evidence import Phase, ServerAnswer, count, count_pairs, share_a_network
from fsm_rtc.connection.diagnosis.failure import Failure
from fsm_rtc.connection.diagnosis.progress import ExaminedCall
from fsm_rtc.engine import Journal
from fsm_rtc.errors import NoUsableAddressError
from fsm_rtc.machines.call_status import CallFacts, CallPhase, met_one_who_is_busy
from fsm_rtc.messages import EndCode
from fsm_rtc.peer.ice_snapshot import IceSnapshot

if TYPE_CHECKING:
    from fsm_rtc.peer.peer_connection import PeerConnection

__all__ = ["Diagnosis"]

MAX_SERVER_ANSWERS = 32
"""So many different answers are kept."""


class Diagnosis:
    """What is known of a call.

    Args:
        call: the call.
        label: how its machines' labels begin.
        journal: what watches them, or None.
    """

    def __init__(self, call: ExaminedCall, label: str, journal: Journal | None) -> None:
        self._call = call
        self._label = label
        self._journal = journal
        self._states: dict[str, str] = {}
        self._facts = CallFacts()
        self._loss: Failure | None = None
        self._answers: dict[ServerAnswer, PeerConnection | None] = {}
        self._link_error: Exception | None = None

    def new_call(self) -> None:
        """A call with a session of a peer begins."""
        self._loss = None

    def lost(self, reason: str) -> None:
        """The peer is lost; if it isn't recovered, this is how it was."""
        if self._loss is None:
            self._loss = replace(self.failure(reason), was_lost=True)

    def recovered_call(self) -> None:
        """The call works again."""
        self._loss = None

    def link_changed(self, error: Exception | None) -> None:
        """The link to the signalling is up, or down by that."""
        self._link_error = error

    def server_answered(self, error: object) -> None:
        """A STUN or TURN server gave the present peer connection no candidate."""
        url, code, text = (getattr(error, name, "") for name in ("url", "errorCode", "errorText"))
        connection = self._call.peer_connection
        self._answers = {answer: asked for answer, asked in self._answers.items() if asked is connection}
        if len(self._answers) < MAX_SERVER_ANSWERS:
            self._answers[ServerAnswer(str(url), int(code or 0), str(text))] = connection

    def look(self) -> None:
        """Take note of the states; those of a peer connection that is closed already say nothing any more."""
        call = self._call
        if not call.is_open:
            return  # how far it came before it is closed stays what is told of it
        if call.peer_connection is None or not call.peer_connection.negotiation.is_final:
            self._states = {label: machine.state.value for label, machine in call.machines.items()}
            self._facts = call.facts

    def failure(
        self, reason: str, *, by_peer: bool = False, error: Exception | None = None, code: EndCode | None = None
    ) -> Failure:
        """The call's failure as it is at this moment; of a call that was lost, as it was then."""
        self.look()
        if self._loss is not None:
            return replace(self._loss, reason=reason, by_peer=by_peer, error=error, end_code=code)
        call = self._call
        connection = call.peer_connection
        pictures: tuple[IceSnapshot, ...] = connection.ice_snapshots if connection is not None else ()
        facts = replace(
            self._facts,
            is_not_trusted=by_peer and code is EndCode.NOT_TRUSTED,
            has_no_address=isinstance(error, NoUsableAddressError),
            found_nothing=not any(one.local for one in pictures),
        )
        phase = CallPhase.of(facts)
        return Failure(
            phase,
            reason,
            by_peer,
            error or (self._link_error if phase is Phase.SIGNALING else None),
            count(one for picture in pictures for one in picture.local),
            count(one for picture in pictures for one in picture.remote),
            count_pairs(pictures),
            share_a_network(pictures),
            connection is not None and connection.configuration.ice_transport_policy == "relay",
            tuple(answer for answer, asked in self._answers.items() if asked is connection and connection is not None),
            end_code=code,
            peer_was_busy=met_one_who_is_busy(facts),
            states=dict(sorted(self._states.items())),
            rejections=dict(sorted(self._rejections().items())),
        )

    def _rejections(self) -> Counter[str]:
        """The frames that were refused, and what of the other machines the journal saw: an exchange's are frames."""
        seen = self._journal.rejections(f"{self._label}.") if self._journal is not None else Counter()
        return self._call.refused + Counter({what: n for what, n in seen.items() if not what.startswith("Exchange")})
