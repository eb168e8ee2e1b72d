"""Extensions: the Python objects that a recipe or ``--backend`` names, as ``package.module:object``.

    [checks] use = ["my_checks:units_agree"]        a check       (row, recipe) -> None or a reason
    [categories] by = "my_checks:kind"              categories    row -> str
    backend = "my_models:connect"                   a backend     recipe -> Backend

Modules are found as Python finds them; the working directory is searched too, last, so that it never hides an
installed package. Only the user's own recipes may name extensions: the caller of ``parse_recipe`` allows them
by passing an importer.

Does not handle: calling them with the right arguments, which is up to the caller.
"""

from __future__ import annotations

import importlib
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

from selfinstruct.errors import ExtensionError, RecipeError
from selfinstruct.messages import Phrase
from selfinstruct.recipe import toml
from selfinstruct.recipe.errors import Problem, nearest
from selfinstruct.recipe.tables import Recipe
from selfinstruct.recipe.types import REFERENCE

#: Imports the object of a reference, or raises RecipeError.
Importer: TypeAlias = Callable[[str], Any]

# Frames of these lead to the user's code; they are not it.
_NOT_THEIRS = (str(Path(__file__).parents[1]), str(Path(importlib.__file__).parent), "<frozen importlib")


def import_extension(reference: str) -> Callable[..., Any]:
    """The function or class that ``package.module:object`` names.

    Raises RecipeError where there is none, or where importing its module fails.
    """
    module_name, _, attributes = reference.partition(":")
    module = _import_module(reference, module_name)
    found: Any = module
    for name in attributes.split("."):
        if not hasattr(found, name):
            near = nearest(name, [other for other in dir(found) if not other.startswith("_")])
            where = getattr(module, "__file__", None) or "built-in"
            raise RecipeError(
                "{reference}: no {name!r} in {module_name} ({where}); did you mean {near!r}?"
                if near
                else "{reference}: no {name!r} in {module_name} ({where})",
                hint="Name a function of that module.",
                reference=reference,
                name=name,
                module_name=module_name,
                where=where,
                near=near,
            )
        found = getattr(found, name)
    if not callable(found):
        raise RecipeError(
            "{reference}: expected a function, got {name}",
            hint="Name a function of that module.",
            reference=reference,
            name=type(found).__name__,
        )
    return found  # type: ignore[no-any-return]


def is_reference(text: str) -> bool:
    """Whether a text has the form ``package.module:object``.

    >>> is_reference("my_models:connect"), is_reference("openai"), is_reference("http://localhost")
    (True, False, False)
    """
    return re.fullmatch(REFERENCE, text) is not None


def accept_unimported(reference: str) -> None:
    """Accept a reference without importing it, for a recipe that is only compared, or used in part."""


def extension_problems(recipe: Recipe, importer: Importer | None) -> Iterator[Problem]:
    """The references of a recipe that cannot be imported; without an importer, every reference."""
    for path, reference in references(recipe):
        if importer is None:
            hint = Phrase("remove the key; extensions run only from a recipe file of your own")
            yield Problem(
                path, Phrase("{reference}: extensions are not allowed here", reference=toml.literal(reference)), hint
            )
            continue
        try:
            importer(reference)
        except RecipeError as error:
            yield Problem(path, error.message, error.hint)


def references(recipe: Recipe) -> Iterator[tuple[toml.KeyPath, str]]:
    """The key path and the text of each reference to an extension."""
    if recipe.backend is not None:
        yield ("backend",), recipe.backend
    for reference in recipe.checks.use:
        yield ("checks", "use"), reference
    if recipe.categories.function is not None:
        yield ("categories", "by"), recipe.categories.function


def extension_error(reference: str, error: BaseException) -> ExtensionError:
    """The error for an exception that an extension raised, with the line of its code that raised it."""
    stack = traceback.extract_tb(error.__traceback__)
    frames = [(frame.filename, frame.lineno) for frame in stack if not frame.filename.startswith(_NOT_THEIRS)]
    if isinstance(error, SyntaxError) and error.filename is not None:
        frames.append((error.filename, error.lineno))
    # The extension's own last line is of more use than those of the libraries that it calls.
    own = [(file, line) for file, line in frames if file == frames[0][0]]
    place = f"{own[-1][0]}:{own[-1][1]}" if own else ""
    last_line = traceback.format_exception_only(error)[-1].strip()
    return ExtensionError(
        "{reference}: {error} ({place})" if place else "{reference}: {error}",
        hint="Fix the code, then run the same command again; a run keeps every row and every reply that it has.",
        reference=reference,
        error=last_line,
        place=place,
    )


def _import_module(reference: str, name: str) -> Any:
    here = str(Path.cwd())
    if here not in sys.path and "" not in sys.path:
        sys.path.append(here)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise RecipeError(
                "{reference}: no module named {name!r}",
                hint="Install it, run in the folder that contains it, or add its folder to PYTHONPATH.",
                reference=reference,
                name=error.name,
            ) from error
        raise _import_failed(reference, error) from error
    except (Exception, SystemExit) as error:
        raise _import_failed(reference, error) from error


def _import_failed(reference: str, error: BaseException) -> RecipeError:
    failed = extension_error(reference, error)
    return RecipeError("cannot import {message}", hint="Fix the module.", message=failed.message)
