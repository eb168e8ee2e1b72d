"""The recipe's field names, and which of them a model's key means."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from selfinstruct.records import Row


@dataclass(frozen=True, slots=True)
class FieldNames:
    """The field names in the recipe's order.

    ``plain`` has those that stay apart from each other when case, blanks and punctuation are forgotten, by that plain
    form. ``quoted`` finds one as a JSON key.
    """

    fields: list[str]
    by_normalised: dict[str, str]
    quoted_key: re.Pattern[str]

    def field_of(self, key: str) -> str | None:
        """The field that ``key`` means, if any."""
        return key if key in self.fields else self.by_normalised.get(_normalise(key))

    def any_field_in(self, keys: Iterable[str]) -> bool:
        """Whether any of these keys means a field."""
        return any(self.field_of(key) is not None for key in keys)

    def rename_keys(self, row: Row) -> Row:
        """``row`` with its keys renamed to the fields they mean, these first and in the recipe's order.

        A key keeps its own name where the field's exact name, or an earlier key, has taken the field already.
        """
        meant = {field: field for field in self.fields if field in row}
        for key in row:
            if key not in meant and (field := self.by_normalised.get(_normalise(key))) is not None:
                meant.setdefault(field, key)
        taken = set(meant.values())
        fitted = {field: row[meant[field]] for field in self.fields if field in meant}
        return fitted | {key: value for key, value in row.items() if key not in taken}


@lru_cache(maxsize=64)
def field_names(fields: tuple[str, ...]) -> FieldNames:
    """The names of a recipe's fields."""
    forms = Counter(map(_normalise, fields))
    plain = {form: field for field in fields if forms[form := _normalise(field)] == 1 and form}
    quoted = re.compile(rf'"(?:{"|".join(map(re.escape, fields))})"\s*+:', re.IGNORECASE)
    return FieldNames(list(fields), plain, quoted)


def _normalise(key: str) -> str:
    return re.sub(r"[\s_\-]+", "", key).casefold()
