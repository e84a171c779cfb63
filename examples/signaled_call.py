"""Two programs find each other over a signalling server that can't forge what they sign. Here both are in one process.

python examples/signaled_call.py
"""

from __future__ import annotations

import asyncio

from fsm_rtc import Allowlist, Connection, Identity, SignalingServer, WebSocketSignaling

READY_SECONDS = 20.0


async def side(url: str, name: str, identity: Identity, friend: str) -> str:
    """Be one side of the call; what the other one says."""
    async with Connection(WebSocketSignaling(url), identity, name=name, trust=Allowlist([friend])) as call:
        await call.wait_for_ready(READY_SECONDS)
        await call.send(f"{name} greets {call.peer.name if call.peer else 'nobody'}")
        heard = await anext(call.messages())
        return heard if isinstance(heard, str) else heard.decode()


async def main() -> None:
    """Start a server, let two sides talk over it."""
    # In earnest each side keeps its key in a file (`fsm-rtc keygen`), and gives the other its id by another way.
    alice, bob = Identity.generate(), Identity.generate()
    async with SignalingServer() as server:
        url = f"{server.url}/kitchen"
        heard = await asyncio.gather(side(url, "alice", alice, bob.id), side(url, "bob", bob, alice.id))
    print(*heard, sep="\n")


if __name__ == "__main__":
    asyncio.run(main())
