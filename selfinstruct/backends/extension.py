"""A custom backend, created by the factory that ``backend = "package.module:factory"`` names.

The factory is called once, as ``factory(recipe)`` with the resolved recipe, and returns a ``Backend``; it may be a
coroutine function. What it or the backend raises becomes an ExtensionError with the line of the user's code.

Does not handle: budgets, retries and rate limits; a custom backend must implement these itself.
"""

from __future__ import annotations

import inspect
from typing import Any

from selfinstruct.backends.base import Backend
from selfinstruct.errors import ExtensionError, SelfInstructError
from selfinstruct.events import Pace
from selfinstruct.recipe import Recipe, extension_error, import_extension
from selfinstruct.records import Failure, Reply, Request

_MEMBERS = ("name", "reads_messages", "complete", "close")


class ExtensionBackend:
    """A Backend that wraps a custom one."""

    def __init__(self, reference: str, backend: Backend) -> None:
        self._reference = reference
        self._backend = backend
        self.name = backend.name
        self.reads_messages = backend.reads_messages

    @classmethod
    async def create(cls, reference: str, recipe: Recipe) -> ExtensionBackend:
        """Import the factory and call it.

        Raises RecipeError if it cannot be imported, and ExtensionError if it raises or does not return a backend.
        """
        factory = import_extension(reference)
        try:
            made: Any = factory(recipe)
            if inspect.isawaitable(made):
                made = await made
        except SelfInstructError:
            raise
        except Exception as error:
            raise extension_error(reference, error) from error
        missing = [member for member in _MEMBERS if not hasattr(made, member)]
        if missing:
            raise ExtensionError(
                "{reference}: expected a backend, got {name} without {missing}",
                hint="Return an object with the members of selfinstruct.backends.Backend.",
                reference=reference,
                name=type(made).__name__,
                missing=", ".join(missing),
            )
        return cls(reference, made)

    @property
    def notes(self) -> list[str]:
        """The backend's remarks for the summary, if it has any."""
        return list(getattr(self._backend, "notes", ()))

    def inspect(self) -> Pace | None:
        """The backend's current pace, if it reports one."""
        found = self._backend.inspect() if hasattr(self._backend, "inspect") else None
        return found if isinstance(found, Pace) else None

    async def complete(self, request: Request) -> Reply | Failure:
        """Answer one request. Raises ExtensionError if the backend raises, or returns anything else."""
        try:
            outcome: Any = await self._backend.complete(request)
        except SelfInstructError:
            raise
        except Exception as error:
            raise extension_error(self._reference, error) from error
        if not isinstance(outcome, Reply | Failure):
            raise ExtensionError(
                "{reference}: complete() returned {outcome}",
                hint="Return a selfinstruct.records.Reply or Failure.",
                reference=self._reference,
                outcome=repr(outcome)[:80],
            )
        return outcome

    async def close(self) -> None:
        """Close the backend."""
        await self._backend.close()
