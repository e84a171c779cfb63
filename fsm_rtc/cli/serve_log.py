"""What `serve` tells while it runs: for people what it refuses, for programs one JSON object a line.

Neither holds a room's name, an id, a key, an address, a token or anything that members say to each other.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum

import typer

from fsm_rtc.cli.plain import plain

__all__ = ["LogFormat", "log_told"]


class LogFormat(StrEnum):
    """How the log is written."""

    TEXT = "text"
    JSON = "json"


class _Told(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        typer.echo(plain(record.getMessage()), err=True)


class _JsonLines(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        event = getattr(record, "event", None)
        told = {"event": event} if event is not None else {"event": "message", "message": record.getMessage()}
        line = {"time": time, "level": record.levelname.lower(), **told, **getattr(record, "fields", {})}
        typer.echo(json.dumps(line), err=True)


@contextmanager
def log_told(form: LogFormat) -> Iterator[None]:
    """Tell on stderr what the server logs, while the block runs."""
    logger = logging.getLogger("fsm_rtc.signaling")
    handler: logging.Handler
    handler, level = (_JsonLines(), logging.DEBUG) if form is LogFormat.JSON else (_Told(), logging.INFO)
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(level)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
