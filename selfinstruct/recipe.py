"""The recipe: what a data set is and how it grows, as frozen data read from TOML.

    load_recipe("logqa.toml") -> Recipe -> bind(recipe, seed fields) -> Recipe that a run can trust

Does not handle: inferring a recipe from seeds (``infer``), reading the seeds themselves (``rows``), or telling
whether a category named in ``quota.weights`` exists, which only the mined categories can say.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Le
from pydantic import AllowInfNan, BaseModel, ConfigDict, Strict, StringConstraints, ValidationError

from selfinstruct import toml
from selfinstruct.errors import RecipeError
from selfinstruct.mistakes import Mistake, nearest, no_such_field, recipe_error, shape_mistakes

# The last word of each alias is what messages say is allowed.
Count = Annotated[int, Ge(1), "a whole number, 1 or more"]
CountOrNone = Annotated[int, Ge(0), "a whole number, 0 or more"]
Share = Annotated[float, Gt(0), Le(1), "a number above 0 and at most 1"]
Weight = Annotated[float, Gt(0), AllowInfNan(False), "a number above 0"]
Amount = Annotated[float, Ge(0), AllowInfNan(False), "a number, 0 or more"]
Names = Annotated[tuple[str, ...], Strict(False), 'a list of field names such as ["Question", "RawLog"]']
Label = Annotated[
    str,
    StringConstraints(pattern=r"^[^\x00-\x1f\x7f/\\:.][^\x00-\x1f\x7f/\\:]*$", max_length=80),
    "text of at most 80 characters that can name a folder: no / \\ : and no dot at its start",
]
FileName = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]+$"), "the name of a file, in quotes"]
Url = Annotated[
    str,
    StringConstraints(pattern=r"^https?://[^/?#@\s]+(/[^?#\s]*)?$"),
    'a URL such as "http://127.0.0.1:8000/v1", without user, key or query',
]
Variable = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Z_][A-Z0-9_]*$"),
    'the name of an environment variable in capitals such as "OPENAI_API_KEY", never the key itself',
]
NonEmpty = Annotated[str, StringConstraints(min_length=1), "text in quotes, not empty"]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class Seeds(_Table):
    """``[seeds]``: the rows a person wrote; ``file`` is relative to the recipe until it is loaded."""

    file: FileName


class Field(_Table):
    """``[fields.NAME]``: one field of a row, and what its values must satisfy.

    ``appears_in`` names the field of which a value must be a token-bounded span, compared as ``match`` says.
    ``identifiers_in`` names the field in which its digit-bearing tokens must occur. ``min_chars`` and
    ``max_chars`` bound its length in code points.
    """

    description: str = ""
    type: Literal["string", "integer", "number", "boolean", "array", "object", "any"] = "string"
    appears_in: str | None = None
    match: Literal["exact", "casefold", "whitespace"] = "exact"
    identifiers_in: str | None = None
    min_chars: CountOrNone | None = None
    max_chars: Count | None = None


class Categories(_Table):
    """``[categories]``: what quotas are counted in; the template or the value of ``field``, or nothing."""

    by: Literal["template", "field", "none"] = "none"
    field: str | None = None


class Quota(_Table):
    """``[quota]``: how many accepted rows, over all categories or in each.

    ``weights`` shares ``rows`` out unequally: category -> weight, 1 for those not named.
    """

    rows: Count | None = None
    per_category: Count | None = None
    weights: dict[str, Weight] = {}


class Novelty(_Table):
    """``[novelty]``: how alike two rows may be.

    ``fields`` are compared together. ``max_rouge_l`` is the largest ROUGE-L F1 in (0, 1] that an accepted row
    may have with its nearest neighbour, or "seeds": as alike as the seeds of a category are to each other.
    """

    fields: Names = ()
    max_rouge_l: Literal["seeds"] | Share = "seeds"


class Demos(_Table):
    """``prompt.demos``: how many demonstrations are seeds, and at most how many are grown rows.

    6 + 2 is the Self-Instruct paper's (Wang et al. 2023, arXiv:2212.10560).
    """

    seeds: CountOrNone = 6
    grown: CountOrNone = 2


class Prompt(_Table):
    """``[prompt]``: what one request shows and asks for; ``instructions`` are added in the user's words."""

    demos: Demos = Demos()
    rows_per_request: Count = 20
    instructions: str = ""


class Price(_Table):
    """``model.price``: money for a million tokens; any currency, as long as the budget is in it too."""

    input: Amount
    output: Amount


class Model(_Table):
    """``[model]``: an OpenAI-compatible endpoint. What is None is left to the endpoint.

    ``max_tokens`` bounds one reply. ``concurrency`` is how many requests may be in flight at most;
    ``requests_per_minute`` and ``tokens_per_minute`` are the endpoint's limits, where its replies do not state them.
    A call is given up after ``timeout`` seconds. ``api_key_env`` names the environment variable that holds the key;
    a recipe never holds one.
    """

    name: NonEmpty
    base_url: Url | None = None
    price: Price | None = None
    temperature: Amount | None = None
    top_p: Share | None = None
    max_tokens: Count | None = None
    concurrency: Count = 16
    requests_per_minute: Weight | None = None
    tokens_per_minute: Weight | None = None
    timeout: Weight | None = None
    api_key_env: Variable = "OPENAI_API_KEY"


class Recipe(_Table):
    """What a data set is and how it grows. ``model`` None is the embedded imitator."""

    name: Label
    task: str = ""
    seeds: Seeds
    fields: dict[str, Field]
    categories: Categories = Categories()
    quota: Quota = Quota()
    novelty: Novelty = Novelty()
    prompt: Prompt = Prompt()
    model: Model | None = None


def load_recipe(path: str | os.PathLike[str]) -> Recipe:
    """Read and validate a recipe file; its seeds' file is resolved against the recipe's folder.

    Raises RecipeError naming every fault that was found, each with its line and key path.
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
    return parse_recipe(text, os.fspath(path), Path(path).parent)


def parse_recipe(text: str, name: str, base: str | os.PathLike[str]) -> Recipe:
    """Validate a recipe's text; ``name`` is its file in messages, ``base`` the folder that paths start from.

    A recipe without a ``name`` is named for its file. Without ``novelty.fields``, every text field is compared
    that is neither grounded in another nor the label. Raises RecipeError like ``load_recipe``.
    """
    data = toml.read(text.removeprefix("\ufeff"), name)
    data.setdefault("name", recipe_name(name))
    try:
        recipe = _resolved(Recipe.model_validate(data), base)
    except ValidationError as exc:
        mistakes = shape_mistakes(exc, Recipe, data)
    else:
        mistakes = list(_contradictions(recipe))
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
    names = list(seed_fields)
    mistakes = list(_contradictions(recipe))
    unlisted = [name for name in names if name not in recipe.fields]
    for name in recipe.fields:
        if name not in names:
            mistakes.append(no_such_field(("fields", name), name, names, "the seeds have"))
            unlisted = [other for other in unlisted if other != nearest(name, names)]
    for name in unlisted:
        header = f"[{toml.key_path(('fields', name))}]"
        mistakes.append(Mistake(("fields", name), "missing, though the seeds have this field", f"add {header}"))
    if mistakes:
        raise recipe_error(mistakes, f"recipe {toml.literal(recipe.name)} with {recipe.seeds.file}")
    return recipe.model_copy(update={"fields": {name: recipe.fields[name] for name in names}})


def frozen_changes(old: Recipe, new: Recipe) -> list[str]:
    """The key paths whose change would judge earlier rows by another rule; empty: the run may go on.

    Words, prompt and model may change, and a quota may grow. The same seed file by another path is no change;
    whether its rows are the same is for the journal to say.
    """
    before, after = dict(_judging(old)), dict(_judging(new))
    changed = [path for path in {**before, **after} if before.get(path) != after.get(path)]
    for key in ("rows", "per_category"):
        was, now = getattr(old.quota, key), getattr(new.quota, key)
        if was is not None and (now is None or now < was):
            changed.append(("quota", key))
    return [toml.key_path(path) for path in changed]


def _judging(recipe: Recipe) -> Iterator[tuple[toml.KeyPath, Any]]:
    yield ("seeds", "file"), Path(recipe.seeds.file).resolve()
    for name, field in recipe.fields.items():
        yield ("fields", name), "a field"
        for key, value in field:
            if key != "description" and value != Field.model_fields[key].default:
                yield ("fields", name, key), value
    for table, keys in (("categories", recipe.categories), ("novelty", recipe.novelty)):
        yield from (((table, key), value) for key, value in keys)
    yield from ((("quota", "weights", name), weight) for name, weight in recipe.quota.weights.items())


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


def to_toml(recipe: Recipe, comments: Mapping[str, str], folder: str | os.PathLike[str] = ".") -> str:
    """The recipe as commented TOML that loads back to an equal recipe from a file in ``folder``.

    ``comments`` maps a key path (``fields.Answer.appears_in``) or a table's (``categories``), its parts joined
    by dots, to the text above it, of one line or several; "" is the top of the file. A comment stands in the
    place of its key or table even where that is not set. Of a field, only keys that differ from the default or
    have a comment are written; of the rest everything, so that later defaults change nothing.

    Raises ValueError for a comment on a path that no recipe has.
    """
    return toml.write(_tables(recipe, comments, folder), comments)


def _tables(
    recipe: Recipe, comments: Mapping[str, str], folder: str | os.PathLike[str]
) -> Iterator[tuple[toml.KeyPath, Mapping[str, Any] | None]]:
    data = recipe.model_dump()
    yield (), {"name": recipe.name, "task": recipe.task}
    yield ("seeds",), {"file": _relative(recipe.seeds.file, folder)}
    yield ("fields",), None
    for name, field in data["fields"].items():
        yield (
            ("fields", name),
            {
                key: value
                for key, value in field.items()
                if value != Field.model_fields[key].default or f"fields.{name}.{key}" in comments
            },
        )
    for table in ("categories", "quota", "novelty", "prompt", "model"):
        keys = data[table]
        weights = keys.pop("weights", None) if keys else None
        yield (table,), keys
        if weights or "quota.weights" in comments:
            yield ("quota", "weights"), weights


def _relative(file: str, folder: str | os.PathLike[str]) -> str:
    """A seed file as a recipe in ``folder`` names it; "-" is stdin, and absolute paths stay."""
    if file == "-" or Path(file).is_absolute():
        return file
    return Path(os.path.relpath(file, folder)).as_posix()


def _resolved(recipe: Recipe, base: str | os.PathLike[str]) -> Recipe:
    """The recipe with its seed file seen from here, and with the fields of novelty filled in as ``infer`` does."""
    file = recipe.seeds.file
    changes: dict[str, Any] = {}
    if file != "-":
        changes["seeds"] = Seeds(file=Path(os.path.normpath(Path(base) / file)).as_posix())
    if "fields" not in recipe.novelty.model_fields_set:
        label = recipe.categories.field if recipe.categories.by == "field" else None
        others = {name: field for name, field in recipe.fields.items() if name != label}
        texts = [name for name, field in others.items() if field.appears_in is None and field.type in ("string", "any")]
        changes["novelty"] = recipe.novelty.model_copy(update={"fields": tuple(texts or others)})
    return recipe.model_copy(update=changes)


def _contradictions(recipe: Recipe) -> Iterator[Mistake]:
    """What no single key is to blame for: names of fields that are not there, keys that exclude each other."""
    if not recipe.fields:
        yield Mistake(("fields",), "names no field", "add a table for each field of a row, such as [fields.Question]")
    for path, name in _named_fields(recipe):
        if name not in recipe.fields:
            yield no_such_field(path, name, recipe.fields)
        elif path[0] == "fields" and path[1] == name:
            yield Mistake(path, "names the field itself", "name the field that its values come from, or remove the key")
    for name, field in recipe.fields.items():
        if field.match != "exact" and field.appears_in is None:
            yield Mistake(("fields", name, "match"), "says how appears_in compares, and there is no appears_in")
        if field.max_chars is not None and (field.min_chars or 0) > field.max_chars:
            message = f"is below min_chars, {field.min_chars}: no text is long enough and short enough"
            yield Mistake(("fields", name, "max_chars"), message)
    yield from _quota_contradictions(recipe)


def _named_fields(recipe: Recipe) -> Iterator[tuple[toml.KeyPath, str]]:
    for name, field in recipe.fields.items():
        for key in ("appears_in", "identifiers_in"):
            if (other := getattr(field, key)) is not None:
                yield ("fields", name, key), other
    if recipe.categories.field is not None:
        yield ("categories", "field"), recipe.categories.field
    for other in recipe.novelty.fields:
        yield ("novelty", "fields"), other


def _quota_contradictions(recipe: Recipe) -> Iterator[Mistake]:
    categories, quota = recipe.categories, recipe.quota
    if categories.by != "none" and categories.field is None:
        yield Mistake(("categories", "field"), f'missing; by = "{categories.by}" needs the field to look at')
    if categories.by == "none" and categories.field is not None:
        yield Mistake(("categories", "field"), 'means nothing with by = "none"', 'say by = "template" or by = "field"')
    if quota.rows is not None and quota.per_category is not None:
        yield Mistake(("quota", "per_category"), "excludes rows: keep one of the two")
    if quota.weights and quota.rows is None:
        yield Mistake(("quota", "weights"), "shares out rows, and there is no rows", "add, for example, rows = 1000")
    if quota.weights and categories.by == "none":
        yield Mistake(("quota", "weights"), 'needs categories, and [categories] has by = "none"')
    if not recipe.novelty.fields:
        yield Mistake(("novelty", "fields"), "names no field: nothing could be compared")
