"""Errors of the library name parameters; only the command line and what it renders name options."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import selfinstruct
from selfinstruct.cli import _option_names

PACKAGE = Path(selfinstruct.__file__).parent
#: A whole command to type may have options: selfinstruct rejudge RUN --recipe FILE.
COMMAND = re.compile(r"(?:selfinstruct [a-z]+|llama-server) [^\n]*")
OPTION = re.compile("|".join(rf"{re.escape(option)}(?![\w-])" for option in sorted(set(_option_names().values()))))
LIBRARY = [
    path
    for path in sorted(PACKAGE.rglob("*.py"))
    if path.relative_to(PACKAGE).parts[0] not in ("cli", "render", "testing", "errors.py")
]


def literals(tree: ast.AST) -> Iterator[str]:
    """Every string literal outside docstrings, with {} for the values of a formatted one."""
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    parts: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts.update(id(part) for part in node.values)
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings | parts:
            yield node.value


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_the_library_names_no_option(path: Path) -> None:
    """No string outside the command line has an option in it, save in a whole command to type."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert [text for text in literals(tree) if OPTION.search(COMMAND.sub("", text))] == []


def test_the_command_line_names_no_parameter() -> None:
    """No string of the command line speaks of a keyword argument such as rows=."""
    names = [name for name, option in _option_names().items() if len(option) > 3]
    keyword = re.compile(rf"`({'|'.join(names)})[=`]")
    for path in sorted((PACKAGE / "cli").rglob("*.py")):
        assert [text for text in literals(ast.parse(path.read_text())) if keyword.search(text)] == [], path
