"""Many calls over one signalling channel."""

from fsm_rtc.room.events import PeerArrived, PeerEvent, PeerGone, RoomEvent
from fsm_rtc.room.room import Room

__all__ = ["PeerArrived", "PeerEvent", "PeerGone", "Room", "RoomEvent"]
