"""Two stores in one process connect, talk on their channel, and close.

python examples/plain_call.py
"""

from __future__ import annotations

import asyncio

from fsm_rtc import Configuration, ConnectionStore, Journal
from fsm_rtc.store import chat_text

CONNECT_SECONDS = 20.0


async def hear(store: ConnectionStore) -> str | None:
    """The next message, if it is a chat message."""
    return chat_text(await anext(store.messages()))


async def main() -> None:
    """Call, talk, close, and tell what the machines went through."""
    journal = Journal()
    here = Configuration()  # no STUN server, which a store has by default: both are on this machine
    caller = ConnectionStore(here, journal=journal, label="caller")
    callee = ConnectionStore(here, journal=journal, label="callee")
    caller.subscribe(lambda status: print("caller:", status), select=lambda state: state.peer_connection_status)

    # Descriptions are plain data: here they are handed over, elsewhere they go by websocket, HTTP or mail.
    offer = await caller.create_offer()
    answer = await callee.process_offer(offer)
    await caller.process_answer(answer)
    await asyncio.gather(caller.wait_for_connected(CONNECT_SECONDS), callee.wait_for_connected(CONNECT_SECONDS))

    caller.send_chat("Hello peer!")
    print("callee heard:", await hear(callee))
    callee.send_chat("Hello yourself!")
    print("caller heard:", await hear(caller))

    await caller.close_connection()
    await callee.close_connection()
    print(f"{journal.accepted} events accepted, {journal.rejected} rejected")


if __name__ == "__main__":
    asyncio.run(main())
