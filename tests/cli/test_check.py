"""``check``: every fault of a file with its line, its evidence and its severity, as text and as JSON."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import selfinstruct
from selfinstruct import api
from selfinstruct.analysis.findings import Finding, Findings
from selfinstruct.cli import main
from selfinstruct.similarity.rouge import rouge_l

SEEDS = Path(__file__).parents[2] / "seeds"
Row = dict[str, object]


def rows(count: int) -> list[Row]:
    """Return valid rows: questions with an answer and an identifier that occur in the log."""
    return [
        {
            "Question": f"Which state has rdd_{n}_{n * 3}?",
            "Answer": "lost" if n % 2 else "found",
            "RawLog": f"Partition rdd_{n}_{n * 3} {'lost' if n % 2 else 'found'} on host {n}{n}",
        }
        for n in range(1, count + 1)
    ]


def write(path: Path, content: Sequence[Row]) -> Path:
    """A file of JSON Lines."""
    path.write_text("".join(f"{json.dumps(row)}\n" for row in content))
    return path


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """A recipe with three seeds of its own."""
    write(tmp_path / "seeds.jsonl", rows(3))
    path = tmp_path / "r.toml"
    path.write_text(
        '[seeds]\nfile = "seeds.jsonl"\n[fields.Question]\nidentifiers_in = "RawLog"\n[fields.Answer]\n'
        'appears_in = "RawLog"\nmax_chars = 20\n[fields.RawLog]\n[quota]\nrows = 9\n[novelty]\nmax_rouge_l = 0.9\n'
    )
    return path


def told(found: Findings) -> list[tuple[int, str, str, str]]:
    """Line, field, reason and severity of each finding."""
    return [(finding.line, finding.field, finding.reason, finding.severity) for finding in found.findings]


FAULTS: list[tuple[Row, tuple[str, str]]] = [
    ({"Answer": "gone"}, ("Answer", "ungrounded")),
    ({"Answer": ""}, ("Answer", "empty")),
    ({"Answer": "Partition rdd_9_27 found"}, ("Answer", "length")),
    ({"Question": "Which state has rdd_8_8?"}, ("Question", "identifiers")),
    ({"Answer": 7}, ("Answer", "schema")),
    ({"extra": 1}, ("extra", "schema")),
]


@pytest.mark.parametrize(("change", "expected"), FAULTS)
def test_each_fault_is_found_where_it_is(tmp_path: Path, recipe: Path, change: Row, expected: tuple[str, str]) -> None:
    """One broken row among sound ones: its line, the field, the reason, an error."""
    content = rows(9)
    content[4] = {**rows(9)[8], **change}
    del content[8]
    found = api.check(write(tmp_path / "f.jsonl", content), recipe=recipe)
    assert told(found) == [(5, *expected, "error")]
    value = found.findings[0].evidence.get("value")
    assert value == change.get(expected[0])


def test_likenesses_are_told_of_the_later_row(tmp_path: Path, recipe: Path) -> None:
    """Duplicate, contradiction and near-duplicate name the line of the earlier row, and the score."""
    content = rows(4)
    content.append(dict(content[0]))
    content.append({**content[1], "Answer": "host"})
    content.append({**content[2], "Question": "Which state has rdd_3_9 now?"})
    file = write(tmp_path / "f.jsonl", content)
    found = api.check(file, recipe=recipe)
    assert told(found) == [
        (5, "", "duplicate", "error"),
        (6, "Answer", "contradiction", "error"),
        (7, "", "near-duplicate", "error"),
    ]
    assert [finding.evidence["line"] for finding in found.findings] == [1, 2, 3]
    text = "\n".join(str(content[at][name]) for at in (2,) for name in ("Question", "RawLog"))
    other = "\n".join(str(content[6][name]) for name in ("Question", "RawLog"))
    assert found.findings[2].evidence["score"] == pytest.approx(rouge_l(text, other).f1)
    assert found.findings[2].evidence["max_rouge_l"] == 0.9


def test_rows_are_held_against_other_files(tmp_path: Path, recipe: Path) -> None:
    """A row that another file contains is reported with that file and line, for each of the files."""
    one = write(tmp_path / "one.jsonl", rows(2))
    two = write(tmp_path / "two.jsonl", rows(4)[2:])
    found = api.check(write(tmp_path / "f.jsonl", [*rows(5)[4:], *rows(4)[3:]]), recipe=recipe, against=[one, two])
    assert told(found) == [(2, "", "duplicate", "error")]
    assert found.findings[0].evidence == {"file": str(two), "line": 2}


def alike() -> list[Row]:
    """Sound rows, the last two of which differ in one word of sixty."""
    long = " ".join(f"word{n}" for n in range(60))
    logs = (f"Partition {n} lost on host 77 {long}" for n in (91, 92))
    two: list[Row] = [{"Question": "Which state has it?", "Answer": "lost", "RawLog": log} for log in logs]
    return rows(30) + two


def test_without_a_recipe_the_rows_suggest_the_rules(tmp_path: Path) -> None:
    """Nine rows in ten show what holds; likeness, which no recipe has bounded, is a warning."""
    content = alike()
    content[9] = {**content[9], "Answer": "gone"}
    found = api.check(write(tmp_path / "f.jsonl", content))
    assert told(found) == [(10, "Answer", "ungrounded", "error"), (32, "", "near-duplicate", "warning")]
    assert found.measures.recipe == "inferred" and found.failed


@pytest.mark.parametrize("name", ["logqa.jsonl", "sshd.jsonl", "hdfs.jsonl", "tickets.csv", "classics-zh.jsonl"])
def test_the_projects_own_seeds_pass(name: str) -> None:
    """The seeds that we ship have no findings, and every row has its category."""
    found = api.check(SEEDS / name)
    assert found.findings == []
    assert sum(found.measures.categories.values()) == found.measures.rows


def test_what_a_run_has_grown_passes_its_own_recipe(tmp_path: Path) -> None:
    """The rows of a run, checked with its recipe and against its seeds, have no findings."""
    api.run(SEEDS / "logqa.jsonl", rows=200, out=tmp_path / "o")
    found = api.check(
        tmp_path / "o" / "rows.jsonl", recipe=tmp_path / "o" / "recipe.toml", against=[SEEDS / "logqa.jsonl"]
    )
    assert found.findings == []
    assert list(found.measures.categories.values()) == [50, 50, 50, 50]


def test_rows_of_another_shape_are_findings(tmp_path: Path) -> None:
    """A file whose rows differ in their fields is checked by the fields that most have."""
    content: list[Row] = [{"odd": 1}, *rows(6), {"Question": "Why?"}]
    found = api.check(write(tmp_path / "f.jsonl", content))
    assert {(line, reason) for line, _, reason, _ in told(found)} == {(1, "schema"), (8, "schema")}
    assert found.measures.uncategorised == 2


def test_lines_are_those_of_the_file(tmp_path: Path) -> None:
    """In a table with line breaks in its values, a finding has the line where its row starts."""
    table = "text,label\n" + "".join(f'"words {n}\nmore of {n * 7} here",{"ab"[n % 2]}\n' for n in range(12))
    (tmp_path / "t.csv").write_text(table + '"words 3\nmore of 21 here",b\n')
    found = api.check(tmp_path / "t.csv")
    assert (26, "", "duplicate", "error") in told(found)


def brute(texts: Sequence[str], threshold: float) -> list[int]:
    """The lines that have a nearer row before them, by looking at every pair."""
    return [at + 1 for at, text in enumerate(texts) if any(rouge_l(text, other).f1 > threshold for other in texts[:at])]


@pytest.fixture(scope="module")
def loose(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recipe that compares one text field, at 0.6."""
    folder = tmp_path_factory.mktemp("loose")
    write(folder / "s.jsonl", [{"text": "a b", "id": 1}])
    path = folder / "r.toml"
    fields = '[fields.text]\nmin_chars = 0\n[fields.id]\ntype = "integer"\n'
    path.write_text(f'[seeds]\nfile = "s.jsonl"\n{fields}[novelty]\nfields = ["text"]\nmax_rouge_l = 0.6\n')
    return path


@given(texts=st.lists(st.lists(st.sampled_from("abcd"), max_size=6).map(" ".join), min_size=1, max_size=12))
def test_near_duplicates_are_those_of_brute_force(loose: Path, texts: list[str]) -> None:
    """Every row that is too like an earlier one is found, and no other: by comparing all pairs."""
    found = api.check([{"text": text, "id": at} for at, text in enumerate(texts)], recipe=loose)
    assert [line for line, _, _, _ in told(found)] == brute(texts, 0.6)
    for finding in found.findings:
        near = texts[finding.evidence["line"] - 1]
        assert finding.evidence["score"] == pytest.approx(rouge_l(texts[finding.line - 1], near).f1)


def test_the_command_is_a_gate(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Errors are exit 1, one finding a line on stdout as file:line, the verdict on stderr."""
    content = rows(12)
    content[2] = {**content[2], "Answer": "gone"}
    content[5] = {**content[5], "RawLog": f"{content[5]['RawLog']} \x1b[31m"}
    file = write(tmp_path / "f.jsonl", content)
    assert main(["check", str(file)]) == 1
    out, err = capfd.readouterr()
    assert out.startswith(f"{file}:3: error ungrounded: Answer ")
    assert out.splitlines()[1].startswith(f"{file}:6: warning control: RawLog contains a terminal escape")
    assert out.count("\n") == 2 and "\x1b" not in out
    assert "12 rows, inferred rules: 1 error and 1 warning (1 ungrounded, 1 control)" in err


def test_a_file_without_errors_passes_the_gate(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """No findings: exit 0 and nothing on stdout. Warnings alone do not fail the gate."""
    assert main(["check", str(SEEDS / "logqa.jsonl")]) == 0
    assert capfd.readouterr().out == ""
    assert main(["check", str(write(tmp_path / "f.jsonl", alike()))]) == 0
    assert "f.jsonl:32: warning near-duplicate: " in capfd.readouterr().out


def test_json_is_the_contract(tmp_path: Path, recipe: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """--format json prints findings with all their keys and the measures, and nothing else."""
    file = write(tmp_path / "f.jsonl", [*rows(4), rows(1)[0]])
    assert main(["check", str(file), "--recipe", str(recipe), "--format", "json"]) == 1
    out, err = capfd.readouterr()
    assert err == ""
    found = json.loads(out)
    assert list(found) == ["version", "findings", "measures", "notes", "data_sets", "gate"]
    (finding,) = found["findings"]
    assert finding == {
        **{"file": str(file), "line": 5, "field": "", "reason": "duplicate", "severity": "error"},
        **{"message": "identical to another row", "evidence": {"file": str(file), "line": 1}},
        **{"row": 5, "fingerprint": finding["fingerprint"], "status": "new"},
    }
    assert found["version"] == 1 and found["gate"]["failed"]
    measures = found["measures"]
    assert measures["rows"] == 5 and measures["errors"] == 1 and measures["warnings"] == 0
    assert measures["reasons"] == {"duplicate": 1} and measures["recipe"] == "r"
    assert measures["categories"] == {"all": 5}


def test_stdin_is_a_file(recipe: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """``-`` reads the rows from standard input."""
    import io
    from types import SimpleNamespace

    text = "".join(f"{json.dumps(row)}\n" for row in [*rows(2), rows(1)[0]])
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(text.encode())))
    assert main(["check", "-", "--recipe", str(recipe)]) == 1
    assert "<stdin>:3: error duplicate" in capfd.readouterr().out


def test_python_takes_rows_and_tables_and_has_an_async_twin() -> None:
    """``selfinstruct.check`` takes lists of dicts and DataFrames; its async twin gives the same."""
    import pandas

    content = [*rows(6), rows(1)[0]]
    found = selfinstruct.check(content)
    assert [(finding.file, finding.line, finding.reason) for finding in found.findings] == [("rows", 7, "duplicate")]
    assert selfinstruct.check(pandas.DataFrame(content, dtype=object)) == found
    assert asyncio.run(selfinstruct.check_async(content)) == found


def test_a_large_file_is_sampled_for_its_rules_and_checked_whole() -> None:
    """Rules come from a sample, findings from every row: the last row's fault is found too."""
    content = rows(1500)
    content[-1] = {**content[-1], "Answer": "gone"}
    found = api.check(content)
    (finding,) = [finding for finding in found.findings if finding.severity == "error"]
    expected = Finding(
        "rows", 1500, "Answer", "ungrounded", "error", 'Answer "gone" does not occur in RawLog', {"value": "gone"}
    )
    assert finding == replace(expected, row=1500, fingerprint=finding.fingerprint)
