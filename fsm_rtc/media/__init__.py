"""Media tracks."""

from fsm_rtc.media.synthetic import SyntheticVideoTrack, count_frames

__all__ = ["SyntheticVideoTrack", "count_frames"]
