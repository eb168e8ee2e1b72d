"""What holds when the recorded replies of a run are judged again."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfinstruct import api
from selfinstruct.errors import InputError, RecipeError

SEEDS = "seeds/logqa.jsonl"


def test_same_code_and_recipe_give_the_same_rows_byte_for_byte(tmp_path: Path) -> None:
    """A run that was grown in two goes, with another quota in each, comes out of its replies again as it is."""
    api.run(SEEDS, rows=60, out=tmp_path / "run")
    api.run(SEEDS, rows=150, out=tmp_path / "run")
    done = api.rejudge(tmp_path / "run", out=tmp_path / "again.jsonl")
    assert done.identical
    assert done.before == done.after
    assert done.replies > 4
    assert (tmp_path / "again.jsonl").read_bytes() == (tmp_path / "run" / "rows.jsonl").read_bytes()


def test_a_stricter_recipe_shows_what_it_would_refuse_and_changes_nothing(tmp_path: Path) -> None:
    """Counts before and after differ by reason, and the run's own files stay as they are."""
    run = api.run(SEEDS, rows=100, out=tmp_path / "run")
    rows = (run.directory / "rows.jsonl").read_bytes()
    recipe = (run.directory / "recipe.toml").read_text(encoding="utf-8")
    (run.directory / "strict.toml").write_text(recipe.replace('max_rouge_l = "seeds"', "max_rouge_l = 0.72"))
    done = api.rejudge(run.directory, recipe=run.directory / "strict.toml")
    assert not done.identical
    assert done.after.accepted < done.before.accepted == 100
    assert done.after.rejected["near-duplicate"] > done.before.rejected.get("near-duplicate", 0)
    assert done.after.accepted + sum(done.after.rejected.values()) == run.summary.candidates
    assert (run.directory / "rows.jsonl").read_bytes() == rows
    assert api.rejudge(run.directory).identical


def test_what_cannot_be_rejudged_is_said(tmp_path: Path) -> None:
    """A directory without a run, and a recipe of other fields, are input errors."""
    with pytest.raises(InputError, match="not a run directory"):
        api.rejudge(tmp_path)
    run = api.run(SEEDS, rows=8, out=tmp_path / "run")
    other = tmp_path / "other.toml"
    other.write_text('[seeds]\nfile = "x.jsonl"\n[fields.Question]\n[fields.Reply]\n', encoding="utf-8")
    with pytest.raises(RecipeError, match="Reply"):
        api.rejudge(run.directory, recipe=other)


def test_the_journal_notes_from_which_call_on_a_quota_holds(tmp_path: Path) -> None:
    """Going on with the same quota adds no stage; growing adds one."""
    api.run(SEEDS, rows=40, out=tmp_path / "run")
    api.run(SEEDS, rows=40, out=tmp_path / "run")
    api.run(SEEDS, rows=80, out=tmp_path / "run")
    from selfinstruct.journal import History

    with History.open(tmp_path / "run") as history:
        stages = history.metadata().quotas
    assert [sum(stage.quotas.values()) for stage in stages] == [40, 80]
    assert stages[0].after_call == 0 < stages[1].after_call
