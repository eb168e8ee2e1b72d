"""Rebuild a damaged journal from its readable records.

A reply with an incomplete judgement is judged again when the run is resumed, and the remaining rows of that judgement
are dropped. If the reply itself is lost, its rows and rejections are kept.

Does not handle: counting records of which nothing is left. The resumed run requests the rows that its quotas lack.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from selfinstruct.journal.database import JOURNAL_NAME, new_journal
from selfinstruct.journal.entries import SeedRow, decode_text, encode_text
from selfinstruct.journal.inbox import post, waiting
from selfinstruct.journal.metadata import RunMetadata
from selfinstruct.journal.recovered_decisions import readable_decisions, renumbered
from selfinstruct.journal.salvage import Record, Tables, salvage
from selfinstruct.messages import Phrase
from selfinstruct.records import JSON, Row
from selfinstruct.rows import to_json

_LOST = "lost"
# Of the calls: tries and cached tokens, where a record is older than these columns.
_LATER_COLUMNS = (1, 0)


@dataclass(frozen=True, slots=True)
class Recovered:
    """The number of saved rows and replies, and descriptions of known losses."""

    rows: int
    replies: int
    lost: tuple[str, ...]


class DamagedJournal:
    """The readable content of the journal in ``directory``; its files are not changed."""

    def __init__(self, directory: Path) -> None:
        path = directory / JOURNAL_NAME
        log = path.with_name(f"{path.name}-wal")
        self._tables: Tables = salvage(path.read_bytes(), log.read_bytes() if log.exists() else b"")
        rows = self._tables["rows"]
        self._tables["rows"] = {key: record for key, record in rows.items() if _json(record[4]) is not None}
        self._waiting = waiting(directory)
        self.names = {key: decode_text(record[1]) for key, record in self._tables["categories"].items()}

    @property
    def metadata(self) -> RunMetadata:
        """The readable metadata of the run, with defaults for the rest."""
        return RunMetadata.from_notes(self._notes)

    @property
    def _notes(self) -> dict[str, JSON]:
        # Pages that the tree no longer reaches come last, and may have outdated values: the first one wins.
        found = reversed(list(self._tables["notes"].values()))
        return {key: value for key, text in found if (value := _json(text)) is not None}

    @property
    def seeds(self) -> list[tuple[Row, int, int]]:
        """The readable seeds, in order: row, id of the category, line."""
        found = [(_json(record[3]), record[1], record[2]) for _, record in sorted(self._tables["seeds"].items())]
        return [seed for seed in found if isinstance(seed[0], dict)]

    @property
    def lines(self) -> list[str]:
        """The rows that the run accepted, each as a line of JSON, in order."""
        return [record[4] for _, record in sorted(self._tables["rows"].items())]

    @property
    def passages(self) -> list[Row]:
        """The passages of the run, in order; empty where some are lost, so that their documents are read again."""
        found = {key: _json(text) for key, (_, text) in self._tables["passages"].items()}
        if sorted(found) != list(range(1, len(found) + 1)):
            return []
        passages = [found[key] for key in sorted(found)]
        return passages if all(isinstance(passage, dict) for passage in passages) else []

    def rebuild(
        self, directory: Path, metadata: RunMetadata, seeds: Sequence[SeedRow], categorise: Callable[[Row], str]
    ) -> Recovered:
        """Create the journal of ``directory`` from all this, atomically.

        ``categorise`` returns the category of a row whose own is lost. Raises StorageError if the disk fails.
        """
        with new_journal(directory / JOURNAL_NAME) as connection:
            connection.execute("BEGIN")
            notes = self._notes | metadata.changes(self._notes)
            rebuild = _Rebuild(self._tables, connection, dict(self.names), categorise)
            done = rebuild.run(notes, seeds, self.passages)
            connection.execute("COMMIT")
        for decision in renumbered(self._waiting, rebuild.row_numbers, rebuild.rejection_numbers):
            if decision is not None:
                post(directory, decision)
        return done


class _Rebuild:
    """One rebuild: the old tables, the new database, and the names of categories by their old ids."""

    def __init__(
        self, old: Tables, new: sqlite3.Connection, names: dict[int, str], categorise: Callable[[Row], str]
    ) -> None:
        self._old = old
        self._new = new
        self._names = names
        self._categorise = categorise
        self._ids: dict[str, int] = {}
        self._pool: dict[int, int] = {}  # pool ids: old -> new
        #: The new numbers of rows and rejections by their old ones.
        self.row_numbers: dict[int, int] = {}
        self.rejection_numbers: dict[int, int] = {}
        self._lost_decisions = 0
        self._incomplete = self._lost_calls = self._lost_replies = 0
        self._rows = _by_call(old["rows"])
        self._rejections = _by_call(old["rejections"])
        self._last = {record[1]: call for call, record in sorted(old["calls"].items())}  # batch -> its last step

    def run(self, notes: Mapping[str, JSON], seeds: Sequence[SeedRow], passages: Sequence[Row]) -> Recovered:
        """Write all tables, in order."""
        for key, value in notes.items():
            self._new.execute("INSERT OR REPLACE INTO notes VALUES (?, ?)", (key, json.dumps(value)))
        for number, seed in enumerate(seeds, start=1):
            self._put("seeds", number, self._id(seed.category), seed.line, to_json(seed.row))
            self._pool[number] = number
        for number, passage in enumerate(passages, start=1):
            self._put("passages", number, json.dumps(passage))
        for number, (_, *job) in sorted(self._old["jobs"].items()):
            self._put("jobs", number, *job)
        calls = self._calls()
        judged = {call: self._judgement(call, record) for call, record in calls.items()}
        kept = [
            (number, record) for number, record in sorted(self._old["rows"].items()) if judged.get(record[1]) == _KEEP
        ]
        for number, (old, _) in enumerate(kept, start=1):
            self.row_numbers[old] = number
            self._pool[len(seeds) + old] = len(seeds) + number
        self._put_batches(calls)
        for call, record in calls.items():
            self._put_call(call, record, judged[call])
        for number, (_, (_, call, position, category, line, spans)) in enumerate(kept, start=1):
            self._put("rows", number, call, position, self._category(category, line), line, spans)
        refused = [pair for pair in sorted(self._old["rejections"].items()) if judged.get(pair[1][1]) == _KEEP]
        for number, (old, _) in enumerate(refused, start=1):
            self.rejection_numbers[old] = number
            self._pool[-old] = -number
        for number, (_, (_, call, position, category, reason, message, near, score, text)) in enumerate(refused, 1):
            where = (number, call, position, self._category(category, ""))
            self._put("rejections", *where, reason, message, self._pool.get(near), score, text)
        self._put_decisions()
        self._new.executemany(
            "INSERT INTO categories VALUES (?, ?)", [(number, encode_text(name)) for name, number in self._ids.items()]
        )
        lost = self._losses(passages_lost=len(self._old["passages"]) > len(passages))
        return Recovered(len(kept), len(self._old["replies"]), tuple(lost))

    def _losses(self, *, passages_lost: bool) -> Iterator[str]:
        if self._incomplete:
            yield Phrase(
                "{count:,} replies have incomplete judgements: they are judged again, without a call",
                count=self._incomplete,
            )
        if self._lost_replies:
            yield Phrase("{count:,} calls have lost their reply: their judgements are kept", count=self._lost_replies)
        if self._lost_calls:
            yield Phrase(
                "{count:,} calls have lost their record: their tokens and cost are unknown", count=self._lost_calls
            )
        if self._lost_decisions:
            yield Phrase(
                "{count:,} decisions of a person are lost with their rows: judge these rows again",
                count=self._lost_decisions,
            )
        if passages_lost:
            yield Phrase("some passages are lost: the documents are read again when the run is resumed")

    def _calls(self) -> dict[int, Record]:
        """Every call that a record refers to; one whose own record is lost gets a batch of its own."""
        known = self._old["calls"]
        ids = sorted({*known, *self._old["replies"], *self._old["failures"], *self._rows, *self._rejections})
        free = 1 + max([0, *self._old["batches"], *(record[1] for record in known.values())])
        calls: dict[int, Record] = {}
        for call in ids:
            if call in known:
                record = known[call]
                calls[call] = (*record, *_LATER_COLUMNS[len(record) - 9 :])
            else:
                calls[call] = (None, free, "imitate", b"", _LOST.encode(), 0, 0, 0, 0.0, *_LATER_COLUMNS)
                free += 1
                self._lost_calls += 1
        return calls

    def _judgement(self, call: int, record: Record) -> str:
        """Whether the judgement of a call is kept, made again, or that of an earlier step."""
        found = len(self._rows.get(call, ())) + len(self._rejections.get(call, ()))
        noted = self._old["judged"].get(call)
        if call in self._old["failures"] or (noted is not None and noted[1] == found):
            return _KEEP
        if (noted is not None and noted[1] is None) or (not found and call < self._last.get(record[1], 0)):
            return _STEP
        if call in self._old["replies"]:
            self._incomplete += noted is not None or found > 0
            return _AGAIN
        return _KEEP

    def _put_batches(self, calls: Mapping[int, Record]) -> None:
        batches = self._old["batches"]
        lost = {record[1]: call for call, record in calls.items() if record[1] not in batches}
        for number, (_, category, count, asked, demos, *given) in sorted(batches.items()):
            shown = [self._pool[each] for each in _json(demos) or () if each in self._pool]
            values = [text for text in given if _json(text) is not None] or ["{}"]
            self._put("batches", number, self._category(category, ""), count, asked, json.dumps(shown), *values)
        for number, call in sorted(lost.items()):
            rows = [self._old["rows"][row] for row in self._rows.get(call, ())]
            category = self._category(rows[0][3], rows[0][4]) if rows else self._any_category()
            self._put("batches", number, category, max(len(rows), 1), 0, "[]", "{}")

    def _put_call(self, call: int, record: Record, judgement: str) -> None:
        reply = self._old["replies"].get(call)
        failure = self._old["failures"].get(call)
        found = len(self._rows.get(call, ())) + len(self._rejections.get(call, ()))
        self._put("calls", call, *record[1:])
        if reply is not None:
            self._put("replies", call, reply[1])
        elif failure is None and not found:
            failure = (None, _LOST, encode_text("the journal was damaged: this reply is lost"))
        elif failure is None:
            self._lost_replies += 1
            self._put("replies", call, b"")
        if failure is not None:
            self._put("failures", call, failure[1], failure[2])
        if judgement == _STEP:
            self._put("judged", call, None)
        elif judgement == _KEEP:
            self._put("judged", call, found)

    def _put_decisions(self) -> None:
        found = list(readable_decisions(self._old["decisions"], self._names))
        kept = [each for each in renumbered(found, self.row_numbers, self.rejection_numbers) if each is not None]
        self._lost_decisions = len(self._old["decisions"]) - len(kept)
        for number, each in enumerate(kept, start=1):
            row, rejection = (each.target, None) if each.target > 0 else (None, -each.target)
            said = each.action, encode_text(each.reason), encode_text(each.person), each.at
            category = self._id(each.category) if each.line is not None else None
            values = (each.line, each.spans_line, category, each.after_call)
            self._put("decisions", number, each.key, row, rejection, *said, *values)

    def _put(self, table: str, *values: JSON) -> None:
        self._new.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(values))})", values)

    def _category(self, old: int, line: str) -> int:
        """The new id of a category by its old one, or by one of its rows if its name is lost."""
        if old not in self._names:
            row = _json(line)
            if not isinstance(row, dict):
                return self._any_category()
            self._names[old] = self._categorise(row)
        return self._id(self._names[old])

    def _any_category(self) -> int:
        return next(iter(self._ids.values())) if self._ids else self._id("")

    def _id(self, name: str) -> int:
        return self._ids.setdefault(name, len(self._ids) + 1)


# A judgement is kept, made again, or that of an earlier step of its batch.
_KEEP, _AGAIN, _STEP = "keep", "again", "step"


def _by_call(table: Mapping[int, Record]) -> dict[int, list[int]]:
    """The ids of rows or rejections by their call."""
    found: defaultdict[int, list[int]] = defaultdict(list)
    for number, record in table.items():
        found[record[1]].append(number)
    return found


def _json(text: str) -> JSON:
    """The value of a JSON text, or None if it is invalid."""
    try:
        return json.loads(text)
    except ValueError:
        return None
