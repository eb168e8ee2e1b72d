"""Judging by hand: what counts afterwards, in every file and for every command."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from selfinstruct import api
from selfinstruct.errors import InputError
from selfinstruct.events import Snapshot
from selfinstruct.journal import Decision, History, Lock, waiting
from selfinstruct.preparation import JudgingState, prepared_from_journal

SEEDS = "seeds/tickets.csv"


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of 80 rows in four categories; tests copy it."""
    return api.run(SEEDS, rows=80, out=tmp_path_factory.mktemp("runs") / "run").directory


@pytest.fixture
def run(grown: Path, tmp_path: Path) -> Path:
    """A copy of the run."""
    return Path(shutil.copytree(grown, tmp_path / "run"))


def rows(directory: Path) -> list[dict[str, Any]]:
    """The rows of a run, from its file."""
    return [json.loads(line) for line in (directory / "rows.jsonl").read_text(encoding="utf-8").splitlines()]


def a_rejection(directory: Path) -> str:
    """The name of a rejection that is a row."""
    with History.open(directory) as history:
        return next(f"x{each.id}" for each in history.rejections() if each.text.startswith("{"))


@pytest.mark.slow
def test_files_exports_and_figures_have_what_a_person_left(run: Path, tmp_path: Path) -> None:
    """A rejected row is gone, an edited one keeps its place, an accepted rejection comes last; all claims hold."""
    before, name = rows(run), a_rejection(run)
    new = {**before[2], "text": "写得更好的一行。 A better row."}
    api.decide(run, 1, "reject", reason="wrong", person="ann")
    api.decide(run, "3", "edit", values=new)
    api.decide(run, name, "accept", person="bo")
    api.export(run, tmp_path / "unsettled.jsonl")
    assert api.settle(run)
    assert not waiting(run)
    after = rows(run)
    assert after[:-1] == [before[1], new, *before[3:]]
    assert after[-1] == api.show(run, name).row
    assert (tmp_path / "unsettled.jsonl").read_bytes() == (run / "rows.jsonl").read_bytes()
    summary = api.open_run(run).summary
    assert (summary.accepted, summary.rejected["person"], summary.conserved) == (80, 1, True)
    assert summary.decisions.total == 3
    assert list(api.open_run(run).rows()) == after
    assert "A person judged 3 rows" in (run / "README.md").read_text(encoding="utf-8")
    assert "A person judged 3 rows" in (run / "report.html").read_text(encoding="utf-8")
    audit = api.verify(run)
    assert audit.holds, audit.to_dict()
    assert api.rejudge(run, out=tmp_path / "again.jsonl").identical
    assert (tmp_path / "again.jsonl").read_bytes() == (run / "rows.jsonl").read_bytes()


@pytest.mark.slow
def test_a_rejected_row_is_replaced_by_resuming_and_nothing_like_it_comes_back(run: Path, tmp_path: Path) -> None:
    """The quota is open again; the new run is judged again to the same rows, with the decisions where they were."""
    before = rows(run)
    for number in (1, 2, 5):
        api.decide(run, number, "reject")
    resumed = api.run(SEEDS, rows=80, out=run)
    after = rows(run)
    assert resumed.summary.accepted == 80 == len(after)
    assert {each.accepted for each in resumed.summary.categories.values()} == {20}
    gone = [before[0], before[1], before[4]]
    assert not [row for row in after if row in gone]
    with History.open(run) as history:
        shown = {demo for each in history.replies() if each.batch.number > 5 for demo in each.batch.demos}
        seeds = history.seed_count()
        last = max(each.call for each in history.rows() if each.number <= 80)
        late = {d for each in history.replies(after=last) for d in each.batch.demos}
    assert shown
    assert not late & {seeds + 1, seeds + 2, seeds + 5}
    api.decide(run, 7, "reject")
    api.run(SEEDS, rows=100, out=run)
    assert len(rows(run)) == 100
    assert api.verify(run).holds
    assert api.rejudge(run, out=tmp_path / "again.jsonl").identical
    assert (tmp_path / "again.jsonl").read_bytes() == (run / "rows.jsonl").read_bytes()


def test_decisions_on_a_run_in_progress_count_at_once_and_are_refilled_in_it(tmp_path: Path) -> None:
    """They wait in the inbox until the loop takes them; the run ends with every quota met, and is judged again so."""
    where = tmp_path / "run"
    made: list[Decision] = []

    def watch(snapshot: Snapshot) -> None:
        with History.open(where) as history:
            committed = history.last_row()
        if not made and committed >= 8:
            made.extend([api.decide(where, number, "reject", person="ann").decision for number in (1, 3, 8)])
            made.append(api.decide(where, 3, "undo").decision)
            assert api.settle(where) is False
            with History.open(where) as history:
                assert [each.key for each in history.decisions.log] == [each.key for each in made]
                assert history.state().rejected["person"] == 2

    summary = api.run(SEEDS, rows=60, out=where, watch=watch).summary
    assert (summary.accepted, summary.stopped, summary.rejected["person"]) == (60, "done", 2)
    assert len(rows(where)) == 60
    with History.open(where) as history:
        assert all(0 < each.after_call < history.state().calls for each in history.decisions.log)
    assert api.verify(where).holds
    assert api.rejudge(where).identical


def test_the_state_of_a_resumed_run_is_that_of_the_run_that_took_the_decisions(run: Path) -> None:
    """Progress and demonstrations restored from the journal are those after the last decision."""
    for number in (2, 4, 6):
        api.decide(run, number, "reject")
    api.decide(run, 4, "undo")
    api.settle(run)
    with History.open(run) as history:
        prepared = prepared_from_journal(history)
        state = JudgingState.of_seeds(prepared)
        from selfinstruct.growth import Sampler

        state.restore(history, Sampler(prepared.recipe, prepared.inputs))
        shown = {number - history.seed_count() for ids in state.pool.grown.values() for number in ids}
        assert {name: each.accepted for name, each in state.progress.items()} == {
            name: each.accepted for name, each in history.state().categories.items()
        }
    assert shown == set(range(1, 81)) - {2, 6}


def test_new_rows_are_compared_with_what_a_person_wrote(run: Path) -> None:
    """An edited row is found by its new values, under its own number."""
    new = {"text": "The lift in the north tower of the harbour museum hums a waltz at noon.", "label": "bug"}
    assert api.decide(run, 10, "edit", values=new).checks == ()
    with History.open(run) as history:
        prepared = prepared_from_journal(history)
        state, seeds = JudgingState.of_seeds(prepared), history.seed_count()
        from selfinstruct.growth import Sampler

        state.restore(history, Sampler(prepared.recipe, prepared.inputs))
        assert state.pool.twin(new) == (seeds + 10, True)
        near = state.pool.nearest({**new, "text": new["text"].replace("noon", "dusk")}, 0.7)
        assert near is not None
        assert near[0] == seeds + 10


def test_the_checks_speak_and_the_person_has_the_last_word(run: Path) -> None:
    """An edit that repeats another row is recorded, with what the checks say; one of other fields is refused."""
    first, second = rows(run)[:2]
    assert [each.reason for each in api.decide(run, 1, "edit", values=second).checks] == ["duplicate"]
    for values, said in (({"text": "x"}, "label"), ({**first, "label": "nonsense"}, "not a category")):
        with pytest.raises(InputError, match=said):
            api.decide(run, 2, "edit", values=values)
    assert len(waiting(run)) == 1


@pytest.mark.parametrize(
    ("row", "action", "said"),
    [
        ("81", "reject", "no row 81"),
        ("x99999", "accept", "no row x99999"),
        ("s1", "reject", "no row s1"),
        ("0", "reject", "no row 0"),
        ("²", "reject", "no row"),
        ("1", "undo", "no decision to take back"),
        ("1", "edit", "values"),
        ("1", "delete", "unknown value"),
    ],
)
def test_what_cannot_be_decided_is_said_and_nothing_is_recorded(run: Path, row: str, action: Any, said: str) -> None:
    """The error names the row or the action."""
    with pytest.raises(InputError, match=said):
        api.decide(run, row, action)
    assert not waiting(run)


def test_settling_leaves_a_locked_run_alone(run: Path) -> None:
    """Another process is at it; the decision stays in the inbox and counts for readers."""
    api.decide(run, 1, "reject")
    with Lock.acquire(run):
        assert not api.settle(run)
    assert len(waiting(run)) == 1
    assert api.report(run).summary.accepted == 79
    assert len(rows(run)) == 79


@pytest.mark.slow
def test_a_recovered_run_keeps_the_decisions(run: Path, tmp_path: Path) -> None:
    """Those in the journal and those in the inbox, about the same rows."""
    api.decide(run, 1, "reject", person="ann")
    api.settle(run)
    api.decide(run, 2, "reject", person="bo")
    api.recover(run, tmp_path / "new")
    with History.open(tmp_path / "new") as history:
        assert [(each.target, each.person) for each in history.decisions.log] == [(1, "ann"), (2, "bo")]
    assert len(rows(tmp_path / "new")) == 78
    assert api.verify(tmp_path / "new").holds
