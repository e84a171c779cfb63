"""Every `Forwarded` attribute of what a real call is made of: its path is a text, which no type checker reads.

A call over a server, and a drop-in's with audio, are brought about; whatever of theirs has such attributes is found
among the objects of the process, and each of them is read.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import pkgutil
import types
from collections.abc import Iterator
from typing import Any, TypeVar, get_args, get_origin

import aiortc
import pytest

import fsm_rtc
import fsm_rtc.aiortc
import fsm_rtc.peer
import fsm_rtc.signaling
from fsm_rtc.peer.configuration import Configuration
from fsm_rtc.peer.forwarding import Forwarded
from fsm_rtc.signaling import SignalingServer

pytestmark = pytest.mark.live


def forwarding_classes() -> set[type]:
    """Every class that has such an attribute of its own."""
    found = set()
    for package in (fsm_rtc.peer, fsm_rtc.signaling):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            for one in vars(importlib.import_module(module.name)).values():
                if isinstance(one, type) and any(isinstance(own, Forwarded) for own in vars(one).values()):
                    found.add(one)
    return found


def is_of(value: object, declared: Any) -> bool:
    """Whether a value is of a declared type, as far as a program can tell."""
    if declared is Any or isinstance(declared, TypeVar):
        return True
    if isinstance(declared, types.UnionType):
        return any(is_of(value, one) for one in get_args(declared))
    if declared is float:
        return isinstance(value, int | float)
    return isinstance(value, get_origin(declared) or declared)


def read_all(classes: set[type]) -> Iterator[tuple[str, object, Any]]:
    """Each attribute of each object of these classes: its name, its value, its declared type."""
    # By its type: isinstance asks a weak reference's object, which may be gone.
    for instance in [one for one in gc.get_objects() if issubclass(type(one), tuple(classes))]:
        for kind in type(instance).__mro__:
            for name, own in vars(kind).items():
                if isinstance(own, Forwarded):
                    (declared,) = get_args(own.__orig_class__)
                    yield f"{kind.__name__}.{name}", getattr(instance, name), declared


async def test_every_forwarded_attribute_leads_to_a_value_of_its_type() -> None:
    classes = forwarding_classes()
    assert len(classes) > 15
    drop_in: Any = fsm_rtc.aiortc.RTCPeerConnection
    one, other = (drop_in(aiortc.RTCConfiguration(iceServers=[])) for _ in range(2))
    for kind in ("audio", "video"):
        one.addTransceiver(kind)
    channel, opened = one.createDataChannel("chat"), asyncio.Event()
    channel.on("open", opened.set)
    async with asyncio.timeout(60), SignalingServer() as server:
        url = f"ws://127.0.0.1:{server.port}/kitchen"
        options: Any = {"configuration": Configuration(ice_servers=())}
        async with fsm_rtc.join(url, name="anna", **options) as room, fsm_rtc.join(url, name="bert", **options):
            async for connection in room.connections():
                await connection.wait_for_ready()
                break
            await one.setLocalDescription(await one.createOffer())
            await other.setRemoteDescription(one.localDescription)
            await other.setLocalDescription(await other.createAnswer())
            await one.setRemoteDescription(other.localDescription)
            await opened.wait()
            read = list(read_all(classes))
            assert [(name, value, declared) for name, value, declared in read if not is_of(value, declared)] == []
        await asyncio.gather(one.close(), other.close())
    seen = {name.partition(".")[0] for name, _, _ in read}
    assert {cls.__name__ for cls in classes} - seen == set()
