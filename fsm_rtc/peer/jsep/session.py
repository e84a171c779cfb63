"""A session: what applying offers and answers does to it, and taking an offer back.

Each change happens at once, in one turn of the loop; what takes time (gathering, connecting, stopping) goes on in tasks
that the session owns. Source: RFC 9429, sections 5.5 to 5.11; webrtc-pc, #set-description.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass, field, replace
from typing import Any, Protocol
from weakref import WeakSet, WeakValueDictionary

from fsm_rtc.errors import InvalidAccessError, OperationError
from fsm_rtc.machines.ice import Ice, Ways
from fsm_rtc.machines.remote_track import RemoteTrackStatus
from fsm_rtc.machines.transceiver import Transceiver
from fsm_rtc.peer.description import SessionDescription
from fsm_rtc.peer.directions import receives, reversed_direction, sends
from fsm_rtc.peer.ice import IceGatherer
from fsm_rtc.peer.jsep.codecs import common_codecs, common_extensions, preferred_codecs
from fsm_rtc.peer.jsep.effects import RemoteTracks
from fsm_rtc.peer.jsep.media import Media, SessionConfiguration
from fsm_rtc.peer.jsep.need import needs_negotiation
from fsm_rtc.peer.jsep.parsed import check_answer, groups_of, parsed
from fsm_rtc.peer.jsep.private import is_role_set, set_controlling, set_dtls_role
from fsm_rtc.peer.jsep.rtp import start_media
from fsm_rtc.peer.jsep.sections import is_rejected, names_port, remote_msid, remote_track_id, stream_ids
from fsm_rtc.peer.jsep.slots import Slots
from fsm_rtc.peer.jsep.transceiver import Negotiated, RTCRtpTransceiver
from fsm_rtc.peer.jsep.transport import Remote, SctpTransport, Transport
from fsm_rtc.peer.jsep.writer import Created, Writer
from fsm_rtc.peer.media_stream import MediaStream
from fsm_rtc.peer.profile import Profile
from fsm_rtc.peer.sdp import made_up_mids, mids_like
from fsm_rtc.peer.sdp import read as read_description

__all__ = ["Prepared", "Session", "SessionEvents"]

logger = logging.getLogger("fsm_rtc.peer")

SECTIONS_A_TURN = 32
"""So many sections' transceivers are made in one turn of the loop; with their transports they take some 20 ms."""


class SessionEvents(Protocol):
    """Who is told what happens in a session."""

    def path_shown(self, path: Transport) -> None:
        """A description brought a transport into being, or it went."""

    def gathering(self, path: Transport, gatherer: IceGatherer) -> None:
        """A gatherer is about to begin."""

    def changed(self) -> None:
        """A negotiation may be needed."""

    def track_status(self) -> RemoteTrackStatus:
        """The status of a new track of the other side."""

    def ice_added(self, ways: Ways) -> Ice:
        """The machine of a new ICE transport."""

    def ice_removed(self, machine: Ice) -> None:
        """The ICE transport of this machine was given up, and nothing is left of it."""

    def transceiver_added(self) -> Transceiver:
        """The machine of a new transceiver."""

    def transceiver_removed(self, status: Transceiver) -> None:
        """The transceiver of this machine is not part of the session any more."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is made before a description is applied.

    Attributes:
        transceivers: those of its sections that have none, by mid.
        paths: the transports of its sections that are new, by mid.
    """

    transceivers: dict[str, RTCRtpTransceiver] = field(default_factory=dict)
    paths: dict[str, Transport] = field(default_factory=dict)


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
            changed=events.changed,
            spawn=self.spawn,
            make_ice=events.ice_added,
            forget_ice=events.ice_removed,
            track_status=events.track_status,
            make_status=events.transceiver_added,
            forget_status=events.transceiver_removed,
        )
        self.slots = Slots()
        self.writer = Writer(self.media, self.slots)
        self._snapshot: _Snapshot | None = None
        self._streams: WeakValueDictionary[str, MediaStream] = WeakValueDictionary()
        self._unnamed_stream = str(uuid.uuid4())
        self._begun: WeakSet[IceGatherer] = WeakSet()
        self._read: tuple[SessionDescription, Any] | None = None
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
        read = created.description
        read.type = description.type
        self._remember()
        if description.type == "offer":
            self._forget_restarts()
        for index, line in enumerate(created.lines):
            self.writer.see(line.mid)
            user = line.user
            if isinstance(user, RTCRtpTransceiver):
                codecs = user.negotiated.codecs if description.type == "offer" else tuple(line.media.rtp.codecs)
                user.set_negotiated(replace(user.negotiated, mid=line.mid, line=index, codecs=codecs))
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
        """An aiortc SessionDescription that can be applied now; it is kept for the next time that it is asked for.

        Raises:
            InvalidDescriptionError: it is no SDP, or nobody could connect with it.
            InvalidAccessError: it is no answer to the pending offer.
        """
        kept, self._read = self._read, None
        if kept is not None and kept[0] is description:
            self._check_groups(kept[1])
            return kept[1]
        result = self._read_anew(description)
        self._read = description, result
        return result

    def _read_anew(self, description: SessionDescription) -> Any:
        found = read_description(description)
        local = self.slots.pending_local
        if description.type == "offer":
            current = self.slots.current_remote
            before = [media.rtp.muxId for media in current.media] if current is not None else []
            result = parsed(description, made_up_mids(found, before, self.writer.next_mid))
            self._check_groups(result)
            return result
        offered = [media.rtp.muxId for media in local.media] if local is not None else []
        result = parsed(description, mids_like(found, offered))
        if local is not None:
            check_answer(result, local, found)
            self._check_groups(result)
        return result

    def _check_groups(self, read: Any) -> None:
        """Refuse what takes a section out of a transport that it shares and can't leave any more."""
        users = self.media.by_mid()
        grouped = {mid: number for number, mids in enumerate(groups_of(read)) for mid in mids}
        owners: dict[Transport, object] = {}
        for media in read.media:
            user = users.get(media.rtp.muxId)
            if user is None or is_rejected(media):
                continue
            path, owner = self.media.path_of(user), grouped.get(media.rtp.muxId, media)
            is_fixed = read.type != "offer" or self.media.has_begun(user)
            if is_fixed and owners.setdefault(path, owner) != owner:
                raise InvalidAccessError(
                    f"this {read.type} has section {media.rtp.muxId!r} outside of the BUNDLE group whose transport it "
                    "shares (RFC 9143, section 7.5); use bundle_policy max-compat for a side that doesn't bundle"
                )

    async def prepare_remote(self, read: Any) -> Prepared:
        """Make what applying a description will need, some sections a turn; nothing of it is the session's yet."""
        prepared = Prepared()
        known = self.media.transceivers_by_mid()
        free = {kind: len(self._free_transceivers(kind)) for kind in ("audio", "video")}
        for media in read.media:
            mid = media.rtp.muxId
            if media.kind not in free or is_rejected(media) or mid in known:
                continue
            free[media.kind] -= 1
            if free[media.kind] < 0:
                path = self._shared_path(mid, read, prepared.paths)
                prepared.transceivers[mid] = self.media.make_transceiver(media.kind, "recvonly", (), path)
                if len(prepared.transceivers) % SECTIONS_A_TURN == 0:
                    await asyncio.sleep(0)
        return prepared

    def apply_remote(self, read: Any, prepared: Prepared) -> RemoteTracks:
        """Apply what `read_remote` returned, with what `prepare_remote` has made for it.

        Returns:
            What it changes in the other side's tracks; to be applied once the state has changed.
        """
        self._remember()
        tracks = RemoteTracks()
        known = self.media.transceivers_by_mid()
        free = {kind: self._free_transceivers(kind) for kind in ("audio", "video")}
        for index, media in enumerate(read.media):
            self.writer.see(media.rtp.muxId)
            self.writer.extension_numbers.learn(media.numbered)
            if media.kind in ("audio", "video"):
                transceiver = known.get(media.rtp.muxId)
                if transceiver is None and not is_rejected(media):
                    transceiver = self._new_transceiver(media, read, free[media.kind], prepared)
                if transceiver is not None:
                    self._describe_media(transceiver, read, media, index, tracks)
            elif media.kind == "application" and not is_rejected(media):
                self._describe_data(read, media, index, prepared.paths)
        if read.type == "offer":
            self._separate(read)
        self.slots.pending_remote = read
        if read.type != "offer":
            self._agree(self.slots.pending_local, read, is_local=False)
        if read.type == "answer":
            self._settle()
        return tracks

    def _new_transceiver(
        self, media: Any, read: Any, free: deque[RTCRtpTransceiver], prepared: Prepared
    ) -> RTCRtpTransceiver:
        """One for a section that has none: one that waits for a section, or a new one."""
        adopts = free and (self._profile.adopts_any_transceiver or receives(media.direction or "sendrecv"))
        if adopts:
            return free.popleft()
        made = prepared.transceivers.get(media.rtp.muxId)
        if made is None:
            path = self._shared_path(media.rtp.muxId, read, prepared.paths)
            made = self.media.make_transceiver(media.kind, "recvonly", (), path)
        made.is_remote = True
        made.receiver.name_track(remote_track_id(media))
        return self.media.take(made)

    def _shared_path(self, mid: str, read: Any, shared: dict[str, Transport]) -> Transport:
        """The transport of a section that the other side has brought: its group's, or its own.

        Args:
            mid: of that section.
            read: the offer.
            shared: what this function has found for the offer's mids so far; filled here.
        """
        if not shared:
            users = self.media.by_mid()
            for mids in groups_of(read):
                present = (self.media.path_of(users[one]) for one in mids if one in users)
                shared.update(dict.fromkeys(mids, next(present, None) or self.media.make_path()))
        if mid not in shared:
            shared[mid] = self.media.make_path()
        return shared[mid]

    def _separate(self, read: Any) -> None:
        """Let sections that the offer doesn't bundle have transports of their own."""
        users = self.media.by_mid()
        groups = groups_of(read)
        grouped = {mid for mids in groups for mid in mids}
        alone = [[media.rtp.muxId] for media in read.media if media.rtp.muxId not in grouped]
        self.media.separate([[users[mid] for mid in mids if mid in users] for mids in (*groups, *alone)])
        self.media.drop_unused()

    def _describe_media(
        self, transceiver: RTCRtpTransceiver, read: Any, media: Any, index: int, tracks: RemoteTracks
    ) -> None:
        mid = media.rtp.muxId
        direction = "inactive" if is_rejected(media) else reversed_direction(media.direction or "sendrecv")
        codecs = tuple(common_codecs(transceiver, media.rtp.codecs)) if not is_rejected(media) else ()
        if read.type != "offer":
            # An answer holds nothing but what was offered; preferences that came since then don't take it away.
            codecs = tuple(preferred_codecs(transceiver, codecs)) or codecs
        negotiated = replace(transceiver.negotiated, mid=mid, line=index, offered_direction=direction)
        if codecs:
            extensions = tuple(common_extensions(transceiver, media.rtp.headerExtensions))
            negotiated = replace(negotiated, codecs=codecs, extensions=extensions)
        elif read.type == "offer":
            negotiated = replace(negotiated, codecs=())
            direction = "inactive"
        transceiver.set_negotiated(negotiated)
        tracks.describe(transceiver, direction, self._streams_of(media), remote_track_id(media))
        if is_rejected(media):
            self._reject(transceiver)

    def _free_transceivers(self, kind: str) -> deque[RTCRtpTransceiver]:
        """Those that addTrack made and that no section stands for yet."""
        return deque(
            one
            for one in self.media.transceivers
            if one.kind == kind
            and one.mid is None
            and not one.is_stopping
            and (one.is_from_track or self._profile.adopts_any_transceiver)
        )

    def _streams_of(self, media: Any) -> tuple[MediaStream, ...]:
        """The streams of its track; the one stream of all that name none, as RFC 8830, section 4.1, has it."""
        names = stream_ids(media) if sends(media.direction or "sendrecv") else []
        if sends(media.direction or "sendrecv") and remote_msid(media) is None:
            names = [self._unnamed_stream]
        # One that somebody still has is found again, as #set-associated-remote-streams has it; others take no place.
        streams = {name: self._streams.get(name, None) or MediaStream(name) for name in dict.fromkeys(names)}
        self._streams.update(streams)
        return tuple(streams.values())

    def _describe_data(self, read: Any, media: Any, index: int, shared: dict[str, Transport]) -> None:
        sctp = self.media.sctp
        if sctp is None:
            sctp = self.media.make_sctp(self._shared_path(media.rtp.muxId, read, shared))
        if sctp.mid is None:
            sctp.mid, sctp.line = media.rtp.muxId, index
        self.writer.is_legacy = names_port(media)

    # Agreement.

    def _agree(self, local: Any, remote: Any, *, is_local: bool, gatherers: Created | None = None) -> None:
        """An answer, provisional or not, brings both sides' descriptions in force."""
        answer = local if is_local else remote
        self.media.bundle(groups_of(answer))
        for line, there in zip(gatherers.lines, remote.media, strict=True) if gatherers is not None else ():
            if line.user is not None and line.gatherer is not None:
                # A lite agent checks and nominates nothing, so the full one does. Source: RFC 8445, section 6.1.1.
                self._gather(self.media.path_of(line.user), line.gatherer, is_controlling=there.ice.iceLite)
        transceivers, users = self.media.transceivers_by_mid(), self.media.by_mid()
        for index, media in enumerate(answer.media):
            here, there = local.media[index], remote.media[index]
            transceiver = transceivers.get(media.rtp.muxId)
            if transceiver is not None:
                self._take_direction(transceiver, media, is_local=is_local)
            user = users.get(media.rtp.muxId)
            if user is None or is_rejected(media):
                continue
            path = self.media.path_of(user)
            set_dtls_role(path.dtls, here.dtls.role if is_local else _opposite(there.dtls.role))
            if isinstance(user, SctpTransport):
                user.agree(there)
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
        transceivers = self.media.transceivers_by_mid()
        for media in (*self.slots.current_local.media, *self.slots.current_remote.media):
            if is_rejected(media) and (transceiver := transceivers.pop(media.rtp.muxId, None)) is not None:
                self._remove(transceiver)
        self.media.drop_unused()

    def _reject(self, transceiver: RTCRtpTransceiver) -> None:
        """A description rejects its section, so it is stopped for both sides, and a rollback doesn't change that."""
        was_active = not transceiver.is_stopping
        transceiver.status.on_section_rejected()
        if was_active:
            transceiver.end()

    def _remove(self, transceiver: RTCRtpTransceiver) -> None:
        """It is no part of the session any more."""
        self._reject(transceiver)
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
                self._remove(transceiver)
        sctp = self.media.sctp
        if sctp is not None:
            sctp.mid, sctp.line = snapshot.data_section
            if snapshot.sctp is None and not sctp.has_channels:
                self.media.sctp = None
        for path in [path for path in self.media.paths if path not in snapshot.shown]:
            if path.gatherer.state != "new":
                self.media.renew(path)
            elif path.is_visible and not self._profile.shows_transports_early:
                path.is_visible = path.is_described = False
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
        """Every transport counts as closed from now on, and every transceiver as stopped."""
        for transceiver in self.media.transceivers:
            transceiver.end()
        for status in {sender.status for sender in self.media.former_senders} | {
            one.status for one in self.media.transceivers
        }:
            status.connection_closed()
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
