"""RTCConfiguration, as far as every library underneath can follow it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from fsm_rtc.engine.doors import callback, is_number, truth
from fsm_rtc.errors import CredentialsError, UrlSyntaxError
from fsm_rtc.peer.arguments import is_list_with

URL = re.compile(
    r"(stuns?:(?!.*\?)|turns?:)(\[[0-9A-Fa-f:.]+\]|[^\s\[\]/?#:@]+)(:(?P<port>[0-9]{1,5}))?(\?transport=(udp|tcp))?"
)
"""RFC 7064 and RFC 7065."""


LONGEST_USERNAME = 508
"""In bytes of UTF-8. Source: RFC 8489, section 14.3."""

BundlePolicy = Literal["max-bundle", "balanced", "max-compat"]
TransportPolicy = Literal["all", "relay"]

MAX_OFFERED_SERVERS = 8
"""So many of the servers that signalling offers are used; each address of them is asked whenever this side gathers."""


@dataclass(frozen=True, slots=True)
class IceServer:
    """RTCIceServer: a STUN or TURN server.

    Args:
        urls: one URL or several: ``stun:host:port``, ``turn:host:port?transport=udp``, ``turns:…``.
        username: for TURN, or None; up to 508 bytes.
        credential: for TURN, or None.

    Raises:
        UrlSyntaxError: a URL is none of these, or there is none.
        CredentialsError: a TURN server has no username or no credential, or one that can't be sent.
        TypeError: `urls` is neither a string nor strings, or the username or credential is no string.

    Source: webrtc-pc, #set-pc-configuration.
    """

    urls: str | tuple[str, ...]
    username: str | None = None
    credential: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.urls, str):
            object.__setattr__(self, "urls", _urls(self.urls))
        urls = (self.urls,) if isinstance(self.urls, str) else self.urls
        check_urls(urls)
        for name in ("username", "credential"):
            value = getattr(self, name)
            if not isinstance(value, str | None):
                raise TypeError(f"an ICE server's {name} is a string or None, not {type(value).__name__}")
            if any(url.startswith("turn") for url in urls):
                _check_credential(urls, name, value)


def _urls(urls: object) -> tuple[str, ...]:
    if not isinstance(urls, Sequence) or not all(isinstance(url, str) for url in urls):
        raise TypeError(f"an ICE server's urls are a string or a list of strings, not {urls!r}")
    return tuple(urls)


def check_urls(urls: Sequence[str]) -> None:
    """Refuse what is no STUN or TURN server's.

    Raises:
        UrlSyntaxError: a URL is none of RFC 7064 and RFC 7065, or there is none.
    """
    if not urls:
        raise UrlSyntaxError("an ICE server has no URL; give it one like stun:host:port, or leave the server out")
    for url in urls:
        found = URL.fullmatch(url)
        if found is None or int(found["port"] or 1) not in range(1, 65536):
            raise UrlSyntaxError(f"{url!r} is no ICE server URL; write stun:host:port or turn:host:port?transport=udp")


def _check_credential(urls: Sequence[str], name: str, value: str | None) -> None:
    """Source: RFC 8489, section 14.3; RFC 8265, section 4.1: not empty, and no control characters."""
    if not value:
        raise CredentialsError(f"the TURN server {urls[0]} has no {name}; give it both username and credential")
    if not value.isprintable() or len(value.encode(errors="replace")) > LONGEST_USERNAME:
        raise CredentialsError(f"the {name} of {urls[0]} is too long or has control characters; give the server's own")


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
            that is asked for each. The operator of a server that is used learns this side's address.
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
        if not is_list_with("credential", self.ice_servers):
            raise TypeError(f"ice_servers are a tuple of IceServer, not {self.ice_servers!r}; write (IceServer(urls),)")
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

        for name in ("loopback", "always_negotiate_data_channels"):
            truth(getattr(self, name), name)
        if not isinstance(self.accept_offered, bool):
            callback(self.accept_offered, "accept_offered", "give a plain function of an IceServer, True or False")

    def with_servers(self, offered: tuple[IceServer, ...]) -> Configuration:
        """The same with these servers besides, as signalling offers them: those that are accepted, at most 8."""
        accept = self.accept_offered
        accepted = tuple(one for one in offered if (accept(one) if callable(accept) else accept))[:MAX_OFFERED_SERVERS]
        return replace(self, ice_servers=(*self.ice_servers, *accepted)) if accepted else self
