"""When to negotiate: the negotiation-needed flag of one peer connection.

Source: webrtc-pc, #dfn-update-the-negotiation-needed-flag. It is looked at in a later turn of the loop, so that what is
added together is told once, and only in stable, with no operation under way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fsm_rtc.engine import Accepted, Chart
from fsm_rtc.errors import Rejected
from fsm_rtc.machines.negotiation import Negotiation, SignalingState
from fsm_rtc.peer.chain import OperationsChain
from fsm_rtc.peer.closing import running_loop

__all__ = ["NegotiationNeed"]


class NegotiationNeed:
    """Tells once that an offer is due, and again behind a negotiation that has left something.

    Args:
        negotiation: its return to stable is when to look again.
        chain: nothing is told while it works.
        ask: whether the library has something that is not negotiated.
        tell: an offer is due.
    """

    def __init__(
        self, negotiation: Negotiation, chain: OperationsChain, ask: Callable[[], bool], tell: Callable[[], None]
    ) -> None:
        self._negotiation = negotiation
        self._chain = chain
        self._ask = ask
        self._tell = tell
        self._is_told = False
        self._is_due = False
        negotiation.observe(self._moved)

    @property
    def is_present(self) -> bool:
        """Whether an offer is due now."""
        return self._negotiation.state is SignalingState.STABLE and self._ask()

    def changed(self) -> None:
        """Something was added, or negotiated: look at it in a later turn."""
        self._is_due = True
        if self._chain.is_empty:
            self._look_soon()

    def chain_emptied(self) -> None:
        """No operation is under way any more."""
        if self._is_due:
            self._look_soon()

    def _look_soon(self) -> None:
        # If it doesn't run yet, or no more, the first operation looks again when it is done.
        if (loop := running_loop()) is not None:
            loop.call_soon(self._look)

    def _look(self) -> None:
        if not self._is_due or not self._chain.is_empty:
            return
        self._is_due = False
        if self.is_present and not self._is_told:
            self._is_told = True
            self._tell()

    def _moved(self, _: Chart[Any, Any], outcome: Accepted | Rejected) -> None:
        stays = isinstance(outcome, Rejected) or outcome.source is outcome.target
        if not stays and self._negotiation.state is SignalingState.STABLE:
            self._is_told = False
            self.changed()
