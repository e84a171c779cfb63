"""Arguments: what an operation is given, made from what the connection has; so each can be done in every state."""

from __future__ import annotations

from fsm_rtc.conformance.counterpart import Counterpart, first_mid, without_fingerprint
from fsm_rtc.conformance.model import ModelMemory
from fsm_rtc.conformance.operations import Argument, OperationKind
from fsm_rtc.conformance.protocol import Operation, StackCandidate, StackDescription

__all__ = ["DATA", "NOBODY", "Arguments"]

DATA = "data"
"""The label of a connection's first channel."""

NOBODY = "candidate:1 1 UDP 2130706431 127.0.0.1 59999 typ host"
"""A candidate behind which nobody is."""
MUNGED = "a=x-changed:1\r\n"


class Arguments:
    """The arguments of one connection's operations.

    Args:
        on: the connection's name for the adapter.
        pattern: an offer of the stack with a data section.
    """

    def __init__(self, on: str, pattern: str) -> None:
        self._on = on
        self._pattern = pattern
        self._counterpart = Counterpart(pattern)
        self._channels = 0

    def of(self, kind: OperationKind, memory: ModelMemory) -> Operation:
        """The operation as the adapter is asked for it."""
        if kind.method == "createDataChannel":
            self._channels += 1
            return Operation(kind.method, self._on, label=DATA if self._channels == 1 else f"{DATA}{self._channels}")
        if kind.method == "addTransceiver":
            return Operation(kind.method, self._on, kind="audio")
        if kind.method == "addIceCandidate":
            return Operation(kind.method, self._on, candidate=self._candidate(kind.argument, memory))
        return Operation(kind.method, self._on, description=self._description(kind, memory))

    def _description(self, kind: OperationKind, memory: ModelMemory) -> StackDescription | None:
        if kind.argument is Argument.ROLLBACK:
            return StackDescription("rollback")
        if kind.method == "setLocalDescription":
            return self._local(kind.argument, memory)
        return self._remote(kind.argument, memory) if kind.method == "setRemoteDescription" else None

    def _local(self, argument: Argument, memory: ModelMemory) -> StackDescription | None:
        offer, answer = memory.last_created_offer, memory.last_created_answer
        match argument:
            case Argument.OFFER:
                return StackDescription("offer", offer)
            case Argument.PRANSWER | Argument.ANSWER:
                return StackDescription(argument.value, answer)
            case Argument.MUNGED_OFFER:
                return StackDescription("offer", (offer or self._pattern) + MUNGED)
            case Argument.MUNGED_ANSWER:
                return StackDescription("answer", (answer or self._counterpart.answer().sdp) + MUNGED)
            case Argument.FOREIGN_OFFER:
                return self._counterpart.offer()
            case Argument.FOREIGN_ANSWER:
                return self._counterpart.answer()
        return None

    def _remote(self, argument: Argument, memory: ModelMemory) -> StackDescription:
        counterpart = self._counterpart
        match argument:
            case Argument.PRANSWER | Argument.ANSWER:
                own_offer = memory.local_sdp if memory.slots.pending_local == "offer" else ""
                return counterpart.answer(own_offer, argument.value)
            case Argument.GARBAGE:
                return StackDescription("offer", "garbage")
            case Argument.NO_FINGERPRINT:
                return StackDescription("offer", without_fingerprint(counterpart.offer(memory.agreed_local_sdp).sdp))
        return counterpart.offer(memory.agreed_local_sdp)

    def _candidate(self, argument: Argument, memory: ModelMemory) -> StackCandidate:
        mid = first_mid(memory.remote_sdp or self._pattern)
        match argument:
            case Argument.MALFORMED:
                return StackCandidate("candidate:malformed", mid)
            case Argument.NO_MID:
                return StackCandidate(NOBODY)
            case Argument.UNKNOWN_MID:
                return StackCandidate(NOBODY, "no-such-mid")
            case Argument.INDEX:
                return StackCandidate(NOBODY, None, 0)
            case Argument.UNKNOWN_INDEX:
                return StackCandidate(NOBODY, None, 99)
            case Argument.UFRAG:
                return StackCandidate(NOBODY, mid, None, "nosuchfragment")
            case Argument.END:
                return StackCandidate("", mid)
        return StackCandidate(NOBODY, mid, 0)
