"""A session: what applying offers and answers does to it, and taking an offer back.

Each change happens at once, in one turn of the loop; what takes time (gathering, connecting, stopping) goes on in tasks
that the session owns. Source: RFC 9429, sections 5.5 to 5.11; webrtc-pc, #set-description.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from typing import Any, Protocol
from weakref import WeakSet

from fsm_rtc.errors import OperationError
from fsm_rtc.peer.description import SessionDescription
from fsm_rtc.peer.directions import receives, reversed_direction, sends
from fsm_rtc.peer.ice import IceGatherer
from fsm_rtc.peer.jsep.codecs import common_codecs, common_extensions
from fsm_rtc.peer.jsep.effects import RemoteTracks
from fsm_rtc.peer.jsep.media import Media, SessionConfiguration
from fsm_rtc.peer.jsep.need import needs_negotiation
from fsm_rtc.peer.jsep.parsed import bundle_of, check_answer, parsed
from fsm_rtc.peer.jsep.private import is_role_set, set_controlling, set_dtls_role
from fsm_rtc.peer.jsep.rtp import start_media
from fsm_rtc.peer.jsep.sections import is_rejected, stream_ids
from fsm_rtc.peer.jsep.slots import Slots
from fsm_rtc.peer.jsep.transceiver import Negotiated, RTCRtpTransceiver
from fsm_rtc.peer.jsep.transport import Remote, SctpTransport, Transport
from fsm_rtc.peer.jsep.writer import Created, Writer
from fsm_rtc.peer.media_stream import MediaStream
from fsm_rtc.peer.profile import Profile

__all__ = ["Session", "SessionEvents"]

logger = logging.getLogger("fsm_rtc.peer")


class SessionEvents(Protocol):
    """Who is told what happens in a session."""

    def path_shown(self, path: Transport) -> None:
        """A transport came into being for who looks from outside, or went."""

    def candidate_added(self, path: Transport) -> None:
        """A transport has a new candidate of the other side."""

    def gathering(self, path: Transport, gatherer: IceGatherer) -> None:
        """A gatherer is about to begin."""

    def changed(self) -> None:
        """A negotiation may be needed."""


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """A session in stable, for a rollback."""

    transceivers: tuple[tuple[RTCRtpTransceiver, Negotiated], ...]
    sctp: SctpTransport | None
    data_section: tuple[str | None, int | None]
    shown: tuple[Transport, ...]


class Session:
    """One session.

    Args:
        configuration: how it finds its way.
        profile: which habits it has.
        events: who is told what happens.

    Attributes:
        media: its transceivers and transports.
        slots: its descriptions.
        writer: writes its offers and answers.
    """

    def __init__(self, configuration: SessionConfiguration, profile: Profile, events: SessionEvents) -> None:
        self._profile = profile
        self._events = events
        self._tasks: set[asyncio.Task[None]] = set()
        self.media = Media(
            configuration,
            profile,
            connected=self._connected,
            shown=events.path_shown,
            candidate_added=events.candidate_added,
            changed=events.changed,
            spawn=self.spawn,
        )
        self.slots = Slots()
        self.writer = Writer(self.media, self.slots)
        self._snapshot: _Snapshot | None = None
        self._streams: dict[str, MediaStream] = {}
        self._begun: WeakSet[IceGatherer] = WeakSet()
        self._offer: Created | None = None
        self._answer: Created | None = None

    # Creating.

    def create_offer(self, *, restart: bool) -> str:
        """An offer's text."""
        self._offer = self.writer.offer(restart=restart)
        return self._offer.sdp

    def create_answer(self) -> str:
        """The text of an answer to the pending offer."""
        self._answer = self.writer.answer()
        return self._answer.sdp

    # This side's descriptions.

    def apply_local(self, description: SessionDescription) -> None:
        """Apply the offer or answer that was created last."""
        created = self._offer if description.type == "offer" else self._answer
        if created is None or created.sdp != description.sdp:
            raise OperationError(f"this {description.type} is not the one that was created last; create it anew")
        read = parsed(description)
        self._remember()
        if description.type == "offer":
            self._forget_restarts()
        for index, line in enumerate(created.lines):
            self.writer.seen_mids.add(line.mid)
            user = line.user
            if isinstance(user, RTCRtpTransceiver):
                user.set_negotiated(replace(user.negotiated, mid=line.mid, line=index))
            elif user is not None:
                user.mid, user.line = line.mid, index
        if description.type == "offer":
            self.slots.pending_local = read
            for line in created.lines:
                if line.user is not None and line.gatherer is not None:
                    self._gather(self.media.path_of(line.user), line.gatherer, is_controlling=True)
            return
        self.slots.pending_local = read
        self._agree(read, self.slots.pending_remote, is_local=True, gatherers=created)
        if description.type == "answer":
            self._settle()

    def _gather(self, path: Transport, gatherer: IceGatherer, *, is_controlling: bool) -> None:
        self.media.show(path)
        if not is_role_set(path.ice):
            set_controlling(path.ice, is_controlling)
        if gatherer is not path.gatherer:
            path.next_gatherer = gatherer
            path.ice.prepare(gatherer)
        if gatherer not in self._begun:
            self._begun.add(gatherer)
            self._events.gathering(path, gatherer)
            self.spawn(_gather_later(gatherer))

    # The other side's descriptions.

    def read_remote(self, description: SessionDescription) -> Any:
        """An aiortc SessionDescription that can be applied now.

        Raises:
            InvalidDescriptionError: it is no SDP, or nobody could connect with it.
            InvalidAccessError: it is no answer to the pending offer.
        """
        read = parsed(description)
        if description.type in ("answer", "pranswer") and self.slots.pending_local is not None:
            check_answer(read, self.slots.pending_local)
        return read

    def apply_remote(self, read: Any) -> RemoteTracks:
        """Apply what `read_remote` returned.

        Returns:
            What it changes in the other side's tracks; to be applied once the state has changed.
        """
        self._remember()
        tracks = RemoteTracks()
        for index, media in enumerate(read.media):
            self.writer.seen_mids.add(media.rtp.muxId)
            if media.kind in ("audio", "video"):
                self._describe_media(read, media, index, tracks)
            elif media.kind == "application" and not is_rejected(media):
                self._describe_data(media, index)
        self.slots.pending_remote = read
        if read.type != "offer":
            self._agree(self.slots.pending_local, read, is_local=False)
        if read.type == "answer":
            self._settle()
        return tracks

    def _describe_media(self, read: Any, media: Any, index: int, tracks: RemoteTracks) -> None:
        mid = media.rtp.muxId
        transceiver = self.media.transceiver_of(mid)
        if transceiver is None:
            if is_rejected(media):
                return
            transceiver = self._free_transceiver(media) or self._remote_transceiver(media, read)
        direction = "inactive" if is_rejected(media) else reversed_direction(media.direction or "sendrecv")
        codecs = tuple(common_codecs(transceiver, media.rtp.codecs)) if not is_rejected(media) else ()
        negotiated = replace(transceiver.negotiated, mid=mid, line=index, offered_direction=direction)
        if codecs:
            extensions = tuple(common_extensions(transceiver, media.rtp.headerExtensions))
            negotiated = replace(negotiated, codecs=codecs, extensions=extensions)
        elif read.type == "offer":
            negotiated = replace(negotiated, codecs=())
            direction = "inactive"
        transceiver.set_negotiated(negotiated)
        tracks.describe(transceiver, direction, self._streams_of(media), read.webrtc_track_id(media))

    def _free_transceiver(self, media: Any) -> RTCRtpTransceiver | None:
        """The one that addTrack made and that no section stands for yet."""
        wants_it = self._profile.adopts_any_transceiver or receives(media.direction or "sendrecv")
        return next(
            (
                one
                for one in self.media.transceivers
                if one.kind == media.kind
                and one.mid is None
                and not one.is_stopping
                and wants_it
                and (one.is_from_track or self._profile.adopts_any_transceiver)
            ),
            None,
        )

    def _remote_transceiver(self, media: Any, read: Any) -> RTCRtpTransceiver:
        transceiver = self.media.add_transceiver(media.kind, "recvonly")
        transceiver.is_remote = True
        transceiver.receiver.name_track(read.webrtc_track_id(media))
        return transceiver

    def _streams_of(self, media: Any) -> tuple[MediaStream, ...]:
        names = stream_ids(media) if sends(media.direction or "sendrecv") else []
        for name in names:
            self._streams.setdefault(name, MediaStream(name))
        return tuple(self._streams[name] for name in dict.fromkeys(names))

    def _describe_data(self, media: Any, index: int) -> None:
        sctp = self.media.make_sctp()
        if sctp.mid is None:
            sctp.mid, sctp.line = media.rtp.muxId, index
        self.writer.is_legacy = media.profile == "DTLS/SCTP"

    # Agreement.

    def _agree(self, local: Any, remote: Any, *, is_local: bool, gatherers: Created | None = None) -> None:
        """An answer, provisional or not, brings both sides' descriptions in force."""
        answer = local if is_local else remote
        self.media.bundle(bundle_of(answer))
        for line in gatherers.lines if gatherers is not None else ():
            if line.user is not None and line.gatherer is not None:
                self._gather(self.media.path_of(line.user), line.gatherer, is_controlling=False)
        for index, media in enumerate(answer.media):
            here, there = local.media[index], remote.media[index]
            transceiver = self.media.transceiver_of(media.rtp.muxId)
            if transceiver is not None:
                self._take_direction(transceiver, media, is_local=is_local)
            user = self.media.of_mid(media.rtp.muxId)
            if user is None or is_rejected(media):
                continue
            path = self.media.path_of(user)
            set_dtls_role(path.dtls, here.dtls.role if is_local else _opposite(there.dtls.role))
            if isinstance(user, SctpTransport):
                user.remote = there
                user.number_channels()
            path.feed(there.ice_candidates, is_complete=there.ice_candidates_complete, ufrag=there.ice.usernameFragment)
            path.begin(Remote(there.ice, there.dtls))

    def _take_direction(self, transceiver: RTCRtpTransceiver, media: Any, *, is_local: bool) -> None:
        direction = media.direction or "sendrecv"
        direction = direction if is_local else reversed_direction(direction)
        if is_rejected(media):
            direction = "inactive"
        negotiated = replace(transceiver.negotiated, current_direction=direction)
        if is_local:
            negotiated = replace(negotiated, fired_direction=direction)
        transceiver.set_negotiated(negotiated)

    def _settle(self) -> None:
        """The negotiation is complete."""
        self.slots.settle()
        self._snapshot = None
        used = {media.ice.usernameFragment for media in self.slots.current_local.media if media.ice is not None}
        if not used & self.writer.to_replace:
            self.writer.to_replace = set()
        for media in (*self.slots.current_local.media, *self.slots.current_remote.media):
            transceiver = self.media.transceiver_of(media.rtp.muxId)
            if transceiver is not None and is_rejected(media):
                self._stop_transceiver(transceiver)
        self.media.drop_unused()

    def _stop_transceiver(self, transceiver: RTCRtpTransceiver) -> None:
        """Both sides know that it is stopped: it is no part of the session any more."""
        if not transceiver.is_stopping:
            self.spawn(transceiver.end_media())
        transceiver.set_negotiated(Negotiated())
        self.media.remove(transceiver)

    def _connected(self, path: Transport) -> None:
        if self.slots.remote is not None:
            self.spawn(start_media(self.media, path, self.slots, self.writer.cname))

    # Candidates.

    def add_candidate(self, candidate: Any, index: int | None, ufrag: str | None) -> None:
        """Take a candidate of the other side.

        Args:
            candidate: aiortc's, or None if there are no more.
            index: of its media section; None for every section.
            ufrag: of the generation that it belongs to, or None for the newest.
        """
        for remote in (self.slots.pending_remote, self.slots.current_remote):
            if remote is None:
                continue
            sections = [media for place, media in enumerate(remote.media) if index is None or place == index]
            if ufrag is not None and all(media.ice.usernameFragment != ufrag for media in sections):
                continue
            for media in sections:
                self._add_to(media, candidate, in_force=self._is_in_force(remote))
            return

    def _add_to(self, media: Any, candidate: Any, *, in_force: bool) -> None:
        if candidate is None:
            media.ice_candidates_complete = True
        else:
            media.ice_candidates.append(candidate)
        user = self.media.of_mid(media.rtp.muxId)
        if in_force and user is not None:
            self.media.path_of(user).feed(
                [candidate] if candidate is not None else [],
                is_complete=candidate is None,
                ufrag=media.ice.usernameFragment,
            )

    def _is_in_force(self, remote: Any) -> bool:
        """Whether an answer has brought it in force; an offer waits for one."""
        if remote is self.slots.current_remote or remote.type != "offer":
            return True
        return self.slots.pending_local is not None and self.slots.pending_local.type == "pranswer"

    # Needs.

    def needs_negotiation(self) -> bool:
        """Whether something is not covered by the last complete negotiation."""
        return needs_negotiation(self.media, self.slots, restarts=bool(self.writer.to_replace))

    def restart_ice(self) -> None:
        """Let the next offer have new ICE credentials. Source: webrtc-pc, #dom-rtcpeerconnection-restartice."""
        for description in (self.slots.current_local, self.slots.pending_local):
            if description is not None:
                self.writer.to_replace |= {
                    media.ice.usernameFragment for media in description.media if not is_rejected(media)
                }

    # Taking back.

    def _remember(self) -> None:
        if self._snapshot is None:
            media = self.media
            self._snapshot = _Snapshot(
                tuple((one, one.negotiated) for one in media.transceivers),
                media.sctp,
                (media.sctp.mid, media.sctp.line) if media.sctp is not None else (None, None),
                tuple(path for path in media.paths if path.is_visible),
            )

    def roll_back(self) -> RemoteTracks:
        """Be as in stable, but for what was added here meanwhile.

        Returns:
            What it changes in the other side's tracks.
        """
        tracks = RemoteTracks()
        snapshot, self._snapshot = self._snapshot, None
        self.slots.roll_back()
        self._forget_restarts()
        if snapshot is None:
            return tracks
        before = {id(one): negotiated for one, negotiated in snapshot.transceivers}
        for transceiver in list(self.media.transceivers):
            negotiated = before.get(id(transceiver), Negotiated())
            tracks.describe(transceiver, negotiated.fired_direction, negotiated.streams)
            transceiver.set_negotiated(negotiated)
            if id(transceiver) not in before and transceiver.is_remote:
                self.media.remove(transceiver)
                self.spawn(transceiver.end_media())
        sctp = self.media.sctp
        if sctp is not None:
            sctp.mid, sctp.line = snapshot.data_section
            if snapshot.sctp is None and not sctp.has_channels:
                self.media.sctp = None
        for path in [path for path in self.media.paths if path not in snapshot.shown]:
            if path.gatherer.state != "new":
                self.media.renew(path)
            elif path.is_visible and not self._profile.shows_transports_early:
                path.is_visible = False
                self._events.path_shown(path)
        self.media.drop_unused()
        return tracks

    def _forget_restarts(self) -> None:
        for path in self.media.paths:
            if (rest := path.forget_restart()) is not None:
                self.spawn(rest)

    # Its tasks, and its end.

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Do the work in a task that the session owns."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.warning("a session's task failed: %s", str(error) or type(error).__name__, exc_info=error)

    def shut(self) -> None:
        """Every transport counts as closed from now on."""
        for path in self.media.paths:
            path.ice.close()
            path.dtls.close()
        if self.media.sctp is not None:
            self.media.sctp.close()

    async def close(self) -> None:
        """Stop everything, and wait until nothing is left."""
        for transceiver in self.media.transceivers:
            await transceiver.end_media()
        if self.media.sctp is not None:
            await self.media.sctp.stop()
        for path in list(self.media.paths):
            await path.stop()
        while self._tasks:
            await asyncio.wait(set(self._tasks))


async def _gather_later(gatherer: IceGatherer) -> None:
    """Gather, once who applied the description has heard that it is applied."""
    await asyncio.sleep(0)
    await gatherer.gather()


def _opposite(role: str) -> str:
    return "server" if role == "client" else "client"
