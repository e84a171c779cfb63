"""The kit's side of an adapter that is a program: whatever it does, the kit says what happened."""

from __future__ import annotations

import pytest

from fsm_rtc.conformance import adapter as module
from fsm_rtc.conformance.adapter import ProcessAdapter
from fsm_rtc.conformance.protocol import Operation
from fsm_rtc.errors import AdapterError
from tests.conformance.adapter_conversation import python

pytestmark = pytest.mark.live

HELLO = """
import json, sys
request = json.loads(sys.stdin.readline())
value = {"protocol": 1, "name": "scripted", "version": "1"}
print(json.dumps({"id": request["id"], "results": [{"verdict": "fulfilled", "value": value}]}), flush=True)
"""


async def started(code: str) -> ProcessAdapter:
    adapter = ProcessAdapter(python(HELLO + code))
    await adapter.start()
    return adapter


async def test_it_knows_the_stack_and_ends_with_its_input() -> None:
    adapter = await started("sys.stdin.read()")
    assert (adapter.hello.name, adapter.hello.version) == ("scripted", "1")
    await adapter.aclose()


async def test_one_that_ends_is_told_with_its_exit_code_and_its_last_words() -> None:
    adapter = await started("sys.stdin.readline(); print('no more', file=sys.stderr); sys.exit(3)")
    with pytest.raises(AdapterError, match=r"it ended \(exit code 3\)\. It said: no more"):
        await adapter.ask(Operation("reset"))
    await adapter.aclose()


async def test_one_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GRACE_SECONDS", 0.2)
    adapter = await started("import time; time.sleep(1000)")
    with pytest.raises(AdapterError, match="TimeoutError while it was asked"):
        await adapter.ask(Operation("reset"), limit_seconds=0.1)
    await adapter.aclose()


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        ("nonsense", "reply is none"),
        ('{"id": 2, "results": 7}', "reply is none"),
        ('{"id": 99, "results": [{"verdict": "fulfilled"}]}', "answered request 99 where 2 was asked"),
        ('{"id": 2, "results": []}', "answered request 2 where 2 was asked"),
    ],
)
async def test_what_is_no_reply_is_refused(reply: str, told: str) -> None:
    adapter = await started(f"sys.stdin.readline(); print({reply!r}, flush=True); sys.stdin.read()")
    with pytest.raises(AdapterError, match=told):
        await adapter.ask(Operation("reset"))
    await adapter.aclose()


async def test_a_program_that_is_not_there_is_told() -> None:
    with pytest.raises(AdapterError, match="can't be started: No such file"):
        await ProcessAdapter("no-such-program-anywhere").start()


async def test_another_version_of_the_protocol_is_refused() -> None:
    adapter = ProcessAdapter(python(HELLO.replace('"protocol": 1', '"protocol": 2') + "sys.stdin.read()"))
    with pytest.raises(AdapterError, match="speaks protocol 2, this is version 1"):
        await adapter.start()
    with pytest.raises(AdapterError, match="not started"):
        await adapter.ask(Operation("reset"))


async def test_it_can_be_started_again() -> None:
    adapter = await started("sys.stdin.readline(); sys.exit(1)")
    with pytest.raises(AdapterError):
        await adapter.ask(Operation("reset"))
    await adapter.restart()
    assert adapter.hello.name == "scripted"
    await adapter.aclose()


async def test_one_that_was_not_started_says_so() -> None:
    with pytest.raises(AdapterError, match="not started"):
        await ProcessAdapter("true").ask(Operation("reset"))
