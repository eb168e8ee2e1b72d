"""Templates in Jinja: what one is, and reading a file with one, or several files.

A ``.jinja`` file is a template, with ``|||`` between the input and the target. A comment at its beginning may say more:

    {# task_type: sentiment
       answer_choices: negative ||| positive #}
    {{ text }}
    Is this review positive or negative? ||| {{ answer_choices[label] }}

Does not handle: promptsource's files of several templates (``promptsource``), rendering.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from selfinstruct.errors import InputError, RowError
from selfinstruct.jinja_templates import promptsource
from selfinstruct.jinja_templates.promptsource import SEPARATOR, PoolTemplate
from selfinstruct.recipe.errors import nearest
from selfinstruct.rows import open_unpacked
from selfinstruct.rows.encoding import UTF_8
from selfinstruct.rows.likely_encoding import encoding_hint
from selfinstruct.rows.sources import CHECK_PATH

_MAX_BYTES = 2 << 20
_HEADER = re.compile(r"\A\s*\{#-?(.*?)-?#\}", re.DOTALL)
_KEY = re.compile(r"\s*([a-z_]+)\s*:\s*(.*?)\s*")
_KEYS = ("name", "task_type", "answer_choices", "context")


@dataclass(frozen=True, slots=True)
class JinjaTemplate:
    """A template: its text, and what its file says about it.

    ``text`` begins in ``line`` of ``file``. ``answer_choices`` is a template too, of choices with ``|||`` between them.
    ``context`` has the fields of a row in braces that are the text which the task is about; "" if the file does not say
    it. ``exact_lines`` is set where the lines of the text are those of the file.
    """

    name: str
    file: str
    line: int
    text: str
    answer_choices: str = ""
    task_type: str = ""
    context: str = ""
    exact_lines: bool = True

    def place(self, line: int = 0) -> str:
        """``file:line`` of the template, or of a line of its text, counted from 1."""
        return f"{self.file}:{self.line + line - 1 if line and self.exact_lines else self.line}"


def read_templates(pattern: str, encoding: str = UTF_8) -> list[JinjaTemplate]:
    """Read the templates of a file, or of all files that a pattern such as ``templates/*.jinja`` matches.

    Raises InputError for a file that cannot be read, and for a template without a name or a ``|||``.
    """
    files = [pattern]
    if "*" in pattern and not Path(pattern).exists():
        root = Path(Path(pattern).anchor or ".")
        files = sorted(each.as_posix() for each in root.glob(pattern.removeprefix(Path(pattern).anchor)))
    if not files:
        hint = "Check the pattern; it is relative to the recipe."
        raise InputError("{name}: no such file", name=pattern, hint=hint)
    templates = [each for file in files for each in _read_file(file, encoding)]
    for template in templates:
        if SEPARATOR not in template.text:
            raise RowError(
                template.place(),
                "template {name!r} has no ||| between its input and its target",
                name=template.name,
                hint="Write ||| before the target.",
            )
    return templates


def _read_file(name: str, encoding: str) -> list[JinjaTemplate]:
    try:
        with open_unpacked(name, encoding) as file:
            data = file.read(_MAX_BYTES + 1)
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError("{name}: not UTF-8 text", name=name, hint=encoding_hint(error.object)) from error
    except RowError as error:
        hint = "Check the path; it is relative to the recipe." if error.hint == CHECK_PATH else error.hint
        raise InputError(error.message, hint=hint) from error
    if len(data) > _MAX_BYTES:
        limit = _MAX_BYTES >> 20
        hint = "Divide it into several files."
        raise InputError("{name}: more than {limit} MiB of templates", name=name, limit=limit, hint=hint)
    if name.endswith((".yaml", ".yml")):
        return [_of_pool(each, name) for each in promptsource.parse(text, name)]
    return [_parse_file(text, name)]


def _of_pool(found: PoolTemplate, file: str) -> JinjaTemplate:
    return JinjaTemplate(
        found.name, file, found.line, found.jinja, found.answer_choices, found.task_type, exact_lines=False
    )


def _parse_file(text: str, file: str) -> JinjaTemplate:
    header = _HEADER.match(text)
    keys = _header_keys(header[1], file, text.count("\n", 0, header.start(1)) + 1) if header else {}
    return JinjaTemplate(
        keys.get("name") or Path(file).stem,
        file,
        1,
        text,
        keys.get("answer_choices", ""),
        keys.get("task_type", ""),
        keys.get("context", ""),
    )


def _header_keys(comment: str, file: str, first: int) -> dict[str, str]:
    """The keys of the comment at the beginning of a file; none if it is prose.

    Raises RowError for a line without a known key beside one that has it.
    """
    lines = [(number, line, _KEY.fullmatch(line)) for number, line in enumerate(comment.split("\n"), first)]
    if not any(found and found[1] in _KEYS for _, _, found in lines):
        return {}
    keys: dict[str, str] = {}
    for number, line, found in lines:
        if not line.strip():
            continue
        if found is None or found[1] not in _KEYS:
            raise _bad_header(f"{file}:{number}", line, found[1] if found else "")
        keys[found[1]] = found[2]
    return keys


def _bad_header(where: str, line: str, key: str) -> RowError:
    """The error of a line of a header: its ``key`` is unknown, or it has none."""
    if not key:
        hint = "Write task_type: sentiment, or a comment without keys."
        return RowError(where, "not a key and its value: {line!r}", line=line.strip()[:60], hint=hint)
    if near := nearest(key, _KEYS):
        return RowError(where, "unknown key {key!r}", key=key, near=near, hint="Write {near}: ...")
    return RowError(where, "unknown key {key!r}", key=key, known=", ".join(_KEYS), hint="The keys are: {known}.")
