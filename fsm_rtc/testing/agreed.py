"""What two sides have agreed on, and whether it covers what this side wants.

Source: webrtc-pc, #dfn-check-if-negotiation-is-needed, without ICE restarts and stopped transceivers. Its look at msid
lines is kept as what it is for: whether a side that now wants to send has said so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

from fsm_rtc.peer.description import SessionDescription
from fsm_rtc.peer.directions import common_direction, reversed_direction, sends
from fsm_rtc.peer.sdp import Section, sections_of

__all__ = ["Agreed", "direction_of"]


def direction_of(section: Section) -> str:
    """A media section's direction; without one it is sendrecv."""
    return section.direction


@dataclass(frozen=True, slots=True)
class Agreed:
    """The outcome of a complete negotiation; of none, as it is made.

    Attributes:
        has_data: there is a section for data channels.
        is_answer: this side answered.
        local: the direction that this side described, by mid.
        remote: the direction that the other side described, seen from this side, by mid.
        wanted: the direction that this side wanted when it described, by mid.
        rejected: the mids of the sections that a side rejected.
    """

    has_data: bool = False
    is_answer: bool = False
    local: Mapping[str, str] = field(default_factory=dict)
    remote: Mapping[str, str] = field(default_factory=dict)
    wanted: Mapping[str, str] = field(default_factory=dict)
    rejected: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls, local: SessionDescription, remote: SessionDescription, wanted: Iterable[tuple[str | None, str]]
    ) -> Self:
        """What these two descriptions agree on.

        Args:
            local: this side's offer or answer.
            remote: the other side's answer or offer.
            wanted: mid and direction of each transceiver when the answer was applied.
        """
        here, there = sections_of(local), sections_of(remote)
        described = {section.mid or "": direction_of(section) for section in here}
        is_answer = local.type == "answer"
        return cls(
            has_data=any(section.kind == "application" for section in here),
            is_answer=is_answer,
            local=described,
            remote={section.mid or "": reversed_direction(direction_of(section)) for section in there},
            wanted={mid: direction for mid, direction in wanted if mid is not None} if is_answer else described,
            rejected=frozenset(section.mid or "" for section in (*here, *there) if section.is_rejected),
        )

    def covers(self, mid: str | None, direction: str) -> bool:
        """Whether a transceiver needs no further negotiation.

        Args:
            mid: its media section, or None.
            direction: what it wants.
        """
        if mid is None or mid not in self.local or mid not in self.remote:
            return False
        if mid in self.rejected:
            return True
        if sends(direction) and not sends(self.wanted.get(mid, "inactive")):
            return False
        if self.is_answer:
            return self.local[mid] == common_direction(direction, self.remote[mid])
        return direction in (self.local[mid], self.remote[mid])
