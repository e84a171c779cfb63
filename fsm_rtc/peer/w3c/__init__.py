"""The RTC* face of webrtc-pc."""
