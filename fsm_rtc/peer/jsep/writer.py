"""Writing offers and answers. Source: RFC 9429, sections 5.2 and 5.3."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fsm_rtc.peer.directions import common_direction
from fsm_rtc.peer.ice import IceGatherer
from fsm_rtc.peer.jsep.codecs import offered_codecs, offered_extensions, preferred_codecs
from fsm_rtc.peer.jsep.media import Media, User
from fsm_rtc.peer.jsep.parsed import bundle_of
from fsm_rtc.peer.jsep.private import dtls_role
from fsm_rtc.peer.jsep.sections import (
    add_transport,
    data_section,
    is_rejected,
    media_section,
    rejected_section,
    whole,
)
from fsm_rtc.peer.jsep.slots import Slots
from fsm_rtc.peer.jsep.transceiver import RTCRtpTransceiver
from fsm_rtc.peer.jsep.transport import Transport

__all__ = ["Created", "Line", "Writer"]


@dataclass(frozen=True, slots=True)
class Line:
    """A section of a description that was created.

    Attributes:
        media: the aiortc MediaDescription.
        mid: its identification.
        user: what it stands for; None if it is rejected.
        gatherer: whose credentials it has; None if it is rejected.
    """

    media: Any
    mid: str
    user: User | None = None
    gatherer: IceGatherer | None = None


@dataclass(frozen=True, slots=True)
class Created:
    """A description that was created, with what applying it needs to know.

    Attributes:
        sdp: its text.
        lines: its sections.
    """

    sdp: str
    lines: tuple[Line, ...]


class Writer:
    """Writes the descriptions of a session.

    Args:
        media: what is described.
        slots: what was described before.

    Attributes:
        seen_mids: the identifications that are taken.
        to_replace: the user fragments that the next offer has to replace.
        is_legacy: whether to write data channels' sections as browsers of before 2019 do.
    """

    def __init__(self, media: Media, slots: Slots) -> None:
        self._media = media
        self._slots = slots
        self.seen_mids: set[str] = set()
        self.to_replace: set[str] = set()
        self.is_legacy = False
        self._cname = secrets.token_hex(8)
        self._session = str(secrets.randbits(62))
        self._version = 0
        self._last = ""

    @property
    def cname(self) -> str:
        """The canonical name of this side's media."""
        return self._cname

    # Offers.

    def offer(self, *, restart: bool = False) -> Created:
        """An offer for what there is now.

        Args:
            restart: whether every transport gets new ICE credentials.
        """
        gatherers = _Gatherers(self._media, self.to_replace, restart=restart)
        mids = set(self.seen_mids)
        waiting = [one for one in self._media.transceivers if one.mid is None and not one.is_stopping]
        lines = list(self._earlier_lines(mids, waiting, gatherers))
        has_data = any(line.media.kind == "application" and line.user is not None for line in lines)
        data_first = self._media.configuration.always_data and not has_data
        if data_first:
            lines.append(self._data_line(_new_mid(mids), gatherers))
        lines += [self._offered_line(one, _new_mid(mids), gatherers) for one in waiting]
        if self._media.sctp is not None and not has_data and not data_first:
            lines.append(self._data_line(_new_mid(mids), gatherers))
        return self._created("offer", lines)

    def _earlier_lines(self, mids: set[str], waiting: list[RTCRtpTransceiver], gatherers: _Gatherers) -> Iterator[Line]:
        """The sections that were there before: they keep their places."""
        local = self._slots.local.media if self._slots.local is not None else []
        remote = self._slots.remote.media if self._slots.remote is not None else []
        for index in range(max(len(local), len(remote))):
            like = local[index] if index < len(local) else remote[index]
            mid = like.rtp.muxId
            user = self._media.of_mid(mid)
            if isinstance(user, RTCRtpTransceiver) and not user.is_stopping:
                yield self._offered_line(user, mid, gatherers)
            elif user is not None and not isinstance(user, RTCRtpTransceiver):
                yield self._data_line(mid, gatherers)
            elif waiting and self._is_free(index, mid):
                yield self._offered_line(waiting.pop(0), _new_mid(mids), gatherers)
            else:
                yield Line(rejected_section(like), mid)

    def _is_free(self, index: int, mid: str) -> bool:
        """Whether the section was rejected for good, so that another one may take its place."""
        current = (self._slots.current_local, self._slots.current_remote)
        rejected = any(one is not None and index < len(one.media) and is_rejected(one.media[index]) for one in current)
        return rejected and self._media.transceiver_of(mid) is None

    def _offered_line(self, transceiver: RTCRtpTransceiver, mid: str, gatherers: _Gatherers) -> Line:
        others = [one.negotiated for one in self._media.transceivers]
        codecs = offered_codecs(transceiver, [codec for one in others for codec in one.codecs])
        extensions = offered_extensions(transceiver, [extension for one in others for extension in one.extensions])
        media = media_section(
            transceiver,
            mid=mid,
            direction=transceiver.wanted_direction,
            codecs=codecs,
            extensions=extensions,
            cname=self._cname,
        )
        return self._with_transport(media, mid, transceiver, gatherers, "auto")

    def _data_line(self, mid: str, gatherers: _Gatherers) -> Line:
        sctp = self._media.make_sctp()
        media = data_section(sctp, mid=mid, is_legacy=self.is_legacy)
        return self._with_transport(media, mid, sctp, gatherers, "auto")

    # Answers.

    def answer(self) -> Created:
        """An answer to the other side's pending offer."""
        offer = self._slots.pending_remote
        bundle = bundle_of(offer)
        shared = next((user for mid in bundle if (user := self._media.of_mid(mid)) is not None), None)
        gatherers = _Gatherers(self._media, set(), restart=False)
        lines = []
        for media in offer.media:
            mid = media.rtp.muxId
            user = self._media.of_mid(mid)
            # Asked now: the preferences may have been set since the offer came.
            codecs = preferred_codecs(user, user.negotiated.codecs) if isinstance(user, RTCRtpTransceiver) else None
            if user is None or is_rejected(media) or codecs == []:
                lines.append(Line(rejected_section(media), mid))
                continue
            if isinstance(user, RTCRtpTransceiver):
                negotiated = user.negotiated
                section = media_section(
                    user,
                    mid=mid,
                    direction=common_direction(user.described_direction, negotiated.offered_direction or "inactive"),
                    codecs=codecs or (),
                    extensions=negotiated.extensions,
                    cname=self._cname,
                )
            else:
                section = data_section(user, mid=mid, is_legacy=self.is_legacy)
            first = shared if shared is not None and mid in bundle else user
            if self._restarts(media):
                gatherers.renew(self._media.path_of(first))
            role = dtls_role(self._media.path_of(first).dtls)
            if role == "auto":
                role = "server" if media.dtls.role == "client" else "client"
            lines.append(self._with_transport(section, mid, user, gatherers, role, self._media.path_of(first)))
        return self._created("answer", lines)

    def _restarts(self, offered: Any) -> bool:
        """Whether the other side's credentials for a section are other ones than those in force."""
        before = self._slots.current_remote
        sections = before.media if before is not None else []
        known = [media.ice.usernameFragment for media in sections if media.rtp.muxId == offered.rtp.muxId]
        return bool(known) and known[0] is not None and known[0] != offered.ice.usernameFragment

    # Both.

    def _with_transport(
        self,
        media: Any,
        mid: str,
        user: User,
        gatherers: _Gatherers,
        role: str,
        path: Transport | None = None,
    ) -> Line:
        path = path or self._media.path_of(user)
        gatherer = gatherers.of(path)
        add_transport(media, path, gatherer, role)
        return Line(media, mid, user, gatherer)

    def _created(self, kind: str, lines: list[Line]) -> Created:
        """The description; its version changes when it does."""
        sections = [line.media for line in lines]
        text = whole(sections, kind=kind, session=self._session, version=self._version)
        if text != self._last:
            self._version += 1
            text = self._last = whole(sections, kind=kind, session=self._session, version=self._version)
        return Created(text, tuple(lines))


class _Gatherers:
    """Whose credentials each transport has in one description: its own, or those of a new gatherer that replaces it."""

    def __init__(self, media: Media, to_replace: set[str], *, restart: bool) -> None:
        self._media = media
        self._to_replace = to_replace
        self._restart = restart
        self._new: dict[int, IceGatherer] = {}

    def of(self, path: Transport) -> IceGatherer:
        """The gatherer whose credentials the description has for a transport."""
        fragment = path.newest_gatherer.getLocalParameters().usernameFragment
        if self._restart or fragment in self._to_replace:
            self.renew(path)
        return self._new.get(id(path), path.newest_gatherer)

    def renew(self, path: Transport) -> None:
        """Give a transport that has begun new credentials in this description."""
        if path.gatherer.state != "new" and id(path) not in self._new:
            shared = next(iter(self._new.values()), None)
            self._new[id(path)] = self._media.make_gatherer(shared.getLocalParameters() if shared else None)


def _new_mid(mids: set[str]) -> str:
    """An identification that is not taken, and now is."""
    mid = next(str(number) for number in range(len(mids) + 1) if str(number) not in mids)
    mids.add(mid)
    return mid
