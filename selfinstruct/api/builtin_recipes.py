"""The built-in recipes: listed, shown, copied to be edited."""

from __future__ import annotations

from pathlib import Path

from selfinstruct.documents import find_documents
from selfinstruct.errors import InputError
from selfinstruct.files import write_whole
from selfinstruct.recipe import Recipe, builtin, load_recipe
from selfinstruct.recipe.builtin import INPUTS, BuiltinRecipe
from selfinstruct.recipe.errors import nearest


def recipes() -> list[BuiltinRecipe]:
    """The built-in recipes, in the order of the alphabet."""
    listed = []
    for name in builtin.names():
        says = next(iter(builtin.header(name)), "")
        listed.append(
            BuiltinRecipe(name, says.removeprefix(f"{name}:").strip(), load_recipe(builtin.path(name)).needs_model)
        )
    return listed


def recipe_text(name: str) -> str:
    """The text of a built-in recipe. Raises InputError where there is none of that name."""
    return _file(name).read_text(encoding="utf-8")


def copy_recipe(name: str, file: str | Path, *, force: bool = False) -> list[Path]:
    """Copy a built-in recipe to ``file`` and its inputs to the folder ``inputs`` beside it; the files that are written.

    What is there is left alone unless ``force``: then nothing is written at all. Raises InputError, StorageError.
    """
    source = _file(name)
    copies = {Path(file): source}
    for used in _inputs(load_recipe(source)):
        copies[Path(file).parent / INPUTS / used.relative_to(source.parent / INPUTS)] = used
    there = [str(target) for target in copies if target.exists()]
    if there and not force:
        raise InputError(f"{there[0]}: already exists", hint="Choose another `out`, or overwrite it with `force=True`.")
    for target, used in copies.items():
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"{target.parent}: cannot create it: {error.strerror}", hint="Choose another `out`."
            ) from error
        write_whole(target, used.read_bytes())
    return list(copies)


def _inputs(recipe: Recipe) -> list[Path]:
    """The files that a recipe reads."""
    named = [recipe.seeds.file, *(each.file for each in recipe.attributes.values())]
    named += [each.file for each in recipe.expand]
    named += find_documents(recipe.documents.files) if recipe.documents is not None else []
    return [Path(name) for name in named if name]


def _file(name: str) -> Path:
    if name not in builtin.names():
        near = nearest(name, builtin.names())
        raise InputError(
            f"{name}: no such recipe{f'; did you mean {near}?' if near else ''}",
            hint="List them: selfinstruct recipes.",
        )
    return builtin.path(name)
