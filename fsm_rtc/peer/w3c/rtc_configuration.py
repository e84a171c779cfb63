"""RTCConfiguration, for both faces, and how it becomes a `Configuration`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import aiortc

from fsm_rtc.errors import InvalidModificationError
from fsm_rtc.peer.arguments import is_integer, is_list_with
from fsm_rtc.peer.configuration import Configuration, IceServer
from fsm_rtc.peer.w3c.rtc_errors import BadArgumentError


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
        UrlSyntaxError: a URL is none of a STUN or TURN server, or a server has none.
        CredentialsError: a TURN server has no username or no credential.
        TypeError: a value is of no kind that it can be, or the configuration is none.
    """
    given = aiortc.RTCConfiguration() if configuration is None else configuration
    if not hasattr(given, "iceServers"):
        raise BadArgumentError(f"a configuration is an RTCConfiguration, not {type(given).__name__}")
    servers = given.iceServers if given.iceServers is not None else default_servers
    if not is_list_with("urls", servers):
        raise BadArgumentError("iceServers is a list of RTCIceServer; write [RTCIceServer(urls=...)]")
    pool = getattr(given, "iceCandidatePoolSize", 0)
    if not is_integer(pool, 0, 255):
        raise BadArgumentError(f"iceCandidatePoolSize is an integer from 0 to 255, not {pool!r}")
    if getattr(given, "rtcpMuxPolicy", "require") != "require":
        raise BadArgumentError("rtcpMuxPolicy is 'require', the only one there is")
    return Configuration(
        ice_servers=tuple(
            IceServer(server.urls, server.username, server.credential)  # type: ignore[arg-type] # lists become tuples
            for server in servers
        ),
        gather_timeout_seconds=getattr(given, "gatherTimeoutSeconds", 5.0),
        loopback=getattr(given, "loopback", False),
        bundle_policy=_member(aiortc.RTCBundlePolicy, "bundlePolicy", given.bundlePolicy),
        ice_transport_policy=_member(aiortc.RTCIceTransportPolicy, "iceTransportPolicy", given.iceTransportPolicy),
        always_negotiate_data_channels=given.alwaysNegotiateDataChannels,
    )


@dataclass(frozen=True, slots=True)
class Fixed:
    """What of a configuration can't be changed once there is a connection: what it means, not how it is written.

    Attributes:
        bundlePolicy: as the specification writes it.
        certificates: the fingerprints of each.
        iceCandidatePoolSize: changeable until there is a local description.

    Source: webrtc-pc, #set-pc-configuration.
    """

    bundlePolicy: str
    certificates: tuple[tuple[tuple[str, str], ...], ...]
    iceCandidatePoolSize: int

    @classmethod
    def of(cls, configuration: Any) -> Fixed:
        """That of an RTCConfiguration that `as_configuration` has taken; later changes of the object don't count."""
        own = getattr(configuration, "certificates", None) or ()
        return cls(
            aiortc.RTCBundlePolicy(configuration.bundlePolicy).value,
            tuple(tuple((one.algorithm, one.value) for one in certificate.getFingerprints()) for certificate in own),
            getattr(configuration, "iceCandidatePoolSize", 0),
        )

    def check(self, after: Fixed, *, has_local: bool) -> None:
        """Refuse another one.

        Args:
            after: what is to be.
            has_local: whether there is a local description.

        Raises:
            InvalidModificationError: something differs that can't be changed.
        """
        for name in ("bundlePolicy", "certificates", *(("iceCandidatePoolSize",) if has_local else ())):
            if getattr(self, name) != getattr(after, name):
                raise InvalidModificationError(f"{name} can't be changed; make a new connection")


def _member(kind: Any, name: str, value: Any) -> Any:
    try:
        return kind(value).value
    except ValueError:
        raise BadArgumentError(f"{name} is one of {', '.join(one.value for one in kind)}, not {value!r}") from None
