"""A program that ends without close(), by an error or Ctrl-C, ends."""

from __future__ import annotations

import asyncio
import sys

PROGRAM = """
import asyncio

from fsm_rtc import RTCConfiguration, RTCPeerConnection
from fsm_rtc.media import SyntheticVideoTrack


async def main():
    sender, viewer = (RTCPeerConnection(RTCConfiguration(loopback=True)) for _ in range(2))
    for source, sink in ((sender, viewer), (viewer, sender)):
        source.on("icecandidate", lambda event, sink=sink: sink.addIceCandidate(event.candidate))
    sender.addTrack(SyntheticVideoTrack(64, 48))
    await sender.setLocalDescription()
    await viewer.setRemoteDescription(sender.localDescription)
    await viewer.setLocalDescription()
    await sender.setRemoteDescription(viewer.localDescription)
    await viewer.getReceivers()[0].track.recv()
    raise SystemExit(7)


asyncio.run(main())
"""


async def test_a_program_that_receives_media_and_does_not_close_ends() -> None:
    program = await asyncio.create_subprocess_exec(sys.executable, "-c", PROGRAM)
    try:
        async with asyncio.timeout(30):
            assert await program.wait() == 7
    finally:
        if program.returncode is None:
            program.kill()
            await program.wait()
