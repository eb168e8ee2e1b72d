"""Fields of numbers that seem to be computed from others, though no formula for them was found.

Two things show it. The name means a result (``average``, ``bmi``, ``占比``), or means one at times (``rate``,
``index``) and the numbers have more decimal places than all others. Or a regression on one to three other fields,
or on their logarithms, leaves no more than errors of rounding, and almost nothing to chance: of n rows and k fields,
chance explains a share R^2 with a probability of about (1 - R^2)^((n - k - 1) / 2). Without the first condition,
prices of two days would be computed from each other.

Does not handle: results of dates, texts or lists.

>>> table = {"a": [3, 5, 2, 8, 6, 4], "b": [10, 7, 14, 11, 9, 4], "x": [559, 970, 372, 2575, 1483, 496]}
>>> columns = {(name,): list(map(Decimal, column)) for name, column in table.items()}
>>> [each.operands for each in unexplained(columns, {}) if each.target == ("x",)]
[(('a',), ('b',))]
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from selfinstruct.mining.formulas import places_of
from selfinstruct.mining.lexicon import words
from selfinstruct.rows.leaves import Path

_MAX_CHANCE = 0.02
# Of more fields, the first ones are looked at.
_MOST_FIELDS = 10
_MOST_OPERANDS = 3
_LEAST_FREE = 2
_MOST_ROWS = 60
# Units of the last decimal place that a regression may miss.
_MOST_UNITS = 1.0
# Words that mean a result at times.
_ENDINGS = (
    *(
        "总计",
        "合计",
        "总分",
        "总价",
        "总额",
        "总数",
        "总和",
        "小计",
        "平均",
        "平均分",
        "均值",
        "占比",
        "比例",
        "比率",
        "百分比",
    ),
    *(
        "差",
        "差值",
        "差额",
        "利润",
        "毛利",
        "净额",
        "税额",
        "密度",
        "增长率",
        "涨跌幅",
        "变化",
        "合計",
        "差額",
        "割合",
        "密度",
    ),
)
_ENDINGS_AT_TIMES = ("率", "指数", "速度", "面积", "体积", "时长", "時間", "面積", "体積", "評価")
_MEANS = frozenset(("mean", "avg", "average", "median", "mittelwert", "durchschnitt", "moyenne", "media"))
_LEAST, _MOST = frozenset(("min", "minimum", "low", "lowest")), frozenset(("max", "maximum", "high", "highest"))
_WORD = re.compile(r"[^\W\d_]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


class Unexplained(NamedTuple):
    """A field of numbers that seems to be computed, and those that it may depend on."""

    target: Path
    operands: tuple[Path, ...]


def unexplained(
    columns: Mapping[Path, Sequence[Decimal]], explained: Mapping[Path, Sequence[Path]]
) -> Iterator[Unexplained]:
    """Yield the fields that seem to be computed; ``explained`` are those that are, with what they follow from."""
    columns = dict(list(columns.items())[:_MOST_FIELDS])
    # The percentage of which another one is the rest may itself be computed.
    parts = {path for operands in explained.values() if len(operands) > 1 for path in operands}
    for target in sorted(columns, key=lambda path: -places_of(columns[path])):
        if target in explained:
            continue
        others = tuple(path for path in columns if path != target)
        # Two shares add up to 100, and may still follow from two counts that no formula connects with them.
        apart = tuple(path for path in others if path not in _connected(target, explained))
        if (target not in parts or len(apart) > 1) and _is_named(target, columns, others):
            yield Unexplained(target, others if target not in parts else apart)
            continue
        free = tuple(path for path in others if path not in explained)
        operands = _regressors(target, free, columns) if target not in parts else ()
        if operands:
            yield Unexplained(target, operands)


def _connected(target: Path, explained: Mapping[Path, Sequence[Path]]) -> set[Path]:
    """The fields that formulas connect with a field, itself among them."""
    found = {target}
    while True:
        more = {path for each, operands in explained.items() if {each, *operands} & found for path in (each, *operands)}
        if more <= found:
            return found
        found |= more


def _is_named(target: Path, columns: Mapping[Path, Sequence[Decimal]], others: Sequence[Path]) -> bool:
    """Whether the name of a field means a result of at least two others."""
    name = next((step for step in reversed(target) if isinstance(step, str)), "")
    own = [word.lower() for word in _WORD.findall(_CAMEL.sub(" ", name))]
    finer = bool(others) and places_of(columns[target]) > max(places_of(columns[path]) for path in others)
    if any(word in _MEANS for word in own) and _is_between(target, columns, others):
        return False
    if any(word in words("derived-quantities") for word in own) or name.endswith(_ENDINGS):
        return len(others) >= 2 or finer
    return (
        len(others) >= 2
        and finer
        and (any(word in words("derived-quantities-at-times") for word in own) or name.endswith(_ENDINGS_AT_TIMES))
    )


def _is_between(target: Path, columns: Mapping[Path, Sequence[Decimal]], others: Sequence[Path]) -> bool:
    """Whether a mean is beside the least and the greatest number that it is the mean of: it is that of others."""
    rows = range(len(columns[target]))
    least = any(
        all(columns[path][row] <= columns[target][row] for row in rows) for path in others if _has(path, _LEAST)
    )
    most = any(all(columns[path][row] >= columns[target][row] for row in rows) for path in others if _has(path, _MOST))
    return least and most


def _has(path: Path, names: frozenset[str]) -> bool:
    return any(word.lower() in names for word in _WORD.findall(_CAMEL.sub(" ", str(path[-1]))))


def _regressors(target: Path, others: Sequence[Path], columns: Mapping[Path, Sequence[Decimal]]) -> tuple[Path, ...]:
    """The fewest fields that explain a field's numbers beyond chance."""
    values = {path: np.array([float(each) for each in columns[path][:_MOST_ROWS]]) for path in (target, *others)}
    positive = [path for path in others if (values[path] > 0).all()]
    rows = len(values[target])
    if len(np.unique(values[target])) < _LEAST_FREE + 2:
        return ()
    most = min(_MOST_OPERANDS, rows - 1 - _LEAST_FREE)
    sets = [each for size in range(1, most + 1) for each in combinations(others, size)]
    tests = 2 * len(sets) * len(columns)
    error = _MOST_UNITS * 10.0 ** -places_of(columns[target])
    for operands in sets:
        free = rows - len(operands) - 1
        shares = [_share_left(values[target], [values[path] for path in operands], np.full(rows, error))]
        if (values[target] > 0).all() and all(path in positive for path in operands):
            logarithms = [np.log(values[path]) for path in operands]
            shares.append(_share_left(np.log(values[target]), logarithms, error / values[target]))
        if tests * min(shares) ** (free / 2) < _MAX_CHANCE:
            return operands
    return ()


def _share_left(
    result: NDArray[np.float64], given: Sequence[NDArray[np.float64]], errors: NDArray[np.float64]
) -> float:
    """The share of the variance that a linear regression leaves; 1 where one of its errors is beyond ``errors``."""
    matrix = np.column_stack([np.ones(len(result)), *given])
    fitted, _, rank, _ = np.linalg.lstsq(matrix, result, rcond=None)
    left = result - matrix @ fitted
    spread = float(((result - result.mean()) ** 2).sum())
    if not spread or rank < matrix.shape[1] or (np.abs(left) > errors).any():
        return 1.0
    return float((left**2).sum()) / spread
