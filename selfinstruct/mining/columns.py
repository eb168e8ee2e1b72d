"""The columns of seed rows, for relations: the values at each path, in which ``[*]`` is every position of a list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from selfinstruct.recipe.relation_paths import Pattern, is_absent, parse_pattern, places
from selfinstruct.records import JSON, Row
from selfinstruct.rows.leaves import leaves, path_text
from selfinstruct.text import value_text
from selfinstruct.values import moment_of, number_of

#: Of wider rows, the first columns are looked at.
MOST_COLUMNS = 60
#: The values of a column are nearly constant if more than this share of them is the same.
_NEARLY_CONSTANT = 0.9
#: The share of a column's values that have a type, for the column to have it.
_SHARE = 0.9


@dataclass(frozen=True, slots=True)
class Cell:
    """One value: the number of its row from 0, and the positions of the lists that it is in."""

    row: int
    position: tuple[int, ...]
    value: JSON


@dataclass(frozen=True, slots=True)
class Column:
    """The values at one path, and what most of them are.

    ``varies`` is unset if the values are the same in nearly all rows, so that they are evidence for nothing.
    ``inner`` is the path of the innermost list that the values are in, () for none.
    """

    path: str
    pattern: Pattern
    cells: Sequence[Cell] = field(repr=False)
    varies: bool
    is_numeric: bool
    is_integer: bool
    is_moment: bool
    is_text: bool
    is_prose: bool

    def at(self, position: int, cells: Sequence[Cell]) -> Column:
        """Return the column of one position of the list that the values are in."""
        path = tuple(position if step is None else step for step in self.pattern)
        return replace(self, path=path_text(path), pattern=path, cells=cells)

    @property
    def depth(self) -> int:
        """The number of lists that each value is in."""
        return self.pattern.count(None)

    @property
    def inner(self) -> Pattern:
        """The path up to the last ``[*]``, () for a value that is in no list."""
        return self.pattern[: len(self.pattern) - self.pattern[::-1].index(None)] if self.depth else ()

    @property
    def name(self) -> str:
        """The last name in the path."""
        return next((step for step in reversed(self.pattern) if isinstance(step, str)), "")


def columns(rows: Sequence[Row]) -> list[Column]:
    """Return the columns of rows in the order of their fields, at most ``MOST_COLUMNS``."""
    cells: dict[Pattern, list[Cell]] = {}
    for at, row in enumerate(rows):
        for path, value in leaves(row).items():
            pattern = tuple(None if isinstance(step, int) else step for step in path)
            if not is_absent(value) and not isinstance(value, (list, dict)):
                position = tuple(step for step in path if isinstance(step, int))
                cells.setdefault(pattern, []).append(Cell(at, position, value))
    # The brackets of a name could not be told from those of a list.
    plain = [pattern for pattern in cells if not any(isinstance(step, str) and "[*]" in step for step in pattern)]
    return [_column(pattern, cells[pattern]) for pattern in plain[:MOST_COLUMNS]]


def list_paths(found: Iterable[Column]) -> list[str]:
    """Return the paths of the lists that the columns are in."""
    patterns = (column.pattern[: column.pattern.index(None)] for column in found if column.depth)
    return list(dict.fromkeys(pattern_text(pattern) for pattern in patterns))


def pattern_text(pattern: Pattern) -> str:
    """Return a pattern as the path of a recipe."""
    text, plain = "", []
    for step in (*pattern, None):
        if step is not None:
            plain.append(step)
            continue
        written = path_text(tuple(plain)) if plain else ""
        text += f".{written}" if text and written and not written.startswith("[") else written
        text += "[*]"
        plain = []
    return text.removesuffix("[*]")


def together(columns: Sequence[Column]) -> tuple[list[tuple[JSON, ...]], list[int]]:
    """Return the values of columns that belong together, as ``relation_paths.aligned``, and the row of each tuple."""
    deepest = max(columns, key=lambda column: column.depth)
    tables = [{(cell.row, cell.position): cell.value for cell in column.cells} for column in columns]
    tuples, owners = [], []
    for cell in deepest.cells:
        keys = [(cell.row, cell.position[: column.depth]) for column in columns]
        if all(key in table for key, table in zip(keys, tables, strict=True)):
            tuples.append(tuple(table[key] for key, table in zip(keys, tables, strict=True)))
            owners.append(cell.row)
    return tuples, owners


def mean_length(column: Column) -> float:
    """Return the mean number of characters of a column's first values."""
    sample = column.cells[:50]
    return sum(len(value_text(cell.value)) for cell in sample) / len(sample)


def path_column(path: str, row: Row) -> list[JSON]:
    """Return the values of one row at a path, in the order of their positions."""
    return list(places(row, parse_pattern(path)).values())


def _column(pattern: Pattern, cells: Sequence[Cell]) -> Column:
    values = [cell.value for cell in cells]
    counts = Counter(map(value_text, values))
    is_text = all(isinstance(value, str) for value in values)
    numbers = [number_of(value) for value in values]
    return Column(
        path=pattern_text(pattern),
        pattern=pattern,
        cells=cells,
        varies=len(counts) > 1 and counts.most_common(1)[0][1] <= _NEARLY_CONSTANT * len(values),
        is_numeric=_most(number is not None for number in numbers),
        is_integer=all(number is not None and number == int(number) for number in numbers),
        is_moment=_most(isinstance(value, str) and moment_of(value) is not None for value in values),
        is_text=is_text,
        is_prose=is_text and _most(" " in value.strip() or len(value) > 20 for value in values),
    )


def _most(flags: Iterable[bool]) -> bool:
    known = list(flags)
    return sum(known) >= _SHARE * len(known)
