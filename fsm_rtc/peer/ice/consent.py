"""Consent, and whether the other side is there: when it is asked, and when it is said to be missing.

What the statuses are, and what leads from one to the next, stands in `machines.consent`; here are the times. RFC 7675's
question comes every 5 s, 20 % more or less. Only while nothing at all has been heard for 2.5 s is the other side asked
more often, so a lost peer is missed within 5 s and a live one is never asked more than every 2.5 s. Any kind of pair is
asked, a relayed one too, and nothing that goes wrong with a question ends the asking.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from aioice import stun

from fsm_rtc.engine import Accepted, Outcome
from fsm_rtc.machines.consent import Consent, ConsentChanged, ConsentState
from fsm_rtc.peer.ice.checks import Checks

__all__ = ["CONSENT", "ConsentTimes", "Consenting"]

logger = logging.getLogger("fsm_rtc.peer.ice")


@dataclass(frozen=True, slots=True)
class ConsentTimes:
    """How often the other side is asked, and how long it may be silent.

    Attributes:
        interval_seconds: between two questions of consent, 20 % more or less. Source: RFC 7675, section 5.1.
        quiet_seconds: without hearing anything put its presence in doubt. Source: libwebrtc's receiving timeout.
        retry_seconds: between two questions while in doubt or missing.
        lost_seconds: without hearing anything it is missing.
        unanswered_seconds: without an answer it is missing too, whatever else is heard: three questions of consent.
        expiry_seconds: without an answer, and nothing is sent any more. Source: RFC 7675, section 5.1.
    """

    interval_seconds: float = 5.0
    quiet_seconds: float = 2.5
    retry_seconds: float = 0.25
    lost_seconds: float = 4.5
    unanswered_seconds: float = 16.0
    expiry_seconds: float = 30.0


CONSENT = ConsentTimes()

STALL_SECONDS = 1.0
"""A loop that wakes up later than this has not listened meanwhile, so it can't say that nothing came."""


class Consenting(Checks):
    """Checks, and consent once a pair is selected.

    Attributes:
        consent: the times.
        presence: the status.
        consented: called with whether the other side is there, when that changes.
        expired: called when consent has expired.
    """

    def __init__(self, **options: object) -> None:
        super().__init__(**options)
        self.consent = CONSENT
        self.presence = Consent()
        self.consented: Callable[[bool], None] = _ignore
        self.expired: Callable[[], None] = _ignore
        self._asked_at = 0.0

    @property
    def is_missing(self) -> bool:
        """Whether the other side doesn't answer."""
        return self.presence.state in (ConsentState.MISSING, ConsentState.EXPIRED)

    @property
    def is_searching(self) -> bool:
        """Whether a pair is looked for: another one too, when the one in use is silent."""
        return super().is_searching or (bool(self._nominated) and self.presence.state is ConsentState.MISSING)

    async def query_consent(self) -> None:
        """Ask again and again, until consent has expired or the connection is closed."""
        question_at = self._now() + self._interval()
        while self._nominated and not self._closing:
            times = self.consent
            quiet_at = max(self.heard_at + times.quiet_seconds, self._asked_at + times.retry_seconds)
            wake_at = min(question_at, quiet_at)
            await asyncio.sleep(wake_at - self._now())
            now = self._now()
            if now - wake_at > STALL_SECONDS:
                self.heard_at += now - wake_at
                self.answered_at += now - wake_at
            self._look(now)
            is_quiet = now >= self.heard_at + times.quiet_seconds and now >= self._asked_at + times.retry_seconds
            if is_quiet or now >= question_at:
                question_at = now + self._interval()
                self._question(now)

    def _interval(self) -> float:
        return self.consent.interval_seconds * random.uniform(0.8, 1.2)  # noqa: S311 - no secret

    def _look(self, now: float) -> None:
        """What the time that has passed says."""
        times, silent, unanswered = self.consent, now - self.heard_at, now - self.answered_at
        if silent >= times.quiet_seconds:
            self._tell(self.presence.on_silence())
        else:
            self._tell(self.presence.on_heard())
        if silent >= times.lost_seconds or unanswered >= times.unanswered_seconds:
            self._tell(self.presence.on_loss())
        if unanswered >= times.expiry_seconds:
            self._tell(self.presence.on_expiry())

    def _question(self, now: float) -> None:
        self._asked_at = now
        pair = self.nominated_pair
        if pair is None:
            return
        try:
            # Who controls nominates once more each time, as libwebrtc does, should the first have been lost on the way.
            self._inquire(pair, partial(self._consent, pair), nominate=self.ice_controlling)
        except Exception:
            # Whatever is wrong with one question, the next may do.
            logger.exception("a question of consent could not be sent")

    def _consent(self, pair: object, message: stun.Message, address: tuple[str, int]) -> None:
        if pair is self.nominated_pair and message.message_class is stun.Class.RESPONSE:
            self._confirmed()

    def _confirmed(self) -> None:
        super()._confirmed()
        self._tell(self.presence.on_answer())

    def _tell(self, outcome: Outcome) -> None:
        """Act on what the table asks for."""
        for effect in outcome.effects if isinstance(outcome, Accepted) else ():
            if not isinstance(effect, ConsentChanged):
                continue
            if effect.state is ConsentState.EXPIRED:
                self._nominated.clear()
                self.expired()
            else:
                self.search()
                self.consented(effect.state is ConsentState.FRESH)


def _ignore(*_: object) -> None:
    """Nobody listens yet."""
