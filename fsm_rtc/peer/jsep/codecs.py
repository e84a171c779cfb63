"""Which codecs and header extensions a media section offers or answers with, and under which numbers.

A number must keep its meaning for the life of a session (RFC 3264, section 8.3.2; RFC 8285, section 6), and within a
bundle it means one thing. So an offer takes the numbers that were negotiated, and gives what is new one that is free:
payload types by codec, header extensions by URI, alike for all kinds of media. libwebrtc (Chromium since 148) refuses
what numbers an extension otherwise than any description that it has seen, rolled back or not.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from aiortc.codecs import CODECS, HEADER_EXTENSIONS, is_rtx
from aiortc.rtcpeerconnection import filter_preferred_codecs, is_codec_compatible
from aiortc.rtcrtpparameters import RTCRtpCodecParameters, RTCRtpHeaderExtensionParameters

from fsm_rtc.peer.jsep.private import codec_preferences

DYNAMIC = (*range(96, 128), *range(35, 64))
"""Source: RFC 3551, section 6; the lower ones where those above are used up, as libwebrtc does."""

EXTENSIONS = tuple({one.uri: one for kind in HEADER_EXTENSIONS.values() for one in kind}.values())
"""Those that aiortc knows, of all kinds."""

KNOWN = frozenset(one.uri for one in EXTENSIONS)

SESSION_NUMBERS = {
    "urn:ietf:params:rtp-hdrext:toffset": 1,
    "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time": 2,
    "urn:3gpp:video-orientation": 3,
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01": 4,
    "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay": 5,
    "http://www.webrtc.org/experiments/rtp-hdrext/video-content-type": 6,
    "http://www.webrtc.org/experiments/rtp-hdrext/video-timing": 7,
    "http://www.webrtc.org/experiments/rtp-hdrext/color-space": 8,
    "urn:ietf:params:rtp-hdrext:sdes:mid": 9,
    "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id": 10,
    "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id": 11,
    "urn:ietf:params:rtp-hdrext:ssrc-audio-level": 12,
}
"""The numbers that both sides of a call begin with, this one and the browser module's (extension_numbers.js).

Offers that cross must not number two extensions alike, and neither side has seen the other's: so the numbers are fixed.
They are those of Chromium's offer of video, and 12 for the level of audio: it uses no 12, and 2 and 9 for nothing else,
whatever it offers, so a Chromium page without the module agrees with this side, too. Measured: Chromium 156.
"""

ONE_BYTE = range(1, 15)
"""The numbers of extensions that a header of one byte has room for. Source: RFC 8285, section 4.2."""

Key = tuple[object, ...]


class PayloadNumbers:
    """The payload types that a session's codecs have: those of one offer, for all its sections.

    Args:
        transceivers: the session's.
    """

    def __init__(self, transceivers: Iterable[Any]) -> None:
        self._own = {one: _keyed(one.negotiated.codecs) for one in transceivers}
        keyed = [pair for own in self._own.values() for pair in own]
        self._numbers: dict[Key, int] = {key: codec.payloadType for key, codec in keyed}
        self._keys = {codec.payloadType: key for key, codec in keyed}
        self._known = {kind: {codec.payloadType: key for key, codec in _keyed(CODECS[kind])} for kind in CODECS}

    def of(self, key: Key, wanted: int) -> int:
        """A codec's number: the one that it has, the wanted one if it is free, or another."""
        if key not in self._numbers:
            free = (number for number in (wanted, *DYNAMIC) if self._keys.get(number, key) == key)
            number = self._numbers[key] = next(free, wanted)
            self._keys[number] = key
        return self._numbers[key]

    def offered(self, transceiver: Any) -> list[Any]:
        """The codecs that an offer holds for a transceiver: as it prefers, and under the numbers that it agreed on."""
        own = {key: codec.payloadType for key, codec in self._own[transceiver]}
        known = self._known[transceiver.kind]
        result, renumbered = [], {}
        for one in preferred_codecs(transceiver, CODECS[transceiver.kind]):
            key = known[one.payloadType]
            number = own[key] if key in own else self.of(key, one.payloadType)
            renumbered[one.payloadType] = number
            codec = _copied(one, number)
            if is_rtx(codec):
                codec.parameters["apt"] = renumbered.get(codec.parameters["apt"], codec.parameters["apt"])
            result.append(codec)
        return result


def common_codecs(transceiver: Any, remote: list[Any]) -> list[Any]:
    """What both sides can do, under the other side's numbers and in its order.

    Each codec once, with the first number that the other side has for it, whatever repetitions it writes.
    """
    waiting = [codec for codec in CODECS[transceiver.kind] if not is_rtx(codec)]
    common: list[Any] = []
    bases: dict[object, Any] = {}
    for theirs in remote:
        if is_rtx(theirs):
            base = bases.pop(theirs.parameters.get("apt"), None)
            if base is not None and base.clockRate == theirs.clockRate:
                common.append(theirs)
            continue
        ours = next((one for one in waiting if is_codec_compatible(one, theirs)), None)
        if ours is not None:
            waiting.remove(ours)
            codec = _copied(ours, theirs.payloadType)
            codec.rtcpFeedback = [one for one in ours.rtcpFeedback if one in theirs.rtcpFeedback]
            common.append(codec)
            bases[codec.payloadType] = codec
    return common


def preferred_codecs(transceiver: Any, codecs: Iterable[Any]) -> list[Any]:
    """Those of these that this side prefers, in its order; all of them if it prefers none."""
    return filter_preferred_codecs(list(codecs), codec_preferences(transceiver))


class ExtensionNumbers:
    """The numbers of header extensions: by URI, alike for all kinds, and the same in every description of a session."""

    def __init__(self) -> None:
        self._uris: dict[int, str] = {}
        self._numbers: dict[str, int] = {}

    def learn(self, extensions: Iterable[Any]) -> None:
        """Keep to the numbers of the other side's description, whatever becomes of it; also of those unknown here."""
        for one in extensions:
            self._uris[one.id] = one.uri
            if one.uri in KNOWN:
                self._numbers[one.uri] = one.id

    def offered(self, kind: str) -> list[Any]:
        """The header extensions of an offer's section."""
        for one in EXTENSIONS:
            self._number(one)
        return [RTCRtpHeaderExtensionParameters(self._numbers[one.uri], one.uri) for one in HEADER_EXTENSIONS[kind]]

    def _number(self, extension: Any) -> None:
        uri = extension.uri
        if self._uris.get(self._numbers.get(uri, 0)) != uri:
            wanted = SESSION_NUMBERS.get(uri, extension.id)
            free = (number for number in (wanted, *ONE_BYTE, *range(16, 256)) if number not in self._uris)
            number = self._numbers[uri] = next(free, wanted)
            self._uris[number] = uri


def common_extensions(transceiver: Any, remote: list[Any]) -> list[Any]:
    """The header extensions that both sides know, under the other side's numbers."""
    known = {one.uri for one in HEADER_EXTENSIONS[transceiver.kind]}
    return list({one.uri: one for one in reversed(remote) if one.uri in known}.values())[::-1]


def _copied(codec: Any, number: int) -> Any:
    return RTCRtpCodecParameters(
        mimeType=codec.mimeType,
        clockRate=codec.clockRate,
        channels=codec.channels,
        payloadType=number,
        rtcpFeedback=list(codec.rtcpFeedback),
        parameters=dict(codec.parameters),
    )


def _keyed(codecs: Iterable[Any]) -> list[tuple[Key, Any]]:
    """Each codec with what tells it from others, whatever its number."""
    by_number = {codec.payloadType: codec for codec in codecs}

    def key(codec: Any) -> Key:
        base = by_number.get(codec.parameters.get("apt")) if is_rtx(codec) else None
        return (
            codec.mimeType.lower(),
            codec.clockRate,
            codec.channels,
            frozenset((name, str(value)) for name, value in codec.parameters.items() if name != "apt"),
            key(base) if base is not None and not is_rtx(base) else None,
        )

    return [(key(codec), codec) for codec in codecs]
