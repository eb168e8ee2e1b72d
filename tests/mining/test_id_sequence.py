"""New ids have the shape of the seeds' ids, and are all different."""

from __future__ import annotations

import hashlib
import re
import uuid
from pathlib import Path
from typing import Any

import pytest

from selfinstruct import api
from selfinstruct.mining.id_sequence import IdSequence

HASHES = [hashlib.sha1(str(n).encode(), usedforsecurity=False).hexdigest()[:12] for n in range(8)]
UUIDS = [str(uuid.UUID(int=n * 0xABCDEF0123456789ABCDEF, version=4)) for n in range(1, 9)]


@pytest.mark.parametrize(
    ("seen", "shape"),
    [
        ([1, 2, 3], r"\d+"),
        (["q-007", "q-008"], r"q-\d{3,}"),
        (["page9.html", "page10.html"], r"page\d+\.html"),
        (HASHES, r"[0-9a-f]{12}"),
        (UUIDS, r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"),
        (["2024-03-01 09:00", "2024-03-01 09:20"], r"2024-\d\d-\d\d \d\d:\d\d"),
        (["2023-12-31T23:59:58.120Z", "2023-12-31T23:59:59.340Z"], r"2024-01-\d\dT\d\d:\d\d:\d\d\.340Z"),
        ([1700000000, 1700000060], r"17\d{8}"),
        (["north", "south"], r"south-\d+"),
    ],
)
def test_ids_keep_their_shape_and_are_new(seen: list[Any], shape: str) -> None:
    """A thousand draws are a thousand values, none of which is a seed's."""
    draw = IdSequence(seen).draw
    drawn = [draw(place) for place in range(1000)]
    assert len(set(drawn)) == 1000
    assert not set(drawn) & set(seen)
    assert all(re.fullmatch(shape, str(value)) and type(value) is type(seen[0]) for value in drawn)


@pytest.mark.parametrize("ids", [list(range(4)), ["r-01", "r-02", "r-03", "r-04"], HASHES[:4], UUIDS[:4]])
def test_every_grown_row_has_an_id_of_its_own(ids: list[Any], tmp_path: Path) -> None:
    """Over all categories and batches; the rest of the rows is grown as without ids."""
    rows = [
        {"id": number, "Q": f"Who owns stall {n}?", "A": name, "T": f"Stall {n} belongs to {name}."}
        for number, n, name in zip(ids, (31, 58, 94, 17), ("Ann", "Bob", "Eve", "Max"), strict=True)
    ]
    run = api.run(rows, out=tmp_path / "run", rows=60)
    assert run.summary.accepted == 60
    grown = [row["id"] for row in run.rows()]
    assert len(set(grown)) == 60 and not set(grown) & set(ids)
