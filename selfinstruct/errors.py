"""Errors that reach a person, and the exit code that each one means.

The tree::

    SelfInstructError            what went wrong, where, and what to do
    ├── InputError       (2)     the command line, a recipe, or a row file
    │   ├── RecipeError          a recipe: file, key path, what is allowed
    │   └── RowError             a row file: file:line
    ├── EndpointError    (3)     the model endpoint cannot be used
    └── StorageError     (3)     the disk, or a run directory that is not ours to write

A model's bad *output* is never an error: it is a failed reply or a rejected candidate, and is counted.
"""

from __future__ import annotations


class SelfInstructError(Exception):
    """An error with a message for a person and a remedy.

    ``str(error)`` is the whole text: what, where, and after a line break what to do. ``exit_code`` is the
    status that the command line ends with.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  {self.hint}" if self.hint else self.message


class InputError(SelfInstructError):
    """The user's command line, recipe or rows cannot be used as they are."""

    exit_code = 2


class RecipeError(InputError):
    """A recipe names an unknown key, a wrong type, or a field that does not exist."""


class RowError(InputError):
    """A row file cannot be read; ``where`` is ``file`` or ``file:line`` (lines count from 1)."""

    def __init__(self, where: str, message: str, *, hint: str = "") -> None:
        super().__init__(f"{where}: {message}", hint=hint)
        self.where = where


class EndpointError(SelfInstructError):
    """The model endpoint refuses every request, or cannot be reached."""

    exit_code = 3


class StorageError(SelfInstructError):
    """A run directory cannot be written, or its journal cannot be trusted."""

    exit_code = 3
