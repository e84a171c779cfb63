"""Branches on a state outside the tables, found in the syntax tree of the package.

What is found, wherever it stands outside ``machines/``:

- a comparison with a member of a table's states, or with a collection of them, be it the module's own or the table's;
- a comparison of a state with a string (``transport.state == "failed"``);
- a *lifecycle attribute*: one with a lifecycle's name (``_is_closed``, ``_closing``, ``given_up``) that the methods of
  its class set, so that it says where something stands;
- a *predicate* over any of these: a function or property that returns one, wherever it lives; it counts where it is
  asked, not where it is defined, so a facade may show its states.

A branch is what an ``if``, ``while``, ``assert``, ``match``, a conditional expression or a comprehension's condition
asks. To ask a table (``machine.permits("send")``, ``machine.is_final``, an outcome that was accepted) is none of them.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from importlib import import_module
from pathlib import Path

from fsm_rtc.machines import CHARTS, DERIVED
from fsm_rtc.machines.call_status import Phase

__all__ = ["Branch", "Package", "state_enums"]

STATE_NAME = re.compile(r"(^|_)(state|status)s?$|(State|Status)$")

LIFECYCLE_NAME = re.compile(
    r"^_?((is|was|has)_)?(absent|accepted|announced|begun|busy|closed|closing|connected|connecting|cut|draining|due|end"
    r"|ended|failed|finished|given_up|gone|left|lost|needed|open|opened|over|paused|restored|resumed|rolling_back|stale"
    r"|started|stood|stopped|told|up)$|_(is|was)_(busy|closed|open|over|ready|up)$|^_?(is|was)_(dropped|ready)$"
)

FOREIGN = frozenset({"due", "ended"})
"""Attributes of that name which say something else: a time, a future."""


@dataclass(frozen=True, order=True)
class Branch:
    """Where something outside the tables decides by a state.

    Attributes:
        path: of the module, within the package.
        function: its qualified name.
        line: of the branch.
        about: what it asks.
    """

    path: str
    function: str
    line: int
    about: str

    @property
    def place(self) -> str:
        """The module and what is asked there: by this a branch is permitted."""
        return f"{self.path}: {self.about}"

    def __str__(self) -> str:
        return f"{self.path}:{self.line} {self.function}: {self.about}"


def state_enums() -> dict[str, type[Enum]]:
    """Every enumeration of states that a table has, by its class's name.

    Left out is the phase of a failure: how far a call came, for people. Nothing of a call depends on it.
    """
    enums = [type(chart.chart.initial) for chart in CHARTS.values()]
    enums += [type(derived.rules[0].target) for derived in DERIVED.values()]
    return {enum.__name__: enum for enum in enums if enum is not Phase}


class Package:
    """The modules of a package, and what their names stand for.

    Args:
        sources: the text of each module, by its path within the package.
        enums: the tables' states, by the class's name.
    """

    def __init__(self, sources: dict[str, str], enums: dict[str, type[Enum]]) -> None:
        self._trees = {path: ast.parse(source) for path, source in sources.items()}
        self._enums = enums
        self._values = {str(member.value) for enum in enums.values() for member in enum}
        self._own_collections = self._find_collections()
        self._imported = {path: set(_imported_collections(tree, enums)) for path, tree in self._trees.items()}
        self._collections = self._own_collections
        self._attributes = {name for tree in self._trees.values() for name in _lifecycle_attributes(tree)}
        self._predicates: set[str] = set()
        while found := self._find_predicates() - self._predicates:
            self._predicates |= found

    @classmethod
    def of_folder(cls, folder: Path, leaving_out: Iterable[str] = ()) -> Package:
        """The modules of a folder but those under the names that are left out."""
        paths = [path for path in folder.rglob("*.py") if path.relative_to(folder).parts[0] not in set(leaving_out)]
        return cls({str(path.relative_to(folder)): path.read_text() for path in sorted(paths)}, state_enums())

    def branches(self) -> list[Branch]:
        """Every branch on a state."""
        found = set()
        for path, tree in self._trees.items():
            self._collections = self._own_collections | self._imported[path]
            for function, test in _tests(tree):
                for about in self._asked(test):
                    found.add(Branch(path, function, test.lineno, about))
        return sorted(found)

    # What a name stands for.

    def _find_collections(self) -> set[str]:
        """Names that modules give to members of states."""
        names: set[str] = set()
        for tree in self._trees.values():
            for node in tree.body:
                match node:
                    case (
                        ast.Assign(targets=[ast.Name(name)], value=value)
                        | ast.AnnAssign(target=ast.Name(name), value=ast.expr() as value)
                    ) if any(self._is_member(one) for one in ast.walk(value)):
                        names.add(name)
        return names

    def _find_predicates(self) -> set[str]:
        names = set()
        for path, tree in self._trees.items():
            self._collections = self._own_collections | self._imported[path]
            for node in ast.walk(tree):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and any(
                    any(self._asked(value, is_whole=True)) for value in _returned(node)
                ):
                    names.add(node.name)
        return names

    def _is_member(self, node: ast.AST) -> bool:
        match node:
            case ast.Attribute(value=ast.Name(name), attr=member):
                return name in self._enums and member in self._enums[name].__members__
        return False

    # What an expression asks.

    def _asked(self, test: ast.AST, *, is_whole: bool = False) -> Iterator[str]:
        """The states that a branch's expression asks; of one that is returned whole, only what a truth value is."""
        for node in _truths(test) if is_whole else ast.walk(test):
            match node:
                case ast.Compare(left=left, comparators=others):
                    yield from self._compared([left, *others], node)
                case ast.MatchValue(value=ast.Attribute(value=enum) as value) if self._is_member(value):
                    yield ast.unparse(enum)
                case ast.Attribute(attr=name) if name in self._attributes and not is_whole:
                    yield name
                case ast.Attribute(attr=name) | ast.Name(id=name) if name in self._predicates:
                    yield name
                case ast.Attribute(attr=name) if is_whole and name in self._attributes:
                    yield name

    def _compared(self, sides: list[ast.expr], whole: ast.Compare) -> Iterator[str]:
        parts = [part for side in sides for part in ast.walk(side)]
        names = {part.id for part in parts if isinstance(part, ast.Name)}
        names |= {part.attr for part in parts if isinstance(part, ast.Attribute)}
        if (
            any(self._is_member(part) for part in parts)
            or names & self._collections
            or (any(map(_is_state_name, sides)) and any(_constant(part) in self._values for part in parts))
        ):
            yield ast.unparse(whole.left)


def _imported_collections(tree: ast.Module, enums: dict[str, type[Enum]]) -> Iterator[str]:
    """Names that a module imports from a table's, which stand for several of its states."""
    states = tuple(enums.values())
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("fsm_rtc.machines."):
            table = import_module(node.module or "")
            for alias in node.names:
                value = getattr(table, alias.name)
                if (
                    isinstance(value, tuple | set | frozenset)
                    and value
                    and all(isinstance(one, states) for one in value)
                ):
                    yield alias.asname or alias.name


def _constant(node: ast.AST) -> object:
    return node.value if isinstance(node, ast.Constant) else None


def _is_state_name(node: ast.expr) -> bool:
    match node:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return STATE_NAME.search(name) is not None
    return False


def _truths(test: ast.AST) -> Iterator[ast.AST]:
    """The parts of an expression that its truth depends on, where it has no other value."""
    match test:
        case ast.BoolOp(values=values):
            for value in values:
                yield from _truths(value)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield from _truths(operand)
        case ast.Call(func=ast.Name(id="bool" | "any" | "all"), args=[one]):
            yield from ast.walk(one)
        case ast.Call(func=ast.Attribute() | ast.Name() as called):
            yield called
        case ast.Compare() | ast.Attribute() | ast.Name():
            yield test


def _returned(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.expr]:
    """What a function that answers yes or no returns."""
    match function.returns:
        case None | ast.Name(id="bool"):
            for node in ast.walk(function):
                if isinstance(node, ast.Return) and node.value is not None:
                    yield node.value


def _tests(tree: ast.Module) -> Iterator[tuple[str, ast.expr | ast.pattern]]:
    """What each branch asks, with the qualified name of the function that it stands in."""

    def walk(node: ast.AST, within: str) -> Iterator[tuple[str, ast.expr | ast.pattern]]:
        for child in ast.iter_child_nodes(node):
            name = within
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                name = f"{within}.{child.name}".lstrip(".")
            match child:
                case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test) | ast.Assert(test=test):
                    yield name, test
                case ast.comprehension(ifs=tests):
                    for test in tests:
                        yield name, test
                case ast.match_case(pattern=pattern, guard=guard):
                    yield name, pattern
                    if guard is not None:
                        yield name, guard
            yield from walk(child, name)

    yield from walk(tree, "")


def _lifecycle_attributes(tree: ast.Module) -> Iterator[str]:
    """Attributes that a class's methods set to say where it stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield from _of_class(node)


def _of_class(node: ast.ClassDef) -> Iterator[str]:
    set_in: defaultdict[str, set[str]] = defaultdict(set)
    for method in node.body:
        if not isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for name in _assigned(method):
            if LIFECYCLE_NAME.search(name) and name not in FOREIGN and method.name != "__init__":
                set_in[name].add(method.name)
    yield from set_in


def _assigned(method: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    """The attributes of objects that a method assigns."""
    for node in ast.walk(method):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr
