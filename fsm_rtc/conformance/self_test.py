"""Whether an adapter keeps the adapter protocol: what its author runs before anything else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from fsm_rtc.conformance.adapter import Adapter
from fsm_rtc.conformance.pair import PairTrial
from fsm_rtc.conformance.protocol import Operation, Reply, StackDescription, States, Verdict
from fsm_rtc.conformance.side import Record, sdp_of
from fsm_rtc.errors import AdapterError

__all__ = ["Checked", "self_test"]

LOOK_SECONDS = 0.2
CONNECTED = ("connectionState", "iceConnectionState", "iceGatheringState", "signalingState")


@dataclass(frozen=True, slots=True)
class Checked:
    """One thing that an adapter must do.

    Attributes:
        name: what.
        fault: what it did instead, and what to do about it; empty if all is well.
    """

    name: str
    fault: str = ""


async def self_test(adapter: Adapter) -> AsyncIterator[Checked]:
    """Each check, as it is done.

    Args:
        adapter: started.
    """
    for name, check in CHECKS.items():
        try:
            fault = await check(adapter)
        except AdapterError as error:
            yield Checked(name, str(error))
            return
        yield Checked(name, fault)


async def _hello(adapter: Adapter) -> str:
    hello = adapter.hello
    return "" if hello.name and hello.version else "hello has no name or no version"


async def _states(adapter: Adapter) -> str:
    reply = await adapter.ask(Operation("reset"), Operation("new", "a"))
    states = reply.states.get("a")
    if states is None:
        return "the reply to `new` has no states for the connection; a reply has the states of all that are there"
    missing = [name for name in CONNECTED if not isinstance(getattr(states, name), str)]
    return f"the states have no {', '.join(missing)}" if missing else ""


async def _offer(adapter: Adapter) -> str:
    await adapter.ask(Operation("reset"), Operation("new", "a"), Operation("createDataChannel", "a", label="data"))
    reply = await adapter.ask(Operation("createOffer", "a"))
    result = reply.results[0]
    if result.verdict is not Verdict.FULFILLED or not sdp_of(result.value):
        return f"createOffer with a data channel is {result.verdict.value}; its value must be {{type, sdp}}"
    return "" if "m=application" in sdp_of(result.value) else "the offer's sdp has no data section"


async def _event(adapter: Adapter) -> str:
    """Goes on where `_offer` ended."""
    made = (await adapter.ask(Operation("createOffer", "a"))).results[0].value
    offer = StackDescription("offer", sdp_of(made))
    reply = await adapter.ask(Operation("setLocalDescription", "a", description=offer))
    result = reply.results[0]
    changes = [number for number, event in enumerate(reply.events) if event.event == "signalingstatechange"]
    if result.verdict is not Verdict.FULFILLED:
        return f"setLocalDescription of the offer is {_said(reply)}"
    if not changes:
        return "no signalingstatechange came with setLocalDescription; listen from the moment a connection is made"
    if reply.events[changes[0]].states.signalingState != "have-local-offer":
        return "the event's states are not those that its handler sees"
    if result.states is None or not isinstance(result.states.signalingState, str):
        return "the result has no states; read them where the promise's reaction runs"
    return ""


async def _unknown(adapter: Adapter) -> str:
    reply = await adapter.ask(Operation("noSuchOperation", "a"))
    verdict = reply.results[0].verdict
    return "" if verdict is Verdict.INEXPRESSIBLE else f"an unknown operation is {verdict.value}, not inexpressible"


async def _several(adapter: Adapter) -> str:
    await adapter.ask(Operation("reset"), Operation("new", "a"))
    reply = await adapter.ask(
        Operation("createDataChannel", "a", label="data"), Operation("createOffer", "a"), limit_seconds=1.0
    )
    verdicts = [result.verdict.value for result in reply.results]
    if verdicts != ["fulfilled", "fulfilled"]:
        return f"createDataChannel and createOffer in one request are {', '.join(verdicts)}"
    return "" if sdp_of(reply.results[1].value) else "results must be in the order of the operations"


async def _look(adapter: Adapter) -> str:
    clock = asyncio.get_running_loop().time
    await adapter.ask(Operation("reset"))
    began = clock()
    await adapter.ask(Operation("look", wait_seconds=LOOK_SECONDS))
    return "" if clock() - began >= LOOK_SECONDS / 2 else "`look` came back at once, without an event"


async def _reset(adapter: Adapter) -> str:
    await adapter.ask(Operation("new", "a"), Operation("createDataChannel", "a", label="data"))
    reply = await adapter.ask(Operation("reset"))
    if reply.states:
        return "after `reset` the reply still has states of a connection"
    reply = await adapter.ask(Operation("look", wait_seconds=LOOK_SECONDS))
    if reply.events:
        return f"after `reset` an event of an earlier connection came: {reply.events[0].event}"
    return ""


async def _connect(adapter: Adapter) -> str:
    trial = PairTrial(adapter, Record(frozenset(adapter.hello.lacks)), "webrtc-pc")
    await trial.begin()
    await trial.do("connect")
    if not trial.is_connected:
        states: States | None = trial.states.get("a")
        return (
            f"two connections of the stack don't connect: {states}; may ICE use 127.0.0.1, and is `look` told events?"
        )
    found = await trial.do("a.send")
    lost = [one for one in found if one.machine == "data_channel"]
    return f"a message: expected {lost[0].expected}, observed {lost[0].observed}" if lost else ""


def _said(reply: Reply) -> str:
    result = reply.results[0]
    return (
        f"{result.verdict.value} ({result.error.name}: {result.error.message})"
        if result.error
        else result.verdict.value
    )


CHECKS = {
    "says which stack it is": _hello,
    "makes a connection and tells its states": _states,
    "makes an offer": _offer,
    "tells events, with the states that their handlers see": _event,
    "says what it can't do": _unknown,
    "begins several operations in one turn, and answers in order": _several,
    "looks for events as long as it is asked to": _look,
    "forgets a connection that is reset": _reset,
    "connects two connections and passes a message": _connect,
}
"""What is checked, in this order."""
