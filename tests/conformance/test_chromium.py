"""The adapter protocol on the real Chromium, in one browser for the whole module."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fsm_rtc.conformance.protocol import Reply
from tests.conformance.adapter_conversation import installed
from tests.conformance.adapter_process import AdapterProcess

pytestmark = pytest.mark.browser

GARBAGE = {"type": "offer", "sdp": "garbage"}
ROLLBACK = {"type": "rollback", "sdp": ""}
NO_CANDIDATE = {"candidate": "candidate:1 1 udp 1 127.0.0.1 9 typ host"}


@pytest.fixture(scope="module")
def browser() -> Iterator[AdapterProcess]:
    command = installed("chromium").command
    with tempfile.TemporaryDirectory(prefix="fsm-") as folder, AdapterProcess(command, Path(folder)) as adapter:
        yield adapter
        assert adapter.end()[0] == 0
        assert list(Path(folder).iterdir()) == [], "it leaves no profile"


@pytest.fixture
def adapter(browser: AdapterProcess) -> AdapterProcess:
    browser.ask({"operation": "reset"})
    browser.ask(on("a", "new"), on("b", "new"))
    return browser


def on(peer: str, operation: str, **arguments: Any) -> dict[str, Any]:
    return {"operation": operation, "on": peer, **arguments}


def value(reply: dict[str, Any]) -> Any:
    assert [result["verdict"] for result in reply["results"]] == ["fulfilled"], reply["results"]
    return reply["results"][0].get("value")


def names(reply: dict[str, Any], peer: str) -> list[str]:
    return [event["event"] for event in reply["events"] if event["on"] == peer]


def looking(adapter: AdapterProcess, what: str) -> Iterator[dict[str, Any]]:
    """Replies to `look`, one after another; as many as a connection may take."""
    for _ in range(200):
        yield adapter.ask({"operation": "look", "wait_seconds": 0.5})
    pytest.fail(what)


def described(adapter: AdapterProcess, peer: str) -> Any:
    """The local description with all its candidates."""
    for reply in looking(adapter, "the candidates are never complete"):
        if reply["states"][peer]["iceGatheringState"] == "complete":
            break
    return value(adapter.ask(on(peer, "localDescription")))


def connect(adapter: AdapterProcess) -> list[dict[str, Any]]:
    """Connect a and b with a channel `chat`; the events of that."""
    events: list[dict[str, Any]] = []
    adapter.ask(on("a", "createDataChannel", label="chat"))
    adapter.ask(on("a", "setLocalDescription"))
    adapter.ask(on("b", "setRemoteDescription", description=described(adapter, "a")))
    adapter.ask(on("b", "setLocalDescription"))
    reply = adapter.ask(on("a", "setRemoteDescription", description=described(adapter, "b")))
    events += reply["events"]
    for reply in looking(adapter, "they never connect"):
        events += reply["events"]
        states = reply["states"].values()
        if all(one["connectionState"] == "connected" and one["channels"] == {"chat": "open"} for one in states):
            return events
    raise AssertionError("unreachable")


def test_it_says_who_it_is_and_that_nothing_is_lacking(adapter: AdapterProcess) -> None:
    said = value(adapter.ask({"operation": "hello"}))
    assert said["protocol"] == 1
    assert said["name"] == "chromium"
    assert said["version"].split(".")[0].isdigit()
    assert said["lacks"] == []


def test_every_operation_is_answered_in_the_protocol_s_own_shape(adapter: AdapterProcess) -> None:
    adapter.ask(on("a", "createDataChannel", label="chat"))
    offer = value(adapter.ask(on("a", "createOffer")))
    asked = (
        {"operation": "hello"},
        on("a", "setLocalDescription", description=offer),
        on("b", "setRemoteDescription", description=offer),
        on("b", "createAnswer"),
        on("b", "setLocalDescription"),
        on("b", "addIceCandidate", candidate={**NO_CANDIDATE, "sdpMid": "0"}),
        on("b", "addTransceiver", kind="audio"),
        on("b", "restartIce"),
        on("a", "localDescription"),
        on("a", "send", label="chat", data="early"),
        on("a", "closeChannel", label="chat"),
        on("a", "close"),
        {"operation": "look", "wait_seconds": 0.01},
        on("c", "new"),
        {"operation": "reset"},
    )
    verdicts = {}
    for operation in asked:
        reply = adapter.ask(operation)
        told = msgspec.convert(reply, Reply)
        verdicts[operation["operation"]] = told.results[0].verdict.value
    early = verdicts.pop("send")
    assert early == "thrown", "InvalidStateError, for the channel is still connecting"
    assert set(verdicts.values()) == {"fulfilled"}, verdicts


def test_events_come_in_their_order_with_the_states_of_their_moment(adapter: AdapterProcess) -> None:
    made = adapter.ask(on("a", "createDataChannel", label="chat"))
    assert names(made, "a") == ["negotiationneeded"]
    reply = adapter.ask(on("a", "setLocalDescription"))
    assert names(reply, "a")[0] == "signalingstatechange"
    first = reply["events"][0]
    gathering = next(one for one in reply["events"] if one["event"] == "icegatheringstatechange")
    assert first["states"]["signalingState"] == "have-local-offer"
    assert first["states"]["iceGatheringState"] == "new"
    assert gathering["states"]["iceGatheringState"] == "gathering"
    result = reply["results"][0]
    assert result["after"] == 1, "the promise settles behind the first event, before the second"
    assert result["states"]["pendingLocalDescription"] == "offer"
    assert result["states"]["iceGatheringState"] == "new"


def test_two_connections_find_each_other_and_a_message_arrives(adapter: AdapterProcess) -> None:
    events = connect(adapter)
    assert [event["label"] for event in events if event["event"] == "datachannel"] == ["chat"]
    reply = adapter.ask(on("a", "send", label="chat", data="good morning"))
    arrived = reply["events"]
    for reply in looking(adapter, "the message never arrives, or SCTP is never said to be connected"):
        arrived += reply["events"]
        if arrived and reply["states"]["a"]["sctp"] == "connected":  # it may come behind the channel's opening
            break
    assert [(one["on"], one["event"], one["label"], one["data"]) for one in arrived] == [
        ("b", "message", "chat", "good morning")
    ]
    states = reply["states"]["a"]
    assert states["ice"] == ["connected"] or states["ice"] == ["completed"]
    assert states["dtls"] == ["connected"]


def test_close_closes_all_and_the_other_side_hears_of_it(adapter: AdapterProcess) -> None:
    connect(adapter)
    closed = adapter.ask(on("a", "close"))["states"]["a"]
    assert closed["signalingState"] == closed["connectionState"] == closed["iceConnectionState"] == "closed"
    for reply in looking(adapter, "b hears nothing"):
        if reply["states"]["b"]["channels"] == {"chat": "closed"}:
            break


def test_reset_forgets_names_and_mutes_what_is_still_to_come(adapter: AdapterProcess) -> None:
    adapter.ask(on("a", "createDataChannel", label="chat"))
    reply = adapter.ask(on("a", "setLocalDescription"), {"operation": "reset"}, on("a", "new"), limit_seconds=0.1)
    assert reply["events"] == []
    assert list(reply["states"]) == ["a"]
    assert reply["states"]["a"]["signalingState"] == "stable"
    late = adapter.ask({"operation": "look", "wait_seconds": 0.3})
    assert late["events"] == []


def test_operations_of_one_request_are_begun_together(adapter: AdapterProcess) -> None:
    began = time.monotonic()
    reply = adapter.ask(on("a", "createOffer"), on("a", "close"), limit_seconds=0.2)
    assert [result["verdict"] for result in reply["results"]] == ["pending", "fulfilled"]
    assert 0.2 <= time.monotonic() - began < 4, "the limit was the request's"
    assert value(adapter.ask(on("b", "createOffer")))["type"] == "offer", "it goes on after a hang"


def test_a_refusal_has_its_name_and_says_whether_it_was_a_promise(adapter: AdapterProcess) -> None:
    adapter.ask(on("a", "close"))
    promised = adapter.ask(on("a", "createOffer"))["results"][0]
    thrown = adapter.ask(on("a", "createDataChannel", label="late"))["results"][0]
    assert (promised["verdict"], promised["error"]["name"]) == ("rejected", "InvalidStateError")
    assert (thrown["verdict"], thrown["error"]["name"]) == ("thrown", "InvalidStateError")
    garbage = adapter.ask(on("b", "setRemoteDescription", description=GARBAGE))["results"][0]
    assert garbage["verdict"] == "rejected"
    refused = adapter.ask(on("b", "setLocalDescription", description=ROLLBACK))["results"][0]
    assert (refused["verdict"], refused["error"]["name"]) == ("rejected", "InvalidStateError")


def test_the_argument_has_only_the_members_that_were_given(adapter: AdapterProcess) -> None:
    refused = adapter.ask(on("a", "addIceCandidate", candidate=NO_CANDIDATE))["results"][0]
    assert (refused["verdict"], refused["error"]["name"]) == ("rejected", "TypeError"), "neither sdpMid nor an index"
    without_an_argument = adapter.ask(on("a", "setLocalDescription"))["states"]["a"]
    assert without_an_argument["pendingLocalDescription"] == "offer"


def test_what_it_does_not_know_is_inexpressible(adapter: AdapterProcess) -> None:
    unknown = (on("a", "fly"), on("nobody", "close"), on("a", "send", label="none", data="x"), on("a", "constructor"))
    reply = adapter.ask(*unknown)
    assert [result["verdict"] for result in reply["results"]] == ["inexpressible"] * len(unknown)


def test_more_connections_than_chromium_allows_at_once_can_follow_each_other(browser: AdapterProcess) -> None:
    for _ in range(60):
        peers = [on(str(number), "new") for number in range(10)]
        reply = browser.ask({"operation": "reset"}, *peers)
        assert {result["verdict"] for result in reply["results"]} == {"fulfilled"}
