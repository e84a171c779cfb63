"""FakePeerConnection: a PeerConnection over memory. The machines are the real ones; only the library is not."""

from __future__ import annotations

from fsm_rtc.engine import Journal
from fsm_rtc.peer.configuration import Configuration
from fsm_rtc.peer.peer_connection import PeerConnection
from fsm_rtc.peer.w3c.profile import CALLS, Profile
from fsm_rtc.testing.fake_backend import FakeBackend, FakeNetwork

__all__ = ["FakePeerConnection"]


class FakePeerConnection(PeerConnection):
    """Two of these connect when their descriptions are exchanged, without a network.

    Args:
        configuration, engine, journal, label, generation, profile: as for `PeerConnection`.
        network: where the two find each other; one for all by default.

    Attributes:
        library: the library in memory, to make it fail, hold, report or vanish.
    """

    def __init__(
        self,
        configuration: Configuration | None = None,
        *,
        network: FakeNetwork | None = None,
        engine: str = "compiled",
        journal: Journal | None = None,
        label: str = "peer",
        generation: int = 0,
        profile: Profile = CALLS,
    ) -> None:
        self.library = FakeBackend(network)
        super().__init__(
            configuration,
            backend=self.library,
            engine=engine,
            journal=journal,
            label=label,
            generation=generation,
            profile=profile,
        )
