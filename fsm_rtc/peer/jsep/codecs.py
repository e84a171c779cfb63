"""Which codecs and header extensions a media section offers or answers with, and under which numbers.

A number must keep its meaning for the life of a session (RFC 3264, section 8.3.2), and within a bundle it means one
codec. So an offer takes the numbers that were negotiated, and gives a new codec one that is free.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

from aiortc.codecs import CODECS, HEADER_EXTENSIONS, is_rtx
from aiortc.rtcpeerconnection import filter_preferred_codecs, find_common_codecs, find_common_header_extensions

from fsm_rtc.peer.jsep.private import codec_preferences

__all__ = ["common_codecs", "common_extensions", "offered_codecs", "offered_extensions"]

DYNAMIC = range(96, 128)

Key = tuple[object, ...]


def offered_codecs(transceiver: Any, negotiated: Iterable[Any]) -> list[Any]:
    """What an offer holds for a transceiver.

    Args:
        transceiver: whose preferences count.
        negotiated: the codecs that the session has agreed on, of all its transceivers.
    """
    codecs = filter_preferred_codecs(CODECS[transceiver.kind][:], codec_preferences(transceiver))
    agreed = list(negotiated)
    if not agreed:
        return codecs
    numbers = _numbers(agreed)
    free = iter([number for number in DYNAMIC if number not in {codec.payloadType for codec in agreed}])
    taken = {codec.payloadType: key for key, codec in _keyed(agreed)}
    result, renumbered = [], {}
    for key, codec in _keyed(codecs):
        codec = copy.deepcopy(codec)
        old = codec.payloadType
        if key in numbers:
            codec.payloadType = numbers[key]
        elif taken.get(old, key) != key:
            codec.payloadType = next(free)
        renumbered[old] = codec.payloadType
        if is_rtx(codec):
            codec.parameters["apt"] = renumbered.get(codec.parameters["apt"], codec.parameters["apt"])
        result.append(codec)
    return result


def common_codecs(transceiver: Any, remote: list[Any]) -> list[Any]:
    """What both sides can do, under the other side's numbers and in its order."""
    return find_common_codecs(CODECS[transceiver.kind], remote)


def preferred_codecs(transceiver: Any, common: Iterable[Any]) -> list[Any]:
    """Those of these that this side prefers, in its order; all of them if it prefers none."""
    return filter_preferred_codecs(list(common), codec_preferences(transceiver))


def offered_extensions(transceiver: Any, negotiated: Iterable[Any]) -> list[Any]:
    """The header extensions of an offer."""
    numbers = {extension.uri: extension.id for extension in negotiated}
    extensions = [copy.deepcopy(extension) for extension in HEADER_EXTENSIONS[transceiver.kind]]
    free = iter([number for number in range(1, 15) if number not in numbers.values()])
    uris = {number: uri for uri, number in numbers.items()}
    for extension in extensions:
        if extension.uri in numbers:
            extension.id = numbers[extension.uri]
        elif uris.get(extension.id, extension.uri) != extension.uri:
            extension.id = next(free)
    return extensions


def common_extensions(transceiver: Any, remote: list[Any]) -> list[Any]:
    """The header extensions that both sides know, under the other side's numbers."""
    return find_common_header_extensions(HEADER_EXTENSIONS[transceiver.kind], remote)


def _numbers(codecs: list[Any]) -> dict[Key, int]:
    return {key: codec.payloadType for key, codec in _keyed(codecs)}


def _keyed(codecs: list[Any]) -> list[tuple[Key, Any]]:
    """Each codec with what tells it from others, whatever its number."""
    by_number = {codec.payloadType: codec for codec in codecs}

    def key(codec: Any) -> Key:
        parameters = {name: value for name, value in codec.parameters.items() if name != "apt"}
        base = by_number.get(codec.parameters.get("apt")) if is_rtx(codec) else None
        return (
            codec.mimeType.lower(),
            codec.clockRate,
            codec.channels,
            tuple(sorted((name, str(value)) for name, value in parameters.items())),
            key(base) if base is not None else None,
        )

    return [(key(codec), codec) for codec in codecs]
