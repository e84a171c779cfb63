"""Credentials for a TURN server that end by themselves, so that what a client was given once is no use to it for ever.

The server shares a secret with the TURN server, and no list of users: the user's name says until when it holds, and the
password proves that who shares the secret gave it out. coturn checks them when it is started with ``--use-auth-secret
--static-auth-secret=SECRET``.

Source: draft-uberti-behave-turn-rest-00, section 2.2: the name is ``EXPIRY:ID``, the password is
base64(HMAC-SHA1(secret, name)). SHA-1 is what TURN servers compute; as an HMAC it still holds.

Left out: the draft's own HTTP service; a client is told its credentials when it is welcomed.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence

from fsm_rtc.engine.doors import is_number, text, told
from fsm_rtc.peer.configuration import IceServer, check_urls

MAX_URLS, MAX_URL_CHARACTERS = 8, 512
"""The protocol's limits. Source: docs/protocol.md, ``welcome``."""


class TurnServers:
    """TURN servers that share a secret with this one.

    Args:
        urls: one URL or several, ``turn:host:port?transport=udp`` or ``turns:…``.
        secret: the ``static-auth-secret`` of each of them. A text is taken in UTF-8.
        seconds: how long credentials hold; 1 or more. A client needs them whenever it gathers: for a call, and for an
            ICE restart in the middle of it. It gets new ones at half this time, and again, as long as it stays.

    Raises:
        ValueError: a URL is none of a TURN server, or there is none; the secret is empty; ``seconds`` is out of range.
    """

    __slots__ = ("_seconds", "_secret", "_urls")

    def __init__(self, urls: str | Sequence[str], secret: str | bytes, seconds: float = 3600) -> None:
        given: object = urls
        if isinstance(given, bytes) or not isinstance(given, str | Sequence):
            raise ValueError(f"the TURN servers are {told(urls)}; give a URL like turn:host:port, or several")
        self._urls = (urls,) if isinstance(urls, str) else tuple(urls)
        if not self._urls:
            raise ValueError("there is no TURN server; give a URL like turn:host:port")
        if len(self._urls) > MAX_URLS or any(
            len(text(url, "a TURN server's URL")) > MAX_URL_CHARACTERS for url in self._urls
        ):
            raise ValueError(
                f"give at most {MAX_URLS} URLs of at most {MAX_URL_CHARACTERS} characters; no client takes more"
            )
        check_urls(self._urls)
        for url in self._urls:
            if not url.startswith(("turn:", "turns:")):
                raise ValueError(f"{url!r} is no TURN server's URL; write turn:host:port or turns:host:port")
        shared: object = secret
        if shared is not None and not isinstance(shared, str | bytes):
            raise ValueError(f"the secret of the TURN servers is a {type(shared).__name__}; give text, or bytes")
        self._secret = text(secret, "the secret", is_secret=True).encode() if isinstance(secret, str) else secret
        if not self._secret:
            raise ValueError("the secret of the TURN servers is empty; give their static-auth-secret")
        if not is_number(seconds) or not 1 <= seconds < float("inf"):
            raise ValueError(f"seconds is {seconds}; give 1 or more")
        self._seconds = seconds

    @property
    def renew_seconds(self) -> float:
        """When to give out new ones: at half their time, so that a client that is away just then has as long again."""
        return self._seconds / 2

    def credentials(self, id: str, now: float) -> IceServer:  # noqa: A002 - as in Introduction
        """The servers, with a name and a password that hold for a while from now.

        Args:
            id: whose they are; it stands in the name, for the TURN server's logs and quotas.
            now: the time, in seconds since 1970.
        """
        username = f"{int(now + self._seconds)}:{id}"
        digest = hmac.digest(self._secret, username.encode(), "sha1")
        return IceServer(self._urls, username, base64.b64encode(digest).decode())
