"""The media sections of one side in memory: what it has, what is pending, and what both sides have agreed on.

It does what webrtc-pc says of transceivers: an offer gives them their mids, a rollback takes those away again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from fsm_rtc.errors import InvalidAccessError
from fsm_rtc.machines.remote_track import RemoteTrackState, RemoteTrackStatus
from fsm_rtc.machines.transceiver import Transceiver as TransceiverStatus
from fsm_rtc.peer.description import SessionDescription
from fsm_rtc.peer.directions import common_direction, reversed_direction, sends
from fsm_rtc.peer.sdp import Section, sections_of
from fsm_rtc.testing.agreed import Agreed, direction_of

__all__ = ["FakeSections", "FakeTrack", "FakeLine"]

DATA = "application"


@dataclass(frozen=True, slots=True)
class FakeLine:
    """One section of a description.

    Attributes:
        kind: ``audio``, ``video`` or ``application``.
        mid: its identification.
        direction: as the describing side sees it.
    """

    kind: str
    mid: str
    direction: str = "sendrecv"


class FakeTrack:
    """A track without media, of this side or the other.

    Args:
        kind: ``audio`` or ``video``.
        status: of the other side's track: its status, which stays muted, for nothing comes.
    """

    def __init__(self, kind: str, status: RemoteTrackStatus | None = None) -> None:
        self.kind = kind
        self.status = status or RemoteTrackStatus()

    @property
    def muted(self) -> bool:
        """Whether nothing of it comes just now."""
        return self.status.state is not RemoteTrackState.LIVE

    @property
    def readyState(self) -> str:  # noqa: N802 - the name that tracks have for it
        """``live`` or ``ended``."""
        return "ended" if self.status.is_final else "live"

    def stop(self) -> None:
        """End it."""
        if not self.status.is_final:
            self.status.end()


@dataclass(slots=True, eq=False)
class FakeTransceiver:
    """RTCRtpTransceiver, without media.

    Attributes:
        kind: ``audio`` or ``video``.
        direction: what this side wants.
        remote: the other side's track.
        track: what it sends, or None.
        mid: its section, or None.
        receives: the other side's track was told.
        is_theirs: the other side's offer made it.
        status: the machine of its end.
    """

    kind: str
    direction: str
    remote: FakeTrack
    status: TransceiverStatus
    track: Any = None
    mid: str | None = None
    receives: bool = False
    is_theirs: bool = False


class FakeSections:
    """The transceivers and the data section of one side.

    Args:
        track_status: makes the status of a track of the other side.
        make_status: makes a transceiver's machine.
        forget_status: the transceiver of this machine is not part of it any more.

    Attributes:
        agreed: what the last complete negotiation agreed on.
        wants_data: there are data channels.
    """

    def __init__(
        self,
        track_status: Callable[[], RemoteTrackStatus],
        make_status: Callable[[], TransceiverStatus],
        forget_status: Callable[[TransceiverStatus], None],
    ) -> None:
        self._track_status = track_status
        self._make_status = make_status
        self._forget_status = forget_status
        self.agreed = Agreed()
        self.wants_data = False
        self._transceivers: list[FakeTransceiver] = []
        self._agreed_lines: list[tuple[str, str]] = []
        self._local: SessionDescription | None = None
        self._remote: SessionDescription | None = None

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of media for which there is a transceiver."""
        return frozenset(transceiver.kind for transceiver in self._transceivers)

    @property
    def need_negotiation(self) -> bool:
        """Whether there is something that the last complete negotiation doesn't cover."""
        return (self.wants_data and not self.agreed.has_data) or not all(
            self.agreed.covers(mid, direction) for mid, direction in self._wanted()
        )

    def add_track(self, track: Any) -> None:
        """Send a track, on a transceiver of its kind that has none, or on a new one."""
        for transceiver in self._transceivers:
            if transceiver.kind == track.kind and transceiver.track is None:
                transceiver.track = track
                transceiver.direction = {"recvonly": "sendrecv", "inactive": "sendonly"}.get(
                    transceiver.direction, transceiver.direction
                )
                return
        self._make(track.kind, "sendrecv").track = track

    def add_transceiver(self, kind: str, direction: str) -> None:
        """Add one."""
        self._make(kind, direction)

    def close(self) -> None:
        """The connection is closed: the other side's tracks have ended, and the transceivers are stopped."""
        for transceiver in self._transceivers:
            transceiver.remote.stop()
            transceiver.status.connection_closed()

    def _make(self, kind: str, direction: str) -> FakeTransceiver:
        made = FakeTransceiver(kind, direction, FakeTrack(kind, self._track_status()), self._make_status())
        self._transceivers.append(made)
        return made

    # What is described.

    def offer(self) -> list[FakeLine]:
        """The sections of an offer: those there are, each in its place, then the new ones."""
        lines = [FakeLine(kind, mid, self._direction(mid)) for kind, mid in self._present_lines()]
        used = {line.mid for line in lines}
        free = (str(number) for number in range(len(used) + len(self._transceivers) + 1) if str(number) not in used)
        lines += [FakeLine(one.kind, next(free), one.direction) for one in self._transceivers if one.mid is None]
        if self.wants_data and DATA not in [line.kind for line in lines]:
            lines.append(FakeLine(DATA, next(free)))
        return lines

    def answer(self) -> list[FakeLine]:
        """The sections of an answer to the other side's offer."""
        return [
            FakeLine(
                section.kind, mid, common_direction(self._direction(mid), reversed_direction(direction_of(section)))
            )
            for section, mid in _with_mids(self._remote)
        ]

    # What is applied.

    def apply_local(self, description: SessionDescription) -> None:
        """This side's description is in force."""
        self._local = description
        if description.type == "offer":
            self._associate(description)
        self._finish(description)

    def apply_remote(self, description: SessionDescription) -> list[FakeTrack]:
        """The other side's description is in force.

        Returns:
            The tracks that come with it.

        Raises:
            InvalidAccessError: its sections are not those that there are.
        """
        self._check(description)
        if description.type == "offer":
            self.roll_back()
        self._remote = description
        self._associate(description)
        came = [
            transceiver
            for section, mid in _with_mids(description)
            for transceiver in self._transceivers
            if transceiver.mid == mid and sends(direction_of(section)) and not transceiver.receives
        ]
        for transceiver in came:
            transceiver.receives = True
        self._finish(description)
        return [transceiver.remote for transceiver in came]

    def roll_back(self) -> None:
        """What is pending is not in force any more."""
        self._local = self._remote = None
        kept = {mid for _, mid in self._agreed_lines}
        for transceiver in [one for one in self._transceivers if one.mid is not None and one.mid not in kept]:
            transceiver.mid = None
            transceiver.receives = False
            if transceiver.is_theirs and transceiver.track is None:
                self._transceivers.remove(transceiver)
                transceiver.remote.stop()
                transceiver.status.on_section_rejected()
                self._forget_status(transceiver.status)

    def _check(self, description: SessionDescription) -> None:
        lines = _lines_of(description)
        if description.type == "offer":
            fits = lines[: len(self._agreed_lines)] == self._agreed_lines
        else:
            fits = lines == _lines_of(self._local)
        if not fits:
            raise InvalidAccessError(
                f"this {description.type}'s media sections don't fit those that there are; it belongs to another one"
            )

    def _associate(self, description: SessionDescription) -> None:
        for section, mid in _with_mids(description):
            if section.kind == DATA or any(one.mid == mid for one in self._transceivers):
                continue
            for transceiver in self._transceivers:
                if transceiver.kind == section.kind and transceiver.mid is None:
                    transceiver.mid = mid
                    break
            else:
                made = self._make(section.kind, "recvonly")
                made.mid, made.is_theirs = mid, True

    def _finish(self, description: SessionDescription) -> None:
        if description.type == "answer" and self._local is not None and self._remote is not None:
            self._agreed_lines = _lines_of(description)
            self.agreed = Agreed.of(self._local, self._remote, self._wanted())
            self._local = self._remote = None

    def _present_lines(self) -> list[tuple[str, str]]:
        return _lines_of(self._local) or self._agreed_lines

    def _wanted(self) -> Iterator[tuple[str | None, str]]:
        for transceiver in self._transceivers:
            yield transceiver.mid, transceiver.direction

    def _direction(self, mid: str) -> str:
        return next((one.direction for one in self._transceivers if one.mid == mid), "sendrecv")


def _with_mids(description: SessionDescription | None) -> list[tuple[Section, str]]:
    return [(section, section.mid or "") for section in sections_of(description)] if description else []


def _lines_of(description: SessionDescription | None) -> list[tuple[str, str]]:
    return [(section.kind, mid) for section, mid in _with_mids(description)]
