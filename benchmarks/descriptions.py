"""What a hostile description costs: ``python benchmarks/descriptions.py [--json] [--quick]``.

Each attack is an offer that has as much of something as is read. It is applied and answered by a connection, at a
quarter, a half and all of that size, and the connection closed. The figures: the exponent of the thread's time over
the size, fitted by least squares; the thread's time in the longest turn of the event loop; and what one more such
connection leaves in memory. Garbage collection is off while time is taken: how long one takes depends on what else
the program holds. Beside each, what bare aiortc takes for the same offer, where it can read it.
"""

from __future__ import annotations

import asyncio
import gc
import time
import tracemalloc
from asyncio import events
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any

import aiortc
from _harness import Result, arguments, exponent, finish

from fsm_rtc.errors import SpecificationError
from fsm_rtc.peer import IceCandidate, PeerConnection, SessionDescription
from fsm_rtc.peer.configuration import Configuration
from fsm_rtc.peer.sdp import BOUNDS

MOST_EXPONENT = 1.1
MOST_TURN_SECONDS = 0.05
MOST_KEPT_BYTES = 4096

DIGEST = ":".join(["FA"] * 32)
HEAD = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"
SECURE = (
    f"a=ice-ufrag:abcd\r\na=ice-pwd:{'p' * 22}\r\na=fingerprint:sha-256 {DIGEST}\r\na=setup:actpass\r\na=rtcp-mux\r\n"
)
DATA = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:d\r\na=sctp-port:5000\r\n"
AUDIO = "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:a\r\na=rtcp-mux\r\n"


def bundled(section: Callable[[int], str]) -> Callable[[int], str]:
    """An offer of so many sections in one group."""

    def offer(size: int) -> str:
        mids = " ".join(map(str, range(size)))
        return HEAD + f"a=group:BUNDLE {mids}\r\n" + SECURE + "".join(map(section, range(size)))

    return offer


def lines(section: str, line: Callable[[int], str]) -> Callable[[int], str]:
    """An offer of one section with so many lines."""
    return lambda size: HEAD + SECURE + section + "".join(f"{line(number)}\r\n" for number in range(size))


def media(number: int, more: str = "", formats: str = "0") -> str:
    """An audio section."""
    return f"m=audio 9 UDP/TLS/RTP/SAVPF {formats}\r\na=mid:{number}\r\na=rtcp-mux\r\n{more}"


def video(number: int) -> str:
    """A video section."""
    return (
        f"m=video 9 UDP/TLS/RTP/SAVPF 97 98\r\na=mid:{number}\r\na=rtcp-mux\r\na=rtpmap:97 VP8/90000\r\n"
        "a=rtcp-fb:97 nack\r\na=rtpmap:98 rtx/90000\r\na=fmtp:98 apt=97\r\n"
    )


MANY_FORMATS = " ".join(str(number % 128) for number in range(96, 96 + 128) if not 64 <= number % 128 <= 95)
MANY_CODECS = "".join(f"a=rtpmap:{number} opus/48000/2\r\n" for number in range(96, 128))
MANY_EXTENSIONS = "".join(f"a=extmap:{number} urn:x:{number}\r\n" for number in range(1, 65))
MANY_STREAMS = "".join(f"a=msid:s{number} t\r\n" for number in range(8))

ATTACKS: dict[str, tuple[Callable[[int], str], int]] = {
    "rejected sections": (
        lambda size: HEAD + SECURE + "m=audio 0 X 0\r\n" * (size - 1) + DATA,
        BOUNDS.sections,
    ),
    "bundled audio sections": (bundled(media), BOUNDS.sections),
    "bundled video sections": (bundled(video), BOUNDS.sections),
    "sections of many formats": (bundled(lambda one: media(one, MANY_CODECS, MANY_FORMATS)), BOUNDS.sections),
    "sections of many extensions": (bundled(lambda one: media(one, MANY_EXTENSIONS)), BOUNDS.sections),
    "sections of many streams": (bundled(lambda one: media(one, MANY_STREAMS)), BOUNDS.sections),
    "unbundled sections": (lambda size: HEAD + SECURE + "".join(map(media, range(size))), BOUNDS.transports),
    "candidates": (
        lines(DATA, lambda one: f"a=candidate:{one} 1 udp {one + 1} 127.0.{one // 250}.{one % 250 + 1} 9 typ host"),
        BOUNDS.candidates,
    ),
    "sources": (lines(AUDIO, lambda one: f"a=ssrc:{one} cname:x"), BOUNDS.sources),
    "lines of one source": (lines(AUDIO, lambda one: "a=ssrc:1 cname:x"), BOUNDS.lines - 20),
    "feedback": (lines(AUDIO, lambda one: f"a=rtcp-fb:* x{one}"), BOUNDS.lines - 20),
    "lines that nobody uses": (lines(AUDIO, lambda one: f"a=x-own:{one}"), BOUNDS.lines - 20),
    "text": (lambda size: HEAD + SECURE + AUDIO + "a=x-own:" + "x " * ((size - 600) // 2), BOUNDS.characters),
}

REFUSED: dict[str, str] = {
    "sections beyond what is read": HEAD + SECURE + "m=audio 0 X 0\r\n" * 8_000 + DATA,
    "candidates beyond what is read": ATTACKS["candidates"][0](10_000),
    "sources beyond what is read": ATTACKS["sources"][0](20_000),
    "text beyond what is read": ATTACKS["text"][0](8 * BOUNDS.characters),
}


@dataclass(slots=True)
class Cost:
    """Seconds of the thread: of all, and of the longest turn of the loop."""

    total: float
    turn: float


@contextmanager
def longest_turn() -> Iterator[list[float]]:
    """The thread's time in the longest turn of the loop, in a list of one."""
    found = [0.0]
    run = events.Handle._run

    def timed(handle: events.Handle) -> None:
        began = time.thread_time()
        run(handle)
        found[0] = max(found[0], time.thread_time() - began)

    events.Handle._run = timed  # type: ignore[method-assign, assignment]
    try:
        yield found
    finally:
        events.Handle._run = run  # type: ignore[method-assign]


async def answered(text: str) -> None:
    """Answer an offer, and close."""
    connection = PeerConnection(Configuration(loopback=True))
    try:
        await connection.set_remote_description(SessionDescription("offer", text))
        await connection.set_local_description(await connection.create_answer())
    except SpecificationError:
        pass
    finally:
        await connection.close()


async def trickled(size: int) -> None:
    """Give so many candidates one by one."""
    connection = PeerConnection(Configuration(loopback=True))
    await connection.set_remote_description(SessionDescription("offer", HEAD + SECURE + DATA))
    await connection.set_local_description(await connection.create_answer())
    for one in range(size):
        line = f"candidate:{one} 1 udp {one + 1} 127.0.{one // 250}.{one % 250 + 1} 9 typ host"
        await connection.add_ice_candidate(IceCandidate(line, "d"))
    await connection.close()


async def answered_bare(text: str) -> None:
    """The same by aiortc."""
    connection: Any = aiortc.RTCPeerConnection(aiortc.RTCConfiguration(iceServers=[]))
    try:
        await connection.setRemoteDescription(aiortc.RTCSessionDescription(text, "offer"))
        await connection.createAnswer()
    finally:
        await connection.close()


def cost(attack: Callable[[], Awaitable[None]], rounds: int) -> Cost:
    """The least of several, each in a loop of its own."""
    costs = []
    for _ in range(rounds):
        gc.collect()
        gc.disable()
        with longest_turn() as turn:
            began = time.thread_time()
            asyncio.run(attack())  # type: ignore[arg-type]
            costs.append(Cost(time.thread_time() - began, turn[0]))
        gc.enable()
    return Cost(min(one.total for one in costs), min(one.turn for one in costs))


def kept(attack: Callable[[], Awaitable[None]], rounds: int) -> float:
    """Bytes that one more leaves behind: the median over several."""
    tracemalloc.start()
    figures = []
    for _ in range(rounds + 2):
        asyncio.run(attack())  # type: ignore[arg-type]
        gc.collect()
        figures.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    return median(after - before for before, after in pairwise(figures[1:]))


def results_of(name: str, attack: Callable[[int], Awaitable[None]], most: int, rounds: int) -> list[Result]:
    """One attack's figures."""
    sizes = [most // 4, most // 2, most]
    costs = [cost(lambda size=size: attack(size), rounds) for size in sizes]  # type: ignore[misc]
    fitted = exponent(sizes, [one.total for one in costs])
    turn = costs[-1].turn
    left = kept(lambda: attack(most), rounds)
    return [
        Result(f"{name}, {most}: exponent", fitted, None, None, f"≤ {MOST_EXPONENT}", holds=fitted <= MOST_EXPONENT),
        Result(f"{name}, {most}: longest turn, ms", turn * 1e3, None, None, "≤ 50 ms", holds=turn <= MOST_TURN_SECONDS),
        Result(f"{name}, {most}: kept, kB", left / 1e3, None, None, "≤ 4 kB", holds=left <= MOST_KEPT_BYTES),
    ]


def bare_exponent(offer: Callable[[int], str], most: int, rounds: int) -> Result | None:
    """How bare aiortc's time grows, if it reads such an offer."""
    sizes = [most // 8, most // 4, most // 2]
    try:
        costs = [cost(lambda size=size: answered_bare(offer(size)), rounds) for size in sizes]  # type: ignore[misc]
    except Exception:  # whatever it raises, it can't read it
        return None
    return Result("  bare aiortc: exponent", exponent(sizes, [one.total for one in costs]), None, None, "", holds=True)


def main() -> None:
    """Measure, print, leave."""
    options = arguments("What a hostile description costs.")
    rounds = 2 if options.quick else 5
    asyncio.run(answered(ATTACKS["bundled audio sections"][0](4)))
    asyncio.run(trickled(4))
    results = []
    for name, (offer, most) in ATTACKS.items():

        async def attack(size: int, offer: Callable[[int], str] = offer) -> None:
            await answered(offer(size))

        results += results_of(name, attack, most, rounds)
        bare = None if options.quick else bare_exponent(offer, most, 1)
        results += [bare] if bare is not None else []
    results += results_of("candidates one by one", trickled, BOUNDS.candidates, rounds)
    for name, text in REFUSED.items():
        turn = cost(lambda text=text: answered(text), rounds).turn  # type: ignore[misc]
        holds = turn <= MOST_TURN_SECONDS
        results.append(Result(f"{name}: longest turn, ms", turn * 1e3, None, None, "≤ 50 ms", holds=holds))
    finish(results, as_json=options.json)


if __name__ == "__main__":
    main()
