"""Which rows an export has: splits without leaks, real rows in between, the best of many."""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest
from rouge_score.rouge_scorer import RougeScorer

from selfinstruct import api
from selfinstruct.cli import main
from selfinstruct.cli.shares import parse_shares
from selfinstruct.errors import InputError
from selfinstruct.records import Row
from selfinstruct.rows import read_rows

SEEDS = Path(__file__).parents[2] / "seeds"
SHARES = {"train": 0.8, "validation": 0.1, "test": 0.1}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two hundred rows about log lines."""
    where = tmp_path_factory.mktemp("run") / "logqa"
    api.run(SEEDS / "logqa.jsonl", rows=200, out=where)
    return where


def splits_of(folder: Path) -> dict[str, list[Row]]:
    """The rows of each split of a folder."""
    return {
        path.stem: [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        for path in sorted((folder / "data").iterdir())
    }


def closest(splits: dict[str, list[Row]], *fields: str) -> float:
    """The largest ROUGE-L F1 of two rows in two splits, by rouge-score, over all pairs."""
    scorer = RougeScorer(["rougeL"])
    texts = [["\n".join(str(row[name]) for name in fields) for row in rows] for rows in splits.values()]
    far: float = max(
        scorer.score(one, two)["rougeL"].fmeasure
        for ours, theirs in combinations(texts, 2)
        for one in ours
        for two in theirs
    )
    return far


def test_a_split_has_no_near_duplicate_on_two_sides(run: Path, tmp_path: Path) -> None:
    """By rouge-score over all pairs; every row is in one split, the shares are met in every category."""
    done = api.export(run, tmp_path / "set", split=SHARES, max_rouge_l=0.9)
    splits = splits_of(tmp_path / "set")
    assert closest(splits, "Question", "RawLog") <= 0.9
    whole = [row for rows in splits.values() for row in rows]
    lines = (run / "rows.jsonl").read_text(encoding="utf-8").splitlines()
    assert sorted(map(json.dumps, whole)) == sorted(json.dumps(json.loads(line)) for line in lines)
    assert {each.split: each.rows for each in done.files} == {name: len(rows) for name, rows in splits.items()}
    assert done.rows == 200 and all(abs(len(splits[name]) - 200 * share) <= 6 for name, share in SHARES.items())
    contexts = [{row["RawLog"] for row in rows} for rows in splits.values()]
    assert all(not one & other for one, other in combinations(contexts, 2))


def test_a_split_by_template_parts_no_template(run: Path, tmp_path: Path) -> None:
    """The categories of these rows are templates of their questions; each is on one side, and a note says why."""
    done = api.export(run, tmp_path / "set", split=SHARES, split_by="template")
    splits = splits_of(tmp_path / "set")
    words = [
        {" ".join(w for w in row["Question"].split() if not any(map(str.isdigit, w))) for row in rows}
        for rows in splits.values()
    ]
    assert all(words) and all(not one & other for one, other in combinations(words, 2))
    assert closest(splits, "Question") < 0.9
    assert "the shares differ from those asked for: 50 of 200 rows must stay together" in done.note


def test_free_texts_that_differ_in_a_value_are_one_template(tmp_path: Path) -> None:
    """Where categories are labels, no two texts on two sides share most of their words, in any order of the rows."""
    api.run(SEEDS / "tickets.csv", rows=120, out=tmp_path / "run")
    api.export(tmp_path / "run", tmp_path / "set", split={"train": 0.7, "test": 0.3}, split_by="template")
    splits = splits_of(tmp_path / "set")
    assert closest(splits, "text") <= 0.7 and abs(len(splits["test"]) - 36) <= 6
    api.export(
        tmp_path / "run", tmp_path / "other", split={"train": 0.7, "test": 0.3}, split_by="template", shuffle=True
    )
    assert [sorted(map(json.dumps, rows)) for rows in splits_of(tmp_path / "other").values()] == [
        sorted(map(json.dumps, rows)) for rows in splits.values()
    ]


def test_chinese_rows_are_split_by_template_and_by_field(tmp_path: Path) -> None:
    """Texts without spaces have templates, too; the values of a field stay together."""
    api.run(SEEDS / "classics-zh.jsonl", rows=90, out=tmp_path / "run")
    splits: dict[str, list[Row]] = {}
    for by in ("template", "category"):
        api.export(tmp_path / "run", tmp_path / by, split={"train": 0.7, "test": 0.3}, split_by=by)
        splits = splits_of(tmp_path / by)
        assert min(map(len, splits.values())) >= 15
        contexts = [{row["原文"] for row in rows if "原文" in row} for rows in splits.values()]
        assert not contexts[0] & contexts[1]
    name = next(iter(splits["train"][0]))
    api.export(tmp_path / "run", tmp_path / "field", split={"train": 0.7, "test": 0.3}, split_by=name)
    one, other = ({row[name] for row in rows} for rows in splits_of(tmp_path / "field").values())
    assert one and other and not one & other
    with pytest.raises(InputError, match="no field '无'"):
        api.export(tmp_path / "run", tmp_path / "x", split=SHARES, split_by="无")


def test_rows_about_one_passage_stay_together_though_they_do_not_contain_it(tmp_path: Path) -> None:
    """The journal knows which passage each row is about."""
    for number in range(12):
        (tmp_path / f"{number}.txt").write_text(f"p{number}\n")
    (tmp_path / "recipe.toml").write_text(
        '[documents]\nfiles = ["*.txt"]\nby = "sample"\n[[expand]]\nname = "all"\nwrites = "q"\n'
        'templates = ["who is {passage}", "what, {passage}, has she", "{passage} goes where"]\n'
        "[fields.q]\n[novelty]\nmax_rouge_l = 1.0\n[prompt]\nrows_per_request = 3\n"
    )
    api.run(tmp_path / "recipe.toml", out=tmp_path / "run")
    api.export(tmp_path / "run", tmp_path / "set", split={"train": 0.5, "test": 0.5})
    one, two = ({re.findall(r"p\d+", row["q"])[0] for row in rows} for rows in splits_of(tmp_path / "set").values())
    assert len(one) == len(two) == 6 and not one & two


def test_a_group_that_is_too_large_for_the_shares_is_named(run: Path, tmp_path: Path) -> None:
    """Where nothing is left for a split, the error says how many rows hold together, and nothing is written."""
    with pytest.raises(InputError, match=r"no rows are left for .*: 200 of 200 rows must stay together"):
        api.export(run, tmp_path / "set", split=SHARES, max_rouge_l=0.05)
    assert not (tmp_path / "set").exists()


def test_a_split_and_its_shares_are_printed(run: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A line for each split; another seed gives another split, the same one the same."""
    texts = []
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        out = str(tmp_path / name)
        assert main(["export", str(run), "--split", "0.9,0.1", "--seed", seed, "-o", out, "--shuffle"]) == 0
        texts.append((tmp_path / name / "data/test.jsonl").read_bytes())
    said = capfd.readouterr().err
    assert "  train  180 rows   90.0%\n  test    20 rows   10.0%\n" in said
    assert texts[0] == texts[1] != texts[2]
    assert main(["export", str(run), "--split", "0.9,0.1"]) == 2
    assert "several files cannot be written to an open file or stdout" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("text", "shares"),
    [
        ("1", {"train": 1.0}),
        ("0.9,0.1", {"train": 0.9, "test": 0.1}),
        ("0.8, 0.1, 0.1", SHARES),
        ("train=0.5,dev=0.5", {"train": 0.5, "dev": 0.5}),
    ],
)
def test_shares_are_given_with_or_without_names(text: str, shares: dict[str, float]) -> None:
    """One to three numbers have well-known names."""
    assert parse_shares(text) == shares


@pytest.mark.parametrize("text", ["", "x", "0.5,x", "a=0.5,a=0.5", "0.25,0.25,0.25,0.25", "a=0.5,0.5", "=1"])
def test_other_shares_are_refused(text: str) -> None:
    """With an example."""
    with pytest.raises(InputError, match="--split"):
        parse_shares(text)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"split": {"train": 0.5, "test": 0.4}}, "sum to 0.9"),
        ({"split": {"train": 1.5, "test": -0.5}}, "a share above 0"),
        ({"split": {"../x": 1.0}}, "not a name of a split"),
        ({"best": 0}, "`best`: expected at least 1"),
        ({"ratio": 0.5}, "`ratio`: needs a file"),
        ({"ratio": 1.0, "mix": "x"}, "`ratio`: expected a share"),
        ({"max_rouge_l": 2.0}, "`max_rouge_l`: expected"),
        ({"mark": "origin", "format": "messages"}, "`mark`: this format has no fields"),
        ({"mark": "Answer"}, "a field Answer already"),
    ],
)
def test_values_that_cannot_be_met_are_refused(
    run: Path, tmp_path: Path, options: dict[str, object], words: str
) -> None:
    """Before anything is written."""
    with pytest.raises(InputError, match=words):
        api.export(run, tmp_path / "x", **options)  # type: ignore[arg-type]
    assert not (tmp_path / "x").exists()


# ---- Real rows ----


def exported(run: Path, **options: object) -> tuple[list[Row], str]:
    """The rows of an export and its note."""
    done = api.export(run, file := io.BytesIO(), **options)  # type: ignore[arg-type]
    return [json.loads(line) for line in file.getvalue().decode().splitlines()], done.note


def real_file(where: Path, rows: list[Row]) -> Path:
    """A file of rows."""
    path = where / "real.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def real_rows(count: int) -> list[Row]:
    """Rows with the fields of the run and one more that are unlike any grown row."""
    return [
        {
            "Question": f"Where is parcel {n}?",
            "Answer": f"{n}",
            "RawLog": f"parcel {n} left dock {n * 7} at noon {n}",
            "by": "me",
        }
        for n in range(count)
    ]


def test_real_rows_are_added_at_a_ratio(run: Path, tmp_path: Path) -> None:
    """Half of the rows are real; which ones does not depend on their order. Too few of them leave out grown ones."""
    rows = real_rows(300)
    found, note = exported(run, mix=real_file(tmp_path, rows), ratio=0.5, mark="origin", max_rouge_l=0.95)
    assert Counter(row["origin"] for row in found) == {"real": 200, "synthetic": 200}
    assert note == "fields of real rows that were left out: by"
    again, _ = exported(run, mix=real_file(tmp_path, rows[::-1]), ratio=0.5, mark="origin", max_rouge_l=0.95)
    assert {json.dumps(row) for row in again} == {json.dumps(row) for row in found}
    few, note = exported(run, mix=real_file(tmp_path, rows[:50]), ratio=0.5, mark="origin", max_rouge_l=0.95)
    assert Counter(row["origin"] for row in few) == {"real": 50, "synthetic": 50}
    assert "150 grown rows were left out, since there are too few real rows" in note
    questions = Counter(row["Question"].split()[0] for row in few if row["origin"] == "synthetic")
    assert len(questions) > 1


def test_copies_are_left_out_on_both_sides(run: Path, tmp_path: Path) -> None:
    """A grown row that a real one repeats goes, a real row that a seed or another real row repeats goes."""
    grown, _ = exported(run)
    seeds = read_rows(SEEDS / "logqa.jsonl").rows
    rows = [*grown[:3], *real_rows(2), seeds[0], real_rows(1)[0]]
    for row in rows:
        row.pop("by", None)
    found, note = exported(run, mix=real_file(tmp_path, rows), with_seeds=True, mark="from", max_rouge_l=1.0)
    assert Counter(row["from"] for row in found) == {"seed": 10, "real": 5, "synthetic": 197}
    assert "2 real rows repeat another one or a seed row" in note and "3 grown rows are near-duplicates" in note
    texts = [json.dumps({name: row[name] for name in grown[0]}) for row in found]
    assert len(set(texts)) == len(texts)
    (tmp_path / "bad.jsonl").write_text('{"Question": "x"}\n')
    with pytest.raises(InputError, match=r"bad\.jsonl:1: the field Answer of the run is missing"):
        exported(run, mix=tmp_path / "bad.jsonl")


# ---- The best rows ----


def test_the_best_rows_have_the_proportions_of_the_quotas(run: Path) -> None:
    """Exactly as many as asked for, a quarter of each of four categories, in the order of the run."""
    found, note = exported(run, best=40)
    everything, _ = exported(run)
    assert note == "" and [row for row in everything if row in found] == found and len(found) == 40
    assert Counter(row["Question"].split()[0] for row in exported(run, best=40)[0]) == Counter(
        row["Question"].split()[0] for row in found
    )
    more, note = exported(run, best=500)
    assert more == everything and note == "`best`: the run has 200 rows, fewer than 500"
    seeded, _ = exported(run, best=8, with_seeds=True)
    assert len(seeded) == 18
