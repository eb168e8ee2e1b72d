"""A recipe file -> a Recipe, or an error that names every fault with its line."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from selfinstruct.errors import RecipeError
from selfinstruct.recipe import toml
from selfinstruct.recipe.contradictions import recipe_contradictions
from selfinstruct.recipe.errors import Problem, nearest, no_such_field, recipe_error, validation_problems
from selfinstruct.recipe.extensions import Importer, extension_problems
from selfinstruct.recipe.tables import Recipe, Seeds


def load_recipe(path: str | os.PathLike[str], *, importer: Importer | None = None) -> Recipe:
    """Read and validate a recipe file; its seeds' file is resolved against the recipe's folder.

    ``importer`` is as for ``parse_recipe``. Raises RecipeError naming every fault that was found, each with its line
    and key path.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as exc:
        raise RecipeError(
            f"{path}: cannot read the recipe: {exc.strerror}", hint="selfinstruct init SEEDS writes one"
        ) from exc
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = data.count(b"\n", 0, exc.start) + 1
        raise RecipeError(f"{path}:{line}: not UTF-8 text", hint="save the recipe as UTF-8") from exc
    return parse_recipe(text, os.fspath(path), Path(path).parent, importer=importer)


def parse_recipe(text: str, name: str, base: str | os.PathLike[str], *, importer: Importer | None = None) -> Recipe:
    """Validate a recipe's text; ``name`` is its file in messages, ``base`` the folder that paths start from.

    A recipe without a ``name`` is named for its file. Without ``novelty.fields``, every text field is compared
    that is neither grounded in another nor the label. ``importer`` is called with each reference to code, such as
    ``checks.use`` has; without one, a recipe with references is refused, since their code would run. Pass
    ``import_extension`` only for a recipe of the user's own. Raises RecipeError like ``load_recipe``.
    """
    data = toml.read(text.removeprefix("\ufeff"), name)
    data.setdefault("name", recipe_name(name))
    try:
        recipe = _resolved(Recipe.model_validate(data), base)
    except ValidationError as exc:
        mistakes = validation_problems(exc, Recipe, data)
    else:
        # Nothing is imported for a recipe that cannot be used anyway.
        mistakes = list(recipe_contradictions(recipe)) or list(extension_problems(recipe, importer))
        if not mistakes:
            return recipe
    # Raised out here, so that no traceback carries the values that were refused.
    raise recipe_error(mistakes, name, text)


def recipe_name(path: str | os.PathLike[str]) -> str:
    """A lawful name for the recipe of a file: its stem, with what a folder's name cannot hold replaced.

    >>> recipe_name("seeds/logqa.json.train")
    'logqa'
    """
    stem = Path(path).name.lstrip(".").split(".")[0]
    return re.sub(r"[\x00-\x1f\x7f/\\:]+", "-", stem)[:80] or "recipe"


def bind(recipe: Recipe, seed_fields: Iterable[str]) -> Recipe:
    """The recipe with its fields in the order of the seeds' fields.

    Raises RecipeError when the two do not name the same fields, or when the recipe contradicts itself (one made
    in Python has not been through ``parse_recipe``).
    """
    names = list(seed_fields) or list(recipe.fields)
    mistakes = list(recipe_contradictions(recipe))
    unlisted = [name for name in names if name not in recipe.fields]
    for name in recipe.fields:
        if name not in names:
            mistakes.append(no_such_field(("fields", name), name, names, "the seeds have"))
            unlisted = [other for other in unlisted if other != nearest(name, names)]
    for name in unlisted:
        header = f"[{toml.key_path(('fields', name))}]"
        mistakes.append(Problem(("fields", name), "missing, though the seeds have this field", f"add {header}"))
    if mistakes:
        raise recipe_error(mistakes, f"recipe {toml.literal(recipe.name)} with {recipe.seeds.file}")
    return recipe.model_copy(update={"fields": {name: recipe.fields[name] for name in names}})


def is_recipe(data: bytes) -> bool:
    """Whether the start of a file looks like a recipe, sound or broken, rather than like rows.

    By content: the first line that says anything is a TOML key or table, or a line further down is the header of
    one of a recipe's tables. Only the first 64 KiB are looked at.
    """
    head = data[:65536].decode("utf-8-sig", "replace").splitlines()
    said = [line.strip() for line in head if line.strip() and not line.lstrip().startswith("#")]
    first = said[0] if said else ""
    known = re.compile(rf"\[{{1,2}}\s*({'|'.join(Recipe.model_fields)})\b")
    header = re.compile(r"\[{1,2}\s*[A-Za-z_][\w.\-\"' ]*\]{1,2}\s*(#.*)?")
    key = re.compile(r"""("[^"]*"|'[^']*'|[\w-]+)(\s*\.\s*("[^"]*"|'[^']*'|[\w-]+))*\s*=(?!=)""")
    if known.match(first) or header.fullmatch(first) or key.match(first):
        return True
    return not first.startswith("{") and any(known.match(line) and header.fullmatch(line) for line in said)


def _resolved(recipe: Recipe, base: str | os.PathLike[str]) -> Recipe:
    """The recipe with its files seen from here, and with the fields of novelty filled in as ``infer`` does."""

    def seen(file: str) -> str:
        return file if file in ("-", "") else Path(os.path.normpath(Path(base) / file)).as_posix()

    changes: dict[str, Any] = {"seeds": Seeds.model_construct(file=seen(recipe.seeds.file))}
    changes["attributes"] = {
        name: each.model_copy(update={"file": seen(each.file or "") or None})
        for name, each in recipe.attributes.items()
    }
    changes["expand"] = tuple(each.model_copy(update={"file": seen(each.file or "") or None}) for each in recipe.expand)
    if recipe.documents is not None:
        changes["documents"] = recipe.documents.model_copy(update={"files": tuple(map(seen, recipe.documents.files))})
    if "fields" not in recipe.novelty.model_fields_set:
        label = recipe.categories.field if recipe.categories.by == "field" else None
        written = {name: field for name, field in recipe.fields.items() if name != label and field.source is None}
        texts = [
            name for name, field in written.items() if field.appears_in is None and field.type in ("string", "any")
        ]
        changes["novelty"] = recipe.novelty.model_copy(update={"fields": tuple(texts or written or recipe.fields)})
    return recipe.model_copy(update=changes)
