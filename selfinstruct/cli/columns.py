"""The option ``--columns``: the roles of fields as ``role=FIELD,role=FIELD``."""

from __future__ import annotations

from selfinstruct.errors import InputError


def parse_columns(text: str | None) -> dict[str, str] | None:
    """Return the field of each role, or None without the option. Raises InputError for another form."""
    if text is None:
        return None
    columns: dict[str, str] = {}
    for part in text.split(","):
        role, equals, name = part.partition("=")
        if not equals or not role.strip() or not name.strip() or role.strip() in columns:
            raise InputError(
                "--columns: expected role=FIELD, got {part!r}",
                part=part.strip(),
                hint="For example: --columns user=content,assistant=summary",
            )
        columns[role.strip()] = name.strip()
    return columns
