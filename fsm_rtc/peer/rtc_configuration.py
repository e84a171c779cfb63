"""RTCConfiguration, for both faces, and how it becomes a `Configuration`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import aiortc

from fsm_rtc.peer.configuration import Configuration, IceServer

__all__ = ["RTCConfiguration", "as_configuration"]


@dataclass
class RTCConfiguration(aiortc.RTCConfiguration):
    """aiortc's RTCConfiguration, with what the specification and tests need besides.

    Attributes:
        rtcpMuxPolicy: ``require``, the only one.
        iceCandidatePoolSize: taken, and of no effect; see docs/deviations.md.
        gatherTimeoutSeconds: how long STUN and TURN servers have to answer.
        loopback: use 127.0.0.1 alone, for tests and for hosts without a network.
    """

    rtcpMuxPolicy: str = "require"
    iceCandidatePoolSize: int = 0
    gatherTimeoutSeconds: float = 5.0
    loopback: bool = False


def as_configuration(configuration: Any, default_servers: list[aiortc.RTCIceServer]) -> Configuration:
    """A `Configuration` of these values.

    Args:
        configuration: an RTCConfiguration, aiortc's or ours, or None.
        default_servers: the servers if it names none.

    Raises:
        ValueError: a URL is none of a STUN or TURN server.
    """
    given = configuration or aiortc.RTCConfiguration()
    servers = given.iceServers if given.iceServers is not None else default_servers
    return Configuration(
        ice_servers=tuple(
            IceServer(
                server.urls if isinstance(server.urls, str) else tuple(server.urls), server.username, server.credential
            )
            for server in servers
        ),
        gather_timeout_seconds=getattr(given, "gatherTimeoutSeconds", 5.0),
        loopback=getattr(given, "loopback", False),
        bundle_policy=aiortc.RTCBundlePolicy(given.bundlePolicy).value,
        ice_transport_policy=aiortc.RTCIceTransportPolicy(given.iceTransportPolicy).value,
        always_negotiate_data_channels=given.alwaysNegotiateDataChannels,
    )
