"""Which requests a machine needs handlers for: what its effects say they return."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import pytest

from fsm_rtc.driver.handlers import Handler, handler_of, handlers_for
from fsm_rtc.engine import Chart, On, stay
from fsm_rtc.errors import ChartError

if TYPE_CHECKING:
    from decimal import Decimal


class OneState(StrEnum):
    ONLY = "only"


(ONLY,) = OneState


@dataclass(frozen=True)
class Mail:
    """Send a mail."""


@dataclass(frozen=True)
class LoudMail(Mail):
    """Send a mail that beeps."""


class Fax:
    """Send a fax."""


def either(context: object, event: object) -> Mail | Fax | None:
    """Send a mail or a fax, or neither."""
    return None


def anything(context: object, event: object) -> object:
    """Do something."""
    return None


def unsaid(context, event):  # type: ignore[no-untyped-def]
    """Do something."""


def unreadable(context: object, event: object) -> Decimal:
    """Do something."""
    raise NotImplementedError


def hidden_context(context: Decimal, event: object) -> Mail:
    """Send a mail."""
    return Mail()


def chart_with(effect: Any) -> type[Chart[Any, Any]]:
    class Post(Chart[OneState, None]):
        """A post office."""

        initial = ONLY
        send = On(stay(ONLY, then=(effect,)), cite="here")

    return Post


def test_each_request_that_an_effect_may_return_needs_a_handler() -> None:
    chart = chart_with(either).chart
    with pytest.raises(ChartError, match="Fax, which effect either asks for"):
        handlers_for(chart, {Mail: print})
    assert handlers_for(chart, {Mail: print, Fax: print}).keys() == {Mail, Fax}


def test_a_handler_of_a_base_serves_and_the_nearest_is_taken() -> None:
    handlers = handlers_for(chart_with(LoudMail).chart, {Mail: print, object: repr})
    assert handler_of(handlers, LoudMail) == Handler(print)


@pytest.mark.parametrize("effect", [anything, unsaid])
def test_an_effect_must_say_what_it_returns(effect: Any) -> None:
    with pytest.raises(ChartError, match="must say which request it returns"):
        handlers_for(chart_with(effect).chart, {Mail: print})


def test_an_annotation_that_only_type_checkers_know_is_named() -> None:
    with pytest.raises(ChartError, match="import it outside TYPE_CHECKING"):
        handlers_for(chart_with(unreadable).chart, {Mail: print})


def test_what_an_effect_takes_may_be_known_to_type_checkers_only() -> None:
    assert handlers_for(chart_with(hidden_context).chart, {Mail: print})


def test_entry_and_exit_effects_count() -> None:
    class Post(Chart[OneState, None]):
        """A post office."""

        initial = ONLY
        entry = {ONLY: (Fax,)}
        send = On(stay(ONLY), cite="here")

    with pytest.raises(ChartError, match="nobody carries out Fax"):
        handlers_for(Post.chart, {})
