"""The rows of a file whose answer an embedded reader of the other rows contradicts with confidence.

    rows, recipe -> readers trained crosswise on the file -> row -> the answer and confidence of its reader

A recipe says by ``[[verify]]`` which field is the answer of which; without a recipe it is inferred, for files of 100 to
2,000 rows in which one field asks about a text with the answer.

Does not handle: asking models; a reader that finds the answers of too few rows, which has no opinion.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from selfinstruct.analysis.evaluate import infer_roles
from selfinstruct.checks import schema
from selfinstruct.checks.agreement import conventions
from selfinstruct.errors import InputError
from selfinstruct.growth import ReaderFields
from selfinstruct.readers import CrosswiseReaders, Prediction, row_digest
from selfinstruct.recipe import Recipe, Verify
from selfinstruct.records import Row
from selfinstruct.text import value_text

#: Files with fewer rows teach a reader too little; more rows take longer than a check should, about 3 ms each.
_FEWEST, _MOST = 100, 2000
# With more rows, readers take longer to train and find hardly more.
_MOST_READ = 500
_EPOCHS = 6
_FOLDS = 5
# Without [[verify]] in a recipe, the reader must find at least this share of the answers. In three files of 100 to 250
# rows written by people, with many kinds of question, it finds 40 to 72 %, and half of its findings or more are false.
_LEAST_AGREEMENT = 0.8


def contradicted(rows: Sequence[Row], recipe: Recipe, *, inferred: bool) -> Mapping[int, tuple[Verify, Prediction]]:
    """Return the rows that a reader contradicts, by their index, with its answer."""
    sound = [at for at, row in enumerate(rows) if schema.check(row, recipe.fields) is None]
    tables = recipe.verify
    if not asks_readers(len(sound), recipe, inferred=inferred):
        return {}
    if inferred:
        tables = _inferred(recipe, [rows[at] for at in sound])
    found: dict[int, tuple[Verify, Prediction]] = {}
    shown = [rows[at] for at in sound[:_MOST]] if tables else []
    styles = conventions(tables, shown, recipe.fields)
    for verify in tables:
        fields = ReaderFields.of(verify, recipe, shown)
        examples = {at: example for at in sound if (example := fields.example(rows[at])) is not None}
        known = sorted(set(examples.values()), key=lambda row: (row_digest(row), row.answer))[:_MOST_READ]
        if len(known) < _FEWEST:
            continue
        readers = CrosswiseReaders(known, styles[verify.answers].agrees, folds=_FOLDS, epochs=_EPOCHS)
        if inferred and readers.agreement < _LEAST_AGREEMENT:
            continue
        for at, example in examples.items():
            read = readers.contradiction(example)
            if read is not None:
                found.setdefault(at, (verify, read))
    return found


def asks_readers(sound: int, recipe: Recipe, *, inferred: bool) -> bool:
    """Whether readers are asked about a file; ``sound`` is the number of its rows that have the recipe's fields."""
    return _FEWEST <= sound <= _MOST if inferred else bool(recipe.verify)


def _inferred(recipe: Recipe, rows: Sequence[Row]) -> tuple[Verify, ...]:
    """A second opinion on the field that answers a question about a text, if there is one."""
    # Questions without spaces that all differ look like ids.
    asking = {
        name: each.model_copy(update={"unique": False}) for name, each in recipe.fields.items() if _asks(name, rows)
    }
    try:
        roles = infer_roles(recipe.model_copy(update={"fields": {**recipe.fields, **asking}}), rows)
    except InputError:
        return ()
    if roles.task != "span" or not roles.question:
        return ()
    return (Verify(reads=(*roles.contexts, roles.question), answers=roles.answer),)


def _asks(name: str, rows: Sequence[Row]) -> bool:
    """Whether most values of a field end with a question mark."""
    return sum(value_text(row.get(name, "")).rstrip().endswith(("?", "？")) for row in rows) * 2 > len(rows)
