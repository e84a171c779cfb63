"""The example of an embedder's own signalling runs."""

from __future__ import annotations

import pytest

from examples import own_signaling


async def test_two_sides_call_over_a_stream(capsys: pytest.CaptureFixture[str]) -> None:
    await own_signaling.main()
    assert sorted(capsys.readouterr().out.splitlines()) == [
        "alice heard: 'Hello' yourself",
        "bob: the call ended: closed",
    ]
