"""The items of a list are grounded one by one."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfinstruct import api
from selfinstruct.checks import grounding
from selfinstruct.preparation.infer import infer
from selfinstruct.recipe import Field
from selfinstruct.records import Row
from selfinstruct.rows import rows_from_objects

EN: list[Row] = [
    {"text": "Maria flew from Oslo to Rome and on to Vilnius.", "places": ["Oslo", "Rome", "Vilnius"]},
    {"text": "Tom and Anna met in Madrid and moved to Prague.", "places": ["Madrid", "Prague"]},
    {"text": "The train from Hamburg was late, says Peter.", "places": ["Hamburg"]},
    {"text": "Nobody came to the party of Laura.", "places": []},
]
ZH: list[Row] = [
    {"text": "订单40213和订单51822已经发货。", "orders": ["40213", "51822"]},
    {"text": "请取消订单60047。", "orders": ["60047"]},
    {"text": "订单71330、订单82219和订单93304都迟到了。", "orders": ["71330", "82219", "93304"]},
]


@pytest.mark.parametrize("rows", [EN, ZH], ids=["en", "zh"])
def test_inferred_grown_and_checked(rows: list[Row], tmp_path: Path) -> None:
    """Inference states it, every item of a grown row is in its text, and `check` finds one that is not."""
    name = list(rows[0])[1]
    assert infer(rows_from_objects(rows, "rows")).recipe.fields[name].appears_in == "text"
    grown = list(api.run(rows, rows=30, out=tmp_path / "run").rows())
    assert len(grown) == 30
    assert all(str(item) in str(row["text"]) for row in grown for item in row[name])
    assert not any(finding.reason == "ungrounded" for finding in api.check(grown).findings)
    broken: Row = {**grown[0], name: [*grown[1][name], "99999999"]}
    found = [finding for finding in api.check([*grown[1:], broken]).findings if finding.reason == "ungrounded"]
    assert [(finding.line, finding.field) for finding in found] == [(30, name)]


def test_tags_are_not_grounded() -> None:
    """Of words that the texts do not contain no rule is inferred."""
    rows: list[Row] = [{"text": row["text"], "tags": ["travel", "people"]} for row in EN]
    assert infer(rows_from_objects(rows, "rows")).recipe.fields["tags"].appears_in is None


def test_lists_of_lists_are_found_as_json() -> None:
    """[[1, 2]] is in a text that contains it so; an empty list is in every text."""
    field = Field(type="array", appears_in="text")
    assert grounding.check({"text": "the matrix [[1, 2]]", "m": [[1, 2]]}, "m", field) is None
    assert grounding.check({"text": "the matrix", "m": [[1, 2]]}, "m", field) is not None
    assert grounding.check({"text": "the matrix", "m": []}, "m", field) is None
