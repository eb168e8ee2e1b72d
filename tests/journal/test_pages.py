"""Pages of rows and rejections: every filter, page by page, against a plain loop over all of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfinstruct.journal import Decision, History, Journal, RunMetadata, SeedRow, post
from selfinstruct.journal import pages as pages_module
from selfinstruct.journal.pages import Filter, page_of_rejections, page_of_rows
from selfinstruct.records import Batch, Candidate, Judgement, Rejection, Reply

TEXTS = ['say "hi"', "100 % of a_b", "日志 ERROR", "Résumé", "line\nbreak", "text", "back\\slash"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of 42 rows and 21 rejections, some of them decided on."""
    where = tmp_path_factory.mktemp("run")
    with Journal.create(where, RunMetadata("", "", 0, ""), [SeedRow({"text": "seed"}, "a", 1)]) as journal:
        for number in range(1, 22):
            journal.add_batch(Batch(number, "a", 3, 0, (1,)))
            call = journal.add_reply(number, "rows", Reply("reply", "m"))
            text = f"{TEXTS[number % len(TEXTS)]} {number}"
            good = [Judgement(Candidate(at, "", {"text": f"{text}.{at}", "n": at}), "ab"[at]) for at in range(2)]
            why = Rejection(("length", "echo")[number % 2], "why")
            journal.judge(call, [*good, Judgement(Candidate(2, text, None), "ab"[number % 2], why)])
    made = [(3, "reject"), (4, "edit"), (5, "accept"), (-2, "accept"), (-3, "reject"), (40, "edit"), (40, "reject")]
    for at, (target, action) in enumerate(made):
        line = json.dumps({"text": "日志 by hand", "n": 7}) if action == "edit" or target == -2 else None
        post(where, Decision(str(at), target, action, line=line, category="b" if line else ""))  # type: ignore[arg-type]
    return where


FILTERS = st.builds(
    Filter,
    category=st.sampled_from([None, "a", "b", "none"]),
    text=st.sampled_from(["", "text", "TEXT", "日志", '"hi"', "%", "a_b", "\n", "\\", "Résumé", "n", ".1", "by hand"]),
    reason=st.sampled_from(["", "length", "echo"]),
    decided=st.sampled_from(["any", "none", "accept", "reject", "edit"]),
)


@given(FILTERS, st.integers(1, 9), st.sampled_from([2, 7, 1000]))
@settings(max_examples=120)
def test_the_pages_together_have_what_a_plain_loop_finds(run: Path, wanted: Filter, limit: int, looked: int) -> None:
    """Nothing is missing and nothing comes twice, however small the pages and the ranges that they look at."""
    with pytest.MonkeyPatch.context() as patch, History.open(run) as history:
        for name in ("_SEARCHED", "_FILTERED", "_DECIDED"):
            patch.setattr(pages_module, name, looked)
        stands = history.decisions.standing

        def decided(target: int) -> bool:
            found = stands.get(target)
            return wanted.decided == "any" or (found.action if found else "none") == wanted.decided

        rows, refused = [], []
        for grown in history.rows():
            each = stands.get(grown.number)
            line, category = (each.line, each.category) if each and each.line else (grown.line, grown.category)
            said = [str(value) for value in json.loads(line).values()]
            fits = any(wanted.text.lower() in text.lower() for text in said) and wanted.category in (None, category)
            if fits and decided(grown.number):
                rows.append(grown.number)
        for candidate in history.rejections():
            fits = wanted.text.lower() in candidate.text.lower() and wanted.category in (None, candidate.category)
            if fits and wanted.reason in ("", candidate.reason) and decided(-candidate.id):
                refused.append(candidate.id)
        found: list[int] = []
        after: int | None = 0
        while after is not None:
            page = page_of_rows(history, after, limit, wanted)
            assert len(page.items) <= limit
            found += [row.number for row, _ in page.items]
            after = page.next
        assert found == rows
        found, after = [], 0
        while after is not None:
            other = page_of_rejections(history, after, limit, wanted)
            found += [each.id for each, _ in other.items]
            after = other.next
        assert found == refused
