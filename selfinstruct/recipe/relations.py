"""``[[relations]]``: statements about the values of one row that hold in every row.

>>> total = Relation(product={"total": ("nights", "rate")})
>>> total.violation({"nights": "3", "rate": "120.00", "total": "350.00"})
'total: expected 360 (nights x rate), got 350.00'
>>> total.violation({"nights": "3", "rate": "120.00", "total": "360.00"}) is None
True
"""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import MaxLen, MinLen
from pydantic import AllowInfNan, Strict

from selfinstruct.recipe.relation_paths import composition_paths, parse_pattern
from selfinstruct.recipe.types import Amount, CountOrNone, Table, Weight
from selfinstruct.records import Row

Two = Annotated[tuple[str, ...], Strict(False), MinLen(2), MaxLen(2), 'a list of two paths such as ["age", "note"]']
Three = Annotated[
    tuple[str, ...],
    Strict(False),
    MinLen(3),
    MaxLen(3),
    'a list of three paths such as ["answers.answer_start[*]", "answers.text[*]", "context"]',
]
Several = Annotated[tuple[str, ...], Strict(False), MinLen(1), 'a list of paths such as ["A", "B", "options[*]"]']
Computed = Annotated[
    dict[str, Annotated[tuple[str, ...], Strict(False), MinLen(1), 'a list of paths such as ["nights", "rate"]']],
    MinLen(1),
    MaxLen(1),
    'a table of a path and the paths that it is computed from, such as { total = ["nights", "rate"] }',
]
Bounds = Annotated[
    dict[
        str,
        Annotated[
            tuple[int | float, ...], Strict(False), MinLen(2), MaxLen(2), "the least and the most, such as [0, 120]"
        ],
    ],
    MinLen(1),
    "a table of paths and bounds, such as { age = [0, 120] }",
]
FormatName = Literal[
    "iban",
    "isbn",
    "luhn",
    "uuid",
    "mac",
    "ip",
    "email",
    "url",
    "json",
    "datetime",
    "date",
    "time",
    "dated",
    "arithmetic",
]
Formats = Annotated[dict[str, FormatName], MinLen(1), 'a table of paths and formats, such as { day = "date" }']

Composed = Annotated[
    dict[str, str],
    MinLen(1),
    MaxLen(1),
    'a table of a path and a text with paths in braces, such as { url = "https://{host}{path}" }',
]
Known = Annotated[
    dict[str, Annotated[tuple[str, ...], Strict(False), MinLen(1), 'a list of labels such as ["PERSON", "PLACE"]']],
    MinLen(1),
    'a table of paths and labels, such as { "entities[*].label" = ["PERSON", "PLACE"] }',
]
#: The keys of which a relation has exactly one.
KINDS = (
    "equal",
    "contained",
    "distinct",
    "one_of",
    "order",
    "sum",
    "difference",
    "product",
    "ratio",
    "max",
    "min",
    "mean",
    "sum_product",
    "count",
    "offset",
    "weekday",
    "range",
    "format",
    "composed",
    "numbers_in",
    "names_in",
    "query",
    "supported",
    "span",
    "same_length",
    "labels",
    "bands",
)


Number = Annotated[int | float, AllowInfNan(False), "a number"]


class Relation(Table):
    """One statement about the values of a row, by the one key that names its kind.

    Paths are ``field``, ``field.key`` or ``field[*].key``, where ``[*]`` is every position of a list. Values are
    compared by what they mean: 29.0 and 29, 2023-03-01 and March 1, 2023. A row without one of the values satisfies
    the relation.

    ``equal`` values mean the same; a ``contained`` value occurs in a text; ``distinct`` values differ in every pair.
    ``one_of`` has a value that is among the other values, or (``by``) is the name, the index from 0 or the letter of
    one of them. ``order`` values do not decrease. ``sum``, ``difference``, ``product`` and ``ratio`` compute a number,
    times ``factor``, plus ``plus``, within half a unit of its last decimal place, of ``precision`` decimal places,
    or within ``tolerance``. The values of ``minus`` are subtracted from a ``sum``. A difference of dates or times is in
    ``unit`` (days, hours, minutes or seconds). ``count`` is the number of values, or of the items, words, lines or
    characters (``unit``) of a text. ``offset`` is the position of a value in a text, in code points, and ``end`` the
    path of its end. ``weekday`` is the day of a date. ``range`` bounds numbers, in multiples of ``step``. ``format``
    is a format of text.

    ``order`` of one path says that each list is in ascending order, with neighbours ``step`` apart (of dates and times
    in ``unit``). ``max``, ``min`` and ``mean`` are those of some numbers; ``sum_product`` adds up the products of the
    numbers at each position of several lists. Lists of ``same_length`` have as many items. A ``composed`` text is
    written with the values of paths in braces. The numbers, dates and quoted words of the first text of ``numbers_in``
    occur in the second one; the names (capitalised words), for ``names_in``; the tables and columns of a ``query``, in
    its schema. ``supported`` has a text, a key and options: the option that the key names (``by``) occurs in the text.
    ``span`` has the start and the end of whole words in a text. ``contained`` by ``words`` ignores case, accents and
    separators; by ``end``, the text ends in the value, or its last number is the value. ``labels`` lists all values of
    a path. ``bands`` has a label and a number, with the ``limits`` of each label, which the number does not leave for
    those of another one. A text in the ``format`` arithmetic has no equation that does not hold.
    """

    equal: Two | None = None
    contained: Two | None = None
    distinct: Several | None = None
    one_of: Several | None = None
    order: Several | None = None
    sum: Computed | None = None
    difference: Computed | None = None
    product: Computed | None = None
    ratio: Computed | None = None
    max: Computed | None = None
    min: Computed | None = None
    mean: Computed | None = None
    sum_product: Computed | None = None
    count: Two | None = None
    offset: Three | None = None
    weekday: Two | None = None
    range: Bounds | None = None
    format: Formats | None = None
    composed: Composed | None = None
    numbers_in: Two | None = None
    names_in: Two | None = None
    query: Two | None = None
    supported: Several | None = None
    span: Three | None = None
    same_length: Several | None = None
    labels: Known | None = None
    bands: Two | None = None
    by: Literal["value", "name", "index", "letter", "words", "end"] = "value"
    unit: Literal["items", "words", "lines", "characters", "days", "hours", "minutes", "seconds"] | None = None
    factor: Weight | None = None
    plus: Number | None = None
    precision: CountOrNone | None = None
    tolerance: Amount | None = None
    step: Weight | None = None
    minus: Several | None = None
    end: str | None = None
    limits: Bounds | None = None

    @property
    def kind(self) -> str:
        """The key that names the kind; "" if there is none, which ``parse_recipe`` refuses."""
        return next((kind for kind in KINDS if getattr(self, kind) is not None), "")

    @property
    def paths(self) -> tuple[str, ...]:
        """Every path of the relation; a computed value comes first."""
        given = getattr(self, self.kind, ())
        named = [*given, *(other for paths in given.values() for other in paths)] if isinstance(given, dict) else given
        if self.kind in ("range", "format", "labels"):
            named = list(given)
        if self.composed is not None:
            named = [*given, *composition_paths(self.composed)]
        return (*named, *(self.minus or ()), *([] if self.end is None else [self.end]))

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that the relation reads, each once."""
        return tuple(dict.fromkeys(str(parse_pattern(path)[0]) for path in self.paths))

    @property
    def target(self) -> str:
        """The path of the value that depends on the others, or the first one."""
        return self.paths[0]

    def violation(self, row: Row) -> str | None:
        """Return how the row violates the relation, with the values and what was expected; None if it does not."""
        from selfinstruct.recipe.violations import violation

        return violation(self, row)

    def describe(self) -> str:
        """Return the relation in words.

        >>> Relation(product={"total": ("nights", "rate")}).describe()
        'total = nights x rate'
        """
        from selfinstruct.recipe.relation_words import description

        return description(self)
