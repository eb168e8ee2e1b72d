"""``tests``: code that does not pass its tests, which are run after it.

The only check that executes anything, in a process that can only compute (``selfinstruct.execution``). Tests that pass
with empty functions too are refused: they test nothing. Running code to find out whether it is right is how HumanEval
scores it (Chen et al. 2021, arXiv:2107.03374).

Does not handle: code that depends on other packages than the standard library, or on a file, the network or the time.
"""

from __future__ import annotations

from selfinstruct.checks.snippets import snippets
from selfinstruct.execution import Program, shared_runner
from selfinstruct.messages import Phrase
from selfinstruct.recipe.methods import Constraints
from selfinstruct.records import JSON, Rejection, Row


def check(row: Row, name: str, constraints: Constraints) -> Rejection | None:
    """Reject code after which the tests in the field named by ``passes`` raise an error, or which exceeds a limit."""
    found = program(row, name, constraints)
    if found is None:
        return Rejection(
            "tests",
            Phrase(
                "{name} and {passes} must be code, as text or as a list of lines", name=name, passes=constraints.passes
            ),
        )
    (problem,) = shared_runner().verdicts([found])
    return Rejection("tests", Phrase("{name}: {problem}", name=name, problem=problem)) if problem else None


def program(row: Row, name: str, constraints: Constraints) -> Program | None:
    """The program that a row stands for; None if one of its two values is no text."""
    if constraints.passes is None:
        return None
    code, tests = _code(row[name]), _code(row[constraints.passes])
    return Program(code, tests, name, constraints.passes) if code is not None and tests is not None else None


def _code(value: JSON) -> str | None:
    """The code in a value: its fenced blocks, or all of it where it has none; of a list, the texts line by line."""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        value = "\n".join(map(str, value))
    if not isinstance(value, str):
        return None
    blocks, _ = snippets(value)
    return "\n\n".join("\n".join(lines) for lines in blocks) if blocks else value
