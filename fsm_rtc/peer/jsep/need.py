"""Whether a negotiation is needed. Source: webrtc-pc, #dfn-check-if-negotiation-is-needed."""

from __future__ import annotations

from typing import Any

from fsm_rtc.peer.directions import common_direction, reversed_direction, sends
from fsm_rtc.peer.jsep.media import Media
from fsm_rtc.peer.jsep.sections import is_rejected, stream_ids
from fsm_rtc.peer.jsep.slots import Slots
from fsm_rtc.peer.jsep.transceiver import RTCRtpTransceiver

__all__ = ["needs_negotiation"]


def needs_negotiation(media: Media, slots: Slots, *, restarts: bool) -> bool:
    """Whether something is not covered by the last complete negotiation.

    Args:
        media: what there is.
        slots: what is negotiated.
        restarts: whether ICE is to be restarted.
    """
    if restarts:
        return True
    local = _sections(slots.current_local)
    if media.sctp is not None and not any(one.kind == "application" and not is_rejected(one) for one in local.values()):
        return True
    remote = _sections(slots.current_remote)
    return any(_is_open(one, slots, local, remote) for one in media.transceivers)


def _is_open(
    transceiver: RTCRtpTransceiver, slots: Slots, local: dict[str, Any], remote_sections: dict[str, Any]
) -> bool:
    here = local.get(transceiver.mid or "")
    there = remote_sections.get(transceiver.mid or "")
    if transceiver.is_stopping:
        # By the letter one that was never described would need negotiation for ever: no offer can ever hold it.
        return here is not None and not is_rejected(here) and not (there is not None and is_rejected(there))
    if here is None:
        return True
    direction = transceiver.wanted_direction
    if sends(direction) and (not here.msid or set(stream_ids(here)) != set(transceiver.sender.stream_ids)):
        return True
    remote = reversed_direction(there.direction or "sendrecv") if there is not None else "inactive"
    if slots.current_local.type == "offer":
        return direction not in (here.direction, remote)
    return bool(here.direction != common_direction(direction, remote))


def _sections(description: Any) -> dict[str, Any]:
    return {one.rtp.muxId: one for one in description.media} if description is not None else {}
