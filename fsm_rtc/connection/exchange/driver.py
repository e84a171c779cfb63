"""ExchangeDriver: an exchange at work: the channel's events go in, the peer connection's operations come out.

Three tasks, all owned here: one reads the channel, one carries out the operations on the peer connection one at a time,
one sends. A timer wakes the exchange. When the peer comes again with a new session (it was restarted) the exchange
begins anew, with the next generation; what belongs to the earlier one counts no more.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import cast

from fsm_rtc.connection.channel import (
    CheckableChannel,
    IceServersChanged,
    LinkDown,
    LinkUp,
    MessageReceived,
    PeerJoined,
    PeerLeft,
    ResumableChannel,
    SignalingChannel,
    SignalingEvent,
)
from fsm_rtc.connection.exchange.exchanger import ANSWER_SECONDS, Exchanger
from fsm_rtc.connection.exchange.parties import NegotiatingPeer, SignalingObserver
from fsm_rtc.connection.exchange.received import ReceivedMessage
from fsm_rtc.connection.exchange.requests import (
    AddCandidate,
    ExchangeEnded,
    ExchangeRequest,
    PeerIsBusy,
    PeerWantsNothing,
    Settled,
    Transmit,
)
from fsm_rtc.connection.exchange.waiting import WaitingMembers
from fsm_rtc.connection.saving.saved import SavedExchange, SavedLink
from fsm_rtc.engine import Accepted
from fsm_rtc.engine.clock import Clock
from fsm_rtc.errors import FsmRtcError, LinkDownError, Rejected
from fsm_rtc.machines.exchange_requests import AnswerOffer, ApplyAnswer, ApplyOffer, MakeOffer, YieldOffer
from fsm_rtc.machines.lifetime import Lifetime
from fsm_rtc.messages import EndCode, Introduction, Member
from fsm_rtc.messages.trust import Trust, TrustOnFirstUse
from fsm_rtc.peer.closing import Closing
from fsm_rtc.peer.description import IceCandidate
from fsm_rtc.peer.machine_set import MachineSet

__all__ = ["ExchangeDriver"]

logger = logging.getLogger("fsm_rtc.connection")

CLOSE_SECONDS = 10.0
"""How long a channel, which may be an embedder's own, has to close; `WebSocketSignaling` takes less."""

GOODBYE_SECONDS = 2.0
"""How long closing waits until the peer has acknowledged the goodbye."""


class ExchangeDriver:
    """One side's signalling, from the first event to the goodbye.

    Args:
        channel: what carries the messages.
        peer: the peer connection's side.
        observer: who is told.
        me: this side; several drivers may have one session.
        trust: whom it talks to; the first peer under a name, if None.
        machines: makes the machines.
        clock: seconds.
        answer_seconds: how long a peer that has the offer may take to answer it.
        keep: called before something is sent, to keep what another run would need; nothing, if None.
        moved: called when the exchange may stand elsewhere than before.

    Attributes:
        me: this side.
        exchanger: the present exchange.
        refused: how many frames were refused, by reason or guard; of earlier exchanges too.
    """

    def __init__(
        self,
        channel: SignalingChannel,
        peer: NegotiatingPeer,
        observer: SignalingObserver,
        me: Member,
        *,
        machines: MachineSet,
        trust: Trust | None = None,
        clock: Clock = time.monotonic,
        answer_seconds: float = ANSWER_SECONDS,
        keep: Callable[[], None] | None = None,
        moved: Callable[[], object] = lambda: None,
    ) -> None:
        self._moved = moved
        self._keep = keep
        self._answer_seconds = answer_seconds
        self.me = me
        self._channel = channel
        self._peer = peer
        self._observer = observer
        self._trust = trust or TrustOnFirstUse()
        self._machines = machines
        self._clock = clock
        self._exchanges = 0
        self._refused_elsewhere: Counter[str] = Counter()
        self.exchanger = self._new_exchanger()
        self._work: asyncio.Queue[tuple[Exchanger, ExchangeRequest | None]] = asyncio.Queue()
        self._outbox: asyncio.Queue[str] = asyncio.Queue()
        self._waiting = WaitingMembers(self.me, machines, clock, lambda: self.peer, self._outbox.put_nowait)
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._has_moved = asyncio.Event()
        self._life = Lifetime(None)
        self._farewell: tuple[str, bool, EndCode | None] = "closed", True, EndCode.CLOSED
        self._closing = Closing(self._close, "fsm_rtc signaling close")

    @property
    def peer(self) -> Introduction | None:
        """Who is on the other side, or None."""
        return self.exchanger.memory.peer

    @property
    def peer_is_there(self) -> bool:
        """Whether the peer is in the room, as far as the signalling says."""
        peer = self.peer
        return peer is not None and self._waiting.has(peer)

    @property
    def refused(self) -> Counter[str]:
        """How many frames were refused, by the guard's name, the reason, or why they are no message."""
        return self._refused_elsewhere + self.exchanger.refused

    def restore(self, peer: Introduction, exchange: SavedExchange, link: SavedLink | None) -> None:
        """Go on where another run has stopped; before `start`. When the peer is there a new offer is made."""
        self.exchanger.restore(peer, exchange, self._clock())
        if link is not None and isinstance(self._channel, ResumableChannel):
            self._channel.restore(link)

    def export_link(self) -> SavedLink | None:
        """What another run needs to go on with the signalling session, if the channel can."""
        return self._channel.export() if isinstance(self._channel, ResumableChannel) else None

    async def start(self) -> None:
        """Open the channel and begin; nothing, if that was done."""
        if self._tasks:
            return
        for work in (self._read, self._carry_out, self._send):
            task = asyncio.create_task(self._surviving(work), name=f"fsm_rtc signaling {work.__name__[1:]}")
            self._tasks.add(task)
        await self._channel.open(self.me)

    def negotiate(self) -> None:
        """Make an offer: now, or when a peer is there and the present exchange is settled."""
        self.exchanger.negotiate(self._clock())
        self._pump()

    def negotiate_if_needed(self) -> None:
        """Make an offer if something was added and no exchange is under way; else its end will see to it."""
        if self._peer.needs_negotiation():
            self.exchanger.negotiate_now(self._clock())
            self._pump()

    def candidate_found(self, candidate: IceCandidate | None) -> None:
        """The peer connection has found a candidate; None says that there are no more."""
        self.exchanger.candidate_found(candidate, self._clock())
        self._pump()

    def leave(self, reason: str, code: EndCode | None = None) -> None:
        """End the exchange and tell the peer why; a new session of it may begin another."""
        self.exchanger.leave(reason, self._clock(), code=code)
        self._pump()

    def check_link(self) -> None:
        """The peer is silent: let the channel find out whether its link still stands, if it can."""
        if isinstance(self._channel, CheckableChannel):
            self._channel.check()

    def end_alone(self, reason: str) -> None:
        """Another program has taken this one's place: there is nobody left who would hear of it."""
        self._waiting.clear()
        self.exchanger.end_alone(reason)
        self._pump()

    def end_by_peer(self, reason: str, *, for_good: bool) -> None:
        """The peer has ended the call, as is known without its message."""
        self.exchanger.end_by_peer(reason, for_good=for_good)
        self._pump()

    async def aclose(self, reason: str = "closed", *, for_good: bool = True, code: EndCode | None = None) -> None:
        """Leave and let everything go. Idempotent; a caller who is cancelled leaves it to go on.

        Args:
            reason: told to the peer.
            for_good: whether that is a goodbye; else the exchange ends as one that has failed.
            code: why, for programs; that of a goodbye is `EndCode.CLOSED`.
        """
        if self._life.finish():
            self._farewell = reason, for_good, EndCode.CLOSED if for_good else code
        await self._closing

    async def _close(self) -> None:
        reason, for_good, code = self._farewell
        try:
            self.exchanger.leave(reason, self._clock(), for_good=for_good, code=code)
            self._pump()
            deadline = asyncio.get_running_loop().time() + GOODBYE_SECONDS
            while self.exchanger.awaits_acknowledgement and self._tasks:
                self._has_moved.clear()
                async with asyncio.timeout_at(deadline):
                    await self._has_moved.wait()
        except TimeoutError:
            pass
        finally:
            self.exchanger.abandon()
            self._waiting.close()
            if self._timer is not None:
                self._timer.cancel()
            await self._close_channel()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            self._tasks.clear()

    async def _close_channel(self) -> None:
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._channel.aclose()
        except TimeoutError:
            logger.warning("the signalling channel didn't close within %g s; it is left", CLOSE_SECONDS)
        except Exception:
            logger.exception("the signalling channel failed to close")

    # The tasks.

    async def _surviving(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do it; if it fails, as a channel of an embedder's own may, the exchange ends with that."""
        try:
            await work()
        except Exception as error:
            logger.exception("the signalling's task failed")
            self.exchanger.link_down()
            self._observer.link_changed(LinkDown(error, None))
            self._observer.failed(error)
            self.leave(f"{type(error).__name__}: {error}")

    async def _read(self) -> None:
        async for event in self._channel.events():
            self._take(event)
            self._pump()

    async def _send(self) -> None:
        while True:
            text = await self._outbox.get()
            try:
                await self._channel.send(text)
            except LinkDownError:
                continue  # what is not acknowledged is sent again when the link is up
            except Exception as error:
                logger.warning("the signalling channel failed to send: %s", error)

    async def _carry_out(self) -> None:
        while True:
            exchanger, request = await self._work.get()
            if exchanger is not self.exchanger or exchanger.machine.is_final:
                continue
            try:
                await self._operate(exchanger, request)
            except Exception as error:
                logger.debug("an operation of the exchange failed", exc_info=error)
                if exchanger is self.exchanger and not exchanger.machine.is_final:
                    self._failed(error, retries=isinstance(request, MakeOffer) and self._observer.will_retry(error))
            self._pump()

    def _failed(self, error: Exception, *, retries: bool) -> None:
        """An operation failed: the exchange ends with that, unless the call's recovery makes another attempt."""
        if retries and self.exchanger.machine.permits("offer_failed"):
            self.exchanger.offer_failed(self._clock())
            self._observer.attempt_failed(error)
        else:
            self._observer.failed(error)
            self.leave(f"{type(error).__name__}: {error}")

    async def _operate(self, exchanger: Exchanger, request: ExchangeRequest | None) -> None:
        peer = self._peer
        match request:
            case None:
                await peer.begin()
            case MakeOffer():
                offer = await peer.make_offer()
                exchanger.offer_made(offer, self._clock())
            case YieldOffer():
                await peer.yield_offer()
                exchanger.yielded(self._clock())
            case ApplyOffer(offer):
                await peer.apply_offer(cast(ReceivedMessage, offer).description)
                exchanger.offer_applied(self._clock())
            case AnswerOffer():
                answer = await peer.make_answer()
                exchanger.answer_made(answer, self._clock())
            case ApplyAnswer(answer):
                await peer.apply_answer(cast(ReceivedMessage, answer).description)
                exchanger.answer_applied(self._clock())
            case AddCandidate(candidate):
                await self._add_candidate(candidate)

    async def _add_candidate(self, candidate: IceCandidate | None) -> None:
        try:
            await self._peer.add_candidate(candidate)
        except FsmRtcError as refused:
            self._refused_elsewhere[type(refused).__name__] += 1
            logger.debug("a candidate of the peer was refused: %s", refused)

    # Events.

    def _take(self, event: SignalingEvent) -> None:
        now = self._clock()
        match event:
            case MessageReceived(frame, message):
                self.exchanger.received(frame, now, message)
            case PeerJoined(introduction):
                self._joined(introduction)
            case PeerLeft(who, session):
                self._left(who, session)
            case LinkUp(members):
                self._waiting.clear()
                self.exchanger.link_up(now)
                self._observer.link_changed(event)
                for introduction in members:
                    self._joined(introduction)
            case LinkDown():
                self.exchanger.link_down()
                self._observer.link_changed(event)
            case IceServersChanged():
                self._observer.ice_servers_changed(event)

    def _joined(self, introduction: Introduction) -> None:
        """Begin with somebody; one who comes while there is another waits until that is over."""
        self._waiting.add(introduction)
        peer = self.peer
        if peer is None:
            self._introduce(introduction, self.exchanger)
        elif peer.who == introduction.who:
            # It was away for a while: what it has not acknowledged goes out again at once.
            if introduction != peer and not self.exchanger.is_introduced_by(introduction):
                self._refused_elsewhere["introduced_itself"] += 1
                return
            self.exchanger.link_up(self._clock())
            if self._observer.peer_back(peer):
                self.exchanger.negotiate(self._clock())
        elif peer.id == introduction.id or self.exchanger.is_over:
            self._introduce(introduction, self._new_exchanger())
        else:
            self._waiting.tell(introduction)

    def _introduce(self, introduction: Introduction, exchanger: Exchanger) -> None:
        """Begin, or begin anew, if it is somebody to talk to; who isn't changes nothing."""
        try:
            outcome = exchanger.joined(introduction)
        except FsmRtcError as error:
            self._refused_elsewhere[type(error).__name__] += 1
            logger.warning("nobody is let in, since trust can't be decided: %s", error)
            outcome = None
        if isinstance(outcome, Accepted):
            if exchanger is not self.exchanger:
                self._begin_anew(exchanger)
            self._observer.peer_joined(introduction)
            self._waiting.tell(*self._waiting.others)
            return
        if exchanger is not self.exchanger:
            self._hand_on(exchanger)
            self._let_go(exchanger)
        if isinstance(outcome, Rejected):
            self._observer.peer_refused(introduction, outcome)

    def _look_for_another(self) -> None:
        """The call is over; somebody may have been waiting."""
        for introduction in self._waiting.members:
            if self._life.permits("add") and self.exchanger.is_over:
                self._joined(introduction)
        self._pump()

    def _begin_anew(self, exchanger: Exchanger) -> None:
        before = self.exchanger
        before.abandon()
        self._hand_on(before)
        self._let_go(before)
        self.exchanger = exchanger
        self._work.put_nowait((exchanger, None))

    def _let_go(self, exchanger: Exchanger) -> None:
        self._refused_elsewhere.update(exchanger.refused)
        exchanger.release()

    def _new_exchanger(self) -> Exchanger:
        self._exchanges += 1
        number = "" if self._exchanges == 1 else f"#{self._exchanges}"
        return Exchanger(self.me, self._trust, self._machines, f"exchange{number}", self._answer_seconds)

    def _left(self, who: str, session: str) -> None:
        self._waiting.remove(who, session)
        peer = self.peer
        if peer is not None and (peer.id, peer.session) == (who, session):
            if not self._life.permits("add"):  # nobody waits for it; else the goodbye is kept, for it may come back
                self.exchanger.peer_left()
            self._observer.peer_left(peer)

    def _pump(self) -> None:
        """Hand on what the exchange asks for, and set the timer anew."""
        self._hand_on(self.exchanger)
        self._has_moved.set()
        self._moved()
        self._set_timer()

    def _hand_on(self, exchanger: Exchanger) -> None:
        requests = exchanger.take()
        if self._keep is not None:
            self._keep()
        for request in requests:
            match request:
                case Transmit(text):
                    self._outbox.put_nowait(text)
                case PeerIsBusy():
                    if (peer := exchanger.memory.peer) is not None:
                        self._observer.peer_busy(peer)
                case Settled(offer_id):
                    self._agreed(offer_id)
                case ExchangeEnded():
                    self._waiting.call_over()
                    self._observer.ended(request)
                    asyncio.get_running_loop().call_soon(self._look_for_another)
                case PeerWantsNothing():
                    if exchanger.memory.peer is not None:
                        self._observer.peer_wants_nothing(exchanger.memory.peer)
                case _:
                    self._work.put_nowait((exchanger, request))

    def _agreed(self, offer_id: str) -> None:
        peer = self.peer
        if peer is not None and self.me.identity is not None:
            self._remember(peer)
        self._observer.settled(offer_id)
        asyncio.get_running_loop().call_soon(self.negotiate_if_needed)

    def _remember(self, peer: Introduction) -> None:
        try:
            self._trust.remember(peer.name, peer.public_key)
        except FsmRtcError as error:
            logger.warning("the peer's key is not remembered: %s", error)

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self.exchanger.next_timeout()
        if due is not None and self._tasks:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(max(0.0, due - self._clock()), self._tick)

    def _tick(self) -> None:
        self.exchanger.tick(self._clock())
        self._pump()
