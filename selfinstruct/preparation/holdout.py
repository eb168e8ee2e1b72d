"""Hold-out: the seed rows that nothing is grown from, so that they can test what the grown rows are good for.

    a share of the rows: text that a row is about -> digest -> a number in [0, 1) -> held out below the share
    or a field that says so: the rows in which it is not "train"

The number depends on the row alone: a row stays on its side if others are added, removed or moved. Rows about the same
text have the same number, so that no text is on both sides. A category of which chance would hold out no row, though
the share is at least half a row, gives the one with the smallest number; each category keeps a row to grow from. (Only
there can an added row change the side of another one.)

Does not handle: paraphrases of a row on the other side, which no hash can tell.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from selfinstruct.checks import schema
from selfinstruct.errors import InputError, RowError
from selfinstruct.messages import Phrase, joined
from selfinstruct.preparation.infer import infer, make_categories, value_statistics
from selfinstruct.recipe import Recipe, Seeds
from selfinstruct.records import Row
from selfinstruct.rows import RowFile
from selfinstruct.similarity.duplicates import question_fields, value_digest
from selfinstruct.text import caseless, value_text

#: The values of a split field that name the rows to grow from, ignoring case.
TRAINING = frozenset({"train", "training", "训练", "训练集"})
_BYTES = 8
_LISTED = 8


@dataclass(frozen=True, slots=True)
class Split:
    """The seeds to grow from, the rows held out, and a line for the user about them."""

    seeds: RowFile
    held_out: Sequence[Row] = ()
    note: str = ""


def hold_out(seeds: RowFile, table: Seeds, recipe: Recipe | None = None) -> Split:
    """Divide ``seeds`` as ``table`` says; without its keys, nothing is held out.

    Without a ``recipe``, the categories, and the text that a row is about, are inferred from all rows; nothing else is.
    Raises RowError if no row would be held out, or none be left.
    """
    if table.split_field is not None:
        return _by_field(seeds, table.split_field)
    if table.holdout is None:
        return Split(seeds)
    if recipe is None:
        recipe = infer(seeds).recipe
    strata = _strata(seeds.rows, recipe)
    keys = _keys(seeds.rows, recipe)
    chosen = _chosen(strata, keys, table.holdout)
    if not chosen:
        raise RowError(
            seeds.path,
            "a hold-out of {share:g} takes none of the rows ({count:,})",
            hint="Set a larger `holdout`, or add seed rows.",
            share=table.holdout,
            count=len(seeds.rows),
        )
    numbers = [at for at, key in enumerate(keys) if key in chosen]
    counts = Counter(strata[at] for at in numbers)
    held, rows = len(numbers), len(keys)
    if len(set(strata)) == 1:
        note = Phrase("{held:,} of {rows:,} rows held out: nothing is grown from them", held=held, rows=rows)
        return _split(seeds, numbers, note)
    listed = [f"{name}: {counts[name]}" for name in list(counts)[:_LISTED]]
    listed += ["…"] if len(counts) > _LISTED else []
    note = Phrase(
        "{held:,} of {rows:,} rows held out ({categories}): nothing is grown from them",
        held=held,
        rows=rows,
        categories=joined(listed),
    )
    return _split(seeds, numbers, note)


def holdout_table(holdout: float | None, split_field: str | None) -> Seeds | None:
    """Return what two arguments say about held-out rows, in place of a recipe's keys; None if neither is given.

    A ``holdout`` of 0 holds out nothing. Raises InputError if both are given, or ``holdout`` is no such number.
    """
    if holdout is not None and split_field is not None:
        raise InputError("`holdout` and `split_field` cannot be combined", hint="Leave out one of them.")
    if holdout is not None and not 0 <= holdout < 1:
        raise InputError(
            "`holdout`: expected a share of at least 0 and below 1, got {holdout:g}",
            hint="For example: `holdout=0.2`.",
            holdout=holdout,
        )
    if holdout is None and split_field is None:
        return None
    return Seeds(holdout=holdout or None, split_field=split_field or None)


def with_holdout(recipe: Recipe, table: Seeds | None) -> Recipe:
    """Return a recipe that holds out what ``table`` says; None changes nothing."""
    if table is None:
        return recipe
    keys = {"holdout": table.holdout, "split_field": table.split_field}
    return recipe.model_copy(update={"seeds": recipe.seeds.model_copy(update=keys)})


def without_field(file: RowFile, name: str | None) -> RowFile:
    """Return the rows without a field, if there is one of this name."""
    if name is None or name not in file.fields:
        return file
    rows = [{key: value for key, value in row.items() if key != name} for row in file.rows]
    return replace(file, rows=rows, fields=tuple(each for each in file.fields if each != name))


def _by_field(seeds: RowFile, name: str) -> Split:
    """The division that a field states."""
    if name not in seeds.fields:
        message = "no field {name!r}; the fields are {fields}"
        raise RowError(seeds.path, message, hint="Correct `split_field`.", name=name, fields=", ".join(seeds.fields))
    values = [caseless(row.get(name)).strip() for row in seeds.rows]
    numbers = [at for at, value in enumerate(values) if value not in TRAINING]
    if not numbers or len(numbers) == len(values):
        shown = ", ".join(repr(value_text(each)) for each in dict.fromkeys(row.get(name) for row in seeds.rows))
        message = "{name}: no row is for training; the values are {shown}"
        if not numbers:
            message = "{name}: every row is for training; the values are {shown}"
        hint = 'The rows to grow from have "train" in it, those to hold out another value, such as "test".'
        raise RowError(seeds.path, message, hint=hint, name=name, shown=shown[:200])
    note = Phrase(
        "{held:,} of {rows:,} rows held out, in which {field} is not train: nothing is grown from them",
        held=len(numbers),
        rows=len(values),
        field=name,
    )
    return _split(without_field(seeds, name), numbers, note)


def _split(seeds: RowFile, numbers: Sequence[int], note: str) -> Split:
    held, rows = set(numbers), [seeds.rows[at] for at in numbers]
    return Split(seeds.selected(at for at in range(len(seeds.rows)) if at not in held), rows, note)


def _strata(rows: Sequence[Row], recipe: Recipe) -> list[str]:
    """The category of each row, as far as the row determines it."""
    if recipe.categories.by in ("none", "attribute", "passage"):
        return [""] * len(rows)
    sound = [schema.check(row, recipe.fields) is None for row in rows]
    kept = [row for row, is_sound in zip(rows, sound, strict=True) if is_sound]
    categories = make_categories(recipe, value_statistics(recipe, kept))
    return [categories.of(row) if is_sound else "" for row, is_sound in zip(rows, sound, strict=True)]


def _keys(rows: Sequence[Row], recipe: Recipe) -> list[bytes]:
    """A digest of what each row is about: the texts that its answers are taken from, or else its question."""
    contexts = dict.fromkeys(field.appears_in for field in recipe.fields.values() if field.appears_in is not None)
    names = list(contexts) or question_fields(recipe)
    return [value_digest([row.get(name) for name in names], _BYTES) for row in rows]


def _chosen(strata: Sequence[str], keys: Sequence[bytes], share: float) -> set[bytes]:
    """The keys of the rows to hold out."""
    members: dict[str, dict[bytes, float]] = {}
    for name, key in zip(strata, keys, strict=True):
        members.setdefault(name, {})[key] = int.from_bytes(key) / 2 ** (8 * _BYTES)
    chosen = {key for key, number in _numbers(members).items() if number < share}
    for numbers in members.values():
        held = chosen.intersection(numbers)
        if not held and len(numbers) > 1 and len(numbers) * share >= 0.5:
            chosen.add(min(numbers, key=numbers.__getitem__))
    for numbers in members.values():
        if chosen.issuperset(numbers):
            chosen.discard(max(numbers, key=numbers.__getitem__))
    return chosen


def _numbers(members: Mapping[str, Mapping[bytes, float]]) -> dict[bytes, float]:
    """The number of every key, whatever its category."""
    return {key: number for numbers in members.values() for key, number in numbers.items()}
