"""The errors that this package raises on purpose, and the exit code of each.

The tree::

    SelfInstructError            a message and a hint: what is wrong, where, and what to do
    ├── InputError       (2)     an argument, a recipe or a row file is invalid
    │   ├── RecipeError          a recipe: file, key path, allowed values
    │   ├── RowError             a row file: file:line
    │   └── ExtensionError       code named by a recipe or `backend` failed
    ├── EndpointError    (3)     the model endpoint is unusable
    └── StorageError     (3)     the disk, or a run directory that is locked or damaged

A model's bad *output* is never an error: it is a failed reply or a rejected candidate, and is counted.

Messages have the form ``what[: where]: problem``; the hint is an imperative sentence. Both name parameters of the
library as Python callers know them, in backquotes: `` `rows` ``, `` `base_url="http://..."` ``, `` `force=True` ``.
The command line prints its own spelling of these (``--rows``, ``--base-url http://...``, ``--force``) by
``SelfInstructError.spelled``, so that a raise site never mentions an option:

>>> error = InputError("`rows`: expected at least 1, got 0", hint="Set `rows=100`.")
>>> print(error)
`rows`: expected at least 1, got 0
  Set `rows=100`.
>>> error.spelled({"rows": "--rows"})
('--rows: expected at least 1, got 0', 'Set --rows 100.')

A message or hint with values is a template, which the command line shows in the user's language (see ``messages``);
``str(error)`` is always English:

>>> print(InputError("{path}: no such file", hint="Did you mean {near}?", path="{a}.csv", near="b.csv"))
{a}.csv: no such file
  Did you mean b.csv?
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from selfinstruct.messages import Phrase, translated

# A parameter in backquotes, perhaps with a value: `rows`, `rows=100`, `force=True`, `model="NAME"`.
_PARAMETER = re.compile(r"`([a-z_]+)(?:=(\"[^\"`\n]*\"|[^`\n]+))?`")


class SelfInstructError(Exception):
    """An error with a message and, in ``hint``, what to do about it.

    ``values`` are those of the message and the hint, where these are templates. ``str(error)`` is the message and, on
    the next line, the hint. ``exit_code`` is the exit status of the command line.
    """

    exit_code = 1

    def __init__(self, message: str, /, *, hint: str = "", **values: Any) -> None:
        self.message = _filled(message, values)
        self.hint = _filled(hint, values)
        super().__init__(self.message)

    def __str__(self) -> str:
        return f"{self.message}\n  {self.hint}" if self.hint else self.message

    def spelled(self, options: Mapping[str, str]) -> tuple[str, str]:
        """Phrase and hint as the command line shows them: translated, with options for parameters.

        See ``spell_options``.
        """
        return spell_options(translated(self.message), options), spell_options(translated(self.hint), options)


def _filled(text: str, values: Mapping[str, Any]) -> Phrase:
    return text if isinstance(text, Phrase) else Phrase(text, **values)


def spell_options(text: str, options: Mapping[str, str]) -> str:
    r"""Replace the parameters in backquotes by command-line options; names that ``options`` lacks stay as they are.

    >>> spell_options("`model=\"NAME\"`, `force=True` or `out`; not `other`", {"model": "--model", "force": "--force"})
    '--model NAME, --force or `out`; not `other`'
    """

    def spell(match: re.Match[str]) -> str:
        name, value = match.groups()
        if name not in options:
            return match[0]
        if value is None or value == "True":
            return options[name]
        if value == "False":
            return options[name].replace("--", "--no-", 1)
        bare = value.removeprefix('"').removesuffix('"')
        return f"{options[name]} {bare}"

    return _PARAMETER.sub(spell, text)


class InputError(SelfInstructError):
    """An argument, a recipe or a row file is invalid."""

    exit_code = 2


class RecipeError(InputError):
    """A recipe has an unknown key, a value of the wrong type, or a field that does not exist.

    ``problems`` are those of the recipe's text, where there are several: line (None if it has none), message and hint.
    """

    problems: Sequence[tuple[int | None, str, str]] = ()


class RowError(InputError):
    """A row file cannot be read; ``where`` is ``file`` or ``file:line`` (lines count from 1)."""

    def __init__(self, where: str, message: str, /, *, hint: str = "", **values: Any) -> None:
        problem = Phrase("{where}: {problem}", where=where, problem=_filled(message, values))
        super().__init__(problem, hint=_filled(hint, values))
        self.where = where


class ExtensionError(InputError):
    """A check, category function or backend of the user's own raised, or returned something unusable."""


class EndpointError(SelfInstructError):
    """The model endpoint rejects every request, or cannot be reached."""

    exit_code = 3


class StorageError(SelfInstructError):
    """A file or run directory cannot be written, or a journal cannot be read."""

    exit_code = 3
