"""Maps the keys that models write to the recipe's field names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from selfinstruct.records import Row
from selfinstruct.text import canonical, caseless


@dataclass(frozen=True, slots=True)
class FieldNames:
    """The field names in the recipe's order.

    ``by_normalised`` maps normalised names (lower case, no blanks, hyphens or underscores) to fields, without those
    that two fields share. ``quoted_key`` matches a field name as a JSON key.
    """

    fields: list[str]
    by_normalised: dict[str, str]
    quoted_key: re.Pattern[str]

    def field_of(self, key: str) -> str | None:
        """Return the field that ``key`` refers to, or None."""
        return key if key in self.fields else self.by_normalised.get(_normalise(key))

    def any_field_in(self, keys: Iterable[str]) -> bool:
        """Whether any of these keys refers to a field."""
        return any(self.field_of(key) is not None for key in keys)

    def rename_keys(self, row: Row) -> Row:
        """Return ``row`` with keys renamed to the fields they refer to; fields come first, in the recipe's order.

        A key is not renamed if the row also has the field's exact name, or if an earlier key refers to the same field.
        """
        key_of = {field: field for field in self.fields if field in row}
        for key in row:
            if key not in key_of and (field := self.by_normalised.get(_normalise(key))) is not None:
                key_of.setdefault(field, key)
        used = set(key_of.values())
        renamed = {field: row[key_of[field]] for field in self.fields if field in key_of}
        return renamed | {key: value for key, value in row.items() if key not in used}


@lru_cache(maxsize=64)
def field_names(fields: tuple[str, ...]) -> FieldNames:
    """Return the ``FieldNames`` of a recipe's fields."""
    counts = Counter(map(_normalise, fields))
    by_normalised = {name: field for field in fields if counts[name := _normalise(field)] == 1 and name}
    quoted_key = re.compile(rf'"(?:{"|".join(map(re.escape, fields))})"\s*+:', re.IGNORECASE)
    return FieldNames(list(fields), by_normalised, quoted_key)


def _normalise(key: str) -> str:
    return caseless(re.sub(r"[\s_\-]+", "", canonical(key)))
