"""Writing offers and answers, and whether an offer is due.

Source: RFC 9429, sections 5.2 and 5.3; RFC 9143 for groups; webrtc-pc, #dfn-check-if-negotiation-is-needed.
"""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from typing import Any

from fsm_rtc.machines.descriptions import Slots
from fsm_rtc.peer.directions import common_direction, reversed_direction, sends
from fsm_rtc.peer.ice import IceGatherer
from fsm_rtc.peer.jsep import sections
from fsm_rtc.peer.jsep.codecs import ExtensionNumbers, PayloadNumbers, preferred_codecs
from fsm_rtc.peer.jsep.media import Media, User
from fsm_rtc.peer.jsep.private import dtls_role, opposite_role
from fsm_rtc.peer.jsep.sections import data_section, groups_of, is_rejected, whole
from fsm_rtc.peer.jsep.transceiver import RTCRtpTransceiver
from fsm_rtc.peer.jsep.transport import Transport

MID_DIGITS = 9
"""Longer mids of digits are the other side's; this side's never get there."""


@dataclass(frozen=True, slots=True)
class SdpLine:
    """A section of a description that was created.

    Attributes:
        media: the aiortc MediaDescription.
        user: what it stands for; None if it is rejected.
        gatherer: whose credentials it has; None if it is rejected.
    """

    media: Any
    user: User | None = None
    gatherer: IceGatherer | None = None

    @property
    def mid(self) -> str:
        """Its identification."""
        return str(self.media.rtp.muxId)


@dataclass(frozen=True, slots=True)
class Created:
    """A description that was created, with what applying it needs to know.

    Attributes:
        sdp: its text.
        lines: its sections.
        description: the same as an aiortc SessionDescription.
    """

    sdp: str
    lines: tuple[SdpLine, ...]
    description: Any


class Writer:
    """Writes the descriptions of a session.

    Args:
        media: what is described.
        slots: what was described before.

    Attributes:
        next_mid: the lowest number that no section was ever called.
        to_replace: the user fragments that the next offer has to replace.
        is_legacy: whether to offer data channels as browsers of before 2019 do.
        cname: the canonical name of this side's media.
        extension_numbers: how header extensions are numbered.
    """

    def __init__(self, media: Media, slots: Slots[Any, Any]) -> None:
        self._media = media
        self._slots = slots
        self.next_mid = 0
        self.to_replace: set[str] = set()
        self.is_legacy = False
        self.extension_numbers = ExtensionNumbers()
        self.cname = secrets.token_hex(8)
        self._session = str(secrets.randbits(62))
        self._version = 0
        self._last = ""

    # Offers.

    def offer(self, *, restart: bool = False) -> Created:
        """An offer for what there is now.

        Args:
            restart: whether every transport gets new ICE credentials.
        """
        draft = _Draft(self._media, self.next_mid, self.to_replace, restart=restart)
        lines = list(self._earlier_lines(draft))
        has_data = any(line.media.kind == "application" and line.user is not None for line in lines)
        data_first = self._media.configuration.always_negotiate_data_channels and not has_data
        if data_first:
            lines.append(self._data_line(next(draft.mids), draft))
        lines += [self._offered_line(one, next(draft.mids), draft) for one in draft.waiting]
        if self._media.sctp is not None and not has_data and not data_first:
            lines.append(self._data_line(next(draft.mids), draft))
        return self._created("offer", lines, self._offered_groups(lines))

    def see(self, mid: str) -> None:
        """Take notice of a mid, so that no other section gets it."""
        if mid.isascii() and mid.isdigit() and len(mid) <= MID_DIGITS:
            self.next_mid = max(self.next_mid, int(mid) + 1)

    def _offered_groups(self, lines: Sequence[SdpLine]) -> list[list[str]]:
        """Those of the last answer, as far as they are alive, and what is new in the first of them.

        Source: RFC 9429, section 5.2.2.
        """
        alive = [line.mid for line in lines if line.user is not None]
        answer = _last_answer(self._slots)
        if answer is None:
            return [alive]
        before = {media.rtp.muxId for media in answer.media}
        kept = [[mid for mid in group if mid in set(alive)] for group in groups_of(answer)] or [[]]
        kept[0] += [mid for mid in alive if mid not in before]
        return kept

    def _earlier_lines(self, draft: _Draft) -> Iterator[SdpLine]:
        """The sections that were there before: they keep their places."""
        local = self._slots.local.media if self._slots.local is not None else []
        remote = self._slots.remote.media if self._slots.remote is not None else []
        users = self._media.by_mid()
        known = {one.mid for one in self._media.transceivers}
        for index in range(max(len(local), len(remote))):
            like = local[index] if index < len(local) else remote[index]
            mid = like.rtp.muxId
            user = users.get(mid)
            if isinstance(user, RTCRtpTransceiver) and not user.is_stopping:
                yield self._offered_line(user, mid, draft)
            elif user is not None and not isinstance(user, RTCRtpTransceiver):
                yield self._data_line(mid, draft)
            elif draft.waiting and self._is_free(index) and mid not in known:
                yield self._offered_line(draft.waiting.popleft(), next(draft.mids), draft)
            else:
                yield SdpLine(sections.rejected_section(like))

    def _is_free(self, index: int) -> bool:
        """Whether the section was rejected for good, so that another one may take its place."""
        current = (self._slots.current_local, self._slots.current_remote)
        return any(one is not None and index < len(one.media) and is_rejected(one.media[index]) for one in current)

    def _offered_line(self, transceiver: RTCRtpTransceiver, mid: str, draft: _Draft) -> SdpLine:
        media = sections.media_section(
            transceiver,
            mid=mid,
            direction=transceiver.wanted_direction,
            codecs=draft.numbers.offered(transceiver),
            extensions=self.extension_numbers.offered(transceiver.kind),
            cname=self.cname,
        )
        return self._with_transport(media, transceiver, draft, "auto")

    def _data_line(self, mid: str, draft: _Draft) -> SdpLine:
        sctp = self._media.make_sctp()
        media = data_section(sctp, mid=mid, is_legacy=self.is_legacy)
        return self._with_transport(media, sctp, draft, "auto")

    # Answers.

    def answer(self) -> Created:
        """An answer to the other side's pending offer."""
        offer: Any = self._slots.pending_remote
        users = self._media.by_mid()
        groups = [self._answered_group(mids, users, offer) for mids in groups_of(offer)]
        first = {mid: users[mids[0]] for mids in groups for mid in mids}
        before = self._slots.current_remote
        known = {media.rtp.muxId: media.ice.usernameFragment for media in before.media} if before is not None else {}
        draft = _Draft(self._media)
        lines = []
        for media in offer.media:
            mid = media.rtp.muxId
            user = users.get(mid)
            if user is None or not _is_accepted(media, user):
                section = sections.rejected_section(media)
                section.names_itself = media.names_itself
                lines.append(SdpLine(section))
                continue
            if isinstance(user, RTCRtpTransceiver):
                negotiated = user.negotiated
                section = sections.media_section(
                    user,
                    mid=mid,
                    direction=common_direction(user.described_direction, negotiated.offered_direction or "inactive"),
                    codecs=_answered_codecs(user),
                    extensions=negotiated.extensions,
                    cname=self.cname,
                    profile=media.profile,
                )
            else:
                section = data_section(user, mid=mid, is_legacy=sections.names_port(media), profile=media.profile)
            section.names_itself = media.names_itself
            path = first.get(mid, user).path
            if known.get(mid) is not None and known[mid] != media.ice.usernameFragment:
                draft.renew(path)
            role = dtls_role(path.dtls)
            if role == "auto":
                role = opposite_role(media.dtls.role)
            lines.append(self._with_transport(section, user, draft, role, path))
        return self._created("answer", lines, [mids for mids in groups if mids])

    def _answered_group(self, mids: Sequence[str], users: Mapping[str, User], offer: Any) -> list[str]:
        """The mids of an offered group that this side takes part in, in the offer's order.

        A section whose transport connects already, and not as the group's, stays out of it: aiortc's senders and
        receivers don't move once they have begun. Source: RFC 9143, section 7.3.
        """
        offered = {media.rtp.muxId: media for media in offer.media}
        taken = [mid for mid in mids if mid in users and _is_accepted(offered[mid], users[mid])]
        if not taken:
            return []
        begun = [mid for mid in taken if users[mid].has_begun]
        shared = users[(begun or taken)[0]].path
        apart = {mid for mid in begun if users[mid].path is not shared}
        # The first of an answer's group gives its transport; others keep the offer's order.
        return [*begun[:1], *(mid for mid in taken if mid not in apart and mid not in begun[:1])]

    # Both.

    def _with_transport(
        self, media: Any, user: User, draft: _Draft, role: str, path: Transport | None = None
    ) -> SdpLine:
        path = path or user.path
        gatherer = draft.gatherer_of(path)
        sections.add_transport(media, path, gatherer, role)
        return SdpLine(media, user, gatherer)

    def _created(self, kind: str, lines: list[SdpLine], groups: list[list[str]]) -> Created:
        """The description; its version changes when it does."""
        description = whole((line.media for line in lines), kind=kind, groups=[mids for mids in groups if mids])
        body = sections.body_of(description)
        if body != self._last:
            self._version += 1
            self._last = body
        description.origin = f"- {self._session} {self._version} IN IP4 0.0.0.0"
        return Created(f"v=0\r\no={description.origin}\r\n{body}", tuple(lines), description)


class _Draft:
    """One description that is being written: what is still to be placed in it, and under which names and numbers.

    Whose credentials each transport has in it: its own, or those of a new gatherer that replaces it.

    Args:
        media: what is described.
        next_mid: the lowest number that no section was ever called.
        to_replace: the user fragments that have to be replaced.
        restart: whether every transport gets new ICE credentials.
    """

    def __init__(self, media: Media, next_mid: int = 0, to_replace: Set[str] = frozenset(), *, restart: bool = False):
        self._media = media
        self._to_replace = to_replace
        self._restart = restart
        self._new: dict[int, IceGatherer] = {}
        self.mids = map(str, count(next_mid))
        self.waiting = deque(one for one in media.transceivers if one.takes_section)

    @cached_property
    def numbers(self) -> PayloadNumbers:
        """The session's payload types."""
        return PayloadNumbers(self._media.transceivers)

    def gatherer_of(self, path: Transport) -> IceGatherer:
        """The gatherer whose credentials the description has for a transport."""
        fragment = path.newest_gatherer.getLocalParameters().usernameFragment
        if self._restart or fragment in self._to_replace:
            self.renew(path)
        return self._new.get(id(path), path.newest_gatherer)

    def renew(self, path: Transport) -> None:
        """Give a transport that has begun new credentials in this description."""
        if not path.gatherer.machine.permits("gather") and id(path) not in self._new:
            shared = next(iter(self._new.values()), None)
            self._new[id(path)] = self._media.make_gatherer(shared.getLocalParameters() if shared else None)


def _answered_codecs(transceiver: RTCRtpTransceiver) -> list[Any]:
    """Asked when the answer is made: the preferences may have been set since the offer came."""
    return preferred_codecs(transceiver, transceiver.negotiated.codecs)


def _is_accepted(media: Any, user: User) -> bool:
    """Whether an offered section gets an answer; one whose transceiver was stopped since then does."""
    if is_rejected(media):
        return False
    return not isinstance(user, RTCRtpTransceiver) or bool(_answered_codecs(user))


def _last_answer(slots: Slots[Any, Any]) -> Any:
    """The answer of the last complete negotiation, or None."""
    current = (slots.current_local, slots.current_remote)
    return next((one for one in current if one is not None and one.type == "answer"), None)


def needs_negotiation(media: Media, slots: Slots[Any, Any], *, restarts: bool) -> bool:
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
    transceiver: RTCRtpTransceiver, slots: Slots[Any, Any], local: dict[str, Any], remote_sections: dict[str, Any]
) -> bool:
    here = local.get(transceiver.mid or "")
    there = remote_sections.get(transceiver.mid or "")
    if transceiver.is_stopping:
        # By the letter one that was never described would need negotiation for ever: no offer can ever hold it.
        return here is not None and not is_rejected(here) and not (there is not None and is_rejected(there))
    if here is None:
        return True
    direction = transceiver.wanted_direction
    if sends(direction) and (not here.msid or set(sections.stream_ids(here)) != set(transceiver.sender.stream_ids)):
        return True
    remote = reversed_direction(there.direction or "sendrecv") if there is not None else "inactive"
    local_description: Any = slots.current_local
    if local_description.type == "offer":
        return direction not in (here.direction, remote)
    return bool(here.direction != common_direction(direction, remote))


def _sections(description: Any) -> dict[str, Any]:
    return {one.rtp.muxId: one for one in description.media} if description is not None else {}
