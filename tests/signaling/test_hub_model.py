"""The hub against clients that believe what they are told: cut, resumed, replaced and given up in any order.

Each client counts its deliveries and resumes behind what it has read. In the end of every step each one that has read
everything knows exactly who else is in its room, and has every text once and in its sender's order.
"""

from __future__ import annotations

from collections import defaultdict
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from fsm_rtc.messages.wire import DeliveriesReceived, Error, MemberJoined, MemberLeft, Welcome, decode
from fsm_rtc.signaling.hub import Hub
from fsm_rtc.signaling.limits import Limits
from fsm_rtc.signaling.seats import Attach, DeliverText, Effect, ForgetMailbox, Refuse, Seat, Send
from tests.signaling.hub_talk import introduction, message

IDS = ("anna", "bert", "carl", "dora")
ROOMS = ("kitchen", "cellar")
LIMITS = Limits(members=3, messages_per_second=1e9, burst=10**9, grace_seconds=10)
Key = tuple[str, str]


@dataclass
class Client:
    """One session of a member, as its program sees it."""

    room: str
    who: str
    session: str
    socket: int | None
    knows: set[Key] = field(default_factory=set)
    seen: int = 0
    has_gone_on: bool = False
    heard: dict[Key, list[int]] = field(default_factory=lambda: defaultdict(list))

    @property
    def key(self) -> Key:
        return self.who, self.session

    def read(self, texts: list[str]) -> None:
        """Read what is in the mailbox behind what was seen."""
        for text in texts[self.seen :]:
            self.seen += 1
            if not text.startswith("{"):
                who, session, number = text.split()
                self.heard[who, session].append(int(number))
                continue
            said = decode(text)
            if isinstance(said, MemberJoined):
                assert (said.member.id, said.member.session) not in self.knows
                self.knows.add((said.member.id, said.member.session))
            elif isinstance(said, MemberLeft):
                self.knows.remove((said.id, said.session))


class Hotel(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.hub: Hub[int] = Hub(LIMITS)
        self.now = 0.0
        self.sockets = 0
        self.sessions = 0
        self.clients: dict[tuple[str, str], Client] = {}
        self.mailboxes: dict[Seat[int], list[str]] = {}
        self.posts: dict[tuple[Key, Key], int] = defaultdict(int)

    def perform(self, effects: tuple[Effect[int], ...], newcomer: Client | None = None) -> None:
        for effect in effects:
            match effect:
                case Attach(seat, socket, seen):
                    assert seat.socket == socket
                    assert seen <= len(self.mailboxes.setdefault(seat, []))
                case DeliverText(seat, text):
                    self.mailboxes[seat].append(text)
                case ForgetMailbox(seat):
                    del self.mailboxes[seat]
                case Refuse(socket, _, _):
                    for place, client in tuple(self.clients.items()):
                        if client.socket == socket and client is not newcomer:
                            del self.clients[place]
                case Send(socket, said):
                    self.hear(socket, said, newcomer)

    def hear(self, socket: int, said: Any, newcomer: Client | None) -> None:
        if isinstance(said, Welcome):
            assert newcomer is not None
            assert newcomer.socket == socket
            if not said.resumed:
                newcomer.knows = {(member.id, member.session) for member in said.members}
        else:
            assert isinstance(said, Error | DeliveriesReceived)
            assert any(client.socket == socket for client in self.clients.values())

    def connected(self) -> list[Client]:
        return [client for client in self.clients.values() if client.socket is not None]

    def unheard(self) -> list[Client]:
        """Those that may not have heard their first welcome."""
        return [client for client in self.clients.values() if not client.has_gone_on]

    @rule(room=st.sampled_from(ROOMS), who=st.sampled_from(IDS))
    def join(self, room: str, who: str) -> None:
        self.sockets += 1
        self.sessions += 1
        client = Client(room, who, f"s{self.sessions}", self.sockets)
        there = sum(place[0] == room for place in self.clients)
        is_known = (room, who) in self.clients
        effects = self.hub.join(self.sockets, room, introduction(who, client.session), self.now)
        if is_known or there < LIMITS.members:
            self.clients[room, who] = client
        else:
            assert [type(effect) for effect in effects] == [Refuse]
        self.perform(effects, client)

    @precondition(lambda self: self.clients)
    @rule(data=st.data(), reads=st.booleans())
    def come_back(self, data: st.DataObject, reads: bool) -> None:
        """A client resumes; its old socket may still be there, half dead."""
        client = data.draw(st.sampled_from(list(self.clients.values())))
        if reads:
            self.read(client)
        self.sockets += 1
        client.socket = self.sockets
        client.has_gone_on = True
        me = introduction(client.who, client.session)
        effects = self.hub.join(self.sockets, client.room, me, self.now, seen=client.seen)
        self.perform(effects, client)

    @precondition(lambda self: self.unheard())
    @rule(data=st.data())
    def join_again_since_the_welcome_was_lost(self, data: st.DataObject) -> None:
        client = data.draw(st.sampled_from(self.unheard()))
        self.sockets += 1
        client.socket = self.sockets
        me = introduction(client.who, client.session)
        self.perform(self.hub.join(self.sockets, client.room, me, self.now), client)

    @precondition(lambda self: self.connected())
    @rule(data=st.data())
    def lose(self, data: st.DataObject) -> None:
        client = data.draw(st.sampled_from(self.connected()))
        assert client.socket is not None
        self.hub.lost(client.socket, self.now)
        client.socket = None

    @precondition(lambda self: self.connected())
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        client = data.draw(st.sampled_from(self.connected()))
        assert client.socket is not None
        del self.clients[client.room, client.who]
        self.perform(self.hub.leave(client.socket))

    @rule(seconds=st.integers(1, 12))
    def wait(self, seconds: int) -> None:
        self.now += seconds
        self.perform(self.hub.tick(self.now))
        present = {(room, member.id) for room in ROOMS for member in self.hub.members(room)}
        for place in set(self.clients) - present:
            assert self.clients.pop(place).socket is None, "somebody was given up who is there"

    @precondition(lambda self: self.connected())
    @rule(data=st.data(), who=st.sampled_from(IDS))
    def send(self, data: st.DataObject, who: str) -> None:
        sender = data.draw(st.sampled_from(self.connected()))
        there = {client.who: client for client in self.clients.values() if client.room == sender.room}
        recipient = there.get(who)
        assert sender.socket is not None
        to_session = recipient.session if recipient is not None else "s0"
        sent = message(sender.who, who, sender.room, sender.session, to_session)
        reaches = recipient is not None and recipient is not sender
        number = self.posts[sender.key, (who, to_session)] + 1
        effects = self.hub.post(sender.socket, sent, f"{sender.who} {sender.session} {number}", self.now)
        assert any(isinstance(effect, DeliverText) for effect in effects) == reaches
        sender.has_gone_on = True
        if reaches:
            self.posts[sender.key, (who, to_session)] = number
        self.perform(effects)

    def read(self, client: Client) -> None:
        seat = self.hub.seat_at(client.room, client.who)
        assert seat is not None
        assert seat.session == client.session
        client.read(self.mailboxes[seat])

    @precondition(lambda self: self.clients)
    @rule(data=st.data())
    def read_something(self, data: st.DataObject) -> None:
        client = data.draw(st.sampled_from(list(self.clients.values())))
        client.has_gone_on = True
        self.read(client)

    @invariant()
    def every_client_that_reads_everything_knows_who_is_there_and_has_every_text_once(self) -> None:
        for client in map(deepcopy, self.clients.values()):
            self.read(client)
            others = {other.key for other in self.clients.values() if other.room == client.room} - {client.key}
            assert client.knows == others
            for sender, numbers in client.heard.items():
                assert numbers == list(range(1, self.posts[sender, client.key] + 1))

    @invariant()
    def nothing_is_kept_of_who_is_gone(self) -> None:
        assert len(self.mailboxes) == len(self.clients) == self.hub.member_count
        assert len(self.hub) == len({room for room, _ in self.clients})


TestHotel = Hotel.TestCase
