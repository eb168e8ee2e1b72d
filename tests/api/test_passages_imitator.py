"""Rows about passages, end to end, by the embedded imitator."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest

from selfinstruct.api import plan, rejudge, run, show
from selfinstruct.errors import InputError
from selfinstruct.render.plan import plan_text
from selfinstruct.render.provenance import provenance_text

SEEDS = [
    ("How many bytes did task 28.0 send?", "2128", "Finished task 28.0 in stage 29.0. 2128 bytes sent to driver"),
    ("What is the size of block broadcast_3?", "384.0 B", "Block broadcast_3 stored in memory (size 384.0 B)"),
    ("Which stage did task 7.0 finish in?", "12.0", "Finished task 7.0 in stage 12.0. 1990 bytes sent to driver"),
]
FIELDS = ("Question", "Answer", "RawLog")


def write_log(path: Path, count: int = 60) -> list[str]:
    """Write a log with lines of four templates, one of which occurs once."""
    rng = Random(count)
    lines = []
    for at in range(count):
        user, address = rng.choice(["anna", "boris", "carla", "dmitri", "elena"]), f"10.0.{at}.{rng.randrange(250)}"
        lines.append(
            [
                f"Accepted password for {user} from {address} port {rng.randrange(1024, 65536)}",
                f"Deleted block blk_{rng.randrange(10**9)} of size {rng.randrange(10**6)} from node{at}",
                f"Task {at}.0 finished in {rng.randrange(10**4)} ms on executor {rng.randrange(40)}",
            ][at % 3]
        )
    lines.append("Disk quota exceeded for volume 3")
    path.write_text("\n".join(lines), encoding="utf-8")
    return lines


def write_rows(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Write rows as JSON Lines."""
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def seed_file(tmp_path: Path) -> Path:
    """The seeds as a file."""
    return write_rows(tmp_path / "seeds.jsonl", [dict(zip(FIELDS, seed, strict=True)) for seed in SEEDS])


def rows_of(directory: Path) -> list[dict[str, Any]]:
    """The grown rows of a run."""
    return [json.loads(line) for line in (directory / "rows.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("with_seeds", [True, False])
def test_rows_are_questions_about_lines_with_answers_in_them(tmp_path: Path, with_seeds: bool) -> None:
    """The total is exact; each context is a line word for word; frequent templates have equal shares."""
    lines = write_log(tmp_path / "app.log")
    seeds = seed_file(tmp_path) if with_seeds else None
    done = run(seeds, passages=[tmp_path / "app.log"], rows=90, out=tmp_path / "run")
    rows = rows_of(tmp_path / "run")
    assert (done.summary.stopped, len(rows), done.summary.model) == ("done", 90, "imitator")
    assert all(tuple(row) == FIELDS and row["RawLog"] in lines and row["Answer"] in row["RawLog"] for row in rows)
    assert all(row["Question"].endswith("?") and row["Answer"] not in row["Question"].split() for row in rows)
    shares = Counter(row["RawLog"].split()[0] for row in rows)
    frequent = [shares[first] for first in ("Accepted", "Deleted", "Task")]
    assert max(frequent) - min(frequent) <= 1 < shares["Disk"] < 12
    assert len({row["RawLog"] for row in rows}) > 50
    assert rejudge(tmp_path / "run").identical
    shown = provenance_text(show(tmp_path / "run", 1), None, None).plain
    assert f"app.log:{lines.index(rows[0]['RawLog']) + 1}: {rows[0]['RawLog']}" in shown
    assert "demonstrations" not in shown


def test_the_same_seed_gives_the_same_rows(tmp_path: Path) -> None:
    """Byte for byte; another seed asks about other lines first."""
    write_log(tmp_path / "app.log", 120)
    seeds = seed_file(tmp_path)
    written = []
    for number, seed in enumerate((1, 1, 2)):
        run(seeds, passages=[tmp_path / "app.log"], rows=20, seed=seed, out=tmp_path / f"run{number}")
        written.append((tmp_path / f"run{number}" / "rows.jsonl").read_bytes())
    assert written[0] == written[1] != written[2]


def test_a_killed_run_resumes_and_grows_to_its_exact_total(tmp_path: Path) -> None:
    """After SIGKILL the same command continues; a larger quota then grows the run further."""
    write_log(tmp_path / "app.log", 300)
    seeds, log = seed_file(tmp_path), tmp_path / "app.log"
    command = [sys.executable, "-m", "selfinstruct", "run", str(seeds), "--passages", str(log), "--rows", "400", "-q"]
    process = subprocess.Popen([*command, "--out", str(tmp_path / "killed")])
    while not (tmp_path / "killed" / "run.sqlite").exists():
        assert process.poll() is None
        time.sleep(0.01)
    time.sleep(0.3)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    done = run(seeds, passages=[log], rows=400, out=tmp_path / "killed")
    assert (done.summary.stopped, len(rows_of(tmp_path / "killed"))) == ("done", 400)
    grown = run(seeds, passages=[log], rows=430, out=tmp_path / "killed")
    assert (grown.summary.stopped, len(rows_of(tmp_path / "killed"))) == ("done", 430)
    assert rejudge(tmp_path / "killed").identical


def test_a_template_with_few_questions_leaves_its_rows_to_others(tmp_path: Path) -> None:
    """A quota per category is limited by the lines; the plan lists the kinds of question, and what was read."""
    write_log(tmp_path / "app.log")
    prepared = plan(seed_file(tmp_path), passages=[tmp_path / "app.log"], rows=120)
    assert sum(prepared.quotas.values()) == 120
    rare = next(name for name in prepared.quotas if name.startswith("Disk quota"))
    assert 0 < prepared.quotas[rare] < 12 < prepared.quotas["Task <*> finished in <*> ms on executor <*>"]
    text = plan_text(prepared, None, None).plain
    assert "61 lines in" in text
    assert "kinds of question in a trial of" in text
    assert "120 rows from 3 seeds and 61 passages, written by the embedded imitator" in text


def test_weights_change_the_kinds_of_question(tmp_path: Path) -> None:
    """A kind that is not asked is a warning."""
    write_log(tmp_path / "app.log")
    seeds = seed_file(tmp_path)
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        f'[seeds]\nfile = "{seeds.name}"\n[fields.Question]\n[fields.Answer]\nappears_in = "RawLog"\n[fields.RawLog]\n'
        '[passages]\nfiles = ["app.log"]\n[questions]\nweights = { slot-name = 0.01, nonsense = 2 }\n'
        "[quota]\nrows = 30\n",
        encoding="utf-8",
    )
    prepared = plan(recipe)
    assert "questions.weights: no question of the kind nonsense in the trial" in prepared.warnings
    run(recipe, out=tmp_path / "run", prepared=prepared)
    run(seeds, passages=[tmp_path / "app.log"], rows=30, out=tmp_path / "even")
    named, even = (
        sum(row["Question"].startswith("What is the") for row in rows_of(tmp_path / name)) for name in ("run", "even")
    )
    assert 2 * named < even


def test_chinese_lines_get_chinese_questions(tmp_path: Path) -> None:
    """With the fields of the Chinese seeds."""
    lines = [f"用户 user{at} 从 10.0.0.{at} 登录成功，耗时 {at * 3} 毫秒" for at in range(10, 50)]
    (tmp_path / "app.log").write_text("\n".join(lines), encoding="utf-8")
    seeds = write_rows(
        tmp_path / "seeds.jsonl",
        [
            {"问题": "用户 root 从哪里登录？", "答案": "10.1.1.9", "原文": "用户 root 从 10.1.1.9 登录成功"},
            {"问题": "磁盘 3 的容量是多少？", "答案": "512 GB", "原文": "磁盘 3 容量 512 GB"},
        ],
    )
    done = run(seeds, passages=[tmp_path / "app.log"], rows=20, out=tmp_path / "run")
    rows = rows_of(tmp_path / "run")
    assert (done.summary.stopped, len(rows)) == ("done", 20)
    assert all(row["问题"].endswith("？") and row["答案"] in row["原文"] and row["原文"] in lines for row in rows)


def test_ids_and_constant_fields_are_written(tmp_path: Path) -> None:
    """Ids continue those of the seeds; a field with one value in all seeds keeps it."""
    write_log(tmp_path / "app.log")
    rows = [
        {"id": f"q-{at:03}", "source": "ops", **dict(zip(FIELDS, seed, strict=True))}
        for at, seed in enumerate(SEEDS, 1)
    ]
    run(write_rows(tmp_path / "seeds.jsonl", rows), passages=[tmp_path / "app.log"], rows=20, out=tmp_path / "run")
    grown = rows_of(tmp_path / "run")
    assert {row["source"] for row in grown} == {"ops"}
    assert len({row["id"] for row in grown} - {row["id"] for row in rows}) == 20


def test_a_field_that_only_a_model_can_write_is_refused(tmp_path: Path) -> None:
    """A label whose value depends on the question."""
    write_log(tmp_path / "app.log")
    rows = [
        {"level": level, **dict(zip(FIELDS, seed, strict=True))}
        for level, seed in zip(["easy", "hard", "easy"], SEEDS, strict=True)
    ]
    with pytest.raises(InputError, match="cannot write level") as raised:
        plan(write_rows(tmp_path / "seeds.jsonl", rows), passages=[tmp_path / "app.log"])
    assert "model" in str(raised.value.hint)


def test_hostile_lines_are_data_in_every_file_of_the_run(tmp_path: Path) -> None:
    """Markup, fences and directional marks are kept in rows, and escaped in the report, the card and the plan."""
    lines = [f"<script>alert({at})</script> ``` user u{at} logged in from 10.0.0.{at}" for at in range(20)]
    lines += [f"\u202euser w{at} failed after {at} tries | a |" for at in range(20, 40)]
    log = "\n".join(lines).encode() + b"\nnul \0 byte\n" + b"x" * 1_000_000 + b"\ncaf\xe9\n"
    (tmp_path / "app.log").write_bytes(log)
    prepared = plan(passages=[tmp_path / "app.log"], rows=24)
    text = plan_text(prepared, None, None).plain
    assert "43 lines in" in text
    assert "\u202e" not in text
    run(passages=[tmp_path / "app.log"], rows=24, out=tmp_path / "run", prepared=prepared)
    assert {row["RawLog"] for row in rows_of(tmp_path / "run")} <= set(lines)
    assert "<script>alert" not in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    card = (tmp_path / "run" / "README.md").read_text(encoding="utf-8")
    assert "grown by selfinstruct's embedded imitator from 40 passages" in card
    assert "1 with NUL characters" in card


def test_texts_without_a_question_are_refused(tmp_path: Path) -> None:
    """Nothing can be asked about lines of one word."""
    (tmp_path / "app.log").write_text("starting\nstopping\n---\n", encoding="utf-8")
    with pytest.raises(InputError, match="finds no question"):
        plan(passages=[tmp_path / "app.log"])


def test_more_rows_than_questions_stop_short_with_a_warning(tmp_path: Path) -> None:
    """The plan says about how many there are; the run keeps what it has."""
    (tmp_path / "app.log").write_text("Deleted block blk_7 of size 90 from node3\n", encoding="utf-8")
    prepared = plan(passages=[tmp_path / "app.log"], rows=500)
    assert any("different questions" in warning for warning in prepared.warnings)
    done = run(passages=[tmp_path / "app.log"], rows=500, out=tmp_path / "run")
    assert done.summary.stopped == "exhausted"
    assert 3 <= done.summary.accepted < 100


def test_another_file_in_the_same_directory_is_refused(tmp_path: Path) -> None:
    """The run refers to the passages that it recorded; a log that has grown since is no change."""
    write_log(tmp_path / "app.log")
    write_log(tmp_path / "other.log", 90)
    run(passages=[tmp_path / "app.log"], rows=10, out=tmp_path / "run")
    write_log(tmp_path / "app.log", 90)
    assert run(passages=[tmp_path / "app.log"], rows=20, out=tmp_path / "run").summary.accepted == 20
    with pytest.raises(InputError, match=r"other settings: passages\.files"):
        run(passages=[tmp_path / "other.log"], rows=30, out=tmp_path / "run")


def test_a_step_that_writes_other_names_needs_a_model(tmp_path: Path) -> None:
    """A recipe with a step of its own about passages."""
    write_log(tmp_path / "app.log")
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        '[fields.Question]\n[fields.Answer]\nappears_in = "RawLog"\n[fields.RawLog]\nsource = "passage"\n'
        '[passages]\nfiles = ["app.log"]\n[novelty]\nfields = ["Question"]\nmax_rouge_l = 0.9\n[quota]\nrows = 5\n'
        '[[steps]]\nname = "ask"\nprompt = "Ask about {passage}"\nwrites = ["Question", "Answer", "mood"]\n',
        encoding="utf-8",
    )
    with pytest.raises(InputError, match="can only answer a step that writes Question, Answer"):
        plan(recipe)
