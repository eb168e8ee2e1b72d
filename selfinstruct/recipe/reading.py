"""Reading a recipe file into a Recipe, or an error with every problem and its line."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from selfinstruct.errors import RecipeError
from selfinstruct.messages import Phrase
from selfinstruct.recipe import toml
from selfinstruct.recipe.contradictions import recipe_contradictions
from selfinstruct.recipe.errors import Problem, nearest, no_such_field, recipe_error, validation_problems
from selfinstruct.recipe.extensions import Importer, extension_problems
from selfinstruct.recipe.tables import Recipe
from selfinstruct.recipe.types import Language
from selfinstruct.recipe.variants import (
    in_language,
    own_language,
    path_in_variant,
    variant_problems,
    version_of,
)


def load_recipe(
    path: str | os.PathLike[str], *, importer: Importer | None = None, language: Language | None = None
) -> Recipe:
    """Read and validate a recipe file; the path of its seeds is relative to the recipe's directory.

    ``importer`` and ``language`` are as for ``parse_recipe``. Raises RecipeError with every problem, its line and its
    key path.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as exc:
        raise RecipeError(
            "{path}: cannot read the recipe: {strerror}",
            hint="selfinstruct init SEEDS writes one",
            path=path,
            strerror=exc.strerror,
        ) from exc
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = data.count(b"\n", 0, exc.start) + 1
        raise RecipeError(
            "{path}:{line}: not UTF-8 text", hint="save the recipe as UTF-8", path=path, line=line
        ) from exc
    return parse_recipe(text, os.fspath(path), Path(path).parent, importer=importer, language=language)


def parse_recipe(
    text: str,
    name: str,
    base: str | os.PathLike[str],
    *,
    importer: Importer | None = None,
    language: Language | None = None,
) -> Recipe:
    """Validate a recipe's text; ``name`` is its file in messages, ``base`` the directory that paths are relative to.

    A recipe without a ``name`` is named after its file. Without ``novelty.fields``, the text fields are compared that
    are neither grounded in another field nor the label. ``importer`` is called with each reference to code, such as
    ``checks.use`` has; without one, a recipe with references is rejected, since their code would run. Pass
    ``import_extension`` only for a recipe of the user's own. ``language`` selects one of the recipe's ``[languages]``;
    by default it is the ``language`` of the recipe. Raises RecipeError like ``load_recipe``.
    """
    written = toml.read(text.removeprefix("\ufeff"), name)
    if wrong := variant_problems(written):
        raise recipe_error(wrong, name, text)
    data = in_language(written, language)
    data.setdefault("name", recipe_name(name))
    has_variants = "languages" in written
    try:
        recipe = _resolved(Recipe.model_validate(data), base, has_variants=has_variants)
    except ValidationError as exc:
        problems = validation_problems(exc, Recipe, data)
    else:
        # Nothing is imported for a recipe that cannot be used anyway.
        problems = list(recipe_contradictions(recipe)) or list(extension_problems(recipe, importer))
        if not problems:
            return recipe
    problems = [
        replace(each, path=path_in_variant(each.path, written, data.get("language"))) if has_variants else each
        for each in problems
    ]
    # Raised outside the except block, so that no traceback contains the rejected values.
    raise recipe_error(problems, name, text)


def has_variants(text: str, name: str) -> bool:
    """Whether a recipe is written in several languages and does not set one. Raises RecipeError if it is not TOML."""
    data = toml.read(text.removeprefix("\ufeff"), name)
    return own_language(data) is not None and "language" not in data


def recipe_name(path: str | os.PathLike[str]) -> str:
    """Return a valid recipe name for a file: its stem, without characters that a directory name cannot contain.

    >>> recipe_name("seeds/logqa.json.train")
    'logqa'
    >>> recipe_name("parts/part-*.jsonl"), recipe_name("parts/*")
    ('part', 'parts')
    """
    stem = Path(path).name.lstrip(".").split(".")[0]
    if "*" in stem or "?" in stem:  # a glob of shards
        stem = re.sub(r"[*?\[\]]+", "", stem).strip("-_ ") or Path(path).parent.name
    return re.sub(r"[\x00-\x1f\x7f/\\:]+", "-", stem)[:80] or "recipe"


def bind(recipe: Recipe, seed_fields: Iterable[str]) -> Recipe:
    """Return the recipe with its fields in the order of the seeds' fields.

    Raises RecipeError if the two have different fields, other than optional ones, or if the recipe contradicts itself
    (one constructed in Python has not been through ``parse_recipe``).
    """
    names = list(seed_fields) or list(recipe.fields)
    problems = list(recipe_contradictions(recipe))
    unlisted = [name for name in names if name not in recipe.fields]
    for name in recipe.fields:
        if name not in names and not recipe.fields[name].optional:
            problems.append(no_such_field(("fields", name), name, names, "seeds"))
            unlisted = [other for other in unlisted if other != nearest(name, names)]
    for name in unlisted:
        header = f"[{toml.key_path(('fields', name))}]"
        problems.append(
            Problem(("fields", name), "missing; the seeds have this field", Phrase("add {header}", header=header))
        )
    if problems:
        raise recipe_error(problems, f"recipe {toml.literal(recipe.name)} with {recipe.seeds.file}")
    names += [name for name in recipe.fields if name not in names]
    return recipe.model_copy(update={"fields": {name: recipe.fields[name] for name in names}})


def is_recipe(data: bytes) -> bool:
    """Whether the start of a file looks like a recipe, valid or not, rather than like rows.

    Decided by content: the first line that is neither blank nor a comment is a TOML key or table, or a later line is
    the header of one of a recipe's tables. Only the first 64 KiB are read.
    """
    head = data[:65536].decode("utf-8-sig", "replace").splitlines()
    lines = [line.strip() for line in head if line.strip() and not line.lstrip().startswith("#")]
    first = lines[0] if lines else ""
    known = re.compile(rf"\[{{1,2}}\s*({'|'.join(Recipe.model_fields)})\b")
    header = re.compile(r"\[{1,2}\s*[A-Za-z_][\w.\-\"' ]*\]{1,2}\s*(#.*)?")
    key = re.compile(r"""("[^"]*"|'[^']*'|[\w-]+)(\s*\.\s*("[^"]*"|'[^']*'|[\w-]+))*\s*=(?!=)""")
    if known.match(first) or header.fullmatch(first) or key.match(first):
        return True
    return not first.startswith("{") and any(known.match(line) and header.fullmatch(line) for line in lines)


def _resolved(recipe: Recipe, base: str | os.PathLike[str], *, has_variants: bool) -> Recipe:
    """Return the recipe with its paths resolved, and with the fields of novelty filled in as ``infer`` does.

    Its files are those in its language if it ``has_variants``.
    """

    def path_from_here(file: str) -> str:
        if file in ("-", ""):
            return file
        path = Path(os.path.normpath(Path(base) / file)).as_posix()
        return version_of(path, recipe.language) if has_variants else path

    changes: dict[str, Any] = {"seeds": recipe.seeds.model_copy(update={"file": path_from_here(recipe.seeds.file)})}
    changes["attributes"] = {
        name: each.model_copy(update={"file": path_from_here(each.file or "") or None})
        for name, each in recipe.attributes.items()
    }
    changes["expand"] = tuple(
        each.model_copy(update={"file": path_from_here(each.file or "") or None}) for each in recipe.expand
    )
    if recipe.documents is not None:
        changes["documents"] = recipe.documents.model_copy(
            update={"files": tuple(map(path_from_here, recipe.documents.files))}
        )
    if recipe.passages is not None:
        files, against = recipe.passages.files, recipe.passages.against
        own = {"files": tuple(map(path_from_here, files)), "against": tuple(map(path_from_here, against))}
        changes["passages"] = recipe.passages.model_copy(update=own)
    if "fields" not in recipe.novelty.model_fields_set:
        label = recipe.categories.field if recipe.categories.by == "field" else None
        written = {
            name: field
            for name, field in recipe.fields.items()
            if name != label and field.source is None and not field.unique
        }
        texts = [
            name for name, field in written.items() if field.appears_in is None and field.type in ("string", "any")
        ]
        changes["novelty"] = recipe.novelty.model_copy(update={"fields": tuple(texts or written or recipe.fields)})
    return recipe.model_copy(update=changes)
