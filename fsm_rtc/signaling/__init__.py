"""Signalling over WebSockets: the server with its rooms, and the client, which is a `SignalingChannel`."""

from fsm_rtc.signaling.asgi import SignalingApp
from fsm_rtc.signaling.backoff import Backoff
from fsm_rtc.signaling.client import WebSocketSignaling
from fsm_rtc.signaling.hub import Hub
from fsm_rtc.signaling.joining import join
from fsm_rtc.signaling.limits import Limits
from fsm_rtc.signaling.server import SignalingServer
from fsm_rtc.signaling.service import Settings, SignalingService

__all__ = [
    "Backoff",
    "Hub",
    "Limits",
    "Settings",
    "SignalingApp",
    "SignalingServer",
    "SignalingService",
    "WebSocketSignaling",
    "join",
]
