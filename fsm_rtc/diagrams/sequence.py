"""A call as a sequence diagram, from its journal: a lifeline a machine, what happened to it in order.

An accepted event is an arrow from the machine to itself; a rejected one is a note with its reason, and so is a request
that was dropped. A journal holds no messages, so none are drawn between the lifelines. The drawing is bounded: what it
leaves out is said in its last note.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fsm_rtc.diagrams.mermaid import heading, plain
from fsm_rtc.engine import Dropped, Entry, Record

__all__ = ["sequence_text"]

MOST_EVENTS = 150
MOST_LIFELINES = 24


def sequence_text(
    records: Iterable[Record],
    *,
    title: str = "A call",
    most_events: int = MOST_EVENTS,
    most_lifelines: int = MOST_LIFELINES,
) -> str:
    """The journal as Mermaid's `sequenceDiagram`, ending with a line end; the same for the same journal.

    Where it has more events than may be shown, those go first that were accepted without leaving their state, then the
    latest; where it has more machines than may be shown, those that were last to begin.

    Args:
        records: a `Journal`, or the records of a file.
        title: the heading.
        most_events: how many events are shown at most.
        most_lifelines: how many machines are shown at most.
    """
    every = list(records)
    entries = [record for record in every if isinstance(record, Entry | Dropped)]
    labels = list(dict.fromkeys(record.label for record in every))
    active = {entry.label for entry in entries}
    moving = [label for label in labels if label in active]
    owners = list(dict.fromkeys(_owner(label) for label in moving))
    shown = sorted(moving[:most_lifelines], key=lambda label: owners.index(_owner(label)))
    of_shown = [entry for entry in entries if entry.label in shown]
    telling = of_shown
    if len(of_shown) > most_events:
        telling = [entry for entry in of_shown if not _stays(entry)]
    drawn = telling[:most_events]
    left_out = list(
        _left_out(
            (len(labels) - len(active), "machine", "to which nothing happened"),
            (len(moving) - len(shown), "machine", f"beyond the first {most_lifelines}, with all events"),
            (len(of_shown) - len(telling), "event", "accepted without a change of state"),
            (len(telling) - len(drawn), "later event", ""),
        )
    )
    lines = [*heading(title), "sequenceDiagram", *_lifelines(shown)]
    names = {label: f"m{number}" for number, label in enumerate(shown, start=1)}
    begin = every[0].time if every else 0.0
    lines += [f"    {_event(entry, names[entry.label], entry.time - begin)}" for entry in drawn]
    if left_out and shown:
        over = ",".join(dict.fromkeys((names[shown[0]], names[shown[-1]])))
        lines.append(f"    Note over {over}: Left out: {plain('; '.join(left_out))}")
    return "\n".join(lines) + "\n"


def _owner(label: str) -> str:
    return label.partition(".")[0] if "." in label else ""


def _lifelines(labels: list[str]) -> Iterator[str]:
    """The machines, those of one peer in one box."""
    owner = ""
    for number, label in enumerate(labels, start=1):
        if (mine := _owner(label)) != owner:
            if owner:
                yield "    end"
            if mine:
                yield f"    box {plain(mine)}"
            owner = mine
        yield f"    participant m{number} as {plain(label.removeprefix(f'{mine}.'))}"
    if owner:
        yield "    end"


def _stays(entry: Entry | Dropped) -> bool:
    return isinstance(entry, Entry) and entry.accepted and entry.source == entry.target


def _event(entry: Entry | Dropped, name: str, after: float) -> str:
    when = f"{after:.3f} s"
    if isinstance(entry, Dropped):
        return f"Note over {name}: {when}<br/>{plain(f'dropped {entry.request}, in {entry.state}')}"
    if not entry.accepted:
        why = f" ({entry.guard})" if entry.guard else ""
        first = f" by its implicit {entry.first}" if entry.first else ""
        said = plain(f"rejected {entry.trigger} in {entry.source}{first}: {entry.reason}{why}")
        return f"Note over {name}: {when}<br/>{said}"
    way = f"stays {entry.source}" if entry.source == entry.target else f"{entry.source} \u2192 {entry.target}"
    return f"{name}->>{name}: {when} {plain(entry.trigger)}<br/>{plain(way)}"


def _left_out(*counts: tuple[int, str, str]) -> Iterator[str]:
    for number, thing, which in counts:
        if number:
            yield f"{number} {thing}{'' if number == 1 else 's'} {which}".strip()
