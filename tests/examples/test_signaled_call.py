"""The example of a call over a signalling server runs."""

from __future__ import annotations

import pytest

from examples import signaled_call


async def test_two_sides_find_each_other_and_greet(capsys: pytest.CaptureFixture[str]) -> None:
    await signaled_call.main()
    assert capsys.readouterr().out.splitlines() == ["bob greets alice", "alice greets bob"]
