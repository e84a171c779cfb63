"""Examination: watches a call, so that its failure can be told as it was before anything was closed or replaced."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from fsm_rtc.connection.evidence import Phase, ServerAnswer, count, count_pairs, share_a_network
from fsm_rtc.connection.examined_call import ExaminedCall
from fsm_rtc.connection.exchanger import NOT_TRUSTED
from fsm_rtc.connection.failure import Failure
from fsm_rtc.engine import Journal
from fsm_rtc.errors import NoUsableAddressError
from fsm_rtc.machines.connection_state import IceConnectionState, PeerConnectionState
from fsm_rtc.machines.dtls import Dtls, DtlsTransportState
from fsm_rtc.machines.exchange import ExchangeState
from fsm_rtc.machines.gathering import IceGatheringState
from fsm_rtc.machines.signaling_link import SignalingStatus
from fsm_rtc.peer.ice_picture import IcePicture

if TYPE_CHECKING:
    from fsm_rtc.peer.peer_connection import PeerConnection

__all__ = ["Examination"]

MAX_SERVER_ANSWERS = 32
"""So many different answers are kept."""

MAKING = (ExchangeState.MAKING_OFFER, ExchangeState.APPLYING_OFFER, ExchangeState.MAKING_ANSWER)
AGREED = (IceConnectionState.CONNECTED, IceConnectionState.COMPLETED)


class Examination:
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
        self._phase = Phase.SIGNALING
        self._stood = False
        self._loss: Failure | None = None
        self._answers: dict[ServerAnswer, PeerConnection | None] = {}
        self._link_error: Exception | None = None
        self._peer_was_busy = False

    def new_call(self) -> None:
        """A call with a session of a peer begins."""
        self._stood = self._peer_was_busy = False
        self._loss = None

    def lost(self, reason: str) -> None:
        """The peer is lost; if it isn't had back, this is how it was."""
        if self._loss is None:
            self._loss = replace(self.failure(reason), was_lost=True)

    def had_back(self) -> None:
        """The call works again."""
        self._loss = None

    def link_changed(self, error: Exception | None) -> None:
        """The link to the signalling is up, or down by that."""
        self._link_error = error

    def peer_busy(self) -> bool:
        """The peer has said that it is in a call with somebody else; whether that is news."""
        is_news, self._peer_was_busy = not self._peer_was_busy, True
        return is_news

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
        if call.is_ready:
            self._stood = True
        if call.connection_state is not PeerConnectionState.CLOSED:
            self._states = {label: machine.state.value for label, machine in call.machines.items()}
            self._phase = self._present_phase()

    def failure(self, reason: str, *, by_peer: bool = False, error: Exception | None = None) -> Failure:
        """The call's failure as it is at this moment; of a call that was lost, as it was then."""
        self.look()
        if self._loss is not None and not self._dtls_failed:
            return replace(self._loss, reason=reason, by_peer=by_peer, error=error)
        call = self._call
        connection = call.peer_connection
        pictures: tuple[IcePicture, ...] = connection.ice_pictures if connection is not None else ()
        phase = self._phase_of(reason, error, by_peer=by_peer, has_candidates=any(one.local for one in pictures))
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
            peer_was_busy=self._peer_was_busy and phase is Phase.EXCHANGE,
            states=dict(sorted(self._states.items())),
            rejections=dict(sorted(self._rejections().items())),
        )

    def _phase_of(self, reason: str, error: Exception | None, *, by_peer: bool, has_candidates: bool) -> Phase:
        if by_peer and reason == NOT_TRUSTED:
            return Phase.TRUST
        if isinstance(error, NoUsableAddressError):
            return Phase.GATHERING
        return Phase.GATHERING if self._phase is Phase.ICE and not has_candidates else self._phase

    def _present_phase(self) -> Phase:
        call = self._call
        connection = call.peer_connection
        if self._dtls_failed:
            return Phase.DTLS
        if self._stood:
            return Phase.CONNECTED
        if call.peer is None:
            if call.signaling_status is not SignalingStatus.CONNECTED:
                return Phase.SIGNALING
            return Phase.TRUST if call.refused["trusted"] or call.refused["introduced_itself"] else Phase.WAITING
        if connection is None:
            return Phase.EXCHANGE
        if connection.remote_description is None or connection.local_description is None:
            gathers = connection.ice_gathering_state is IceGatheringState.GATHERING
            return Phase.GATHERING if gathers and call.exchange_state in MAKING else Phase.EXCHANGE
        if connection.ice_connection_state not in AGREED:
            return Phase.ICE
        secured = {one.state for one in connection.machines.values() if isinstance(one, Dtls) and not one.is_final}
        return Phase.CHANNEL if secured == {DtlsTransportState.CONNECTED} else Phase.DTLS

    @property
    def _dtls_failed(self) -> bool:
        """Whether the present peer connection met a wrong certificate, be it in a call that stood before."""
        connection = self._call.peer_connection
        machines = connection.machines.values() if connection is not None else ()
        return any(machine.state is DtlsTransportState.FAILED for machine in machines)

    def _rejections(self) -> Counter[str]:
        """The frames that were refused, and what of the other machines the journal saw: an exchange's are frames."""
        seen = self._journal.rejections(f"{self._label}.") if self._journal is not None else Counter()
        return self._call.refused + Counter({what: n for what, n in seen.items() if not what.startswith("Exchange")})
