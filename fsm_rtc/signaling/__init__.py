"""Signalling over WebSockets: the server with its rooms, and the client, which is a `SignalingChannel`."""

from fsm_rtc.signaling.backoff import Backoff
from fsm_rtc.signaling.client import WebSocketSignaling
from fsm_rtc.signaling.joining import join
from fsm_rtc.signaling.rooms import Rooms
from fsm_rtc.signaling.server import SignalingServer

__all__ = ["Backoff", "Rooms", "SignalingServer", "WebSocketSignaling", "join"]
