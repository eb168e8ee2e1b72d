"""`croissant.json` and the card: read by their consumers, true of the run, and free of what nobody measured."""

from __future__ import annotations

import hashlib
import json
import warnings
from pathlib import Path

import pytest

from selfinstruct import api
from selfinstruct.records import Row

ROWS: list[Row] = [
    {"text": text.format(1000 + 37 * at), "label": label, "tags": ["shop", "乾"]}
    for at, (text, label) in enumerate(
        [("Order {} came in time, thank you", "good"), ("Order {} is broken again", "bad"), ("订单 {} 很好", "good")]
        * 4
    )
]


@pytest.mark.filterwarnings("ignore")
def test_the_official_loader_reads_the_rows_by_it(tmp_path: Path) -> None:
    """The loader mlcroissant finds no error, checks the digest of the file, and gives the rows' own values."""
    import mlcroissant

    run = api.run("seeds/logqa.jsonl", rows=20, out=tmp_path / "run")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = mlcroissant.Dataset(str(run.directory / "croissant.json"))
        loaded = list(dataset.records("rows"))
    assert not dataset.metadata.ctx.issues.errors
    texts = [{name.removeprefix("rows/"): value.decode() for name, value in row.items()} for row in loaded]
    assert texts == list(run.rows())


def test_it_says_where_the_rows_came_from_and_claims_nothing_else(tmp_path: Path) -> None:
    """Digest, size, types, labels and provenance are those of the run; a licence, a creator and a URL are left out."""
    run = api.run(ROWS, rows=10, out=tmp_path / "run")
    written = json.loads((run.directory / "croissant.json").read_text(encoding="utf-8"))
    data = (run.directory / "rows.jsonl").read_bytes()
    (file,) = written["distribution"]
    assert (file["sha256"], file["contentSize"]) == (hashlib.sha256(data).hexdigest(), f"{len(data)} B")
    fields = {field["name"]: field for field in written["recordSet"][0]["field"]}
    assert list(fields) == list(ROWS[0])
    assert fields["label"]["dataType"] == ["sc:Text", "cr:Label"]
    assert (fields["text"]["dataType"], fields["tags"]["isArray"]) == ("sc:Text", True)
    (source,) = written["prov:wasDerivedFrom"]
    assert source["prov:label"] == "12 seed rows written by a person"
    assert written["prov:wasGeneratedBy"]["prov:startedAtTime"] == run.summary.started
    assert not {"license", "creator", "url", "datePublished"} & written.keys()


def test_the_card_names_a_task_only_where_the_rows_show_it(tmp_path: Path) -> None:
    """Labels make a classification, an answer found in its context a question; pairs of texts prove nothing."""
    tasks = {}
    for name, rows in {
        "labels": ROWS,
        "pairs": [
            {"left": f"Ticket {at * 37 + 100} was closed", "right": f"See page {at * 11 + 7}"} for at in range(6)
        ],
    }.items():
        card = (api.run(rows, rows=6, out=tmp_path / name).directory / "README.md").read_text(encoding="utf-8")
        tasks[name] = card.partition("task_categories: ")[2].partition("\n")[0]
    run = api.run("seeds/logqa.jsonl", rows=6, out=tmp_path / "logqa")
    card = (run.directory / "README.md").read_text(encoding="utf-8")
    tasks["logqa"] = card.partition("task_categories: ")[2].partition("\n")[0]
    assert tasks == {"labels": "[text-classification]", "pairs": "[]", "logqa": "[question-answering]"}


def test_the_card_has_the_refused_candidates_by_reason_and_the_limits(tmp_path: Path) -> None:
    """The counts are those of the summary."""
    run = api.run("seeds/logqa.jsonl", rows=200, seed=1, out=tmp_path / "run")
    card = (run.directory / "README.md").read_text(encoding="utf-8")
    assert run.summary.rejected and "## Limits" in card
    for reason, count in run.summary.rejected.items():
        assert f"| candidates | `{reason}` | {count} |" in card
