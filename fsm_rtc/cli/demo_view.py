"""What a person sees of `fsm-rtc demo`: each machine's state while the call runs, and a summary behind it."""

from __future__ import annotations

import json
from collections import deque
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from fsm_rtc.cli.demo_call import ROLES, DemoCall, Summary

__all__ = ["DemoView"]

GOOD = {"stable", "complete", "completed", "connected", "Connected", "open", "live", "ended", "clear"}
BAD = {"failed", "Error", "disconnected"}
CHAT_LINES = 6
REJECTED_LINES = 4


class DemoView:
    """The live view; without a terminal, a line for each phase instead.

    Args:
        console: where it is shown.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._states: dict[str, dict[str, str]] = {}
        self._chat: deque[str] = deque(maxlen=CHAT_LINES)
        self._rejected: deque[str] = deque(maxlen=REJECTED_LINES)
        self._live = Live(self._picture(), console=console, refresh_per_second=12, transient=False)

    def __enter__(self) -> DemoView:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._console.is_terminal:
            self._live.update(self._picture(), refresh=True)
            self._live.stop()

    def take(self, role: str, message: dict[str, Any]) -> None:
        """Show one message of a peer."""
        if "record" in message:
            self._take_record(role, json.loads(message["record"]))
        elif "heard" in message:
            self._chat.append(f"the {role} heard: {_chat_text(message['heard'])}")
        elif "phase" in message and not self._console.is_terminal:
            self._console.print(f"{message['time']:8.3f} s  {role}: {message['phase']}", highlight=False)
        if self._console.is_terminal:
            self._live.update(self._picture())

    def summarise(self, call: DemoCall, summary: Summary) -> None:
        """The time of each phase, and what became of the call."""
        table = Table(title="Phases, in seconds since the start", title_justify="left")
        table.add_column("phase")
        for role in ROLES:
            table.add_column(role, justify="right")
        began = {name: time for role in ROLES for name, time in reversed(call.phases[role].items())}
        for name in sorted(began, key=began.__getitem__):
            times = [call.phases[role].get(name) for role in ROLES]
            table.add_row(name, *("" if time is None else f"{time:.3f}" for time in times))
        self._console.print(table)
        self._console.print(
            f"{summary.messages} messages and {summary.video_frames} video frames arrived; "
            f"{summary.accepted} events accepted, {summary.rejected} rejected.",
            highlight=False,
        )
        if summary.ok:
            self._console.print("[green]Both peers connected, talked and closed.[/green]")
        for failure in dict.fromkeys(call.failures):
            self._console.print(Text(failure, style="red"))

    def _take_record(self, role: str, record: dict[str, Any]) -> None:
        name = record["label"].partition(".")[2]
        self._states.setdefault(name, {})[role] = record.get("target") or record["state"]
        if record.get("accepted") is False:
            why = record.get("guard") or record["reason"]
            self._rejected.append(f"{record['label']} rejected {record['trigger']} in {record['source']!r}: {why}")

    def _picture(self) -> RenderableType:
        table = Table(title="Machines", title_justify="left")
        table.add_column("machine")
        for role in ROLES:
            table.add_column(role, min_width=18)
        for name, states in self._states.items():
            table.add_row(name, *(_styled(states.get(role, "")) for role in ROLES))
        parts: list[RenderableType] = [table, *(Text(line, style="cyan") for line in self._chat)]
        parts += [Text(line, style="red") for line in self._rejected]
        return Group(*parts)


def _styled(state: str) -> Text:
    return Text(state, style="green" if state in GOOD else "red" if state in BAD else "yellow" if state else "")


def _chat_text(payload: str) -> str:
    try:
        content = json.loads(payload)
    except ValueError:
        return payload
    return str(content.get("message", payload)) if isinstance(content, dict) else payload
