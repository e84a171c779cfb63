"""Asks a stack what it makes of the foreign descriptions: ``python -m tests.peer.foreign.ask`` asks Chromium anew.

The verdicts of the Chromium that is installed are kept in ``chromium.json``, with its version.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec

from fsm_rtc.conformance.adapter import Adapter, ProcessAdapter
from fsm_rtc.conformance.protocol import Operation, Result, StackDescription
from fsm_rtc.conformance.protocol import Verdict as Settled
from fsm_rtc.conformance.stacks import stack_named
from tests.peer.foreign.answers import ANSWERS, Change
from tests.peer.foreign.descriptions import OFFERS

__all__ = ["TABLE", "Table", "Verdict", "ask", "load"]

TABLE = Path(__file__).with_name("chromium.json")

SAID = ("sendrecv", "sendonly", "recvonly", "inactive")


class Verdict(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one description.

    Attributes:
        refused: the error's name and message; empty if it was taken.
        groups: the answer's BUNDLE groups.
        sections: kind, port (9 for any), protocol, mid, direction and setup of each of the answer's sections.
    """

    refused: str = ""
    groups: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()


class Table(msgspec.Struct, frozen=True):
    """The verdicts of one stack, by the descriptions' names."""

    stack: str
    version: str
    verdicts: dict[str, Verdict]


def load() -> Table:
    """What Chromium said last."""
    return msgspec.json.decode(TABLE.read_bytes(), type=Table)


async def ask(adapter: Adapter) -> Table:
    """A started stack's verdicts."""
    verdicts = {name: await of_offer(adapter, sdp) for name, sdp in OFFERS.items()}
    verdicts |= {name: await of_answer(adapter, change) for name, change in ANSWERS.items()}
    return Table(adapter.hello.name, adapter.hello.version, verdicts)


async def of_offer(adapter: Adapter, sdp: str) -> Verdict:
    """What becomes of an offer: refused at any step, or answered."""
    await do(adapter, Operation("new", "one"))
    result = await do(adapter, Operation("setRemoteDescription", "one", StackDescription("offer", sdp)))
    answer = ""
    if result.verdict is Settled.FULFILLED:
        result = await do(adapter, Operation("createAnswer", "one"))
    if result.verdict is Settled.FULFILLED:
        answer = sdp_of(result)
        result = await do(adapter, Operation("setLocalDescription", "one", StackDescription("answer", answer)))
    await do(adapter, Operation("reset"))
    return told(result, answer)


async def of_answer(adapter: Adapter, change: Change) -> Verdict:
    """What becomes of a changed answer to the stack's own offer."""
    for operation in (
        Operation("new", "one"),
        Operation("new", "other"),
        Operation("addTransceiver", "one", kind="audio"),
        Operation("addTransceiver", "one", kind="video"),
        Operation("createDataChannel", "one", label="x"),
    ):
        await do(adapter, operation)
    offer = sdp_of(await do(adapter, Operation("createOffer", "one")))
    await do(adapter, Operation("setLocalDescription", "one", StackDescription("offer", offer)))
    await do(adapter, Operation("setRemoteDescription", "other", StackDescription("offer", offer)))
    answer = sdp_of(await do(adapter, Operation("createAnswer", "other")))
    result = await do(adapter, Operation("setRemoteDescription", "one", StackDescription("answer", change(answer))))
    await do(adapter, Operation("reset"))
    return told(result, "")


async def do(adapter: Adapter, operation: Operation) -> Result:
    """One operation's result."""
    return (await adapter.ask(operation)).results[0]


def sdp_of(result: Result) -> str:
    """The text of the description that an operation made."""
    return str(msgspec.to_builtins(result.value)["sdp"])


def told(result: Result, answer: str) -> Verdict:
    """A verdict of the last result, and of the answer if there is one."""
    if result.verdict is not Settled.FULFILLED:
        assert result.error is not None, f"{result.verdict} is no refusal"
        return Verdict(f"{result.error.name}: {result.error.message[:300]}")
    groups, sections = [], []
    for line in answer.splitlines():
        name, _, value = line[2:].partition(":")
        if line.startswith("a=group:"):
            groups.append(value)
        elif line.startswith("m="):
            kind, port, proto, *_ = line[2:].split()
            sections.append(f"{kind} {'0' if port == '0' else '9'} {proto}")
        elif sections and name in ("mid", "setup"):
            sections[-1] += f" {name}={value}"
        elif sections and name in SAID:
            sections[-1] += f" {name}"
    return Verdict(groups=tuple(groups), sections=tuple(" ".join(sorted_words(one)) for one in sections))


def sorted_words(section: str) -> list[str]:
    """A section's words in one order, whatever order its lines have; what a rejected one says besides is no matter."""
    kind, port, proto, *said = section.split()
    kept = [one for one in said if port != "0" or one.startswith("mid=")]
    return [kind, port, proto, *sorted(kept)]


async def main() -> None:
    """Ask Chromium, and keep what it says."""
    adapter = ProcessAdapter(stack_named("chromium").command)
    await adapter.start()
    try:
        table = await ask(adapter)
    finally:
        await adapter.aclose()
    TABLE.write_bytes(msgspec.json.format(msgspec.json.encode(table), indent=1) + b"\n")
    print(f"{len(table.verdicts)} verdicts of {table.stack} {table.version}")


if __name__ == "__main__":
    asyncio.run(main())
