"""Media tracks: one reader for each, however many want its frames."""

from fsm_rtc.media.subscription import Subscription, missed_frames, subscribe
from fsm_rtc.media.synthetic import SyntheticVideoTrack, count_frames

__all__ = ["Subscription", "SyntheticVideoTrack", "count_frames", "missed_frames", "subscribe"]
