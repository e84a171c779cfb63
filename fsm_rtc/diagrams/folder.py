"""The folder of generated diagrams: written in one go, and checked against the tables.

Each machine and profile has `NAME.mmd` (Mermaid), `NAME.svg` and `NAME.md` (matrix or rules); what couples them is
`overview.mmd` and `overview.svg`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from fsm_rtc.diagrams.overview import overview_drawing, overview_text
from fsm_rtc.diagrams.render import Format, dot, drawing_of, mermaid, scxml, svg, table_text
from fsm_rtc.diagrams.svg import DiagramError, content_of_drawing, content_of_svg

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fsm_rtc.diagrams.drawable import ChartClass, DerivedClass

__all__ = ["Fault", "FaultKind", "all_machines", "check_all", "check_file", "render_all", "write_file"]

TEXTS = {".dot": dot, ".md": table_text, ".mmd": mermaid, ".scxml": scxml}
SUFFIXES = (".md", ".mmd", ".svg")
OVERVIEW_FORMATS = {".mmd": Format.MERMAID, ".svg": Format.SVG}


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


def render_all(directory: Path | str, drawn: Mapping[str, ChartClass | DerivedClass] | None = None) -> tuple[Path, ...]:
    """Write every diagram and matrix; remove those of machines that are no more.

    Args:
        directory: where; made if it isn't there.
        drawn: what to draw, by the name of its files; every machine of `fsm_rtc.machines`, and the overview, if None.

    Returns:
        The files that were written, sorted.

    Raises:
        DiagramError: pygraphviz is not installed, or the directory can't be written.
    """
    folder = Path(directory)
    texts = {path: _text(path.suffix, one) for path, one in _files(folder, drawn)}
    for path, text in texts.items():
        write_file(path, text)
    for path in _generated_files(folder):
        if path not in texts:
            path.unlink()
    return tuple(sorted(texts))


def write_file(path: Path, text: str) -> None:
    """Write a generated file, with its directory if that isn't there.

    Raises:
        DiagramError: the directory can't be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as refused:
        reason = refused.strerror or str(refused)
        raise DiagramError(f"can't write {path}: {reason}; choose another directory") from refused


def check_all(directory: Path | str, drawn: Mapping[str, ChartClass | DerivedClass] | None = None) -> tuple[Fault, ...]:
    """What in a folder doesn't agree with the tables: text byte for byte, SVG by its nodes, edges and their words.

    Graphviz isn't needed for it.

    Args:
        directory: where `render_all` wrote.
        drawn: as for `render_all`.

    Returns:
        The faults, sorted by file; empty if all is well.
    """
    folder = Path(directory)
    expected = dict(_files(folder, drawn))
    faults = [fault for path, one in expected.items() if (fault := check_file(path, one))]
    faults += [Fault(path, FaultKind.SUPERFLUOUS) for path in _generated_files(folder) if path not in expected]
    return tuple(sorted(faults, key=lambda fault: fault.path))


def check_file(path: Path, drawn: ChartClass | DerivedClass | None) -> Fault | None:
    """What is wrong with one generated file, or None.

    Args:
        path: the file; its suffix says its language.
        drawn: what it shows; None for the overview.
    """
    if not path.is_file():
        return Fault(path, FaultKind.MISSING)
    return None if _agrees(path, drawn) else Fault(path, FaultKind.STALE)


def all_machines() -> dict[str, ChartClass | DerivedClass]:
    """Every machine, profile and derived table of `fsm_rtc.machines`, by name."""
    from fsm_rtc.machines import CHARTS, DERIVED

    return {**CHARTS, **DERIVED}


def _files(
    folder: Path, drawn: Mapping[str, ChartClass | DerivedClass] | None
) -> Iterator[tuple[Path, ChartClass | DerivedClass | None]]:
    """Each file with what it shows: None for the overview."""
    for name, one in (all_machines() if drawn is None else drawn).items():
        for suffix in SUFFIXES:
            yield folder / f"{name}{suffix}", one
    if drawn is None:
        for suffix in OVERVIEW_FORMATS:
            yield folder / f"overview{suffix}", None


def _text(suffix: str, drawn: ChartClass | DerivedClass | None) -> str:
    if drawn is None:
        return overview_text(OVERVIEW_FORMATS[suffix])
    return svg(drawn) if suffix == ".svg" else TEXTS[suffix](drawn)


def _agrees(path: Path, drawn: ChartClass | DerivedClass | None) -> bool:
    content = path.read_bytes()
    if path.suffix != ".svg":
        return content == _text(path.suffix, drawn).encode()
    try:
        return content_of_svg(content.decode()) == content_of_drawing(
            overview_drawing() if drawn is None else drawing_of(drawn)
        )
    except (DiagramError, UnicodeDecodeError):
        return False


def _generated_files(folder: Path) -> list[Path]:
    """Every file that a drawing could be; a README is written by hand."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix in SUFFIXES and path.stem != "README")
