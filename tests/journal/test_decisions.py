"""A person's decisions: what stands of them, the inbox, and what a killed process leaves."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfinstruct.journal import INBOX_NAME, Decision, Decisions, History, Journal, RunMetadata, SeedRow, post, waiting
from selfinstruct.records import Batch, Candidate, Judgement, Rejection, Reply

ROWS, REJECTIONS, BATCHES = 2, 1, 3


def make(directory: Path) -> None:
    """A run of three batches in two categories: six rows and three rejections."""
    directory.mkdir(exist_ok=True)
    with Journal.create(directory, RunMetadata("", "", 0, ""), [SeedRow({"Q": "seed"}, "c", 1)]) as journal:
        for number in range(1, BATCHES + 1):
            journal.add_batch(Batch(number, "c", ROWS, 0, (1,)))
            call = journal.add_reply(number, "rows", Reply("text", "m"))
            good = [Judgement(Candidate(at, "", {"Q": f"{number}.{at}"}), "cd"[at]) for at in range(ROWS)]
            bad = Judgement(Candidate(ROWS, f"no {number}", None), "", Rejection("length", "too long"))
            journal.judge(call, [*good, bad])


def decision(key: int | str, target: int, action: str, line: str | None = None, category: str = "") -> Decision:
    """A decision by "ann"."""
    return Decision(str(key), target, action, "why", "ann", "2026-11-27", line, "{}", category)  # type: ignore[arg-type]


class Oracle:
    """The slow, obvious version: a list of decisions for each row, read anew for each question."""

    def __init__(self) -> None:
        self.lists: dict[int, list[Decision]] = {}
        self.came_in: list[int] = []

    def add(self, made: Decision) -> None:
        """Append a decision, or remove the last one."""
        own = self.lists.setdefault(made.target, [])
        if made.action != "undo":
            own.append(made)
        elif own:
            own.pop()
        counts = bool(own) and own[-1].action != "reject"
        if made.target < 0 and counts and made.target not in self.came_in:
            self.came_in.append(made.target)
        elif made.target < 0 and not counts and made.target in self.came_in:
            self.came_in.remove(made.target)

    def line(self, target: int, recorded: str | None) -> str | None:
        """The row as it stands, or None where it does not count."""
        own = self.lists.get(target, [])
        if not own:
            return recorded
        if own[-1].action == "reject":
            return None
        edits = [each.line for each in own if each.action == "edit"]
        given = [each.line for each in own if each.line is not None]
        return (edits or given or [recorded])[-1]


TARGETS = st.sampled_from([*range(1, ROWS * BATCHES + 1), *range(-REJECTIONS * BATCHES, 0)])


@given(st.lists(st.tuples(TARGETS, st.sampled_from(["accept", "reject", "edit", "undo"])), max_size=30))
@settings(max_examples=25)
def test_any_sequence_of_decisions_leaves_what_a_plain_list_of_them_leaves(
    tmp_path_factory: pytest.TempPathFactory, made: list[tuple[int, str]]
) -> None:
    """Rows, their order, and all counts are those of the oracle: in memory, in the inbox and in the journal."""
    directory, oracle = tmp_path_factory.mktemp("run"), Oracle()
    make(directory)
    with Journal.open(directory) as journal, patch("os.fsync"):
        recorded = {row.number: (row.line, row.category) for row in journal.history.rows()}
        for number, (target, action) in enumerate(made):
            gives = action == "edit" or (action == "accept" and target < 0)
            line = json.dumps({"Q": f"by hand {number}"}) if gives else None
            each = decision(number, target, action, line, "d" if gives else "")
            oracle.add(each)
            post(directory, each)
            if number % 7 == 6:
                journal.take_decisions()
        expected = [line for n, (own, _) in recorded.items() if (line := oracle.line(n, own)) is not None]
        expected += [line for target in oracle.came_in if (line := oracle.line(target, None)) is not None]
        with History.open(directory) as reader:  # some of them wait in the inbox
            before = [row.line for row in reader.final_rows()], reader.state()
        journal.take_decisions()
        assert not (directory / INBOX_NAME).exists()
        after = [row.line for row in journal.history.final_rows()], journal.history.state()
    for lines, state in (before, after):
        assert lines == expected
        assert state.accepted == len(expected) == sum(each.accepted for each in state.categories.values())
        assert state.conserved
        assert state.grown == ROWS * BATCHES
        tops = [own[-1].action == "reject" for own in oracle.lists.values() if own]
        assert (state.decisions.rejected, state.decisions.total) == (sum(tops), len(tops))
        gone = sum(oracle.line(number, "") is None for number in recorded)
        assert state.rejected.get("person", 0) == gone
        assert state.rejected.get("length", 0) == BATCHES - len(oracle.came_in)


def test_an_edited_row_keeps_its_values_when_it_is_accepted_later() -> None:
    """Only another edit or an undo changes the values; a rejection hides them for as long as it stands."""
    known = Decisions()
    steps = [("edit", '{"Q": 1}'), ("accept", None), ("reject", None), ("undo", None), ("undo", None), ("undo", None)]
    found = []
    for number, (action, line) in enumerate(steps):
        change = known.add(decision(number, 4, action, line))
        assert change is not None
        found.append(change.after and (change.after.action, change.after.line))
    value = '{"Q": 1}'
    assert found == [("edit", value), ("edit", value), ("reject", value), ("edit", value), ("edit", value), None]


def test_a_decision_is_recorded_once_however_often_it_is_posted(tmp_path: Path) -> None:
    """A process that dies between the commit and the removal of the inbox repeats it under the same key."""
    make(tmp_path)
    post(tmp_path, decision("k", 1, "reject"))
    inbox = (tmp_path / INBOX_NAME).read_bytes()
    with Journal.open(tmp_path) as journal:
        assert len(journal.take_decisions()) == 1
        (tmp_path / INBOX_NAME).write_bytes(inbox)
        assert journal.take_decisions() == []
        assert journal.history.state().accepted == ROWS * BATCHES - 1


def test_half_a_line_that_nobody_acknowledged_is_dropped(tmp_path: Path) -> None:
    """What a killed process left does not spoil the decisions before and after it."""
    make(tmp_path)
    post(tmp_path, decision("a", 1, "reject"))
    with (tmp_path / INBOX_NAME).open("ab") as file:
        file.write(b'{"key": "half", "target": 2, "act')
    assert [each.key for each in waiting(tmp_path)] == ["a"]
    post(tmp_path, decision("b", 2, "reject"))
    assert [each.key for each in waiting(tmp_path)] == ["a", "b"]


_POSTS = """
import sys
from pathlib import Path
from selfinstruct.journal import Decision, Journal, post
where, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
if name == "writer":
    with Journal.open(where) as journal:
        print("ready", flush=True)
        while True:
            journal.take_decisions()
for number in range(count):
    post(where, Decision(f"{name}-{number}", 1 + number % 6, "reject", "", name))
    print(number, flush=True)
"""


def start(directory: Path, name: str, count: int = 100_000) -> subprocess.Popen[str]:
    """Start a process that posts decisions, or one that moves them into the journal."""
    command = [sys.executable, "-c", _POSTS, str(directory), name, str(count)]
    root = str(Path(__file__).parents[2])
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": root})


@pytest.mark.slow
def test_no_decision_is_lost_or_doubled_when_processes_are_killed(tmp_path: Path) -> None:
    """Two processes post and one moves to the journal; each is killed at random moments and started again."""
    make(tmp_path)
    rng, acknowledged = random.Random(20261127), []
    for turn in range(5):
        processes = {name: start(tmp_path, name) for name in (f"a{turn}", f"b{turn}", "writer")}
        assert processes["writer"].stdout is not None
        assert processes["writer"].stdout.readline() == "ready\n"
        time.sleep(rng.uniform(0.02, 0.4))
        order = list(processes)
        rng.shuffle(order)
        for name in order:
            processes[name].send_signal(signal.SIGKILL)
            time.sleep(rng.uniform(0, 0.02))
        for name, process in processes.items():
            out, _ = process.communicate()
            whole = out[: out.rfind("\n") + 1].split()
            acknowledged += [f"{name}-{number}" for number in whole if name != "writer"]
        with History.open(tmp_path) as reader:
            seen = [each.key for each in reader.decisions.log]
        assert len(seen) == len(set(seen))
        assert set(acknowledged) <= set(seen)
    with Journal.open(tmp_path) as journal:
        journal.take_decisions()
        keys = [each.key for each in journal.history.decisions.log]
    assert len(keys) == len(set(keys))
    assert set(acknowledged) <= set(keys)
    assert len(acknowledged) > 100
