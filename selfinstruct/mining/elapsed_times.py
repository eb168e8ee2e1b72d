"""Numbers and durations that are the time between two dates or times."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from selfinstruct.mining.columns import Column
from selfinstruct.mining.significance import Evidence
from selfinstruct.mining.targets import Numbers, Places, Target, target_of, weigh
from selfinstruct.recipe import Relation
from selfinstruct.values import moment_of, seconds_of

#: Columns of dates or times that are combined, at most.
_MOST_MOMENTS = 16
_UNITS = {"days": 86400.0, "hours": 3600.0, "minutes": 60.0, "seconds": 1.0}


def elapsed_times(
    scalars: Sequence[Column], targets: Mapping[str, Target], places: Places
) -> Iterator[tuple[Relation, Evidence]]:
    """The time between two dates or times, as a number in some unit or as a duration in text."""
    moments = [column for column in scalars if column.is_moment and column.varies][:_MOST_MOMENTS]
    arrays = {column.path: _moments(column, places) for column in moments}
    durations = dict(targets)
    for column in scalars:
        lengths = [seconds_of(cell.value) if isinstance(cell.value, str) else None for cell in column.cells]
        if column.path not in durations and column.varies and lengths and None not in lengths:
            values = np.full(len(places), np.nan)
            values[[cell.row for cell in column.cells]] = np.array(lengths, dtype=float)
            durations[column.path] = target_of(column, values)
    for target in durations.values():
        for start in moments:
            for end in moments:
                if len({start.path, end.path, target.column.path}) < 3:
                    continue
                units = _UNITS if target.column.is_numeric else {"seconds": 1.0}
                for unit, size in units.items():
                    between = (arrays[end.path] - arrays[start.path]) / size
                    hypotheses = len(units) * len(moments) ** 2 * len(durations)
                    evidence = weigh(target, (between,), None, 0.0, hypotheses)
                    if evidence is not None:
                        relation = Relation(
                            difference={target.column.path: (end.path, start.path)},
                            unit=unit,  # type: ignore[arg-type]
                            precision=target.precision,
                        )
                        yield relation, evidence
                        break


def _moments(column: Column, places: Places) -> Numbers:
    values = np.full(len(places), np.nan)
    for cell in column.cells:
        moment = moment_of(cell.value) if isinstance(cell.value, str) else None
        if moment is not None:
            values[places[cell.row, cell.position]] = 86400.0 * moment[0] + moment[1]
    return values
