"""A description as aiortc reads it, refused where nobody could connect with it, or where it is no SDP at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aiortc import sdp

from fsm_rtc.errors import InvalidAccessError, InvalidDescriptionError, SdpSyntaxError
from fsm_rtc.peer.description import SessionDescription
from fsm_rtc.peer.jsep.sections import DISCARD_PORT, MSID_BREAK, is_rejected
from fsm_rtc.peer.sdp import check_syntax, sections_of

__all__ = ["bundle_of", "check_answer", "kinds_and_mids", "parsed", "trickles"]


def parsed(description: SessionDescription) -> Any:
    """An aiortc SessionDescription.

    A section that takes its transport from the first of its bundle gets that one's ICE and DTLS parameters.

    Raises:
        SdpSyntaxError: it is no SDP.
        InvalidDescriptionError: nobody could connect with it.
        InvalidAccessError: it doesn't multiplex RTCP, or an answer leaves the DTLS role open.
    """
    checked = check_syntax(description)
    session = description.sdp.partition("\nm=")[0].splitlines()
    for kind in ("o", "s", "t"):
        if not any(line.startswith(f"{kind}=") for line in session):
            raise SdpSyntaxError(f"this {description.type} has no {kind}= line, so it is no SDP; pass it unchanged")
    try:
        result = sdp.SessionDescription.parse(description.sdp)
    except (AssertionError, AttributeError, IndexError, KeyError, LookupError, StopIteration, ValueError) as error:
        raise SdpSyntaxError(
            f"this {description.type} can't be read ({str(error) or type(error).__name__}); pass it unchanged"
        ) from error
    result.type = description.type
    first = next((media for media in result.media if media.rtp.muxId in bundle_of(result)[:1]), None)
    for media, section in zip(result.media, checked, strict=True):
        media.msid = MSID_BREAK.join(section.msids) or None
        if section.is_rejected:
            continue
        media.port = media.port or DISCARD_PORT
        if first is not None and media.ice is not None and not media.ice.usernameFragment:
            media.ice, media.dtls = first.ice, media.dtls or first.dtls
        _check(media, description.type)
    return result


def _check(media: Any, kind: str) -> None:
    if media.dtls is None or not media.dtls.fingerprints:
        raise InvalidDescriptionError(
            f"this {kind} has no fingerprint, or no setup, in media section {media.rtp.muxId!r}; "
            "without it nothing can connect",
            detail="no fingerprint",
        )
    if not media.ice.usernameFragment or not media.ice.password:
        raise InvalidDescriptionError("ICE username fragment or password is missing", detail="no ice-ufrag")
    if kind in ("answer", "pranswer") and media.dtls.role not in ("client", "server"):
        raise InvalidAccessError("DTLS setup attribute must be 'active' or 'passive' for an answer")
    if media.kind in ("audio", "video") and not media.rtcp_mux:
        raise InvalidAccessError("RTCP mux is not enabled")


def check_answer(answer: Any, offer: Any) -> None:
    """Refuse an answer whose sections are not those of the offer.

    Raises:
        InvalidAccessError: they differ in number, kind or identification.
    """
    if kinds_and_mids(answer.media) != kinds_and_mids(offer.media):
        raise InvalidAccessError("Media sections in answer do not match offer")


def kinds_and_mids(media: Sequence[Any]) -> list[tuple[str, str]]:
    """What an answer's sections must have in common with the offer's."""
    return [(one.kind, one.rtp.muxId) for one in media]


def bundle_of(description: Any) -> list[str]:
    """The mids that share one transport, the one that gives it first."""
    groups = [group for group in description.group if group.semantic == "BUNDLE"]
    rejected = {media.rtp.muxId for media in description.media if is_rejected(media)}
    return [mid for group in groups[:1] for mid in group.items if mid not in rejected]


def trickles(description: SessionDescription) -> bool:
    """Whether who made this description takes candidates later."""
    return any(
        "trickle" in section.attributes.get("ice-options", "").split() for section in sections_of(description.sdp)
    )
