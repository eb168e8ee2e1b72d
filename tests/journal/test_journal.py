"""The journal: added data is read back complete and once, even after process crashes and disk errors."""

from __future__ import annotations

import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfinstruct.journal import (
    JOURNAL_NAME,
    BatchOutcome,
    CategoryCounts,
    History,
    Journal,
    RunMetadata,
    SeedRow,
    write_rows,
)
from selfinstruct.records import Batch, Candidate, Failure, Judgement, Rejection, Reply, Usage

ROOT = Path(__file__).parents[2]
METADATA = RunMetadata(recipe='name = "logs"\n', seeds_digest="ab12", seed=7, version="0.1.0")
SEEDS = [SeedRow({"Question": "Which task?", "Answer": "28.0"}, "tasks", 1), SeedRow({"Question": "Who?"}, "users", 2)]
# Text that a careless store would change or refuse: a lone surrogate, NUL, line ends, the last code point.
HARD = "\ud800 \x00 \r\n \u2028 乾 \U0010ffff"


def make(directory: Path) -> Journal:
    """A new journal in a new directory."""
    directory.mkdir(exist_ok=True)
    return Journal.create(directory, METADATA, SEEDS)


def batch(number: int, category: str = "tasks", count: int = 3) -> Batch:
    """A planned batch."""
    return Batch(number, category, count, requested_before=count * (number - 1), demos=(1, 2))


def accepted(position: int, category: str = "tasks", **row: Any) -> Judgement:
    """The judgement of a candidate that passed."""
    return Judgement(Candidate(position, "{...}", row or {"Question": f"q{position}"}), category)


def refused(position: int, reason: str = "echo", category: str = "") -> Judgement:
    """The judgement of a candidate that a check refused."""
    return Judgement(Candidate(position, f"text {position}", None), category, Rejection(reason, "says why"))


def add(journal: Journal, number: int, judgements: list[Judgement], category: str = "tasks") -> int:
    """One batch from its plan to its judgements; the id of its call."""
    journal.add_batch(batch(number, category))
    call = journal.add_reply(number, "rows", Reply(f"reply {number}", "imitator", Usage(10, 20)))
    journal.judge(call, judgements)
    return call


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """A new journal in ``tmp_path``."""
    with make(tmp_path) as made:
        yield made


# --- what is added is read back --------------------------------------------------------------------------


def test_origin_and_seeds_are_there_from_the_beginning(tmp_path: Path) -> None:
    """A run directory says what it was begun with, before anything is grown."""
    hard = [*SEEDS, SeedRow({HARD: [1, 12345678901234567890, 28.0, None, HARD]}, HARD, 9)]
    Journal.create(tmp_path, METADATA, hard).close()
    with History.open(tmp_path) as history:
        assert history.seeds() == hard
        assert history.notes() == {"recipe": METADATA.recipe, "seeds_digest": "ab12", "seed": 7, "version": "0.1.0"}
        assert history.state().seeds == 3
        assert history.state().requests == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [JOURNAL_NAME]


def test_every_word_of_a_reply_and_its_judgements_comes_back_unchanged(tmp_path: Path) -> None:
    """Text of any code points, usage, spans and evidence survive the disk."""
    reply = Reply(HARD, f"model {HARD}", Usage(5, 6, estimated=True), finish_reason=f"stop {HARD}", seconds=1.25)
    planned = Batch(4, f"category {HARD}", count=20, requested_before=60, demos=(1, 2, 17))
    row = {"RawLog": HARD, "id": 12345678901234567890, "f": 28.0, "": None}
    good = Judgement(Candidate(1, "piece", row), HARD, None, {"Answer": (3, 9), HARD: (0, 1)})
    bad = Judgement(
        Candidate(0, HARD, None, "not JSON"), "", Rejection("near-duplicate", HARD, nearest=2, score=0.9375)
    )
    with make(tmp_path) as journal:
        journal.add_batch(planned)
        call = journal.add_reply(4, "rows", reply)
        journal.judge(call, [bad, good])
    with History.open(tmp_path) as history:
        (recorded,) = history.replies()
        assert (recorded.call, recorded.batch, recorded.step, recorded.reply) == (call, planned, "rows", reply)
        (grown,) = history.rows()
        assert (grown.number, grown.call, grown.position, grown.category) == (1, call, 1, HARD)
        assert (grown.row, list(grown.row), grown.spans) == (row, list(row), good.spans)
        (rejection,) = history.rejections()
        assert rejection == (1, call, 0, "", "near-duplicate", HARD, 2, 0.9375, HARD)


def test_failures_are_counted_by_reason_and_keep_their_words(tmp_path: Path) -> None:
    """A call without a reply and a reply without candidates are both failed, billed, and end their batches."""
    with make(tmp_path) as journal:
        for number in (1, 2):
            journal.add_batch(batch(number))
        first = journal.add_failure(1, "rows", Failure("timeout", HARD, Usage(7, 0), seconds=60.0))
        second = journal.add_reply(2, "rows", Reply("I cannot.", "m", Usage(7, 3)))
        journal.fail(second, "refusal", "the model declined")
    with History.open(tmp_path) as history:
        assert [failure[:] for failure in history.failures()] == [
            (first, 1, "rows", "timeout", HARD),
            (second, 2, "rows", "refusal", "the model declined"),
        ]
        state = history.state()
        assert state.failed == {"refusal": 1, "timeout": 1}
        assert (state.requests, state.unjudged, state.tokens) == (2, 0, Usage(14, 3))
        assert history.open_batches() == []
        assert [outcome.failed for outcome in history.outcomes()] == ["timeout", "refusal"]


def test_row_leads_to_its_replies_batch_and_demonstrations(journal: Journal) -> None:
    """From a row number to the replies of all the steps, the batch, and the rows that were shown."""
    add(journal, 1, [accepted(0, Question="first")])
    journal.add_batch(Batch(2, "tasks", 1, 3, demos=(1, 3)))
    questions = journal.add_reply(2, "questions", Reply("Q", "m"))
    answers = journal.add_reply(2, "answers", Reply("A", "m"))
    journal.judge(answers, [accepted(0, Question="second"), refused(1)])
    history = journal.history
    row = history.row(2)
    assert row is not None
    assert row.row == {"Question": "second"}
    steps = history.batch_replies(row.call)
    assert [(step.call, step.step, step.reply.text) for step in steps] == [
        (questions, "questions", "Q"),
        (answers, "answers", "A"),
    ]
    assert [[reply.call for reply in batch] for batch in history.replies_by_batch()] == [[1], [questions, answers]]
    assert history.pool_rows(steps[-1].batch.demos) == {1: SEEDS[0].row, 3: {"Question": "first"}}
    rejection = history.rejection(1)
    assert rejection is not None
    assert rejection.call == answers
    assert history.row(3) is None
    assert history.rejection(2) is None
    assert history.pool_rows([0, 2, 5]) == {2: SEEDS[1].row}


def test_rejections_are_listed_by_reason(journal: Journal) -> None:
    """One reason's rejections alone, in the order of judging, from any point on."""
    add(journal, 1, [refused(0, "echo"), refused(1, "empty"), refused(2, "echo"), refused(3, "echo")])
    assert [found.position for found in journal.history.rejections("echo")] == [0, 2, 3]
    assert [found.position for found in journal.history.rejections("echo", after=1)] == [2, 3]
    assert [found.position for found in journal.history.rejections(after=2)] == [2, 3]


# One value of every key as it is on the disk: older run directories must keep opening.
STORED: dict[str, Any] = {
    "recipe": 'name = "logs"\n',
    "seeds_digest": "ab12",
    "seed": 7,
    "version": "0.1.0",
    "quotas": [[0, {"tasks": 1}], [9, {"tasks": 4, HARD: 5}]],
    "prices": {"m": [0.15, 0.6]},
    "preflights": {"m": [1, 20, 3, 0]},
    "reasons": {"novelty.fields": "why"},
    "materials": {"lists": {"topic": ["a"]}, "templates": {}},
    "remarks": ["m was set aside"],
    "stopped": "done",
    "seconds": 1.5,
    "exhausted": sorted([HARD, "users"]),
    "started": "2026-11-26T20:00:00+00:00",
    "held_out": [{"Question": "Q1", "Answer": "1"}],
    "few_rows": 600.0,
    "concurrency": 8,
    "parts": {"first": 2, "step": 4},
}


def test_metadata_is_stored_under_the_keys_of_the_format(tmp_path: Path) -> None:
    """Each field has its key, and its value survives a reopening; missing keys have their defaults."""
    assert RunMetadata.from_notes({}) == RunMetadata("", "", 0, "")
    metadata = RunMetadata.from_notes(STORED)
    assert metadata.to_notes() == STORED
    with make(tmp_path) as journal:
        assert journal.history.metadata() == METADATA
        journal.write_metadata(metadata)
    with History.open(tmp_path) as history:
        assert history.metadata() == metadata
        assert history.notes() == STORED


def test_a_field_is_replaced_and_unknown_keys_stay(tmp_path: Path) -> None:
    """A value may return to its default; keys of a later version are not touched."""
    with make(tmp_path) as journal:
        journal.write_exhausted({"users", HARD})
        journal.write_metadata(replace(journal.history.metadata(), seconds=2.5))
    connection = sqlite3.connect(tmp_path / JOURNAL_NAME)
    connection.execute("INSERT INTO notes VALUES ('later', '1')")
    connection.commit()
    connection.close()
    with Journal.open(tmp_path) as journal:
        assert journal.history.state().exhausted == {"users", HARD}
        journal.write_exhausted(())
    with History.open(tmp_path) as history:
        assert history.state().exhausted == frozenset()
        assert history.metadata() == replace(METADATA, seconds=2.5)
        assert history.notes()["later"] == 1


def test_numbers_continue_after_a_reopening(tmp_path: Path) -> None:
    """Calls, rows and rejections of a resumed run are numbered after the recorded ones."""
    with make(tmp_path) as journal:
        add(journal, 1, [accepted(0), accepted(1), refused(2)])
    with Journal.open(tmp_path) as journal:
        assert add(journal, 2, [accepted(0), refused(1)]) == 2
    with History.open(tmp_path) as history:
        assert [row.number for row in history.rows()] == [1, 2, 3]
        assert [rejection.id for rejection in history.rejections()] == [1, 2]


def test_the_last_stage_has_the_current_quotas() -> None:
    """A run without a recorded stage has none."""
    assert METADATA.current_quotas == {}
    assert RunMetadata.from_notes(STORED).current_quotas == {"tasks": 4, HARD: 5}


def test_rows_file_holds_the_rows_as_judged(tmp_path: Path) -> None:
    """``rows.jsonl`` is the accepted rows in order, one line each, and is made anew from the journal at any time."""
    with make(tmp_path) as journal:
        add(journal, 1, [accepted(0, b="乾", a=HARD), refused(1), accepted(2, n=28.0)])
        path = tmp_path / "rows.jsonl"
        path.write_text("of another run\n")
        assert write_rows(journal.history, path) == 2
        lines = path.read_bytes().decode().split("\n")
    assert lines[0].startswith('{"b": "乾", "a": "\\ud800')
    assert lines[1:] == ['{"n": 28.0}', ""]


# --- each reply once, each batch to its end --------------------------------------------------------------


def test_reply_is_judged_once(journal: Journal) -> None:
    """A second judgement, or one of an unknown call, is refused and harms nothing."""
    call = add(journal, 1, [accepted(0)])
    for again in (call, call + 1):
        with pytest.raises(ValueError, match="unknown or already judged"):
            journal.judge(again, [accepted(1)])
        with pytest.raises(ValueError, match="unknown or already judged"):
            journal.fail(again, "refusal", "")
    add(journal, 2, [accepted(0)])
    assert journal.history.state().accepted == 2


@pytest.mark.parametrize("row", [None, {"n": float("nan")}, {"n": {1, 2}}])
def test_row_that_json_cannot_hold_is_not_accepted(tmp_path: Path, row: Any) -> None:
    """The reply goes on waiting, nothing of it is written, and it can be judged again."""
    with make(tmp_path) as journal:
        journal.add_batch(batch(1))
        call = journal.add_reply(1, "rows", Reply("r", "m"))
        with pytest.raises((ValueError, TypeError)):
            journal.judge(call, [accepted(0), Judgement(Candidate(1, "", row), "tasks")])
        journal.commit()
        assert journal.history.state().candidates == 0
        journal.judge(call, [accepted(0)])
    with History.open(tmp_path) as history:
        assert history.state().accepted == 1


def test_resume_finds_what_is_paid_for_first_and_what_was_in_flight_after(tmp_path: Path) -> None:
    """Open batches: those with replies in the order of recording, then those with none, exactly as planned."""
    planned = [batch(number, category) for number, category in enumerate(["tasks", "users"] * 3, start=1)]
    with make(tmp_path) as journal:
        for each in planned:
            journal.add_batch(each)
        journal.judge(journal.add_reply(1, "rows", Reply("r1", "m")), [])
        late = journal.add_reply(5, "rows", Reply("r5", "m"))
        step = journal.add_reply(2, "questions", Reply("r2q", "m"))
        last = journal.add_reply(2, "answers", Reply("r2a", "m"))
        journal.add_failure(3, "rows", Failure("timeout", "slow"))
    with Journal.open(tmp_path) as journal:
        found = journal.history.open_batches()
        assert [each.batch for each in found] == [planned[4], planned[1], planned[3], planned[5]]
        assert [[reply.call for reply in each.replies] for each in found] == [[late], [step, last], [], []]
        assert journal.history.state().unjudged == 3
        assert journal.history.state().last_batch == 6
        journal.judge(last, [accepted(0)])
        with pytest.raises(ValueError, match="unknown or already judged"):
            journal.judge(step, [accepted(0)])
        assert [each.batch.number for each in journal.history.open_batches()] == [5, 4, 6]
        assert journal.history.state().unjudged == 1


def test_failed_step_ends_its_batch(journal: Journal) -> None:
    """Where the second step fails, the first one's reply waits no more."""
    journal.add_batch(batch(1))
    journal.add_reply(1, "questions", Reply("r", "m"))
    journal.add_failure(1, "answers", Failure("timeout", "slow"))
    assert journal.history.open_batches() == []
    assert journal.history.state().unjudged == 0
    assert list(journal.history.outcomes()) == [BatchOutcome(1, "tasks", 3, 0, 0, 0, "timeout")]


def test_outcomes_tell_hits_from_drift(journal: Journal) -> None:
    """A row counts for the category that it belongs to; its batch's own are its hits."""
    add(journal, 1, [accepted(0, "users"), accepted(1, "tasks"), refused(2), accepted(3, "users")], "users")
    add(journal, 2, [refused(0)], "tasks")
    assert list(journal.history.outcomes()) == [
        BatchOutcome(1, "users", 3, 4, 3, 2, ""),
        BatchOutcome(2, "tasks", 3, 1, 0, 0, ""),
    ]
    assert journal.history.state().categories == {
        "tasks": CategoryCounts(asked=3, candidates=1, accepted=1, hits=0),
        "users": CategoryCounts(asked=3, candidates=4, accepted=2, hits=2),
    }


CATEGORIES = st.sampled_from(["tasks", "users", "", HARD])
JUDGED = st.lists(st.tuples(CATEGORIES, st.sampled_from(["", "echo", "near-duplicate"])), max_size=5)
WHICH = st.integers(0, 9)
EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("plan"), CATEGORIES, st.integers(1, 20)),
        st.tuples(st.just("reply"), WHICH),
        st.tuples(st.just("judge"), WHICH, JUDGED),
        st.tuples(st.just("fail"), WHICH),
        st.tuples(st.just("lose"), WHICH),
        st.tuples(st.just("reopen")),
    ),
    max_size=25,
)


class Plain:
    """What a journal must say after some events, kept in lists: the obvious version."""

    def __init__(self) -> None:
        self.planned: dict[int, Batch] = {}
        self.over: list[BatchOutcome] = []
        self.waiting: dict[int, int] = {}  # call -> batch
        self.rows: list[str] = []  # their categories
        self.rejected: Counter[str] = Counter()
        self.requests = 0

    def open_batches(self) -> list[Batch]:
        """Those that have not ended."""
        ended = {outcome.batch for outcome in self.over}
        return [one for one in self.planned.values() if one.number not in ended]

    def unasked(self) -> list[Batch]:
        """Those that have neither ended nor a reply."""
        return [one for one in self.open_batches() if one.number not in self.waiting.values()]

    def end(self, one: Batch, judged: list[tuple[str, str]], failed: str = "") -> None:
        """A batch ends with these judgements: (category, reason)."""
        good = [category for category, reason in judged if not reason]
        hits = good.count(one.category)
        self.over.append(BatchOutcome(one.number, one.category, one.count, len(judged), len(good), hits, failed))
        self.rows += good
        self.rejected.update(reason for _, reason in judged if reason)

    def tallies(self) -> dict[str, CategoryCounts]:
        """The counts of each category."""
        names = {one.category for one in self.planned.values()} | set(self.rows)
        return {
            name: CategoryCounts(
                asked=sum(one.count for one in self.planned.values() if one.category == name),
                candidates=sum(outcome.candidates for outcome in self.over if outcome.category == name),
                accepted=self.rows.count(name),
                hits=sum(outcome.hits for outcome in self.over if outcome.category == name),
            )
            for name in names
        }


def happen(event: tuple[Any, ...], journal: Journal, plain: Plain) -> None:
    """Let one event happen to both, where it can."""
    kind, *values = event
    unasked = plain.unasked()
    if kind == "plan":
        one = Batch(len(plain.planned) + 1, values[0], values[1], 0, ())
        plain.planned[one.number] = one
        journal.add_batch(one)
    elif kind == "reply" and unasked:
        one = unasked[values[0] % len(unasked)]
        call = journal.add_reply(one.number, "rows", Reply("text", "m", Usage(3, 4)))
        plain.waiting[call] = one.number
        plain.requests += 1
    elif kind == "lose" and unasked:
        one = unasked[values[0] % len(unasked)]
        journal.add_failure(one.number, "rows", Failure("timeout", "slow", Usage(3, 4)))
        plain.end(one, [], "timeout")
        plain.requests += 1
    elif kind in ("judge", "fail") and plain.waiting:
        call = sorted(plain.waiting)[values[0] % len(plain.waiting)]
        one = plain.planned[plain.waiting.pop(call)]
        if kind == "fail":
            journal.fail(call, "refusal", "no")
            plain.end(one, [], "refusal")
        else:
            judged = list(enumerate(values[1]))
            journal.judge(call, [refused(at, why, of) if why else accepted(at, of) for at, (of, why) in judged])
            plain.end(one, values[1])


@given(EVENTS)
@settings(max_examples=40)
def test_history_is_what_plain_lists_say(events: list[tuple[Any, ...]]) -> None:
    """Any sequence of events, with reopenings between, gives the counts and rows of lists that forget nothing."""
    plain = Plain()
    with tempfile.TemporaryDirectory() as name:
        journal = make(Path(name))
        for event in events:
            if event == ("reopen",):
                journal.close()
                journal = Journal.open(Path(name))
            happen(event, journal, plain)
        journal.close()
        with History.open(Path(name)) as history:
            state = history.state()
            assert [(row.number, row.category) for row in history.rows()] == list(enumerate(plain.rows, start=1))
            assert sorted(history.outcomes()) == sorted(plain.over)
            found = [open_batch.batch for open_batch in history.open_batches()]
            assert sorted(found, key=lambda one: one.number) == plain.open_batches()
    assert state.conserved
    assert (state.accepted, state.rejected) == (len(plain.rows), dict(plain.rejected))
    assert state.failed == dict(Counter(outcome.failed for outcome in plain.over if outcome.failed))
    assert (state.requests, state.unjudged) == (plain.requests, len(plain.waiting))
    assert (state.tokens.input, state.tokens.output) == (3 * plain.requests, 4 * plain.requests)
    assert state.categories == plain.tallies()
