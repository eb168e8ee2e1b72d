"""The built-in recipes: list them, read one, copy one to edit it."""

from __future__ import annotations

from pathlib import Path

from selfinstruct.documents import find_documents
from selfinstruct.errors import InputError
from selfinstruct.files import write_whole
from selfinstruct.recipe import LANGUAGES, Recipe, builtin, load_recipe
from selfinstruct.recipe.builtin import INPUTS, BuiltinRecipe
from selfinstruct.recipe.errors import nearest


def recipes() -> list[BuiltinRecipe]:
    """Return the built-in recipes in alphabetical order."""
    listed = []
    for name in builtin.names():
        summary = next(iter(builtin.header(name)), "")
        listed.append(
            BuiltinRecipe(name, summary.removeprefix(f"{name}:").strip(), load_recipe(builtin.path(name)).needs_model)
        )
    return listed


def recipe_text(name: str) -> str:
    """Return the text of a built-in recipe. Raises InputError if there is none of that name."""
    return _recipe_file(name).read_text(encoding="utf-8")


def copy_recipe(name: str, file: str | Path, *, force: bool = False) -> list[Path]:
    """Copy a built-in recipe to ``file``, and its inputs to the folder ``inputs`` beside it; return the files written.

    Raises InputError, and writes nothing, if one of the files exists and ``force`` is not set, or if there is no such
    recipe; StorageError if a file cannot be written.
    """
    source = _recipe_file(name)
    copies = {Path(file): source}
    versions = [load_recipe(source, language=language) for language in LANGUAGES]
    for used in dict.fromkeys(file for recipe in versions for file in _input_files(recipe)):
        copies[Path(file).parent / INPUTS / used.relative_to(source.parent / INPUTS)] = used
    existing = [str(target) for target in copies if target.exists()]
    if existing and not force:
        raise InputError(
            "{existing}: already exists",
            hint="Choose another `out`, or overwrite it with `force=True`.",
            existing=existing[0],
        )
    for target, used in copies.items():
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                "{parent}: cannot create it: {strerror}",
                hint="Choose another `out`.",
                parent=target.parent,
                strerror=error.strerror,
            ) from error
        write_whole(target, used.read_bytes())
    return list(copies)


def _input_files(recipe: Recipe) -> list[Path]:
    """Return the files that a recipe reads."""
    named = [recipe.seeds.file, *(each.file for each in recipe.attributes.values())]
    named += [each.file for each in recipe.expand]
    named += find_documents(recipe.documents.files) if recipe.documents is not None else []
    return [Path(name) for name in named if name]


def _recipe_file(name: str) -> Path:
    if name not in builtin.names():
        near = nearest(name, builtin.names())
        raise InputError(
            "{name}: no such recipe; did you mean {near}?" if near else "{name}: no such recipe",
            hint="List them: selfinstruct recipes.",
            name=name,
            near=near,
        )
    return builtin.path(name)
