"""The private parts of aiortc and aioice that fsm_rtc touches, and the versions they were checked against.

Checked: aiortc 1.16.0, aioice 0.13.0. If a part is missing in another version, the function says so in a warning and
the library's plain behaviour stays.
"""

from __future__ import annotations

import logging
from typing import Any

from aioice import ice
from aiortc import RTCIceServer
from aiortc.rtcicetransport import connection_kwargs

__all__ = [
    "CountedInBytes",
    "bound_gathering",
    "check_servers",
    "connect_between_descriptions",
    "create_offer_without_trace",
    "end_consent_at_close",
    "host_addresses",
    "keep_unmatched",
    "mark_bundle_primary",
    "number_lines",
]

logger = logging.getLogger("fsm_rtc.peer")


def host_addresses() -> list[str]:
    """The addresses that aioice would gather on this host; it leaves out 127.0.0.1 and ::1."""
    return ice.get_host_addresses(use_ipv4=True, use_ipv6=True)


def check_servers(servers: list[RTCIceServer]) -> None:
    """Refuse now what aiortc would refuse when the first transport is made.

    Raises:
        ValueError: aiortc can't read a URL, such as one with an IPv6 address in it.
    """
    try:
        connection_kwargs(servers)
    except ValueError as error:
        urls = ", ".join(str(server.urls) for server in servers)
        raise ValueError(f"aiortc can't use the ICE servers {urls} ({error}); name hosts, or IPv4 addresses") from error


def bound_gathering(gatherer: Any, *, seconds: float, loopback: bool) -> None:
    """Limit the time that servers have to answer a gatherer (aioice: 5 s), and let it use 127.0.0.1 if asked.

    Args:
        gatherer: an aiortc RTCIceGatherer that has not begun.
        seconds: the limit.
        loopback: gather on 127.0.0.1 alone.
    """
    connection = getattr(gatherer, "_connection", None)
    original = getattr(connection, "get_component_candidates", None)
    if original is None:
        logger.warning("this aioice is another one than 0.13: the limit for gathering and loopback are switched off")
        return

    async def bounded(component: int, addresses: list[str]) -> Any:
        addresses = ["127.0.0.1"] if loopback else addresses
        candidates = await original(component=component, addresses=addresses, timeout=seconds)
        if getattr(connection, "_closing", False):
            # Closed meanwhile: aioice has closed the sockets that it knew then, and forgets those it opened after.
            for protocol in connection._protocols:  # type: ignore[union-attr]
                protocol.transport.close()
        return candidates

    connection.get_component_candidates = bounded  # type: ignore[union-attr]


def end_consent_at_close(gatherer: Any) -> None:
    """Don't let aioice begin to ask for consent on a connection that was closed while its last check was under way.

    It would ask for half a minute, on closed sockets.

    Args:
        gatherer: an aiortc RTCIceGatherer.
    """
    connection = getattr(gatherer, "_connection", None)
    original = getattr(connection, "query_consent", None)
    if original is None or not hasattr(connection, "_closing"):
        logger.warning("this aioice is another one than 0.13: a connection closed in a hurry may ask on for consent")
        return

    async def query_consent() -> None:
        if not connection._closing:  # type: ignore[union-attr]
            await original()

    connection.query_consent = query_consent  # type: ignore[union-attr]


def connect_between_descriptions(connection: Any) -> None:
    """Let the transports' start survive that the remote description is being replaced meanwhile.

    aiortc starts them in a task after each description. When a local offer and its answer are applied one right after
    the other, the task of the offer finds a new section that the older remote description lacks, and dies with an
    IndexError that nobody retrieves; the answer's own task then does its work.

    Args:
        connection: an aiortc RTCPeerConnection.
    """
    name = "_RTCPeerConnection__connect"
    original = getattr(connection, name, None)
    if original is None:
        logger.warning("this aiortc is another one than 1.16: a renegotiation may log an IndexError")
        return

    async def connect() -> None:
        try:
            await original()
        except IndexError:
            logger.debug("the transports were to start between two descriptions; they start with the next")

    setattr(connection, name, connect)


class CountedInBytes(str):
    """A text whose length is that of its UTF-8.

    aiortc tells the length of a channel's label and protocol in characters, and the other side takes it for bytes; an
    aiortc there fails to decode what it cut off, and closes the connection.
    """

    __slots__ = ()

    def __len__(self) -> int:
        return len(self.encode())


def keep_unmatched(connection: Any) -> None:
    """Let an answer leave out the transceivers for which the offer has no section; they wait for the next offer.

    For one that was never in an offer of the other side aiortc knows no direction, and fails halfway in applying the
    answer, behind the change to stable.

    Args:
        connection: an aiortc RTCPeerConnection.
    """
    for transceiver in connection.getTransceivers():
        if getattr(transceiver, "_offerDirection", "") is None:
            transceiver._offerDirection = "inactive"


def mark_bundle_primary(connection: Any, *, first_kind: str, first_mid: str | None) -> None:
    """Say which media section owns the one bundled transport: that of the description's first section.

    Under MAX_BUNDLE the section whose transport came first counts as its owner. If that is the data channels' and the
    description begins with media, aiortc takes the shared transport for a second one, and stops it. So the owner is set
    right before a remote description is applied.

    Args:
        connection: an aiortc RTCPeerConnection.
        first_kind: the kind of the description's first media section.
        first_mid: its mid.
    """
    media = list(connection.getTransceivers())
    users = [(one, one.receiver.transport) for one in media]
    if connection.sctp is not None:
        users.append((connection.sctp, connection.sctp.transport))
    if not all(hasattr(user, "_bundled") for user, _ in users):
        logger.warning("this aiortc is another one than 1.16: data channels made before media may not connect")
        return
    owners = [user for user, _ in users if user.mid is not None and user.mid == first_mid] or [
        user for user, _ in users if user.mid is None and getattr(user, "kind", "application") == first_kind
    ]
    if not owners:
        return
    shared = next(transport for user, transport in users if user is owners[0])
    for user, transport in users:
        if transport is shared:
            user._bundled = user is not owners[0]


async def create_offer_without_trace(connection: Any) -> tuple[Any, tuple[tuple[Any, int], ...]]:
    """Create an offer that may never be applied.

    aiortc numbers the lines of new transceivers as it creates an offer, and lets each offer all codecs again. If a
    remote offer with other lines is applied instead, two transceivers have one number, and aiortc takes the first for
    both.

    Args:
        connection: an aiortc RTCPeerConnection.

    Returns:
        aiortc's description, and the new transceivers with the numbers of their lines, for `number_lines`.
    """
    transceivers = connection.getTransceivers()
    if not all(hasattr(one, "_set_mline_index") and hasattr(one, "_codecs") for one in transceivers):
        logger.warning("this aiortc is another one than 1.16: an offer that is taken back may spoil the next one")
        return await connection.createOffer(), ()
    before = [(one, one._get_mline_index(), one._codecs, one._headerExtensions) for one in transceivers]
    description = await connection.createOffer()
    lines = tuple((one, one._get_mline_index()) for one in transceivers)
    for transceiver, line, codecs, extensions in before:
        transceiver._set_mline_index(line)
        transceiver._codecs = codecs
        transceiver._headerExtensions = extensions
    return description, lines


def number_lines(lines: tuple[tuple[Any, int], ...]) -> None:
    """Number the lines as the offer that is about to be applied has them.

    Args:
        lines: what `create_offer_without_trace` returned.
    """
    for transceiver, line in lines:
        transceiver._set_mline_index(line)
