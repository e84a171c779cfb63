"""The import order of the package, and what a bare ``import fsm_rtc`` may load."""

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from functools import partial
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

pytestmark = pytest.mark.live

PACKAGE = Path(__file__).parent.parent / "fsm_rtc"

CORE = ("errors", "engine", "machines")
CALL = (*CORE, "driver", "messages", "media", "peer", "connection", "room", "store")

MAY_IMPORT = {
    "": ("_version", *CALL, "signaling"),
    "_version": (),
    "errors": (),
    "engine": ("errors",),
    "driver": ("errors", "engine"),
    "machines": ("errors", "engine"),
    "messages": CORE,
    "bridge": CORE,
    "diagrams": CORE,
    "media": CORE,
    "peer": (*CORE, "bridge", "messages", "media"),
    "aiortc": ("errors", "peer"),
    "connection": (*CORE, "driver", "bridge", "messages", "peer"),
    "room": (*CORE, "driver", "messages", "peer", "connection"),
    "store": (*CORE, "bridge", "messages", "peer", "connection"),
    "files": (*CORE, "driver", "messages", "peer", "connection"),
    "browser": (*CORE, "messages", "connection"),
    "signaling": (*CALL, "browser"),
    "testing": (*CORE, "peer"),
    "conformance": (*CORE, "diagrams", "peer", "testing", "_version"),
    "inspector": (*CALL, "signaling", "bridge", "diagrams"),
    "cli": (
        *CALL,
        "files",
        "signaling",
        "bridge",
        "diagrams",
        "testing",
        "conformance",
        "inspector",
        "_version",
    ),
}
"""By part of the package, the parts that it may import; each may import itself."""

HEAVY = ("aiortc", "av", "cryptography", "hypothesis", "rich", "transitions", "typer", "websockets")

OVER_LIBRARIES = ("aiortc", "ice", "jsep", "statistics", "w3c")
"""The folders of `peer` that may meet aiortc."""

FOREIGN = {
    "errors": (),
    "engine": ("typing_extensions",),
    "driver": (),
    "machines": (),
    "connection": ("msgspec",),
    "store": (),
    "files": ("msgspec",),
}
"""Parts that are pure, by what they may import from outside the standard library."""


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        relative = path.relative_to(PACKAGE)
        part = relative.parts[0].removesuffix(".py")
        yield ("" if part == "__init__" else part), path


def imports(path: Path) -> Iterator[str]:
    """Each module that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            if node.module == "fsm_rtc":
                yield from (f"fsm_rtc.{alias.name.replace('__version__', '_version')}" for alias in node.names)
            else:
                yield node.module or ""


def imported(path: Path) -> Iterator[str]:
    """Each name that a file imports, with its module; wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def known(paths: dict[str, Path], name: str) -> str | None:
    """The module of the package that an import loads, or None."""
    return next((one for one in (name, name.rpartition(".")[0]) if one in paths), None)


def test_every_class_has_a_name_of_its_own() -> None:
    names = Counter(
        node.name
        for _, path in modules()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
    )
    assert {name for name, times in names.items() if times > 1} <= {"RTCPeerConnection"}, (
        "aiortc's place needs its name"
    )


def test_every_part_imports_only_what_lies_below_it() -> None:
    assert {part for part, _ in modules()} <= MAY_IMPORT.keys(), "a new part: give it a place in the order"
    assert [
        f"{path.relative_to(PACKAGE)} imports {name}"
        for part, path in modules()
        for name in imports(path)
        if name.startswith("fsm_rtc.") and name.split(".")[1] not in (part, *MAY_IMPORT[part])
    ] == []


def test_the_pure_parts_import_nothing_foreign() -> None:
    assert [
        f"{path.relative_to(PACKAGE)} imports {name}"
        for part, path in modules()
        for name in imports(path)
        if part in FOREIGN and name.split(".")[0] not in (*sys.stdlib_module_names, "fsm_rtc", *FOREIGN[part])
    ] == []


def test_the_call_libraries_are_met_by_their_backends_and_by_media_alone() -> None:
    assert [
        f"{path.relative_to(PACKAGE)} imports {name}"
        for part, path in modules()
        for name in imports(path)
        if name.split(".")[0] in ("aioice", "aiortc", "av", "wrtc")
        and not (part == "peer" and path.parent.name in OVER_LIBRARIES)
        and part not in ("aiortc", "media", "conformance")
    ] == []


def test_nothing_imports_in_a_circle_typing_only_imports_included() -> None:
    paths = {".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts): path for _, path in modules()}
    paths = {name.removesuffix(".__init__"): path for name, path in paths.items()}
    graph = {
        name: {found for found in map(partial(known, paths), imported(path)) if found not in (None, name)}
        for name, path in paths.items()
    }
    TopologicalSorter(graph).prepare()  # a CycleError names them


def loaded_by(statement: str) -> set[str]:
    code = f"{statement}\nimport sys\nprint(*sorted(sys.modules), sep='\\n')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PACKAGE.parent)
    return {name.split(".")[0] for name in done.stdout.split()}


@pytest.mark.parametrize(
    "statement",
    [
        "import fsm_rtc",
        "from fsm_rtc import Chart, On, Row, Journal, Rejected",
        "import fsm_rtc.machines",
        "import fsm_rtc.bridge",
    ],
)
def test_reading_tables_loads_no_library(statement: str) -> None:
    assert loaded_by(statement).isdisjoint(HEAVY)


def test_a_call_loads_transitions_only_for_who_asks_for_it() -> None:
    loaded = loaded_by("import fsm_rtc.peer.aiortc.backend, fsm_rtc.store")
    assert "aiortc" in loaded
    assert loaded.isdisjoint({"transitions", "typer", "rich", "hypothesis", "websockets"})


def test_the_peer_connection_in_memory_loads_no_media_library() -> None:
    assert loaded_by("import fsm_rtc.testing").isdisjoint({"aiortc", "av"})
