"""The example of a call runs: both sides connect, hear each other and close."""

from __future__ import annotations

import pytest

from examples import plain_call


async def test_two_stores_call_talk_and_close(capsys: pytest.CaptureFixture[str]) -> None:
    await plain_call.main()
    lines = capsys.readouterr().out.splitlines()
    assert "callee heard: Hello peer!" in lines
    assert "caller heard: Hello yourself!" in lines
    statuses = [line.removeprefix("caller: ") for line in lines if line.startswith("caller: ")]
    assert statuses[0] == "Disconnected"
    assert "connected" in statuses
    assert statuses[-1] == "Disconnected"
    assert lines[-1].endswith(", 0 rejected")
