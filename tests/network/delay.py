"""A wire with a delay: ``python delay.py SECONDS NAMESPACE DEVICE NAMESPACE DEVICE``.

Makes a TUN device in each of two network namespaces. What one of them is given comes out of the other after the delay,
in order, each packet by itself. Says ``ready`` when the devices are there, and ends when its input does: so it goes
with who started it, killed or not, and the devices go with it.

What is on its way is bounded, as a router's queue is: what comes when it is full is dropped.
"""

from __future__ import annotations

import asyncio
import ctypes
import fcntl
import os
import struct
import sys
from collections import deque
from pathlib import Path

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
MAX_PACKETS = 5000
MAX_PACKET_BYTES = 65536
CLONE_NEWNET = 0x40000000


def tun(namespace: str, device: str) -> int:
    """The descriptor of a new TUN device in a namespace, into which this process goes."""
    with Path(f"/run/netns/{namespace}").open("rb") as there:
        if ctypes.CDLL(None, use_errno=True).setns(there.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"no way into {namespace}")
    descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(descriptor, TUNSETIFF, struct.pack("16sH", device.encode(), IFF_TUN | IFF_NO_PI))
    return descriptor


class Direction:
    """What goes from one device to the other."""

    def __init__(self, source: int, target: int, delay_seconds: float) -> None:
        self._source, self._target, self._delay_seconds = source, target, delay_seconds
        self._loop = asyncio.get_running_loop()
        self._on_its_way: deque[tuple[float, bytes]] = deque()
        self._loop.add_reader(source, self._take)

    def _take(self) -> None:
        due = self._loop.time() + self._delay_seconds
        while True:
            try:
                packet = os.read(self._source, MAX_PACKET_BYTES)
            except BlockingIOError:
                return
            if len(self._on_its_way) >= MAX_PACKETS:
                continue
            if not self._on_its_way:
                self._loop.call_at(due, self._give)
            self._on_its_way.append((due, packet))

    def _give(self) -> None:
        now = self._loop.time()
        while self._on_its_way and self._on_its_way[0][0] <= now:
            _, packet = self._on_its_way.popleft()
            try:
                os.write(self._target, packet)
            except OSError:  # a device that is down or full drops, as a wire does
                continue
        if self._on_its_way:
            self._loop.call_at(self._on_its_way[0][0], self._give)


async def main(delay_seconds: float, devices: list[int]) -> None:
    one, other = devices
    directions = Direction(one, other, delay_seconds), Direction(other, one, delay_seconds)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(0, ended.set)
    os.write(1, b"ready\n")
    await ended.wait()
    del directions


if __name__ == "__main__":
    words = sys.argv[2:]
    asyncio.run(main(float(sys.argv[1]), [tun(*words[:2]), tun(*words[2:])]))
