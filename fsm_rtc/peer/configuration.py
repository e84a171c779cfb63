"""RTCConfiguration, as far as every library underneath can follow it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, get_args

from fsm_rtc.engine.doors import is_number, text, told

__all__ = ["Configuration", "IceServer"]

URL = re.compile(
    r"(stuns?:(?!.*\?)|turns?:)(\[[0-9A-Fa-f:.]+\]|[^\s\[\]/?#:@]+)(:(?P<port>[0-9]{1,5}))?(\?transport=(udp|tcp))?"
)
"""RFC 7064 and RFC 7065."""


BundlePolicy = Literal["max-bundle", "balanced", "max-compat"]
TransportPolicy = Literal["all", "relay"]

MAX_OFFERED_SERVERS = 8
"""So many of the servers that signalling offers are used; each address of them is asked whenever this side gathers."""


@dataclass(frozen=True, slots=True)
class IceServer:
    """RTCIceServer: a STUN or TURN server.

    Args:
        urls: one URL or several: ``stun:host:port``, ``turn:host:port?transport=udp``, ``turns:…``.
        username: for TURN, or None.
        credential: for TURN, or None.

    Raises:
        ValueError: a URL is none of these.
    """

    urls: str | tuple[str, ...]
    username: str | None = None
    credential: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.urls, str | tuple | list):
            raise ValueError(f"urls is {told(self.urls)}; give a URL like stun:host:port, or a tuple of several")
        for what, value in (("username", self.username), ("credential", self.credential)):
            if value is not None:
                text(value, what, is_secret=True)
        for url in (self.urls,) if isinstance(self.urls, str) else self.urls:
            text(url, "an ICE server's URL")
            found = URL.fullmatch(url)
            if found is None or int(found["port"] or 1) not in range(1, 65536):
                raise ValueError(f"{url!r} is no ICE server URL; write stun:host:port or turn:host:port?transport=udp")


@dataclass(frozen=True, slots=True)
class Configuration:
    """How a peer connection finds its way.

    Args:
        ice_servers: STUN and TURN servers; none by default.
        gather_timeout_seconds: after this time gathering ends with the candidates found so far, so that a server that
            doesn't answer costs no more.
        loopback: use 127.0.0.1 alone, for tests and for hosts without a network.
        close_timeout_seconds: how long `close` waits for the library.
        bundle_policy: RTCBundlePolicy: ``max-bundle``, ``balanced`` or ``max-compat``.
        ice_transport_policy: RTCIceTransportPolicy: ``all``, or ``relay`` for TURN servers alone.
        accept_offered: whether to use a server that the signalling offers: True for each, False for none, or a function
            that is asked for each. Whoever runs a server that is used learns this side's address.
        always_negotiate_data_channels: whether the first offer has a section for data channels in any case.
    """

    ice_servers: tuple[IceServer, ...] = ()
    gather_timeout_seconds: float = 2.0
    loopback: bool = False
    close_timeout_seconds: float = 5.0
    bundle_policy: BundlePolicy = "max-bundle"
    ice_transport_policy: TransportPolicy = "all"
    always_negotiate_data_channels: bool = False
    accept_offered: bool | Callable[[IceServer], bool] = True

    def __post_init__(self) -> None:
        servers: object = self.ice_servers
        if not isinstance(servers, tuple | list) or not all(isinstance(one, IceServer) for one in servers):
            raise ValueError(f"ice_servers is {told(self.ice_servers)}; give a tuple of IceServer")
        for name in ("gather_timeout_seconds", "close_timeout_seconds"):
            value = getattr(self, name)
            if not is_number(value) or not value > 0:
                raise ValueError(f"{name} must be more than 0 seconds, not {value!r}")
        for name, kinds in (
            ("bundle_policy", get_args(BundlePolicy)),
            ("ice_transport_policy", get_args(TransportPolicy)),
        ):
            if getattr(self, name) not in kinds:
                raise ValueError(f"{name} is one of {', '.join(kinds)}, not {getattr(self, name)!r}")

    def with_servers(self, offered: tuple[IceServer, ...]) -> Configuration:
        """The same with these servers besides, as signalling offers them: those that are accepted, at most 8."""
        accept = self.accept_offered
        accepted = tuple(one for one in offered if (accept(one) if callable(accept) else accept))[:MAX_OFFERED_SERVERS]
        return replace(self, ice_servers=(*self.ice_servers, *accepted)) if accepted else self
