"""`verify`: a run that was tampered with is found out, whatever was changed; one that was not holds."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer

from selfinstruct import api
from selfinstruct.analysis.audit.pairs import compare_pairs
from selfinstruct.cli import main
from selfinstruct.errors import InputError
from selfinstruct.journal import Lock


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of 60 rows with five rejections."""
    return api.run("seeds/logqa.jsonl", rows=60, seed=1, out=tmp_path_factory.mktemp("audit") / "run").directory


@pytest.fixture
def run(grown: Path, tmp_path: Path) -> Path:
    """A copy of it, to tamper with."""
    return Path(shutil.copytree(grown, tmp_path / "run"))


def edit(path: Path, old: str, new: str) -> None:
    """Replace the first occurrence in a file."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def write_sql(run: Path, *statements: str) -> None:
    """Change the journal behind the back of selfinstruct."""
    with sqlite3.connect(run / "run.sqlite") as connection:
        for statement in statements:
            assert connection.execute(statement).rowcount != 0, statement
    connection.close()


def renew_checksums(run: Path) -> None:
    """What somebody would do who tampers with care."""
    names = [line.partition("  ")[2] for line in (run / "SHA256SUMS").read_text().splitlines()]
    sums = "".join(f"{hashlib.sha256((run / name).read_bytes()).hexdigest()}  {name}\n" for name in names)
    (run / "SHA256SUMS").write_text(sums)


def first_row(run: Path) -> str:
    """The first line of the file of rows."""
    return (run / "rows.jsonl").read_text(encoding="utf-8").splitlines()[0]


def edit_row_everywhere(run: Path) -> None:
    """The first row is a copy of the second, in the journal and in the file."""
    second = (run / "rows.jsonl").read_text(encoding="utf-8").splitlines()[1]
    edit(run / "rows.jsonl", first_row(run), second)
    write_sql(run, "UPDATE rows SET row = (SELECT row FROM rows WHERE number = 2) WHERE number = 1")


def remove_row_everywhere(run: Path) -> None:
    """The last row is gone, from the journal and from the file."""
    edit(run / "rows.jsonl", (run / "rows.jsonl").read_text(encoding="utf-8").splitlines()[-1] + "\n", "")
    write_sql(run, "DELETE FROM rows WHERE number = (SELECT MAX(number) FROM rows)")


def raise_recorded_threshold(run: Path) -> None:
    """The journal's recipe allows nearer neighbours."""
    with sqlite3.connect(run / "run.sqlite") as connection:
        (stored,) = connection.execute("SELECT value FROM notes WHERE key = 'recipe'").fetchone()
        assert 'max_rouge_l = "seeds"' in json.loads(stored)
        changed = json.loads(stored).replace('max_rouge_l = "seeds"', "max_rouge_l = 0.95")
        connection.execute("UPDATE notes SET value = ? WHERE key = 'recipe'", (json.dumps(changed),))
    connection.close()


REPLY = "(SELECT call FROM rows WHERE number = 1)"
#: What was done, and the claim that must not hold any more although the checksums were renewed.
TAMPERINGS: dict[str, tuple[Callable[[Path], None], str]] = {
    "a row edited in the file": (lambda run: edit(run / "rows.jsonl", '"Answer": "', '"Answer": "x'), "rows"),
    "a row removed from the file": (lambda run: edit(run / "rows.jsonl", first_row(run) + "\n", ""), "rows"),
    "a row added to the file": (lambda run: edit(run / "rows.jsonl", first_row(run), first_row(run) * 2), "rows"),
    "a row replaced everywhere": (edit_row_everywhere, "provenance"),
    "a row removed everywhere": (remove_row_everywhere, "conservation"),
    "a row in another category": (
        lambda run: write_sql(run, "UPDATE rows SET category = category % 4 + 1 WHERE number = 1"),
        "rules",
    ),
    "a span moved": (
        lambda run: write_sql(run, """UPDATE rows SET spans = '{"Answer": [0, 1]}' WHERE number = 1"""),
        "rules",
    ),
    "a threshold raised in the recipe file": (
        lambda run: edit(run / "recipe.toml", 'max_rouge_l = "seeds"', "max_rouge_l = 0.95"),
        "recipe",
    ),
    "a threshold raised in the journal": (raise_recorded_threshold, "summary"),
    "a rule removed from the recipe file": (
        lambda run: edit(run / "recipe.toml", 'appears_in = "RawLog"', ""),
        "recipe",
    ),
    "a reply changed": (
        lambda run: write_sql(run, f"UPDATE replies SET text = CAST('[]' AS BLOB) WHERE call = {REPLY}"),
        "provenance",
    ),
    "a reply removed": (lambda run: write_sql(run, f"DELETE FROM replies WHERE call = {REPLY}"), "journal"),
    "a rejection removed": (
        lambda run: write_sql(run, "DELETE FROM rejections WHERE id = (SELECT MAX(id) FROM rejections)"),
        "conservation",
    ),
    "a seed changed": (
        lambda run: write_sql(run, "UPDATE seeds SET row = (SELECT row FROM rows LIMIT 1) WHERE number = 1"),
        "seeds",
    ),
    "a count changed in the summary": (
        lambda run: edit(run / "summary.json", '"accepted": 60', '"accepted": 600'),
        "summary",
    ),
    "a quota changed": (
        lambda run: write_sql(run, "UPDATE notes SET value = replace(value, '15', '16') WHERE key = 'quotas'"),
        "quotas",
    ),
}


@pytest.mark.parametrize("what", TAMPERINGS)
def test_tampering_is_found_even_where_the_checksums_were_renewed(what: str, run: Path) -> None:
    """Each kind of change contradicts a claim of its own, and, with the old checksums, that of the checksums too."""
    tamper, name = TAMPERINGS[what]
    tamper(run)
    assert "checksums" in {claim.name for claim in api.verify(run).claims if not claim.holds}
    renew_checksums(run)
    broken = {claim.name: claim for claim in api.verify(run).claims if not claim.holds}
    assert name in broken and "checksums" not in broken
    assert broken[name].problems


def test_a_changed_report_is_found_by_its_checksum(run: Path) -> None:
    """The report and the card have no figures that are counted again; their bytes are compared."""
    edit(run / "report.html", "<title>", "<title>x")
    audit = api.verify(run)
    assert [claim.problems for claim in audit.claims if not claim.holds] == [
        ("report.html: changed since the run wrote it",)
    ]


def test_a_run_that_was_not_changed_holds_and_so_does_its_continuation(run: Path) -> None:
    """The checksums are those of sha256sum, a larger quota renews them, and everything is proved."""
    audit = api.verify(run)
    assert audit.holds and all(claim.checked == claim.total > 0 for claim in audit.claims)
    api.run("seeds/logqa.jsonl", rows=90, seed=1, out=run)
    audit = api.verify(run)
    assert audit.holds and audit.rows == 90
    novelty = next(claim for claim in audit.claims if claim.name == "novelty")
    assert novelty.total == sum(range(10, 100))


def test_rewriting_the_report_does_not_launder_a_changed_journal(run: Path) -> None:
    """`report` records the checksums of the files that it writes, and keeps that of the journal."""
    write_sql(run, "UPDATE notes SET value = '7' WHERE key = 'seed'")
    api.report(run)
    assert [claim.name for claim in api.verify(run).claims if not claim.holds] == ["checksums"]


def test_a_run_in_progress_is_not_audited(run: Path) -> None:
    """Its counts change while they are compared; the error names the process."""
    with Lock.acquire(run), pytest.raises(InputError, match=f"in progress .*{os.getpid()}"):
        api.verify(run)


def test_the_command_prints_each_claim_and_exits_with_1_where_one_is_false(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Text and JSON say what was proved; the exit code is that of a failed gate."""
    assert main(["verify", str(run), "--max-pairs", "100"]) == 0
    assert "a random sample of" in capsys.readouterr().out
    edit(run / "rows.jsonl", '"Answer": "', '"Answer": "x')
    assert main(["verify", str(run), "--json"]) == 1
    printed = json.loads(capsys.readouterr().out)
    assert not printed["holds"]
    assert {claim["name"] for claim in printed["claims"] if not claim["holds"]} == {"rows", "checksums"}


WORDS = st.lists(st.sampled_from(["task", "0", "1", "乾", "done", ""]), max_size=5).map(" ".join)


@given(texts=st.lists(WORDS, min_size=2, max_size=8), limit=st.sampled_from([0.0, 0.5, 0.8, 1.0]), data=st.data())
def test_exactly_the_pairs_above_the_limit_are_found(texts: list[str], limit: float, data: st.DataObject) -> None:
    """Brute force agrees with rouge-score, called pair by pair, on which rows are too near to an earlier one."""
    first = data.draw(st.integers(0, len(texts) - 1))
    ascii_texts = [text.replace("乾", "qian") for text in texts]
    scorer = RougeScorer(["rougeL"])
    expected = {
        (other, at)
        for at in range(first, len(texts))
        for other in range(at)
        if scorer.score(ascii_texts[other], ascii_texts[at])["rougeL"].fmeasure > limit + 1e-9
    }
    found = compare_pairs(
        texts, [limit] * len(texts), first, groups=[None] * len(texts), max_pairs=10**9, rng=Random(0)
    )
    assert {(other, at) for other, at, _ in found.above} == expected
    assert not found.disagreements and found.pairs == found.all_pairs
