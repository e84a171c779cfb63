"""Packets of video until their frame is whole: theory.

A frame is whole when each of its packets is there and the next frame has begun. A packet that is missing is asked for
again (NACK), and what comes behind it waits. aiortc's buffer lets 512 packets wait, which is 34 s of a picture that is
one packet; gives one frame at most for each packet that comes, so that it stays as far behind as it once was; and takes
a repeated packet that comes too late for a source that began anew, and throws away what waits.

Invariants:

- Frames leave in the order of their packets, and each packet is in one frame at most.
- No whole frame waits but for a packet that is missing before it.
- What waits for a missing packet waits no longer than `PATIENCE_SECONDS` of the sender's own clock, and is no more than
  `CAPACITY` packets; then the missing one is passed over, up to where the next frame surely begins, and a key frame is
  to be asked for.
- A packet whose turn is over is dropped; so many of them in a row are a source that began anew, as another SSRC is.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from aiortc.jitterbuffer import JitterFrame
from aiortc.rtp import RtpPacket

CAPACITY = 512
"""aiortc's number. It repeats 128 packets at most at once, so that more late ones than this are no repeated ones."""

PATIENCE_SECONDS = 0.5
"""A packet that was asked for again is there after a round trip, or is lost as well. libwebrtc waits up to 3 s, or
0.2 s where it waits for a key frame (its VideoReceiveStream's kMaxWaitForFrame and kMaxWaitForKeyFrame)."""

CLOCK_RATE = 90_000
"""Of all video. Source: RFC 7741, section 4.1; RFC 6184, section 5.1."""


class FrameBuffer:
    """The packets of one receiver of video.

    Attributes:
        payload_type: that of the last packet.
        passed_over: how often what was missing was given up.
    """

    def __init__(self) -> None:
        self.payload_type: int | None = None
        self.passed_over = 0
        self._source: int | None = None
        self._next = self._highest = self._late = 0
        self._torn: int | None = None
        self._waiting: dict[int, RtpPacket] = {}
        self._picture: list[RtpPacket] = []
        self._whole: deque[JitterFrame] = deque()

    def add(self, packet: RtpPacket) -> tuple[bool, JitterFrame | None]:
        """Take a packet; its payload is that of a frame already, without the header of its codec.

        Returns:
            Whether a key frame is to be asked for, and the first frame that is whole.
        """
        self.payload_type = packet.payload_type
        is_lost = False
        if packet.ssrc != self._source:
            self._source = packet.ssrc
            self._begin_at(packet.sequence_number)
        number = self._highest + signed(packet.sequence_number - self._highest, 16)
        if number < self._next:
            self._late += 1
            if self._late <= CAPACITY:
                return False, self._first()
        if number < self._next or number > self._next + CAPACITY:
            self._begin_at(number := packet.sequence_number)
            is_lost = True
        self._late = 0
        self._highest = max(self._highest, number)
        self._waiting[number] = packet
        self._join()
        while self._waiting and self._waits_too_long(packet):
            self._pass_over()
            is_lost = True
        return is_lost, self._first()

    def more(self) -> Iterator[JitterFrame]:
        """The other frames that are whole."""
        while self._whole:
            yield self._whole.popleft()

    def _first(self) -> JitterFrame | None:
        return self._whole.popleft() if self._whole else None

    def _begin_at(self, number: int) -> None:
        """The packet with this number is the first one; numbers go on counting where sequence numbers begin again."""
        self._next = self._highest = number
        self._late, self._torn = 0, None
        self._waiting.clear()
        self._picture = []

    def _join(self) -> None:
        """Make frames of what is there, up to the first packet that is missing."""
        while (packet := self._waiting.pop(self._next, None)) is not None:
            self._next += 1
            if packet.timestamp == self._torn:
                continue
            self._torn = None
            if self._picture and packet.timestamp != self._picture[0].timestamp:
                self._whole.append(JitterFrame(_payload(self._picture), self._picture[0].timestamp))
                self._picture = []
            self._picture.append(packet)

    def _waits_too_long(self, newest: RtpPacket) -> bool:
        oldest = self._waiting[min(self._waiting)]
        return signed(newest.timestamp - oldest.timestamp, 32) > PATIENCE_SECONDS * CLOCK_RATE

    def _pass_over(self) -> None:
        """Go on behind the missing packet, with the first frame that surely begins there."""
        self.passed_over += 1
        self._picture = []
        self._next = min(self._waiting)
        self._torn = self._waiting[self._next].timestamp
        self._join()


def _payload(packets: list[RtpPacket]) -> bytes:
    """What they carry, as aiortc's receiver leaves it beside each."""
    return b"".join(packet._data for packet in packets)  # type: ignore[attr-defined]


def signed(difference: int, bits: int) -> int:
    """A difference of numbers that begin again at 0 after so many bits: that of those nearest to each other."""
    half = 1 << (bits - 1)
    return (difference + half) % (1 << bits) - half
