"""The import order of the package, and what a bare ``import fsm_rtc`` may load."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "fsm_rtc"

CORE = ("errors", "engine", "machines")
CALL = (*CORE, "messages", "peer", "connection", "store")

MAY_IMPORT = {
    "": CALL,
    "_version": (),
    "errors": (),
    "engine": ("errors",),
    "machines": ("errors", "engine"),
    "messages": CORE,
    "bridge": CORE,
    "diagrams": CORE,
    "peer": (*CORE, "messages"),
    "connection": (*CORE, "messages", "peer"),
    "store": (*CORE, "messages", "peer", "connection"),
    "signaling": CALL,
    "media": CALL,
    "testing": (*CORE, "peer"),
    "conformance": (*CORE, "testing"),
    "inspector": (*CALL, "signaling", "media", "bridge", "diagrams"),
    "cli": (*CALL, "signaling", "media", "bridge", "diagrams", "testing", "conformance", "inspector", "_version"),
}
"""By part of the package, the parts that it may import; each may import itself."""

MAY_IMPORT_WHEN_USED = {"": ("_version",), "peer": ("bridge",), "store": ("bridge",)}
"""Besides, for ``engine="transitions"``: inside a function only, so that nobody else loads it."""

HEAVY = ("aiortc", "av", "cryptography", "hypothesis", "rich", "transitions", "typer", "websockets")

FOREIGN = {
    "errors": (),
    "engine": ("typing_extensions",),
    "machines": (),
    "connection": ("msgspec",),
    "store": (),
}
"""Parts that are pure, by what they may import from outside the standard library."""


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        relative = path.relative_to(PACKAGE)
        part = relative.parts[0].removesuffix(".py")
        yield ("" if part == "__init__" else part), path


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Each imported module of a file, and whether it is imported inside a function."""

    def walk(node: ast.AST, inside: bool) -> Iterator[tuple[str, bool]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                yield from ((alias.name, inside) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                assert child.level == 0, f"{path}: a relative import"
                if child.module == "fsm_rtc":
                    names = (alias.name.replace("__version__", "_version") for alias in child.names)
                    yield from ((f"fsm_rtc.{name}", inside) for name in names)
                else:
                    yield child.module or "", inside
            else:
                yield from walk(child, inside or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef))

    return walk(ast.parse(path.read_text()), False)


def test_every_part_imports_only_what_lies_below_it() -> None:
    wrong = []
    for part, path in modules():
        assert part in MAY_IMPORT, f"{path} is a new part: give it a place in the order"
        for name, inside in imports(path):
            if not name.startswith("fsm_rtc."):
                continue
            other = name.split(".")[1]
            allowed = (part, *MAY_IMPORT[part], *(MAY_IMPORT_WHEN_USED.get(part, ()) if inside or not part else ()))
            if other not in allowed:
                wrong.append(f"{path.relative_to(PACKAGE)} imports {name}")
    assert not wrong


def test_the_pure_parts_import_nothing_foreign() -> None:
    wrong = []
    for part, path in modules():
        for name, _ in imports(path):
            top = name.split(".")[0]
            if part in FOREIGN and top not in (*sys.stdlib_module_names, "fsm_rtc", *FOREIGN[part]):
                wrong.append(f"{path.relative_to(PACKAGE)} imports {name}")
    assert not wrong


def loaded_by(statement: str) -> set[str]:
    code = f"{statement}\nimport sys\nprint(*sorted(sys.modules), sep='\\n')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PACKAGE.parent)
    return {name.split(".")[0] for name in done.stdout.split()}


@pytest.mark.parametrize(
    "statement",
    ["import fsm_rtc", "from fsm_rtc import Chart, On, Row, Journal, Rejected", "import fsm_rtc.machines"],
)
def test_reading_tables_loads_no_library(statement: str) -> None:
    assert loaded_by(statement).isdisjoint(HEAVY)
