"""The journal's own integrity: nothing is missing, and every candidate has one outcome; by plain SQL.

Does not handle: whether an outcome is right (``rules``, ``pairs``).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

from selfinstruct.analysis.audit.claims import Claim
from selfinstruct.messages import Phrase

#: Numbers that count from 1 without a gap.
_NUMBERED = {"rows": "number", "rejections": "id", "seeds": "number", "passages": "number", "decisions": "id"}


def audit_integrity(database: sqlite3.Connection) -> Claim:
    """SQLite's own check of every page and index, references between tables, and numbers without a gap."""

    def problems() -> Iterator[str]:
        for (message,) in database.execute("PRAGMA integrity_check"):
            if message != "ok":
                yield f"run.sqlite: {message}"
        for table, row, parent, _ in database.execute("PRAGMA foreign_key_check"):
            yield Phrase(
                "run.sqlite: record {row} of {table} refers to a record of {parent} that is missing",
                row=row,
                table=table,
                parent=parent,
            )
        for table, key in _NUMBERED.items():
            count, last = database.execute(f"SELECT COUNT(*), COALESCE(MAX({key}), 0) FROM {table}").fetchone()
            if count != last:
                yield Phrase(
                    "run.sqlite: {missing} of {total} records of {table} are missing",
                    missing=last - count,
                    total=last,
                    table=table,
                )
        for (call,) in database.execute(
            "SELECT id FROM calls WHERE id NOT IN (SELECT call FROM replies) AND id NOT IN (SELECT call FROM failures)"
        ):
            yield Phrase("run.sqlite: call {call} has neither a reply nor a failure", call=call)
        for (call,) in database.execute(
            "SELECT j.call FROM judged j LEFT JOIN replies r ON r.call = j.call "
            "WHERE j.candidates > 0 AND r.call IS NULL"
        ):
            yield Phrase("run.sqlite: the reply of call {call} is missing", call=call)

    tables = ("seeds", "batches", "calls", "replies", "rows", "rejections", "failures", "passages", "decisions")
    records = sum(_count(database, table) for table in tables)
    return Claim.of("journal", Phrase("the journal is intact and complete"), "record", records, problems())


def audit_conservation(database: sqlite3.Connection) -> Claim:
    """Each candidate of each reply was accepted or rejected, once: its positions are 0, 1, ... without a gap."""
    outcomes = "SELECT call, position FROM rows UNION ALL SELECT call, position FROM rejections"
    found = {
        call: figures
        for call, *figures in database.execute(
            f"SELECT call, COUNT(*), COUNT(DISTINCT position), MIN(position), MAX(position) FROM ({outcomes}) "
            "GROUP BY call"
        )
    }
    judged = dict(database.execute("SELECT call, candidates FROM judged WHERE candidates IS NOT NULL"))

    def problems() -> Iterator[str]:
        for call in sorted(found.keys() | judged.keys()):
            candidates = judged.get(call, 0)
            outcomes, places, first, last = found.get(call, (0, 0, 0, candidates - 1))
            if (outcomes, places, first, last) != (candidates, candidates, 0, candidates - 1):
                yield Phrase(
                    "call {call}: {candidates} candidates, but {outcomes} were accepted or rejected",
                    call=call,
                    candidates=candidates,
                    outcomes=outcomes,
                )

    rows, rejections = _count(database, "rows"), _count(database, "rejections")
    failed = _count(database, "failures")
    waiting = _count(database, "calls") - _count(database, "judged")
    detail = Phrase(
        "{rows:,} accepted, {rejections:,} rejected; {failed:,} failed calls; {waiting:,} calls not judged yet",
        rows=rows,
        rejections=rejections,
        failed=failed,
        waiting=waiting,
    )
    return Claim.of(
        "conservation",
        Phrase("every candidate was accepted or rejected, once"),
        "candidate",
        sum(judged.values()),
        problems(),
        detail=detail,
    )


def recount(database: sqlite3.Connection) -> dict[str, Any]:
    """The figures of ``summary.json`` that the tables alone determine."""
    categories = dict(
        database.execute("SELECT g.name, COUNT(*) FROM rows r JOIN categories g ON g.id = r.category GROUP BY g.id")
    )
    return {
        "seeds": _count(database, "seeds"),
        "accepted": _count(database, "rows"),
        "candidates": database.execute("SELECT COALESCE(SUM(candidates), 0) FROM judged").fetchone()[0],
        "rejected": dict(database.execute("SELECT reason, COUNT(*) FROM rejections GROUP BY reason")),
        "failed": dict(database.execute("SELECT reason, COUNT(*) FROM failures GROUP BY reason")),
        "categories": {name.decode("utf-8", "surrogatepass"): count for name, count in categories.items()},
        "tokens": dict(
            zip(
                ("input", "output"),
                database.execute("SELECT COALESCE(SUM(input), 0), COALESCE(SUM(output), 0) FROM calls").fetchone(),
                strict=True,
            )
        ),
        "requests": database.execute("SELECT COALESCE(SUM(tries), 0) FROM calls").fetchone()[0],
    }


def _count(database: sqlite3.Connection, table: str) -> int:
    return int(database.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0])
