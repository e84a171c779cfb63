"""A JSEP session: what applying offers and answers does to it, and taking an offer back.

Theory. A negotiation has two halves, and the first may have to be undone. So descriptions are kept in slots, the
pending ones beside those of the last complete negotiation (`Slots`). An offer says what there could be: it makes
transceivers, transports and data channels, and this side's begins to gather. An answer, provisional or not, says what
there is: it brings both descriptions in force (`_agree`), which bundles transports, sets directions and roles, and
connects. Only a final answer completes the negotiation (`_settle`) and removes what was rejected.

What holds:

- Each change happens at once, in one turn of the loop; what takes time (gathering, connecting, stopping) goes on in
  tasks that the session owns, and waits for at its end.
- `read_remote` refuses while nothing has changed; what it returns is applied as it is, and not read again.
- `prepare_remote` may be cancelled anywhere: nothing that it makes is the session's before `apply_remote` takes it.
- A rollback gives each transceiver what it had in stable and removes those that the other side's offer made. What was
  added here meanwhile stays, and so does the end of what a description has stopped.
- What has begun to send or receive stays on its transport: aiortc starts a sender and a receiver once.

Source: RFC 9429, sections 5.5 to 5.11; webrtc-pc, #set-description.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from dataclasses import dataclass, field, replace
from typing import Any
from weakref import WeakSet, WeakValueDictionary

from fsm_rtc.errors import OperationError
from fsm_rtc.machines.descriptions import Slots
from fsm_rtc.peer.backend import BackendEvents
from fsm_rtc.peer.closing import Tasks
from fsm_rtc.peer.configuration import Configuration
from fsm_rtc.peer.description import SessionDescription
from fsm_rtc.peer.directions import receives, reversed_direction, sends
from fsm_rtc.peer.ice import IceGatherer
from fsm_rtc.peer.jsep.codecs import common_codecs, common_extensions, preferred_codecs
from fsm_rtc.peer.jsep.media import Media, start_media
from fsm_rtc.peer.jsep.private import opposite_role, set_controlling, set_dtls_role
from fsm_rtc.peer.jsep.sections import (
    check_answer,
    groups_of,
    is_rejected,
    names_port,
    parsed,
    remote_msid,
    remote_track_id,
    stream_ids,
)
from fsm_rtc.peer.jsep.transceiver import NegotiatedMedia, RemoteTracks, RTCRtpTransceiver
from fsm_rtc.peer.jsep.transport import SctpTransport, Transport
from fsm_rtc.peer.jsep.writer import Created, Writer, needs_negotiation
from fsm_rtc.peer.sdp import read as read_description
from fsm_rtc.peer.sdp.checks import made_up_mids, mids_like
from fsm_rtc.peer.w3c.media_stream import MediaStream
from fsm_rtc.peer.w3c.profile import Profile

SECTIONS_A_TURN = 32
"""So many sections' transceivers are made in one turn of the loop; with their transports they take some 20 ms."""


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

    transceivers: tuple[tuple[RTCRtpTransceiver, NegotiatedMedia], ...]
    sctp: SctpTransport | None
    data_section: tuple[str | None, int | None]
    shown: tuple[Transport, ...]


class JsepSession:
    """One session; a subclass says what its observers are told, in `path_shown` and `gathering`.

    Args:
        configuration: how it finds its way.
        profile: which habits it has.

    Attributes:
        spawn: does work in a task that the session owns.
        events: who makes its machines, and is told what happens.
        media: its transceivers and transports.
        slots: its descriptions.
        writer: writes its offers and answers.
    """

    def __init__(self, configuration: Configuration, profile: Profile) -> None:
        self._profile = profile
        self.events = BackendEvents()
        self._tasks = Tasks("a session's task failed")
        self.spawn = self._tasks.spawn
        self.media = Media(configuration, profile, self)
        self.slots: Slots[Any, _Snapshot] = Slots()
        self.writer = Writer(self.media, self.slots)
        self._streams: WeakValueDictionary[str, MediaStream] = WeakValueDictionary()
        self._unnamed_stream = str(uuid.uuid4())
        self._begun: WeakSet[IceGatherer] = WeakSet()
        self._read: tuple[SessionDescription, Any] | None = None
        self._offer: Created | None = None
        self._answer: Created | None = None

    def path_shown(self, path: Transport) -> None:
        """A description brought a transport into being, or it went."""

    def gathering(self, path: Transport, gatherer: IceGatherer) -> None:
        """A gatherer is about to begin."""

    # This side's descriptions.

    def apply_local(self, description: SessionDescription) -> None:
        """Apply the offer or answer that was created last."""
        created = self._offer if description.type == "offer" else self._answer
        if created is None or created.sdp != description.sdp:
            raise OperationError(f"this {description.type} is not the one that was created last; create it anew")
        read = created.description
        read.type = description.type
        self.slots.remember(self._picture)
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
        offered = self.slots.pending_remote
        self.slots.set("local", read.type, read)
        if description.type == "offer":
            for line in created.lines:
                if line.user is not None and line.gatherer is not None:
                    self._gather(line.user.path, line.gatherer, is_controlling=True)
            return
        self._agree(read, offered, is_local=True, gatherers=created)
        if description.type == "answer":
            self._settle()

    def _gather(self, path: Transport, gatherer: IceGatherer, *, is_controlling: bool) -> None:
        self.media.show(path)
        set_controlling(path.ice, is_controlling)
        if gatherer is not path.gatherer:
            path.next_gatherer = gatherer
            path.ice.prepare(gatherer)
        if gatherer not in self._begun:
            self._begun.add(gatherer)
            # Here and not where it is made: many an offer makes gatherers that are never used.
            gatherer.machine = self.events.gatherer_added()
            self.gathering(path, gatherer)
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
            self.media.check_groups(kept[1])
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
            self.media.check_groups(result)
            return result
        offered = [media.rtp.muxId for media in local.media] if local is not None else []
        result = parsed(description, mids_like(found, offered))
        if local is not None:
            check_answer(result, local, found)
            self.media.check_groups(result)
        return result

    async def prepare_remote(self, read: Any) -> Prepared:
        """Make what applying a description will need, some sections a turn; nothing of it is the session's yet."""
        prepared = Prepared()
        try:
            await self._prepare(read, prepared)
        except BaseException:
            self.media.drop_unused()  # the transports that it has made
            raise
        return prepared

    async def _prepare(self, read: Any, prepared: Prepared) -> None:
        known = self.media.transceivers_by_mid()
        free = {kind: len(self._free_transceivers(kind)) for kind in ("audio", "video")}
        for media in read.media:
            mid = media.rtp.muxId
            if media.kind not in free or is_rejected(media) or mid in known:
                continue
            free[media.kind] -= 1
            if free[media.kind] < 0:
                path = self.media.shared_path(mid, read, prepared.paths)
                prepared.transceivers[mid] = self.media.make_transceiver(media.kind, "recvonly", (), path)
                if len(prepared.transceivers) % SECTIONS_A_TURN == 0:
                    await asyncio.sleep(0)

    def apply_remote(self, read: Any, prepared: Prepared) -> RemoteTracks:
        """Apply what `read_remote` returned, with what `prepare_remote` has made for it.

        Returns:
            What it changes in the other side's tracks; to be applied once the state has changed.
        """
        self.slots.remember(self._picture)
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
            self.media.separate(read)
        offered = self.slots.pending_local
        self.slots.set("remote", read.type, read)
        if read.type != "offer":
            self._agree(offered, read, is_local=False)
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
            path = self.media.shared_path(media.rtp.muxId, read, prepared.paths)
            made = self.media.make_transceiver(media.kind, "recvonly", (), path)
        made.is_remote = True
        made.receiver.name_track(remote_track_id(media))
        return self.media.take(made)

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
            transceiver.status.on_section_rejected()

    def _free_transceivers(self, kind: str) -> deque[RTCRtpTransceiver]:
        """Those that addTrack made and that no section stands for yet."""
        return deque(
            one
            for one in self.media.transceivers
            if one.kind == kind and one.takes_section and (one.is_from_track or self._profile.adopts_any_transceiver)
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
            sctp = self.media.make_sctp(self.media.shared_path(media.rtp.muxId, read, shared))
        if sctp.mid is None:
            sctp.mid, sctp.line = media.rtp.muxId, index
        self.writer.is_legacy = names_port(media)

    # Agreement.

    def _agree(self, local: Any, remote: Any, *, is_local: bool, gatherers: Created | None = None) -> None:
        """An answer, provisional or not, brings both sides' descriptions in force."""
        answer = local if is_local else remote
        # Before anything gathers or connects: a transport that bundling drops would hold its sockets for nothing.
        self.media.bundle(groups_of(answer))
        for line, there in zip(gatherers.lines, remote.media, strict=True) if gatherers is not None else ():
            if line.user is not None and line.gatherer is not None:
                # A lite agent checks and nominates nothing, so the full one does. Source: RFC 8445, section 6.1.1.
                self._gather(line.user.path, line.gatherer, is_controlling=there.ice.iceLite)
        transceivers, users = self.media.transceivers_by_mid(), self.media.by_mid()
        for index, media in enumerate(answer.media):
            here, there = local.media[index], remote.media[index]
            transceiver = transceivers.get(media.rtp.muxId)
            if transceiver is not None:
                self._take_direction(transceiver, media, is_local=is_local)
            user = users.get(media.rtp.muxId)
            if user is None or is_rejected(media):
                continue
            path = user.path
            set_dtls_role(path.dtls, here.dtls.role if is_local else opposite_role(there.dtls.role))
            if isinstance(user, SctpTransport):
                user.agree(there)
            path.feed(there.ice_candidates, is_complete=there.ice_candidates_complete, ufrag=there.ice.usernameFragment)
            path.begin(there)

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
        local: Any = self.slots.current_local
        remote: Any = self.slots.current_remote
        used = {media.ice.usernameFragment for media in local.media if media.ice is not None}
        if not used & self.writer.to_replace:
            self.writer.to_replace = set()
        transceivers = self.media.transceivers_by_mid()
        for media in (*local.media, *remote.media):
            if is_rejected(media) and (transceiver := transceivers.pop(media.rtp.muxId, None)) is not None:
                self._remove(transceiver)
        self.media.drop_unused()

    def _remove(self, transceiver: RTCRtpTransceiver) -> None:
        """It is no part of the session any more."""
        transceiver.status.on_section_rejected()
        transceiver.set_negotiated(NegotiatedMedia())
        self.media.remove(transceiver)

    def connected(self, path: Transport) -> None:
        """The DTLS of a transport is connected: media may start over it."""
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
        for remote in self.slots.of("remote"):
            sections = [media for place, media in enumerate(remote.media) if index is None or place == index]
            if ufrag is not None and all(media.ice.usernameFragment != ufrag for media in sections):
                continue
            users = self.media.by_mid() if self._is_in_force(remote) else {}
            for media in sections:
                if candidate is None:
                    media.ice_candidates_complete = True
                else:
                    media.ice_candidates.append(candidate)
                if (user := users.get(media.rtp.muxId)) is not None:
                    given = [candidate] if candidate is not None else []
                    user.path.feed(given, is_complete=candidate is None, ufrag=media.ice.usernameFragment)
            return

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

    def _picture(self) -> _Snapshot:
        media = self.media
        return _Snapshot(
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
        snapshot = self.slots.roll_back()
        self._forget_restarts()
        if snapshot is None:
            return tracks
        before = {id(one): negotiated for one, negotiated in snapshot.transceivers}
        for transceiver in list(self.media.transceivers):
            negotiated = before.get(id(transceiver), NegotiatedMedia())
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
            if not path.gatherer.machine.permits("gather"):
                self.media.renew(path)
            elif path.is_visible and not self._profile.shows_transports_early:
                path.is_visible = path.is_described = False
                self.path_shown(path)
        self.media.drop_unused()
        return tracks

    def _forget_restarts(self) -> None:
        for path in self.media.paths:
            if (rest := path.forget_restart()) is not None:
                self.spawn(rest)

    # Its end.

    def shut(self) -> None:
        """Every transport counts as closed from now on, and every transceiver as stopped."""
        senders = (*(one.sender for one in self.media.transceivers), *self.media.former_senders)
        for status in dict.fromkeys(sender.status for sender in senders):
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
        await self._tasks.wait()


async def _gather_later(gatherer: IceGatherer) -> None:
    """Gather, once who applied the description has heard that it is applied."""
    # aiortc's users, and the journal, expect the description in force before the gathering state changes.
    await asyncio.sleep(0)
    await gatherer.gather()
