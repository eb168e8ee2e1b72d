"""Write the reference pages of docs/ from the code: python docs/generate.py (a test fails where a page differs).

The command line (cli.md), recipe keys, rejection and failure reasons, the Python API, and JSON Schemas. Edit the
docstrings, the help and the tables in the code, not these pages.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
import runpy
from collections.abc import Iterator
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

import selfinstruct
from selfinstruct.analysis.gate.reasons import REASONS as FINDINGS
from selfinstruct.api.schemas import FORMATS, schema
from selfinstruct.checks import REASONS
from selfinstruct.journal import BY_PERSON
from selfinstruct.recipe.table_names import named_tables, table_of
from selfinstruct.render.summary import MEANINGS

DOCS = Path(__file__).parent
PACKAGE = DOCS.parent / "selfinstruct"
_NOTE = "Generated from the code by `docs/generate.py`; edit the code, then run `make docs`.\n"
_TYPES = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}

#: The reasons of failed calls and unusable replies. A reason of the code that is missing here fails the generator.
FAILURES = {
    "context": "the prompt is longer than the model's context; the next prompts show fewer demonstrations",
    "cut": "the connection ended in the middle of the reply",
    "denied": "the endpoint refused the key or the access; the run stops",
    "dropped": "the connection was dropped before a reply",
    "empty": "the reply contains nothing",
    "expired": "batch jobs ended, three times, before they came to the request",
    "filtered": "the endpoint's content filter withheld the reply",
    "garbled": "the reply cannot be decoded",
    "another-api": "the reply is one of another API than chat completions",
    "malformed": "no row can be parsed from the reply",
    "missing": "the output of batch jobs lacked the request, three times",
    "no-model": "the endpoint has no such model; the run stops",
    "not-needed": "all rows were accepted before the call was sent",
    "not-found": "nothing is served at the base URL; the run stops",
    "option": "the endpoint rejected a request option; the call is repeated without it",
    "page": "the reply is an HTML page, usually of a proxy or a wrong base URL",
    "quota": "the account has no credit left; the run stops",
    "rate-limit": "the endpoint's rate limit was exceeded for longer than a call waits",
    "reasoning": "the reply contains reasoning but no answer",
    "refusal": "the model declined to answer",
    "refused": "the endpoint rejected the request",
    "server-error": "the endpoint failed (status 5xx) for longer than a call waits",
    "timeout": "no complete reply before the deadline",
    "too-large": "the endpoint rejected the request as too large",
    "truncated": "the reply reached the token limit before its first complete row",
    "unreachable": "no connection to the endpoint; the run stops",
    "unrecorded": "a replay: the recorded run has no further reply for this category",
}


# ---- Recipe keys ----


def recipe_keys() -> str:
    """The tables of a recipe: what each is for, its keys, what they may be and their defaults."""
    parts = [f"# Recipe keys\n\n{_NOTE}\n[Recipes](../recipes.md) explains them with examples.\n"]
    for name, model in named_tables():
        heading = f"`{name}`".replace("`[[models]]`", "`[model]` and `[[models]]`") if name else "Top level"
        parts.append(f"## {heading}\n\n{_prose(model)}\n\n| key | value | default |\n|---|---|---|")
        for key, info in model.model_fields.items():
            words = [word for word in info.metadata if isinstance(word, str)]
            value = words[-1] if words else " or ".join(_values(info.annotation))
            parts.append(f"| `{key}` | {value.replace('|', chr(92) + '|')} | {_default(info)} |")
        parts.append("")
    return "\n".join(parts)


def _values(annotation: Any) -> Iterator[str]:
    """What a key may be, in words: those of the annotation where it has some."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    inner, form = table_of(annotation)
    if inner is not None:
        yield {"one": "a table", "named": "a table for each name", "many": "a list of tables"}[form]
    elif origin is Annotated:
        words = [argument for argument in arguments[1:] if isinstance(argument, str)]
        yield from words[-1:] or _values(arguments[0])
    elif origin in (Union, UnionType):
        for kind in arguments:
            if kind is not NoneType:
                yield from _values(kind)
    elif origin is Literal:
        yield from (f'`"{choice}"`' for choice in arguments)
    elif origin is dict:
        yield "a table of names and values: " + " or ".join(_values(arguments[1]))
    else:
        yield _TYPES.get(annotation, "any value")


def _default(info: Any) -> str:
    if info.is_required():
        return "required"
    value = info.default
    if value is None or value == () or value == {} or isinstance(value, BaseModel):
        return ""
    if isinstance(value, tuple):
        value = list(value)
    return f"`{str(value).lower()}`" if isinstance(value, bool) else f"`{value!r}`".replace("'", '"')


def _prose(model: type) -> str:
    """A class's docstring as Markdown; a subclass's keys are those of its base too, so both are given."""
    base = next((base for base in model.__mro__[1:] if base.__module__ == model.__module__ and base.__doc__), None)
    both = [inspect.getdoc(model) or ""]
    if base is not None and issubclass(model, BaseModel) and base.model_fields:
        both.append(inspect.getdoc(base) or "")
    return _markdown("\n\n".join(both))


def _markdown(text: str) -> str:
    return re.sub(r"``([^`]+)``", r"`\1`", text)


# ---- Reasons ----


def reasons() -> str:
    """The slugs of rejections and failures with their meanings."""
    unknown = sorted(set(_failure_slugs()) - FAILURES.keys())
    if unknown:
        raise SystemExit(f"docs/generate.py: FAILURES has no meaning for {', '.join(unknown)}")
    lines = [
        f"# Reasons\n\n{_NOTE}",
        "The slugs are stable: `summary.json`, the journal and `check --format json` contain them, and none ever",
        "changes its meaning.\n",
        "## Rejections\n",
        "A candidate that breaks a rule is kept with the first reason that applies, in this order of checks; see it",
        "with `selfinstruct show RUN x1`.\n",
        "| reason | meaning |\n|---|---|",
        *(f"| `{reason}` | {MEANINGS[reason]} |" for reason in (*REASONS, BY_PERSON)),
        "\n## Findings\n",
        "`check` reports rows by the reasons above and by these. They are about rows that people keep in files, and no",
        "candidate of a run is rejected for them. A recipe sets other severities: `[gate.severity]`.\n",
        "| reason | severity | meaning |\n|---|---|---|",
        *(f"| `{reason}` | {severity} | {meaning} |" for reason, (severity, meaning) in FINDINGS.items()),
        "\n## Failures\n",
        "A call without a usable reply is counted under one of these reasons. Passing faults are retried first; see",
        "[Models](../models.md).\n",
        "| reason | meaning |\n|---|---|",
        *(f"| `{reason}` | {meaning} |" for reason, meaning in sorted(FAILURES.items())),
    ]
    return "\n".join(lines) + "\n"


def _failure_slugs() -> Iterator[str]:
    """Every slug that the code gives a failed call or an unusable reply, found in its syntax tree."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if "testing" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                if name in ("CallError", "Failure", "_passing", "_transient") and node.args:
                    yield from _text(node.args[0])
                for keyword in node.keywords:
                    if keyword.arg == "failure":
                        yield from _text(keyword.value)
            elif isinstance(node, ast.FunctionDef) and node.name == "_failure":
                for part in ast.walk(node):
                    if isinstance(part, ast.Return) and isinstance(part.value, ast.Tuple):
                        yield from _text(part.value.elts[0])


def _text(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
        yield node.value


# ---- The Python API ----


def python_api() -> str:
    """The names that ``selfinstruct`` exports, with their signatures and docstrings."""
    parts = [f"# Python API\n\n{_NOTE}\n{_markdown(_plain(inspect.getdoc(selfinstruct) or ''))}\n"]
    for name in sorted(selfinstruct.__all__, key=lambda name: (name == "errors", name.lower())):
        if not name.startswith("_"):
            parts.append(_entry(name, getattr(selfinstruct, name)))
    return "\n".join(parts)


def _entry(name: str, thing: Any) -> str:
    if inspect.ismodule(thing):
        classes = [each for each in vars(thing).values() if inspect.isclass(each) and each.__module__ == thing.__name__]
        lines = [f"## `{name}`\n", _fenced(inspect.getdoc(thing) or "")]
        lines += [
            f"- `{each.__name__}`: {_markdown((inspect.getdoc(each) or '').split(chr(10))[0])}" for each in classes
        ]
        return "\n".join(lines) + "\n"
    if inspect.isclass(thing):
        return _class_entry(name, thing)
    if callable(thing):
        return f"## `{name}`\n\n{_signature(thing, name)}\n\n{_fenced_examples(inspect.getdoc(thing) or '')}\n"
    return f"## `{name}`\n\n`{thing!r}`\n"


def _class_entry(name: str, thing: type) -> str:
    lines = [f"## `{name}`\n", _fenced_examples(inspect.getdoc(thing) or ""), ""]
    fields = [key for key in inspect.get_annotations(thing) if not key.startswith("_")]
    if fields:
        kinds = inspect.get_annotations(thing)
        lines += ["| field | type |", "|---|---|"]
        lines += [f"| `{key}` | `{_kind(kinds[key])}` |".replace(" | None", " \\| None") for key in fields] + [""]
    for key, member in vars(thing).items():
        if key.startswith("_") or not (doc := inspect.getdoc(member)):
            continue
        if isinstance(member, property):
            lines.append(f"- `{key}`: {_markdown(doc)}")
        elif callable(member) or isinstance(member, classmethod | staticmethod):
            function = member.__func__ if isinstance(member, classmethod | staticmethod) else member
            if inspect.isfunction(function):
                lines.append(f"### `{name}.{key}`\n\n{_signature(function, key)}\n\n{_fenced_examples(doc)}\n")
    return "\n".join(lines).rstrip() + "\n"


def _kind(annotation: Any) -> str:
    return annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))


def _signature(function: Any, name: str) -> str:
    """A signature as code, a parameter a line where one line is too long."""
    signature = re.sub(r"<(?:built-in )?function .*?>+(?= *[,)])", "...", str(inspect.signature(function)))
    word = "async def" if inspect.iscoroutinefunction(function) else "def"
    line = f"{word} {name}{signature}".replace("'", "")
    if len(line) > 100:
        parameters = ",\n    ".join(_split(signature[1 : signature.rindex(")")]))
        rest = signature[signature.rindex(")") :]
        line = f"{word} {name}(\n    {parameters},\n{rest}".replace("'", "")
    return f"```python\n{line}\n```"


def _split(parameters: str) -> list[str]:
    """Parameters at the commas that are not inside brackets."""
    parts, depth = [""], 0
    for character in parameters:
        depth += (character in "([{") - (character in ")]}")
        if character == "," and not depth:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]


def _plain(doc: str) -> str:
    """A docstring whose examples, indented or not, become one block of code."""
    lines = ["" if line.strip() == "" else line for line in doc.split("\n")]
    return "\n".join(line.replace("  # doctest: +SKIP", "") for line in lines)


def _fenced(doc: str) -> str:
    return f"```text\n{doc}\n```\n"


def _fenced_examples(doc: str) -> str:
    """A docstring as Markdown; indented blocks and examples are code already."""
    lines = []
    for block in _plain(doc).split("\n\n"):
        lines.append(f"```pycon\n{block}\n```" if block.startswith(">>>") else _markdown(block))
    return "\n\n".join(lines)


def pages() -> dict[str, str]:
    """Each generated page: its path below docs/ and its text."""
    return {
        "cli.md": runpy.run_path(str(DOCS / "generate_cli.py"))["text"](),
        "reference/recipe-keys.md": recipe_keys(),
        "reference/reasons.md": reasons(),
        "reference/api.md": python_api(),
        **{f"schemas/{name}.json": json.dumps(schema(name), indent=2) + "\n" for name in FORMATS},
    }


if __name__ == "__main__":
    for name, text in pages().items():
        (DOCS / name).write_text(text, encoding="utf-8")
