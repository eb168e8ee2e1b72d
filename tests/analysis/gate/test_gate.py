"""The gate on files: planted errors, fingerprints, several files, severities, baselines and waivers."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter

from selfinstruct import api
from selfinstruct.analysis.findings import CheckOutput, Findings
from selfinstruct.analysis.gate.baseline import grouped
from selfinstruct.errors import InputError, RecipeError, RowError
from selfinstruct.rows import read_rows

SEEDS = Path(__file__).parents[3] / "seeds"
Row = dict[str, Any]


def logs(count: int) -> list[Row]:
    """Sound rows about lines of a log."""
    return [
        {
            "Question": f"Which state has rdd_{n}_{n * 3}?",
            "Answer": "lost" if n % 2 else "found",
            "RawLog": f"Partition rdd_{n}_{n * 3} {'lost' if n % 2 else 'found'} on host {n}{n}",
        }
        for n in range(1, count + 1)
    ]


def tickets(*counts: int) -> list[Row]:
    """Texts of four classes, so many of each."""
    words = ["amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "haven", "inlet", "jetty", "knoll", "larch"]
    draw = Random(3)
    return [
        {"text": " ".join(draw.choices(words, k=12)), "label": label}
        for label, count in zip(("billing", "bug", "praise", "delivery"), counts, strict=True)
        for _ in range(count)
    ]


def write(path: Path, rows: Sequence[Row]) -> Path:
    """A file of JSON Lines."""
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def recipe(path: Path, seeds: Sequence[Row], more: str = "") -> Path:
    """A recipe for rows, with these seeds; of labels, if they have some."""
    write(path.with_name("seeds-of-recipe.jsonl"), seeds)
    fields = "".join(
        f"[fields.{name}]\n" + ('appears_in = "RawLog"\n' if name == "Answer" else "") for name in seeds[0]
    )
    label = '[categories]\nby = "field"\nfield = "label"\n' if "label" in seeds[0] else ""
    path.write_text(
        f'[seeds]\nfile = "seeds-of-recipe.jsonl"\n{fields}{label}[quota]\nrows = 9\n{more}', encoding="utf-8"
    )
    return path


def told(found: Findings) -> list[tuple[int, str, str, str]]:
    """Row, field, reason and severity of each new finding."""
    return [(finding.row, finding.field, finding.reason, finding.severity) for finding in found.new]


def test_planted_errors_are_found_each_where_it_is(tmp_path: Path) -> None:
    """One error of each kind among sound rows: nothing else is reported."""
    rows = logs(40)
    plants: dict[int, tuple[str, object, str]] = {
        3: ("Answer", "gone", "ungrounded"),
        5: ("Question", f"Is sk-proj-{'aB3dE6gH9kL2' * 4} for rdd_6_18?", "secret"),
        8: ("RawLog", f"{rows[8]['RawLog']} by ann@brightleaf.de", "pii"),
        11: ("Question", "TODO", "placeholder"),
        14: ("RawLog", f"{rows[14]['RawLog']} cafÃ©", "encoding"),
        17: ("RawLog", f"{rows[17]['RawLog']}\x1b[0m", "control"),
        20: ("Answer", "", "empty"),
        23: ("Answer", 7, "schema"),
    }
    for at, (name, value, _) in plants.items():
        rows[at] = {**rows[at], name: value}
    rows.append(dict(rows[0]))
    rows.append({**rows[1], "Answer": "host"})
    found = api.check(write(tmp_path / "f.jsonl", rows))
    expected = {(at + 1, name, reason) for at, (name, _, reason) in plants.items()}
    expected |= {(41, "", "duplicate"), (42, "Answer", "contradiction")}
    expected.add((6, "Question", "identifiers"))  # the key's digits do not occur in the log
    assert {(row, name, reason) for row, name, reason, _ in told(found)} == expected
    assert "aB3dE6gH9kL2" not in json.dumps(found.to_dict())


def test_a_secret_is_hidden_in_every_finding_of_its_row() -> None:
    """Also where another check repeats the value, in full or cut."""
    rows = logs(20)
    secret = "sk-ant-api03-" + "aB3dE6gH9kL2" * 9
    rows[4] = {**rows[4], "Answer": secret}
    found = api.check(rows)
    assert {finding.reason for finding in found.findings if finding.row == 5} >= {"secret", "ungrounded"}
    assert "aB3dE6gH9kL2" not in json.dumps(found.to_dict())


def test_a_secret_in_every_row_names_no_category() -> None:
    """Constant words of a template are the name of its category, also where they are a key."""
    secret = "sk-proj-" + "aB-dE_gHikLz" * 4
    rows = [{**row, "Question": row["Question"].replace("Which", f"By {secret} which")} for row in logs(20)]
    found = api.check(rows)
    assert found.measures.reasons["secret"] == 20
    assert "aB-dE_gHikLz" not in json.dumps(found.to_dict())


@pytest.mark.parametrize(
    ("counts", "severity"), [((0, 0, 100, 0), "warning"), ((30, 30, 30, 1), "warning"), ((25, 25, 24, 26), None)]
)
def test_classes_out_of_balance_are_told(tmp_path: Path, counts: tuple[int, ...], severity: str | None) -> None:
    """By the classes of a recipe: one that has all rows, one that has hardly any; not classes of nearly even size."""
    rules = recipe(tmp_path / "r.toml", tickets(2, 2, 2, 2), "[novelty]\nmax_rouge_l = 1.0\n")
    found = api.check(write(tmp_path / "f.jsonl", tickets(*counts)), recipe=rules)
    balance = [finding for finding in found.findings if finding.reason == "balance"]
    assert [finding.severity for finding in balance] == ([severity] if severity else [])
    if balance:
        assert balance[0].row == 0 and dict(zip(balance[0].evidence["rows"].values(), counts, strict=True))


def test_a_label_without_another_is_told(tmp_path: Path) -> None:
    """Without a recipe, a file in which every row has one class."""
    found = api.check(write(tmp_path / "f.jsonl", tickets(0, 30, 0, 0)))
    assert ("label", "balance") in {(finding.field, finding.reason) for finding in found.findings}


def test_a_slip_in_a_label_is_told(tmp_path: Path) -> None:
    """One wrong letter, and full-width letters, each at its row."""
    rows = tickets(10, 10, 10, 10)
    rows[3]["label"], rows[7]["label"] = "biling", "ｂｉｌｌｉｎｇ"
    found = api.check(write(tmp_path / "f.jsonl", rows))
    assert [(row, name, reason) for row, name, reason, _ in told(found)] == [
        (4, "label", "label"),
        (8, "label", "label"),
    ]


def test_a_context_of_the_held_out_rows_is_a_leak(tmp_path: Path) -> None:
    """Another question about the same line; the same row is a duplicate, and only that."""
    holdout = write(tmp_path / "holdout.jsonl", logs(3))
    rows = [*logs(9)[5:], {**logs(2)[1], "Question": "Which host has the partition?", "Answer": "22"}, logs(1)[0]]
    found = api.check(write(tmp_path / "f.jsonl", rows), recipe=recipe(tmp_path / "r.toml", logs(3)), against=[holdout])
    assert told(found) == [(5, "RawLog", "holdout", "warning"), (6, "", "duplicate", "error")]
    assert found.findings[0].evidence == {"file": str(holdout), "line": 2}


def test_fingerprints_survive_reordering_and_not_changes(tmp_path: Path) -> None:
    """The same findings in another order of rows have the same fingerprints; of a changed row, another one."""
    rows = logs(30)
    rows[4] = {**rows[4], "Answer": "gone"}
    rows[9] = {**rows[9], "RawLog": f"{rows[9]['RawLog']} ann@brightleaf.de bob@brightleaf.de"}
    rows += [dict(rows[0]), {**rows[1], "Answer": "host"}]
    first = api.check(rows)
    assert len({finding.fingerprint for finding in first.findings}) == len(first.findings) == 5
    shuffled = Random(5).sample(rows, len(rows))
    again = api.check(write(tmp_path / "moved.jsonl", shuffled))
    assert sorted(finding.fingerprint for finding in again.findings) == sorted(
        finding.fingerprint for finding in first.findings
    )
    rows[4] = {**rows[4], "Question": rows[4]["Question"] + "?"}
    changed = {finding.fingerprint for finding in api.check(rows).findings}
    assert len(changed - {finding.fingerprint for finding in first.findings}) == 1


# ---- Several files ----


def test_a_folder_is_its_row_files(tmp_path: Path) -> None:
    """In order, other files passed over with a note; files of different fields are checked one by one."""
    folder = tmp_path / "data"
    folder.mkdir()
    write(folder / "b.jsonl", logs(8))
    write(folder / "a.jsonl", tickets(5, 5, 5, 5))
    (folder / "notes.md").write_text("# Notes\n")
    (folder / "sub").mkdir()
    found = api.check(folder)
    assert [Path(each.name).name for each in found.data_sets] == ["a.jsonl", "b.jsonl"]
    assert any("notes.md, sub/" in note for note in found.notes)
    assert found.measures.rows == 28
    (folder / "c.jsonl").write_text('{"text": ')
    with pytest.raises(RowError, match=r"c\.jsonl"):
        api.check(folder)


def test_a_recipe_makes_several_files_one_data_set(tmp_path: Path) -> None:
    """By a recipe a row must not repeat one of another file; without, each file stands for itself."""
    one, two = write(tmp_path / "1.jsonl", logs(5)), write(tmp_path / "2.jsonl", logs(1))
    rules = recipe(tmp_path / "r.toml", logs(3))
    assert api.check(one, others=[two]).findings == []
    (finding,) = api.check(one, others=[two], recipe=rules).findings
    assert (finding.file, finding.line, finding.evidence) == (str(two), 1, {"file": str(one), "line": 1})


# ---- Severities, waivers, baseline ----


def test_a_recipe_sets_severities(tmp_path: Path) -> None:
    """An error may be a note, and a reason may be off; an unknown reason is an error with the nearest one."""
    rows = [
        *logs(9),
        {**logs(10)[9], "Answer": "gone"},
        {**logs(11)[10], "Question": "Is rdd_11_33 of ann@leaf.de lost?"},
    ]
    file = write(tmp_path / "f.jsonl", rows)
    gate = '[gate.severity]\nungrounded = "note"\npii = "off"\n'
    found = api.check(file, recipe=recipe(tmp_path / "r.toml", logs(3), gate))
    assert told(found) == [(10, "Answer", "ungrounded", "note")] and not found.failed
    with pytest.raises(RecipeError, match="unknown reason 'ungroundd'; did you mean 'ungrounded'"):
        api.check(file, recipe=recipe(tmp_path / "r.toml", logs(3), '[gate.severity]\nungroundd = "note"\n'))


def test_a_waiver_accepts_one_finding_with_its_reason(tmp_path: Path) -> None:
    """Until it expires; what no finding needs is told; a waiver without a reason is an input error with its line."""
    rows = [*logs(9), {**logs(10)[9], "Answer": "gone"}]
    file, waivers = write(tmp_path / "f.jsonl", rows), tmp_path / "waivers.toml"
    (finding,) = api.check(file).findings
    waiver = f'[[waivers]]\nfingerprint = "{finding.fingerprint}"\n'
    other = '[[waivers]]\nfingerprint = "000000000000"\nreason = "gone by now"\n'
    waivers.write_text(f'{waiver}reason = "the log was cut"\nexpires = "2999-01-31"\n{other}')
    found = api.check(file, waivers=waivers)
    assert not found.failed and found.measures.errors == 0
    assert (found.findings[0].status, found.findings[0].evidence["waived"]) == ("waived", "the log was cut")
    assert found.gate.unused_waivers == ("000000000000",)
    waivers.write_text(f'{waiver}reason = "the log was cut"\nexpires = "2020-01-31"\n')
    found = api.check(file, waivers=waivers)
    assert found.failed and found.gate.expired_waivers == (finding.fingerprint,)
    for reason in ("", 'reason = " "\n'):
        waivers.write_text(waiver + reason)
        with pytest.raises(RecipeError, match=r"waivers\.toml:[13]: waivers\[0\]\.reason: "):
            api.check(file, waivers=waivers)
    own = f'[[gate.waivers]]\nfingerprint = "{finding.fingerprint}"\nreason = "cut"\n'
    assert not api.check(file, recipe=recipe(tmp_path / "r.toml", logs(3), own)).failed


def test_a_baseline_is_a_ratchet(tmp_path: Path) -> None:
    """Known findings pass, new ones fail, fixed ones are told, and a copy of a known one is new."""
    rows = [*logs(19), {**logs(20)[19], "Answer": "gone"}]
    file, baseline = write(tmp_path / "f.jsonl", rows), tmp_path / "baseline.json"
    with pytest.raises(InputError, match="no such baseline"):
        api.check(file, baseline=baseline)
    assert not api.check(file, baseline=baseline, update_baseline=True).failed
    found = api.check(file, baseline=baseline)
    assert not found.failed and found.gate.known == 1
    write(file, [*rows, {**logs(21)[20], "Answer": "gone"}])
    found = api.check(file, baseline=baseline)
    assert told(found)[0] == (21, "Answer", "ungrounded", "error") and found.failed
    assert told(found)[1:] == [(0, "Answer", "regression", "error")]  # 19 of 21 rows are grounded, and 19 of 20 were
    write(file, logs(20))
    (fixed,) = api.check(file, baseline=baseline).gate.fixed
    assert (fixed.reason, fixed.count) == ("ungrounded", 1)
    for text in (
        "",
        "{}",
        '{"kind": "selfinstruct baseline", "version": 9}',
        '{"kind": "selfinstruct baseline", "version": 1}',
    ):
        baseline.write_text(text)
        with pytest.raises(InputError, match="baseline"):
            api.check(file, baseline=baseline)


def test_regressions_beyond_the_tolerance_fail(tmp_path: Path) -> None:
    """Fewer rows of a class, and the share of a label; within the tolerance of the recipe they pass."""
    file, baseline = write(tmp_path / "f.jsonl", tickets(20, 20, 20, 20)), tmp_path / "baseline.json"
    api.check(file, baseline=baseline, update_baseline=True)
    assert not api.check(file, baseline=baseline).failed
    write(file, tickets(20, 20, 20, 5))
    found = api.check(file, baseline=baseline)
    worse = [finding.evidence for finding in found.new if finding.reason == "regression"]
    assert {"measure": "rows delivery", "baseline": 20, "now": 5, "tolerance": 0.1} in worse and found.failed
    waivers = tmp_path / "w.toml"
    waivers.write_text(
        "".join(f'[[waivers]]\nfingerprint = "{each.fingerprint}"\nreason = "moved"\n' for each in found.new)
    )
    assert not api.check(file, baseline=baseline, waivers=waivers).failed


def test_a_baseline_does_not_depend_on_the_order_of_rows(tmp_path: Path) -> None:
    """Byte for byte, with duplicates, contradictions and groups of similar rows, in which another row is reported."""
    long = " ".join(f"word{n}" for n in range(60))
    alike = [
        {"Question": "Which state has it?", "Answer": "lost", "RawLog": f"Partition {n} lost on 7 {long}"}
        for n in range(4)
    ]
    rows = [*logs(30), *alike, dict(logs(1)[0]), {**logs(2)[1], "Answer": "host"}, {**logs(3)[2], "Answer": "gone"}]
    file, baseline = tmp_path / "f.jsonl", tmp_path / "baseline.json"
    write(file, rows)
    api.check(file, baseline=baseline, update_baseline=True)
    before = baseline.read_bytes()
    for seed in range(3):
        write(file, Random(seed).sample(rows, len(rows)))
        assert api.check(file, baseline=baseline).new == []
        api.check(file, baseline=baseline, update_baseline=True)
        assert baseline.read_bytes() == before
    assert max(map(len, before.decode().splitlines())) < 400


@pytest.mark.parametrize("name", ["logqa.jsonl", "sshd.jsonl", "classics-zh.jsonl", "sentiment/rows.csv"])
def test_inferred_rules_do_not_move_a_baseline(tmp_path: Path, name: str) -> None:
    """Seeds in another order have the same rules, so the same classes and the same baseline."""
    lines = [json.dumps(row) for row in read_rows(SEEDS / name).rows]
    file, baseline = tmp_path / "f.jsonl", tmp_path / "baseline.json"
    file.write_text("\n".join(lines))
    api.check(file, baseline=baseline, update_baseline=True)
    before = baseline.read_bytes()
    file.write_text("\n".join(Random(1).sample(lines, len(lines))))
    assert api.check(file, baseline=baseline).new == []
    api.check(file, baseline=baseline, update_baseline=True)
    assert baseline.read_bytes() == before


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=12))
def test_groups_are_those_of_all_links(links: list[tuple[int, int]]) -> None:
    """Two names are in one group exactly where links lead from one to the other: by closing over all of them."""
    names = {str(name) for link in links for name in link}
    near = {name: {name} for name in names}
    for _ in names:
        for one, other in links:
            both = near[str(one)] | near[str(other)]
            for name in both:
                near[name] = near[name] | both
    expected = sorted({tuple(sorted(group)) for group in near.values()})
    assert [tuple(group) for group in grouped([tuple(map(str, link)) for link in links])] == expected


def test_a_baseline_keeps_data_sets_that_were_not_checked(tmp_path: Path) -> None:
    """A hook names the changed files only: the others are neither fixed nor forgotten."""
    one, two = (
        write(tmp_path / "1.jsonl", [*logs(9), {**logs(10)[9], "Answer": "gone"}]),
        write(tmp_path / "2.jsonl", logs(9)),
    )
    baseline = tmp_path / "baseline.json"
    api.check(one, others=[two], baseline=baseline, update_baseline=True)
    api.check(two, baseline=baseline, update_baseline=True)
    assert set(json.loads(baseline.read_text())["data_sets"]) == {"1.jsonl", "2.jsonl"}
    assert api.check(two, baseline=baseline).gate.fixed == ()
    assert not api.check(one, baseline=baseline).failed


def test_the_output_has_a_schema(tmp_path: Path) -> None:
    """The JSON of a check with every kind of content is what ``CheckOutput`` says, key by key."""
    rows = [*logs(9), {**logs(10)[9], "Answer": "gone"}]
    file, baseline = write(tmp_path / "f.jsonl", rows), tmp_path / "baseline.json"
    api.check(file, baseline=baseline, update_baseline=True)
    write(file, logs(9))
    schema = TypeAdapter(CheckOutput).json_schema()
    for found in (api.check(file, baseline=baseline), api.check(rows)):
        Draft202012Validator(schema).validate(json.loads(json.dumps(found.to_dict())))


@pytest.mark.parametrize(
    "rows", [[{"a": "x"}], [{"a": "x", "label": "y"}] * 2, [{"a": None}], [{"a": {"b": ["c", 1]}}]]
)
def test_small_and_odd_files_are_checked(rows: list[Row]) -> None:
    """One row, equal rows, null, nested values: findings or none, never an error."""
    assert api.check(rows).measures.rows == len(rows)


def test_a_key_that_no_row_of_the_sample_has_is_optional() -> None:
    """Rules are inferred from 500 rows; two of 520 have a key that none of these has, which is no fault."""
    rows: list[Row] = [{"text": f"Word {n} of {n * 7919 % 1000} said so"} for n in range(520)]
    for at in (3, 5):
        others = ({"note": str(n), **rows[at]} for n in range(2000))
        rows[at] = max(others, key=lambda row: zlib.crc32(json.dumps(row, sort_keys=True).encode()))
    found = api.check(rows)
    assert "note" in found.measures.fields
    assert "schema" not in found.measures.reasons
