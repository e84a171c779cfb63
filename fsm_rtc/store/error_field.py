"""The document's error pattern: what fails is stored, and raised."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fsm_rtc.store.subscriptions import Subscriptions

__all__ = ["ErrorField"]

logger = logging.getLogger("fsm_rtc.store")


class ErrorField:
    """Keeps the snapshot's `error`: the latest one, until the same operation succeeds.

    Args:
        subscriptions: holds the snapshot.
    """

    def __init__(self, subscriptions: Subscriptions) -> None:
        self._subscriptions = subscriptions
        self._operation: str | None = None

    @contextmanager
    def operation(self, name: str, counts: Callable[[], bool] = lambda: True) -> Iterator[None]:
        """As `storing`; and if nothing comes out, clear the error that this operation left before."""
        with self.storing(name, counts):
            yield
        self.clear(name)

    @contextmanager
    def storing(self, name: str, counts: Callable[[], bool] = lambda: True) -> Iterator[None]:
        """Store an error that comes out, and raise it on.

        Args:
            name: the operation.
            counts: asked then whether it is to be told: one that its own connection's closing overtook isn't.
        """
        try:
            yield
        except Exception as error:
            if counts():
                logger.debug("%s failed: %s", name, error)
                self.put(error, name)
            raise

    def clear(self, operation: str) -> None:
        """Clear the error that this operation left, if it is the present one."""
        if self._operation == operation:
            self.put(None)

    def put(self, error: Exception | None, operation: str | None = None) -> None:
        """Store an error, or clear it."""
        self._operation = operation
        self._subscriptions.update(error=error)
