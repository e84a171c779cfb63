"""The stacks that ours is tried with: what each needs, how it is started, its version."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av

from tests import npm
from tests.end_to_end.browser_driver import EXECUTABLES, PACKAGE, Browsers
from tests.interop.peer import PagePeer, Peer, ProcessPeer
from tests.network.topology import Host

PEERS = Path(__file__).with_name("peers")
PACKAGES = {"@roamhq/wrtc": "0.10.0", "werift": "0.24.4"}
PION_SOURCE = Path("/usr/share/gocode/src/github.com/pion/webrtc")
FIREFOX_PREFERENCES = {"media.peerconnection.ice.loopback": False}
SILENCE = bytes.fromhex("f8fffe")
"""20 ms of Opus in which nothing is heard."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where a run's programs are made.

    Attributes:
        folder: for all of it.
    """

    folder: Path

    def node_modules(self) -> Path:
        """npm's packages."""
        return npm.installed(self.folder / "npm", *(f"{name}@{version}" for name, version in PACKAGES.items()))

    def driver(self) -> Path:
        """What drives browsers."""
        return npm.installed(self.folder / "driver", PACKAGE)

    def media(self) -> Path:
        """A file with frames for stacks without codecs: every picture stands alone, so that any may be the first."""
        path = self.folder / "media.json"
        if not path.exists():
            encoder = av.CodecContext.create("libvpx", "w")
            encoder.width, encoder.height, encoder.pix_fmt, encoder.bit_rate = 160, 120, "yuv420p", 100_000
            encoder.time_base, encoder.gop_size = Fraction(1, 15), 1
            pictures = []
            for number in range(30):
                frame = av.VideoFrame(160, 120, "yuv420p")
                for plane in frame.planes:
                    plane.update(bytes([number * 8]) * plane.buffer_size)
                frame.pts = number
                pictures += [bytes(packet) for packet in encoder.encode(frame)]
            frames = {"audio": [SILENCE], "video": pictures}
            path.write_text(
                json.dumps({kind: [base64.b64encode(one).decode() for one in frames[kind]] for kind in frames})
            )
        return path

    def pion(self) -> Path:
        """pion's peer, built from the source here and from Debian's source of pion."""
        program = self.folder / "go" / "peer"
        if not program.exists():
            if shutil.which("go") is None or not PION_SOURCE.exists():
                npm.missing("go and pion (Debian: apt-get install golang-go golang-github-pion-webrtc.v3-dev)")
            # Without modules, go finds Debian's packages only from below a GOPATH, next to a go.mod.
            shutil.copytree(PEERS / "pion", self.folder / "go" / "src" / "peer")
            environment = {"GO111MODULE": "off", "GOPATH": f"{self.folder / 'go'}:{PION_SOURCE.parents[3]}"}
            subprocess.run(
                ["go", "build", "-o", str(program), "peer"],
                check=True,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
            )
        return program


@dataclass(frozen=True, slots=True)
class Stack:
    """One of them.

    Attributes:
        name: what it is called.
        start: starts a peer of it on a host; it ends with the block. And its version.
        lacks: the tests that try what its API has no way to say.
    """

    name: str
    start: Callable[[Workshop, Host], AbstractAsyncContextManager[tuple[Peer, str]]]
    lacks: frozenset[str] = frozenset()


@asynccontextmanager
async def _process(name: str, command: list[str], workshop: Workshop, host: Host) -> AsyncIterator[Peer]:
    process = await ProcessPeer.start(host.inside(*command), workshop.folder / f"{name}.txt")
    try:
        yield Peer(name, process)
    finally:
        await process.end()


def _python(name: str, program: str, *arguments: str, lacks: Iterable[str] = ()) -> Stack:
    @asynccontextmanager
    async def start(workshop: Workshop, host: Host) -> AsyncIterator[tuple[Peer, str]]:
        command = [sys.executable, "-m", f"tests.interop.peers.{program}", *arguments]
        async with _process(name, command, workshop, host) as peer:
            yield peer, await peer.do("hello")

    return Stack(name, start, frozenset(lacks))


def _node(name: str, program: str) -> Stack:
    @asynccontextmanager
    async def start(workshop: Workshop, host: Host) -> AsyncIterator[tuple[Peer, str]]:
        command = ["node", str(PEERS / program), str(workshop.node_modules()), str(workshop.media())]
        async with _process(Path(program).stem, command, workshop, host) as peer:
            yield peer, f"{name} {PACKAGES[name]}"

    return Stack(name, start)


@asynccontextmanager
async def _start_pion(workshop: Workshop, host: Host) -> AsyncIterator[tuple[Peer, str]]:
    async with _process("pion", [str(workshop.pion()), str(workshop.media())], workshop, host) as peer:
        shown = _output("dpkg-query", "-W", "-f", "${Version}", "golang-github-pion-webrtc.v3-dev")
        yield peer, f"pion {shown.split('-')[0]}"


def _browser(name: str, kind: str) -> Stack:
    @asynccontextmanager
    async def start(workshop: Workshop, host: Host) -> AsyncIterator[tuple[Peer, str]]:
        program = next(filter(None, map(shutil.which, EXECUTABLES[kind])), None)
        if program is None:
            npm.missing(f"{EXECUTABLES[kind][0]} (Debian: apt-get install {EXECUTABLES[kind][0]})")
        async with (
            Browsers(workshop.driver(), by=host.inside(), preferences=FIREFOX_PREFERENCES) as browsers,
            browsers.pages((kind, "about:blank")) as (page,),
        ):
            for script in ("w3c.js", "browser.js"):
                await page.evaluate(f"{{{(PEERS / script).read_text()}}} null")
            yield Peer(name, PagePeer(page)), f"{name} {_number(_output(program, '--version'))}"

    return Stack(name, start)


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


def _number(text: str) -> str:
    found = re.search(r"\d+(\.\d+)+", text)
    return found[0] if found else text


OURS = _python("fsm_rtc", "aiortc_shaped", "fsm_rtc")
AIORTC = _python(
    "aiortc", "aiortc_shaped", "aiortc", lacks=("test_restart_by_us", "test_restart_by_them", "test_rollback_by_them")
)
"""aiortc has no ICE restart: it neither offers one nor answers with new credentials; and no rollback."""
PION = Stack("pion", _start_pion, frozenset({"test_rollback_by_them"}))
"""pion 3.1 refuses a rollback: "invalid SDP type supplied to SetLocalDescription(): rollback"."""
STACKS = {
    stack.name: stack
    for stack in (
        _browser("Chromium", "chrome"),
        _browser("Firefox", "firefox"),
        _node("@roamhq/wrtc", "roamhq_wrtc.cjs"),
        _node("werift", "werift.cjs"),
        PION,
        _python("wrtc", "wrtc_peer"),
        AIORTC,
    )
}
"""Those that the table is made with."""
