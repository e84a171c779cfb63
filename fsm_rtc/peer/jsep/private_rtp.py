"""The private parts of aiortc's sender and receiver that are overridden here, and what each does without that.

Checked: aiortc 1.16.0; `private.warn_of_another_version` tells of another one. aiortc has no public way to any of it.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import aiortc
from aiortc.mediastreams import MediaStreamError
from aiortc.rtp import RtcpByePacket

from fsm_rtc.peer.jsep.frame_buffer import FrameBuffer

logger = logging.getLogger("fsm_rtc.peer")


class SteadySender(aiortc.RTCRtpSender):
    """A sender whose task outlives a frame that can't be encoded.

    aiortc's ends for good then, and silently for everybody but its log.
    """

    def _read_from(self, track: Any) -> None:
        """Read this track, under whatever id."""
        super().replaceTrack(track)

    _complained_of: Any = None

    async def _next_encoded_frame(self, codec: Any) -> Any:
        try:
            return await super()._next_encoded_frame(codec)
        except (asyncio.CancelledError, MediaStreamError):
            raise
        except Exception as error:
            is_first, self._complained_of = self._complained_of is not self.track, self.track
            level = logging.WARNING if is_first else logging.DEBUG
            logger.log(
                level, "a frame of %s could not be encoded: %s", self._track_id, str(error) or type(error).__name__
            )
            logger.debug("the whole of it", exc_info=error)
            await asyncio.sleep(0)
            return None


class ObservedReceiver(aiortc.RTCRtpReceiver):
    """A receiver that tells what it hears, and goes on decoding when the other side says goodbye.

    aiortc's ends its track at an RTCP BYE and when DTLS is closed, so that nothing is heard of who comes back; it tells
    nobody of packets; and its video waits long for a packet that was lost, see `frame_buffer`.

    Args:
        kind: ``audio`` or ``video``.
        transport: aiortc's RTCDtlsTransport.
        ends_with_sender: whether to do as aiortc's.
    """

    def __init__(self, kind: str, transport: Any, *, ends_with_sender: bool) -> None:
        super().__init__(kind, transport)
        self._ends_with_sender = ends_with_sender
        self._source: int | None = None
        self._frames = FrameBuffer() if kind == "video" else None
        if self._frames is not None:
            self._RTCRtpReceiver__jitter_buffer = self._frames

    def heard(self) -> None:
        """A packet came, of media that is to be received."""

    def said_goodbye(self) -> None:
        """The source that was heard last has said that it ends."""

    def disconnected(self) -> None:
        """The other side has closed the transport."""

    async def _handle_rtp_packet(self, packet: Any, arrival_time_ms: int) -> None:
        if self._enabled:
            self._source = packet.ssrc
            self.heard()
        await super()._handle_rtp_packet(packet, arrival_time_ms)
        if self._frames is not None and self._enabled:
            self._decode_more(self._frames)

    def _decode_more(self, frames: FrameBuffer) -> None:
        """Decode the frames that aiortc would leave in its buffer, since one packet made several of them whole."""
        private: Any = self
        codec = private._RTCRtpReceiver__codecs.get(frames.payload_type)
        for frame in frames.more():
            if codec is not None and private._RTCRtpReceiver__decoder_thread is not None:
                frame.timestamp = private._RTCRtpReceiver__timestamp_mapper.map(frame.timestamp)
                private._RTCRtpReceiver__decoder_queue.put((codec, frame))

    async def _handle_rtcp_packet(self, packet: Any) -> None:
        if isinstance(packet, RtcpByePacket):
            if self._source in packet.sources:
                self.said_goodbye()
            if not self._ends_with_sender:
                return
        await super()._handle_rtcp_packet(packet)

    async def _run_rtcp(self) -> None:
        """Its reports. With them ends the thread that decodes: of a program that ends without close(), by an error or
        Ctrl-C, asyncio cancels every task, but Python waits for that thread for ever.
        """
        try:
            await super()._run_rtcp()
        finally:
            super()._handle_disconnect()

    def _handle_disconnect(self) -> None:
        self.disconnected()
        if self._ends_with_sender:
            super()._handle_disconnect()
