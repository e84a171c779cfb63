"""The folder of generated diagrams: written in one go, and checked against the tables.

Each machine and profile has `NAME.mmd` (Mermaid), `NAME.svg` and `NAME.md` (matrix or rules).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from fsm_rtc.diagrams.render import drawing_of, mermaid, svg, table_text
from fsm_rtc.diagrams.svg import DiagramError, content_of_drawing, content_of_svg

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fsm_rtc.diagrams.drawable import ChartClass, DerivedClass

__all__ = ["Fault", "FaultKind", "check_all", "render_all"]

TEXTS = {".md": table_text, ".mmd": mermaid}
SUFFIXES = (*TEXTS, ".svg")


class FaultKind(StrEnum):
    """What may be wrong with a generated file."""

    MISSING = "missing"
    STALE = "stale"
    SUPERFLUOUS = "superfluous"


@dataclass(frozen=True, slots=True)
class Fault:
    """One file that doesn't agree with the tables.

    Attributes:
        path: the file.
        kind: what is wrong.
    """

    path: Path
    kind: FaultKind

    def __str__(self) -> str:
        return f"{self.kind.value}: {self.path}"


def render_all(
    directory: Path | str, drawn: Mapping[str, ChartClass | DerivedClass] | None = None
) -> tuple[Path, ...]:
    """Write every diagram and matrix; remove those of machines that are no more.

    Args:
        directory: where; made if it isn't there.
        drawn: what to draw, by the name of its files; every machine of `fsm_rtc.machines` if None.

    Returns:
        The files that were written, sorted.

    Raises:
        DiagramError: pygraphviz is not installed, or the directory can't be written.
    """
    folder = Path(directory)
    machines = _all_machines() if drawn is None else drawn
    texts = {folder / f"{name}{suffix}": text for name, one in machines.items() for suffix, text in _texts(one)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in texts.items():
            path.write_text(text, encoding="utf-8", newline="\n")
        for path in _generated_files(folder):
            if path not in texts:
                path.unlink()
    except OSError as refused:
        reason = refused.strerror or str(refused)
        raise DiagramError(f"can't write to {folder}: {reason}; choose another directory") from refused
    return tuple(sorted(texts))


def check_all(
    directory: Path | str, drawn: Mapping[str, ChartClass | DerivedClass] | None = None
) -> tuple[Fault, ...]:
    """What in a folder doesn't agree with the tables: text byte for byte, SVG by its nodes, edges and their words.

    Graphviz isn't needed for it.

    Args:
        directory: where `render_all` wrote.
        drawn: as for `render_all`.

    Returns:
        The faults, sorted by file; empty if all is well.
    """
    folder = Path(directory)
    machines = _all_machines() if drawn is None else drawn
    faults: list[Fault] = []
    expected: set[Path] = set()
    for name, one in machines.items():
        for suffix in SUFFIXES:
            path = folder / f"{name}{suffix}"
            expected.add(path)
            if not path.is_file():
                faults.append(Fault(path, FaultKind.MISSING))
            elif not _agrees(path, one):
                faults.append(Fault(path, FaultKind.STALE))
    faults += [Fault(path, FaultKind.SUPERFLUOUS) for path in _generated_files(folder) if path not in expected]
    return tuple(sorted(faults, key=lambda fault: fault.path))


def _texts(drawn: ChartClass | DerivedClass) -> Iterator[tuple[str, str]]:
    yield from ((suffix, text(drawn)) for suffix, text in TEXTS.items())
    yield ".svg", svg(drawn)


def _agrees(path: Path, drawn: ChartClass | DerivedClass) -> bool:
    content = path.read_bytes()
    if path.suffix != ".svg":
        return content == TEXTS[path.suffix](drawn).encode()
    try:
        return content_of_svg(content.decode()) == content_of_drawing(drawing_of(drawn))
    except (DiagramError, UnicodeDecodeError):
        return False


def _generated_files(folder: Path) -> list[Path]:
    """Every file that a drawing could be; a README is written by hand."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix in SUFFIXES and path.stem != "README")


def _all_machines() -> dict[str, ChartClass | DerivedClass]:
    from fsm_rtc.machines import CHARTS, DERIVED

    return {**CHARTS, **DERIVED}
