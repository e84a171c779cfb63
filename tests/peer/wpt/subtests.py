"""Where a test's behaviour is also stated: a named subtest of the web-platform-tests.

The tests of this folder are ported by hand: the behaviour is the same, the words and the code are our own. The public
suite's state of 2021-09-20, folder webrtc/, is meant.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

__all__ = ["Subtest", "subtests_of", "wpt"]

Test = TypeVar("Test", bound=Callable[..., object])


@dataclass(frozen=True, slots=True)
class Subtest:
    """A subtest of the web-platform-tests.

    Attributes:
        file: the page's name in webrtc/.
        title: what the page calls it.
    """

    file: str
    title: str


def wpt(file: str, title: str) -> Callable[[Test], Test]:
    """Say which subtest a test is ported from; a parametrized one may be ported from several."""

    def note(test: Test) -> Test:
        test.__dict__.setdefault("subtests", []).append(Subtest(file, title))
        return test

    return note


def subtests_of(test: object) -> list[Subtest]:
    """The subtests that a test is ported from."""
    return list(getattr(test, "subtests", ()))
