"""A machine of your own: a table, what it refuses and why, and its diagram.

    python examples/own_chart.py

The same diagram, with the command: ``fsm-rtc diagram examples.own_chart:Microphone``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fsm_rtc import Accepted, Chart, On, Rejected, Row
from fsm_rtc.diagrams import mermaid


class MicrophoneState(StrEnum):
    """Who decides that a participant is heard."""

    OFF = "off"
    LIVE = "live"
    MUTED_BY_HOST = "muted-by-host"
    LEFT = "left"


OFF, LIVE, MUTED_BY_HOST, LEFT = MicrophoneState


@dataclass
class Room:
    """What the guards read."""

    speakers: int = 0
    seats: int = 1


@dataclass(frozen=True)
class SendTrack:
    """A request: whoever owns the machine starts, or stops, the track."""

    enabled: bool


def has_seat(room: Room, event: object) -> bool:
    """The room must have a free seat for a speaker."""
    return room.speakers < room.seats


def start_track(room: Room, event: object) -> SendTrack:
    """Let the microphone's track flow."""
    return SendTrack(enabled=True)


def stop_track(room: Room, event: object) -> SendTrack:
    """Stop the microphone's track."""
    return SendTrack(enabled=False)


class Microphone(Chart[MicrophoneState, Room]):
    """A participant's microphone in a moderated room."""

    initial = OFF
    final = frozenset({LEFT})

    unmute = On(Row(OFF, LIVE, when=(has_seat,), then=(start_track,)), idempotent=True)
    mute = On(Row(LIVE, OFF, then=(stop_track,)), idempotent=True)
    host_mute = On(Row((OFF, LIVE), MUTED_BY_HOST, then=(stop_track,)))
    host_allow = On(Row(MUTED_BY_HOST, OFF))
    leave = On(Row((OFF, LIVE, MUTED_BY_HOST), LEFT))


def main() -> None:
    """Speak, be muted, be refused, and draw the table."""
    room = Room(speakers=1, seats=1)
    microphone = Microphone(room)

    refused = microphone.unmute()
    assert isinstance(refused, Rejected)
    print(refused)

    room.seats = 2
    taken = microphone.unmute()
    assert isinstance(taken, Accepted)
    print(f"{taken.source.value} -> {taken.target.value}: {taken.effects}")

    microphone.host_mute()
    print(microphone.unmute())
    print(mermaid(Microphone), end="")


if __name__ == "__main__":
    main()
