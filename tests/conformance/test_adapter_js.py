"""The JavaScript core of adapters, in Node, over a stack (stack.mjs) that does what well-behaved ones never do."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.adapter_process import AdapterProcess

pytestmark = pytest.mark.live

STACK = Path(__file__).with_name("stack.mjs")


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AdapterProcess]:
    node = shutil.which("node")
    if node is None and os.environ.get("CI") != "true":
        pytest.skip("Node is not installed: apt install nodejs")
    with AdapterProcess([node or "node", str(STACK)], tmp_path_factory.mktemp("node")) as running:
        yield running


@pytest.fixture(autouse=True)
def a(adapter: AdapterProcess) -> None:
    adapter.ask({"operation": "reset"}, {"operation": "new", "on": "a"})


def on_a(operation: str, **arguments: Any) -> dict[str, Any]:
    return {"operation": operation, "on": "a", **arguments}


def test_what_a_connection_visibly_lacks_is_declared(adapter: AdapterProcess) -> None:
    lacks = adapter.ask({"operation": "hello"})["results"][0]["value"]["lacks"]
    assert {"event closing", "restartIce", "createDataChannel", "event track", "attribute sctp"} <= set(lacks)
    assert not {"close", "event signalingstatechange", "attribute signalingState"} & set(lacks)


def test_states_that_the_stack_lacks_are_left_out(adapter: AdapterProcess) -> None:
    assert adapter.ask(on_a("close"))["states"]["a"] == {"signalingState": "closed", "channels": {}}


def test_an_absent_method_is_inexpressible(adapter: AdapterProcess) -> None:
    assert adapter.ask(on_a("restartIce"))["results"] == [{"verdict": "inexpressible", "after": 0}]


def test_what_is_thrown_may_be_anything(adapter: AdapterProcess) -> None:
    result = adapter.ask(on_a("createAnswer"))["results"][0]
    assert result["verdict"] == "thrown"
    assert result["error"] == {"name": "string", "message": "no answer"}


def test_a_promise_that_never_settles_is_pending_and_all_else_goes_on(adapter: AdapterProcess) -> None:
    reply = adapter.ask(on_a("createOffer"), on_a("localDescription"), limit_seconds=0.05)
    assert reply["results"][0] == {"verdict": "pending"}
    assert reply["results"][1]["verdict"] == "fulfilled"
    assert reply["results"][1]["value"] is None


def test_a_result_tells_what_was_there_when_it_settled_and_the_states_what_came_of_it(adapter: AdapterProcess) -> None:
    reply = adapter.ask(on_a("setRemoteDescription", description={"type": "offer", "sdp": ""}))
    assert reply["results"][0]["after"] == 1
    assert reply["results"][0]["states"]["signalingState"] == "offer"
    assert [event["states"]["signalingState"] for event in reply["events"]] == [
        "offer",
        "one turn of the promises later",
        "one turn of the loop later",
    ]
    assert reply["states"]["a"]["signalingState"] == "one turn of the loop later"


def test_absent_arguments_and_members_are_not_given(adapter: AdapterProcess) -> None:
    def given(asked: dict[str, Any]) -> str:
        result = adapter.ask(asked)["results"][0]
        assert result["verdict"] == "rejected"
        return str(result["error"]["message"])

    assert given(on_a("setLocalDescription")) == "[]"
    assert given(on_a("addIceCandidate", candidate={"candidate": ""})) == '[{"candidate":""}]'


def test_the_next_connection_of_a_name_does_not_inherit_events(adapter: AdapterProcess) -> None:
    change = on_a("setRemoteDescription", description={"type": "offer", "sdp": ""})
    reply = adapter.ask(change, {"operation": "reset"}, on_a("new"))
    assert reply["events"] == []
    assert reply["states"]["a"]["signalingState"] == "stable"


def test_a_look_ends_with_the_first_event(adapter: AdapterProcess) -> None:
    reply = adapter.ask(on_a("look", wait_seconds=60), on_a("close"))
    assert [event["event"] for event in reply["events"]] == ["signalingstatechange"]
