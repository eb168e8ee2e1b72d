"""The fields of a format's roles: those that the user names, else those with well-known names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from selfinstruct.errors import InputError
from selfinstruct.exports.settings import Settings
from selfinstruct.records import Row


def named_columns(row: Row, known: Mapping[str, Sequence[str]], number: int, settings: Settings) -> dict[str, str]:
    """Return the field of each role in ``known``, which lists the names that a field of the role may have.

    Raises InputError if row ``number`` lacks one.
    """
    return {role: column(row, role, names, number, settings) for role, names in known.items()}


def column(row: Row, role: str, names: Sequence[str], number: int, settings: Settings) -> str:
    """Return the field of one role. Raises InputError if row ``number`` lacks it."""
    found = find_column(row, role, names, settings)
    if found is None:
        raise InputError(
            "`format={format}`: row {number} has no field for {role}; its fields are {row}",
            hint="Name the field: `columns`, as {role}=FIELD.",
            format=settings.format,
            number=number,
            role=role,
            row=", ".join(row),
        )
    return found


def find_column(row: Row, role: str, names: Sequence[str], settings: Settings) -> str | None:
    """Return the field of one role, None if a row lacks it. Names are compared in any letter case."""
    if (given := settings.columns.get(role)) is not None:
        return given if given in row else None
    own = {name.lower(): name for name in reversed(row)}
    return next((own[name] for name in names if name in own), None)
