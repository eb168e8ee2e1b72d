"""``check``: a reason given by a check of the user's own, which ``[checks] use`` names.

    def units_agree(row, recipe):
        return None if row["unit"] in row["text"] else "the unit is not in the text"

A check may return a ``Rejection`` instead of text, to be counted under another of the built-in reasons.
"""

from __future__ import annotations

import copy
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Protocol

from selfinstruct.errors import ExtensionError
from selfinstruct.messages import Phrase
from selfinstruct.recipe import Recipe, extension_error
from selfinstruct.records import Rejection, Row

REASON = "check"


class Check(Protocol):
    """A check of the user's own: a function ``(row, recipe)`` that returns None, or why the row is rejected.

    The reason is text, counted as ``check``, or a Rejection with one of the built-in reasons.
    """

    def __call__(self, row: Row, recipe: Recipe, /) -> str | Rejection | None:
        """Judge one row, which has all fields of the recipe."""


@dataclass(frozen=True, slots=True)
class CustomCheck:
    """A check of the user's own, by the reference that the recipe has for it."""

    reference: str
    function: Check

    def check(self, row: Row, recipe: Recipe, reasons: Collection[str]) -> Rejection | None:
        """The rejection of a row that has the recipe's fields; the function is given a copy of the row.

        Raises ExtensionError where the function raises, or returns neither None nor a reason; the reason of a
        Rejection must be one of ``reasons``.
        """
        try:
            found: Any = self.function(copy.deepcopy(row), recipe)
        except Exception as error:
            raise extension_error(self.reference, error) from error
        if found is None:
            return None
        if isinstance(found, Rejection):
            if found.reason not in reasons:
                raise ExtensionError(
                    "{reference}: returned a Rejection with the unknown reason {reason!r}",
                    hint="Use {reason_of_own!r}, or another of: {reasons}.",
                    reference=self.reference,
                    reason=found.reason,
                    reason_of_own=REASON,
                    reasons=", ".join(reasons),
                )
            return found
        if not isinstance(found, str) or not found.strip():
            raise ExtensionError(
                "{reference}: expected None or the reason as text, got {found}",
                hint="Return None for a row that passes.",
                reference=self.reference,
                found=repr(found)[:80],
            )
        return Rejection(
            REASON,
            Phrase("{function}: {found}", function=getattr(self.function, "__name__", self.reference), found=found),
        )
