"""The example of a FastAPI service with signalling of its own lets in who has its token."""

from __future__ import annotations

import asyncio
import json
from urllib.request import Request, urlopen

from examples import mounted_signaling
from fsm_rtc.connection.channel import LinkUp
from fsm_rtc.messages.signing import Member
from fsm_rtc.signaling import WebSocketSignaling
from tests.signaling.participants import ANNA, BERT, code_of, following, joining
from tests.signaling.test_asgi import serving


def token_of(port: int) -> str:
    request = Request(f"http://127.0.0.1:{port}/rooms/kitchen/token", method="POST")
    with urlopen(request, timeout=10) as answer:
        return str(json.load(answer)["token"])


async def test_who_has_a_token_of_the_service_may_join_its_room() -> None:
    async with serving(mounted_signaling.app) as port:
        url = f"ws://127.0.0.1:{port}/signaling/kitchen"
        guest = WebSocketSignaling(url, token=await asyncio.to_thread(token_of, port))
        await guest.open(Member(guest.room, ANNA))
        await following(guest, LinkUp)
        async with joining(url, Member(guest.room, BERT)) as stranger:
            assert await code_of(stranger) == ("no_access", None)
        await guest.aclose()
