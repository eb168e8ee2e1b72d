"""``check`` in stages of tasks against one process: the same findings, measures, notes, baselines and errors."""

from __future__ import annotations

import json
import os
import pickle
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from selfinstruct import api
from selfinstruct.analysis.findings import Findings
from selfinstruct.analysis.gate import find_problems, next_baseline
from selfinstruct.analysis.gate.baseline import baseline_text
from selfinstruct.analysis.gate.found import Found
from selfinstruct.engines.check import Given, examine_in_tasks, nearest, reading
from selfinstruct.engines.check.kept import keep, kept
from selfinstruct.engines.dedup import joining, pairing, work
from selfinstruct.engines.executor import Result, SerialExecutor
from selfinstruct.errors import InputError, RowError, SelfInstructError
from selfinstruct.messages import Phrase
from selfinstruct.recipe import import_extension

Row = dict[str, Any]
# What one process has in memory at once, several tasks have: small, so that a few rows are many tasks.
_SMALL = {
    (reading, "_ROWS"): 7, (nearest, "_FIRST"): 4, (nearest, "_FEW"): 1, (joining, "_ENTRIES"): 8,
    (joining, "_PROBES"): 8, (joining, "_MEETINGS"): 4, (joining, "MOST_PAIRS"): 2, (work, "_GROUPS"): 2,
    (work, "_GROUP"): 3, (pairing, "_TARGETS"): 6, (pairing, "_TASK"): 4, (pairing, "MOST_PAIRS"): 1,
}  # fmt: skip
_ENGLISH = "please refund my order the parcel never came to our house on main street again and again"
_CHINESE = "请 退 我 的 订单 包裹 一直 没有 送到 我们 家 里 客服 也 不 回 电话"
ENGLISH, CHINESE = _ENGLISH.split(), _CHINESE.split()


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that bounds memory, so small that a few rows are many tasks; nothing waits for the disk."""
    for (module, name), size in _SMALL.items():
        monkeypatch.setattr(module, name, size)
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


def rows_of(draw: Random, words: Sequence[str], count: int) -> list[Row]:
    """Rows with every kind of finding: near and exact copies, other answers, ids, labels, secrets, damage."""
    rows = list[Row]()
    for number in range(count):
        text = draw.choices(words, k=draw.randint(4, 9))
        row: Row = {
            "id": f"r{number}",
            "text": ("" if words is CHINESE else " ").join(text),
            "label": draw.choice(["billing", "delivery", "other"]),
        }
        kind = draw.randrange(16)
        earlier = draw.choice(rows) if rows else row
        changes: list[Callable[[], Any]] = [
            lambda: row.update(earlier),  # noqa: B023  called at once
            lambda: row.update(text=earlier.get("text")),  # noqa: B023
            lambda: row.update(id=earlier.get("id")),  # noqa: B023
            lambda: row.update(text=f"{earlier.get('text')} {words[0]}"),  # noqa: B023
            lambda: row.update(label=draw.choice(["Billing ", "deliveri"])),  # noqa: B023
            lambda: row.update(text=draw.choice(["TODO", "", "!!", "N/A", f"x {words[0]} ssn 078-05-1120"])),  # noqa: B023
            lambda: row.update(text=f"{row['text']} cafÃ© john.smith@corp-mail.com"),  # noqa: B023
            lambda: row.update(extra=[1, {"deep": "value"}]),  # noqa: B023
            lambda: row.update(text=5),  # noqa: B023
            lambda: row.pop("label"),  # noqa: B023
        ]
        if kind < len(changes):
            changes[kind]()
        rows.append(row)
    return rows


def write(path: Path, rows: Sequence[Row]) -> str:
    """A file of JSON Lines."""
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return str(path)


def recipe(folder: Path, seeds: Sequence[Row], more: str) -> str:
    """A recipe of these rows' fields."""
    write(folder / "seeds.jsonl", seeds)
    path = folder / "recipe.toml"
    path.write_text(f'name = "tickets"\n[seeds]\nfile = "seeds.jsonl"\n{more}', encoding="utf-8")
    return str(path)


def in_stages(
    sources: Sequence[str], work: Path, *, executor: SerialExecutor | None = None, **options: Any
) -> tuple[Findings, str]:
    """What the stages find, and the baseline that they write."""
    given = Given(tuple(sources), options.get("recipe"), tuple(options.get("against", ())), "utf-8")
    runs = executor or SerialExecutor()

    def examine(with_alike: bool) -> Any:
        return examine_in_tasks(given, work, runs, lambda progress: None, with_alike=with_alike)

    found = find_problems(*sources, examine=examine)
    _, recorded = next_baseline(*sources, examine=examine, baseline=work.parent / "no-baseline.json")
    return found, baseline_text(recorded)


def assert_same(sources: Sequence[str], **options: Any) -> Findings:
    """Both ways find the same, or raise the same error; returns what was found."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name) / "work"
        try:
            expected = find_problems(*sources, importer=import_extension, **options)
        except SelfInstructError as error:
            with pytest.raises(type(error)) as raised:
                in_stages(sources, directory, **options)
            assert (str(raised.value), raised.value.hint) == (str(error), error.hint)
            assert not directory.exists(), "a corrected input would meet the checkpoints of the invalid one"
            raise
        _, recorded = next_baseline(
            *sources, importer=import_extension, baseline=Path(name) / "no-baseline.json", **options
        )
        found, text = in_stages(sources, directory, **options)
        assert json.dumps(found.to_dict()) == json.dumps(expected.to_dict())
        assert text == baseline_text(recorded)
        assert not directory.exists()
        return found


@pytest.mark.slow
@pytest.mark.parametrize("words", [ENGLISH, CHINESE], ids=["english", "chinese"])
def test_inferred_rules_of_files_folders_and_globs(words: list[str], tmp_path: Path) -> None:
    """A file, a folder of shards, a folder of other files, a glob; beside rows that must not be repeated."""
    draw = Random(len(words))
    rows = rows_of(draw, words, 60)
    single = write(tmp_path / "one.jsonl", rows)
    for at in range(0, 60, 16):
        write(tmp_path / "shards" / f"{at:02d}.jsonl", rows[at : at + 16])
    (tmp_path / "shards" / "notes.md").write_text("none")
    (tmp_path / "shards" / "strange.dat").write_text("{")
    write(tmp_path / "mixed" / "a.jsonl", [{"q": row["text"], "n": at} for at, row in enumerate(rows)])
    write(tmp_path / "mixed" / "b.jsonl", rows[:9])
    apart = write(tmp_path / "apart.jsonl", rows[40:50])
    found = assert_same([single, str(tmp_path / "shards"), str(tmp_path / "mixed")])
    kinds = {"duplicate", "contradiction", "label", "pii", "encoding", "schema"}
    assert kinds <= set(found.measures.reasons)
    assert_same([str(tmp_path / "shards" / "*.jsonl")], against=[apart])


@pytest.mark.slow
@pytest.mark.parametrize("more", [
    '[categories]\nby = "field"\nfield = "label"\n[novelty]\nfields = ["text"]\nmax_rouge_l = 0.5\n'
    '[fields.id]\nunique = true\n[fields.text]\n[fields.label]\nanswer = true\n',
    '[categories]\nby = "none"\n[novelty]\nfields = ["text", "label"]\nper_field = true\nmax_rouge_l = 0.6\n'
    "[fields.id]\nunique = true\n[fields.text]\nmax_chars = 30\n[fields.label]\n",
])  # fmt: skip
def test_a_recipe_over_several_files(more: str, tmp_path: Path) -> None:
    """Rows are compared over all files, by low thresholds, together or field by field; unique values are unique."""
    draw = Random(5)
    files = [write(tmp_path / f"{at}.jsonl", rows_of(draw, ENGLISH + CHINESE[:4], 40)) for at in range(2)]
    seeds = [{"id": f"s{at}", "text": f"{word} {at}", "label": "billing"} for at, word in enumerate(ENGLISH[:3])]
    seeds += [{"id": f"t{label}", "text": label, "label": label} for label in ("delivery", "other")]
    found = assert_same(files, recipe=recipe(tmp_path, seeds, more), against=[files[0]])
    assert {"near-duplicate", "schema"} <= set(found.measures.reasons)
    assert any("file" in each.evidence for each in found.findings)


@pytest.mark.slow
def test_contexts_and_readers(tmp_path: Path) -> None:
    """A context of a row to keep apart is a leak; an answer that a reader contradicts is told."""
    logs = [
        {
            "Question": f"Which state has rdd_{n}_{n * 3}?",
            "Answer": "lost" if n % 2 else "found",
            "RawLog": f"Partition rdd_{n}_{n * 3} {'lost' if n % 2 else 'found'} on host {n}{n}",
        }
        for n in range(1, 120)
    ]
    logs[60]["Answer"] = "host"
    leaking = {**logs[3], "Question": "On which host is it?"}
    file, apart = write(tmp_path / "logs.jsonl", logs), write(tmp_path / "apart.jsonl", [leaking])
    found = assert_same([file], against=[apart])
    assert {"holdout", "unanswered"} <= set(found.measures.reasons)


@pytest.mark.parametrize("text", ["", '{"a": 1}\n{"a"', '{"a": 1}\n{}\n', "\n"])
def test_broken_files_give_the_same_error(text: str, tmp_path: Path) -> None:
    """The error of reading the file here, whoever read it first."""
    write(tmp_path / "0.jsonl", [{"a": "b c d"}])
    (tmp_path / "1.jsonl").write_text(text)
    for source in (tmp_path, tmp_path / "1.jsonl", tmp_path / "none.jsonl"):
        with pytest.raises(RowError):
            assert_same([str(source)])


class Dying(SerialExecutor):
    """Fails after some tasks, as a command that is killed."""

    def __init__(self, tasks: int) -> None:
        self.left = tasks

    def run(self, task: Callable[..., Result], calls: Sequence[tuple[Any, ...]]) -> Iterator[Result]:
        """Yield results until there were too many."""
        for result in super().run(task, calls):
            self.left -= 1
            if self.left < 0:
                raise KeyboardInterrupt
            yield result


def test_a_killed_command_goes_on(tmp_path: Path) -> None:
    """Whichever task was the last one, the same command finds the same; another input is refused."""
    rows = rows_of(Random(9), ENGLISH, 16)
    file, directory = write(tmp_path / "rows.jsonl", rows), tmp_path / "work"

    def check(path: str, executor: SerialExecutor) -> Findings:
        given = Given((path,), None, (), "utf-8")
        return find_problems(
            path,
            examine=lambda alike: examine_in_tasks(given, directory, executor, lambda progress: None, with_alike=alike),
        )

    whole = Dying(10**6)
    check(file, whole)
    # The last task removes checkpoints.
    for tasks in (0, 3, 25, 10**6 - whole.left - 1):
        with pytest.raises(KeyboardInterrupt):
            check(file, Dying(tasks))
        assert directory.exists()
    with pytest.raises(InputError, match="has the checkpoints of another input"):
        check(write(tmp_path / "others.jsonl", rows[1:]), SerialExecutor())
    assert check(file, SerialExecutor()).to_dict() == find_problems(file).to_dict()
    assert not directory.exists()


def test_what_the_engine_cannot_do_is_refused(tmp_path: Path) -> None:
    """Rows that workers cannot see, a glob without a place for checkpoints, and rows about passages."""
    file = write(tmp_path / "rows.jsonl", [{"a": "b c"}])
    with pytest.raises(InputError, match=r"stdin: .* reads files only"):
        api.check("-", engine="ray")
    with pytest.raises(InputError, match=r"rows in memory: .* reads files only"):
        api.check(file, against=[[{"a": "b"}]], engine="ray")
    with pytest.raises(InputError, match="no directory for its checkpoints"):
        api.check(str(tmp_path / "*.jsonl"), engine="ray")
    with pytest.raises(InputError, match="`work` has no effect without"):
        api.check(file, work=tmp_path / "work")


def test_rows_about_passages_are_refused(tmp_path: Path) -> None:
    """They are compared by passage, which tasks do not know: the error says what to do."""
    (tmp_path / "text.md").write_text("# A\n\nThe pump P-7 stands in hall 3 and runs at 50 Hz all day long.\n")
    more = '[passages]\nfiles = ["text.md"]\n[fields.q]\n[fields.text]\nsource = "passage"\n'
    path = recipe(tmp_path, [{"q": "Where is P-7?", "text": "The pump P-7 stands in hall 3."}], more)
    file = write(tmp_path / "rows.jsonl", [{"q": "Which pump?", "text": "The pump P-7 stands in hall 3."}])
    with pytest.raises(InputError, match="rows about passages"):
        in_stages([file], tmp_path / "work", recipe=path)


def test_a_work_directory_runs_no_code(tmp_path: Path) -> None:
    """Only objects of known classes are read, whoever wrote them."""
    keep(tmp_path / "known", {1: [Found("pii", "text", Phrase("{n} found", n=2))]})
    assert str(kept(tmp_path / "known")[1][0].message) == "2 found"
    keep(tmp_path / "other", os.getcwd)
    with pytest.raises(pickle.UnpicklingError, match="not expected in a work directory"):
        kept(tmp_path / "other")
