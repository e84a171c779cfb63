"""How many lines of code each part of the package has, and how many of comment: ``python -m tests.code_lines [ROOT]``.

Blank lines, comments and docstrings aren't code; a statement over several lines counts as many.
"""

from __future__ import annotations

import ast
import io
import sys
import tokenize
from collections import Counter
from pathlib import Path

__all__ = ["count"]

NO_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}
DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def count(source: str) -> tuple[int, int]:
    """The lines of code, and those with a comment, of a file's text."""
    code: set[int] = set()
    comments: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            comments.add(token.start[0])
        elif token.type not in NO_CODE:
            code.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, DOCUMENTED):
            for statement in node.body:
                # A string behind a name documents that.
                if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                    code.difference_update(range(statement.lineno, (statement.end_lineno or statement.lineno) + 1))
    return len(code), len(comments)


def main(root: Path) -> None:
    """Print the table."""
    code: Counter[str] = Counter()
    comments: Counter[str] = Counter()
    files: Counter[str] = Counter()
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).parts
        part = parts[0] if len(parts) > 1 else "."
        lines, remarks = count(path.read_text())
        code[part] += lines
        comments[part] += remarks
        files[part] += 1
    for part in sorted(files):
        print(f"{part:12} {files[part]:4} files {code[part]:6} lines of code {comments[part]:5} with a comment")
    print(f"{'all':12} {files.total():4} files {code.total():6} lines of code {comments.total():5} with a comment")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent / "fsm_rtc"))
