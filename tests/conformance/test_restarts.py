"""What a restart of ICE does to the need to negotiate, on stacks that can restart it."""

from __future__ import annotations

import pytest

from fsm_rtc.conformance.adapter import ProcessAdapter
from fsm_rtc.conformance.campaign import Campaign, Options
from fsm_rtc.conformance.sequences import Sequence
from tests.conformance.adapter_conversation import installed

pytestmark = pytest.mark.live


@pytest.mark.parametrize("name", ["fsm_rtc", "wrtc"])
@pytest.mark.parametrize(
    "steps",
    [
        ("createDataChannel", "setLocalDescription(offer)", "restartIce", "setRemoteDescription(answer)"),
        ("createDataChannel", "restartIce", "setLocalDescription(offer)", "setRemoteDescription(answer)"),
        (
            "createDataChannel",
            "setLocalDescription(offer)",
            "restartIce",
            "setRemoteDescription(answer)",
            "setLocalDescription(offer)",
            "setRemoteDescription(answer)",
        ),
    ],
    ids=["behind the offer", "ahead of the offer", "behind the offer, and offered then"],
)
def test_negotiation_is_needed_until_the_old_credentials_are_gone(name: str, steps: tuple[str, ...]) -> None:
    command = installed(name).command
    with Campaign(lambda: ProcessAdapter(command), Options()) as campaign:
        assert campaign.try_sequence(Sequence(steps)) == []
