"""An adapter for a stack in Python: everything but the stack's own names.

Derive from `AdaptedPeer` and `Stack`, and call `serve`:

    class MyPeer(AdaptedPeer):
        def __init__(self, happened: Happened) -> None:
            self.pc = my_stack.PeerConnection()
            self.pc.on("signalingstatechange", lambda: happened("signalingstatechange"))
        …

    class MyStack(Stack):
        name, version, lacks = "mine", my_stack.__version__, ("restartIce",)

        def new(self, happened: Happened) -> MyPeer:
            return MyPeer(happened)

    if __name__ == "__main__":
        serve(MyStack())

A method may return a value, return an awaitable (a promise), or raise; which of them it was is told. One that a stack
doesn't have is left as it is here and answered with ``inexpressible``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from fsm_rtc.conformance.protocol import StackCandidate, StackDescription, States

__all__ = ["AdaptedPeer", "Happened", "Inexpressible", "Stack"]


class Inexpressible(Exception):  # noqa: N818 - it is an answer, not an error
    """The stack's API has no way to say this."""


class Happened(Protocol):
    """What an adapted peer calls, in the stack's own event handler, for each event."""

    def __call__(
        self, event: str, *, candidate: StackCandidate | None = None, label: str = "", kind: str = "", data: str = ""
    ) -> None: ...


class AdaptedPeer:
    """One peer connection of the stack, under the protocol's names; see docs/conformance-protocol.md."""

    def states(self) -> States:
        """All states, as the stack's attributes say them now."""
        raise NotImplementedError

    def create_offer(self) -> Any:
        """A promise of a `StackDescription`."""
        raise Inexpressible

    def create_answer(self) -> Any:
        """A promise of a `StackDescription`."""
        raise Inexpressible

    def set_local_description(self, description: StackDescription | None) -> Any:
        """None: called without argument."""
        raise Inexpressible

    def set_remote_description(self, description: StackDescription) -> Any:
        raise Inexpressible

    def add_ice_candidate(self, candidate: StackCandidate) -> Any:
        raise Inexpressible

    def create_data_channel(self, label: str) -> Any:
        raise Inexpressible

    def add_transceiver(self, kind: str) -> Any:
        raise Inexpressible

    def restart_ice(self) -> Any:
        raise Inexpressible

    def close(self) -> Any:
        raise Inexpressible

    def send(self, label: str, data: str) -> Any:
        """Send on the channel of that label."""
        raise Inexpressible

    def close_channel(self, label: str) -> Any:
        raise Inexpressible

    def local_description(self) -> StackDescription | None:
        """The attribute localDescription, with the candidates found so far."""
        raise Inexpressible


class Stack:
    """One WebRTC library.

    Attributes:
        name: what the reports call it.
        version: its own version.
        lacks: what its API has no way to say; see docs/conformance-protocol.md.
    """

    name = ""
    version = ""
    lacks: tuple[str, ...] = ()

    def new(self, happened: Happened) -> AdaptedPeer:
        """A new peer connection without ICE servers, whose every event calls `happened`."""
        raise NotImplementedError

    async def rest(self, peers: Sequence[AdaptedPeer]) -> None:
        """Wait until all that doesn't wait for the network or a clock has happened, by turns of the loop.

        A library with threads of its own awaits something that has to pass through them before.
        """
