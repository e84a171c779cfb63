"""For tests of programs that use fsm_rtc, and for its own: a peer connection in memory, and a clock set by hand."""

from fsm_rtc.testing.clock import ManualClock
from fsm_rtc.testing.fake_backend import FakeNetwork, FakeTrack
from fsm_rtc.testing.fake_peer_connection import FakePeerConnection

__all__ = ["FakeNetwork", "FakePeerConnection", "FakeTrack", "ManualClock"]
