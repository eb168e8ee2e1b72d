"""``schema``: fenced code that breaks the rules of the recipe.

Nothing is executed: Python is only parsed. Does not handle: code that is indented instead of fenced.
"""

from __future__ import annotations

import ast
import re
import textwrap
import warnings

from selfinstruct.messages import Phrase
from selfinstruct.recipe.methods import Constraints
from selfinstruct.records import Rejection, Row

# A fence as defined by CommonMark 0.31 (section 4.5), but with any indentation, since snippets may be in lists.
_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})(.*)")


def check(row: Row, name: str, constraints: Constraints) -> Rejection | None:
    """Reject a string whose fenced code breaks a rule of ``snippets``, or is never closed."""
    value, rules = row[name], constraints.snippets
    if not isinstance(value, str) or rules is None:
        return None
    found, rest = snippets(value)
    if rest is None:
        return Rejection("schema", Phrase("{name} has a code fence that is never closed", name=name))
    if len(found) < rules.least:
        return Rejection(
            "schema",
            Phrase("{name} has {found}, fewer than {least}", name=name, found=_counted(found), least=rules.least),
        )
    if rules.most is not None and len(found) > rules.most:
        return Rejection(
            "schema", Phrase("{name} has {found}, more than {most}", name=name, found=_counted(found), most=rules.most)
        )
    for number, lines in enumerate(found, 1):
        if rules.max_lines is not None and len(lines) > rules.max_lines:
            message = Phrase(
                "snippet {number} of {name} has {lines} lines, more than {max_lines}",
                number=number,
                name=name,
                lines=len(lines),
                max_lines=rules.max_lines,
            )
            return Rejection("schema", message)
        if rules.python and (problem := _problem("\n".join(lines))):
            return Rejection(
                "schema",
                Phrase(
                    "snippet {number} of {name} is not valid Python: {problem}",
                    number=number,
                    name=name,
                    problem=problem,
                ),
            )
    if rules.last and found and rest.strip():
        return Rejection("schema", Phrase("{name} continues after its last snippet", name=name))
    return None


def snippets(text: str) -> tuple[list[list[str]], str | None]:
    r"""The lines of each fenced block in a text, and the text after the last; None where a fence is never closed.

    >>> snippets("Say:\n```python\nprint(1)\n```\nThat is all.")
    ([['print(1)']], 'That is all.')
    """
    found: list[list[str]] = []
    fence, after = "", 0
    lines = text.split("\n")
    for at, line in enumerate(lines):
        mark = _FENCE.match(line)
        if fence:
            if mark and mark[1].startswith(fence) and not mark[2].strip():
                fence, after = "", at + 1
            else:
                found[-1].append(line)
        elif mark and not (mark[1][0] == "`" and "`" in mark[2]):  # That would be code within a line.
            fence = mark[1]
            found.append([])
    return found, None if fence else "\n".join(lines[after:])


def _problem(code: str) -> str:
    """Why a piece of code does not parse, or ""."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of an invalid escape: it parses
            ast.parse(textwrap.dedent(code))
    except SyntaxError as exc:
        return Phrase("line {number}: {problem}", number=exc.lineno, problem=exc.msg[:100])
    except (ValueError, RecursionError, MemoryError, OverflowError) as exc:
        return type(exc).__name__
    return ""


def _counted(found: list[list[str]]) -> str:
    return Phrase.counting("{count} snippet", "{count} snippets", len(found))
