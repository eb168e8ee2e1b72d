"""Renders templates with rows in a process of their own (``render_worker``), and tells which template fails where.

Does not handle: the sandbox and the limits themselves, which the worker sets for itself.
"""

from __future__ import annotations

import itertools
import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO

from selfinstruct.errors import InputError, RowError
from selfinstruct.jinja_templates.template import JinjaTemplate
from selfinstruct.messages import Phrase
from selfinstruct.records import Row
from selfinstruct.rows import to_json
from selfinstruct.worker_process import Messages, worker_process

_WORKER = "selfinstruct.jinja_templates.render_worker"
# Processor time per row and template; a long one takes a tenth of that.
_CPU_SECONDS = 0.01
_HINT = "Correct the template, or remove it."


@dataclass(frozen=True, slots=True)
class RenderLimits:
    """Limits: address space in bytes; seconds and characters for one template with one row."""

    memory: int = 512 << 20
    seconds: float = 10.0
    characters: int = 200_000


@dataclass(frozen=True, slots=True)
class Rendered:
    """The input and the target that a template makes of a row; of one that does not fit it, ``unfit`` says why."""

    input: str = ""
    target: str = ""
    unfit: str = ""


def render(
    templates: Sequence[JinjaTemplate],
    rows: Sequence[Row],
    places: Sequence[str],
    limits: RenderLimits | None = None,
) -> list[list[Rendered]]:
    """Render every template with every row; ``places`` are the ``file:line`` of the rows, for messages.

    Raises RowError for the first template that is not Jinja, breaks the sandbox or a limit, or fails otherwise.
    """
    limits = limits or RenderLimits()
    count = len(rows) * len(templates)
    seconds = round(60 + _CPU_SECONDS * count)
    rendered: list[Rendered] = []
    with tempfile.TemporaryFile() as file:
        _write_input(file, templates, rows)
        arguments = [str(limits.memory), str(seconds), str(limits.characters)]
        with worker_process(_WORKER, arguments, file) as process:
            messages = Messages(process, "the template", limits.seconds, time.monotonic() + 10 * seconds)
            try:
                for number, message in enumerate(itertools.islice(messages, len(templates) + count), -len(templates)):
                    if "error" in message:
                        raise _failure(templates, places, number, str(message["error"]), int(message.get("line", 0)))
                    if number >= 0:
                        rendered.append(_parse(message))
            except (ValueError, TypeError, AttributeError, RecursionError):
                messages.problem = "invalid output of the process that renders"
    if len(rendered) < count:
        raise _failure(templates, places, len(rendered), messages.problem)
    return [rendered[at : at + len(templates)] for at in range(0, count, len(templates))]


def _write_input(file: IO[bytes], templates: Sequence[JinjaTemplate], rows: Sequence[Row]) -> None:
    file.write(json.dumps([[each.text, each.answer_choices] for each in templates]).encode() + b"\n")
    for row in rows:
        file.write(to_json(row).encode() + b"\n")
    file.flush()


def _parse(message: Mapping[str, object]) -> Rendered:
    """A message, which is not trusted: the worker may be compromised."""
    unfit = str(message["unfit"]) if "unfit" in message else ""
    return Rendered(unfit=unfit) if unfit else Rendered(str(message.get("input", "")), str(message.get("target", "")))


def _failure(
    templates: Sequence[JinjaTemplate], places: Sequence[str], number: int, problem: str, line: int = 0
) -> InputError:
    """The error of the template of a result; of a negative number, that of the template itself, without a row."""
    template = templates[number % len(templates)]
    said = Phrase("template {name!r}", name=template.name)
    if line and not template.exact_lines:
        said = Phrase("line {line} of template {name!r}", line=line, name=template.name)
    if number >= 0:
        said = Phrase("{template}, with the row {place}", template=said, place=places[number // len(templates)])
    return RowError(template.place(line), "{template}: {problem}", template=said, problem=problem, hint=_HINT)
