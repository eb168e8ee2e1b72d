"""All counts of a run, from the tables of its journal and a person's decisions.

Does not handle: transactions (``history`` reads them all in one).
"""

from __future__ import annotations

from selfinstruct.journal.decided import Query, changed_categories, changed_rejections, effects, more_rows
from selfinstruct.journal.decisions import Decisions
from selfinstruct.journal.entries import CategoryCounts, Spent, State, decode_text
from selfinstruct.journal.metadata import RunMetadata
from selfinstruct.records import Usage

# Rows are first counted by call, in the index alone, so that the join has thousands of rows and not a million.
_ACCEPTED = """
    SELECT g.name, SUM(n), SUM(CASE WHEN b.category = r.category THEN n ELSE 0 END)
    FROM (SELECT call, category, COUNT(*) AS n FROM rows GROUP BY call, category) r
         JOIN calls c ON c.id = r.call JOIN batches b ON b.number = c.batch
         JOIN categories g ON g.id = r.category
    GROUP BY r.category"""
_CANDIDATES = """
    SELECT g.name, SUM(j.candidates) FROM judged j JOIN calls c ON c.id = j.call
         JOIN batches b ON b.number = c.batch JOIN categories g ON g.id = b.category
    WHERE j.candidates IS NOT NULL GROUP BY b.category"""
_SPENT = """
    SELECT g.name, c.model, SUM(c.tries), SUM(c.input), SUM(c.output), MAX(c.estimated), SUM(c.cached)
    FROM calls c JOIN batches b ON b.number = c.batch JOIN categories g ON g.id = b.category
    GROUP BY b.category, c.model ORDER BY b.category, c.model"""
_ASKED = "SELECT g.name, SUM(b.count) FROM batches b JOIN categories g ON g.id = b.category GROUP BY b.category"


def read_state(query: Query, metadata: RunMetadata, decisions: Decisions) -> State:
    """Return the counts of a run."""
    calls = _count(query, "calls")
    judged, candidates = query("SELECT COUNT(*), COALESCE(SUM(candidates), 0) FROM judged")[0]
    refused = dict(query("SELECT reason, COUNT(*) FROM rejections GROUP BY reason ORDER BY reason"))
    grown, changed = _count(query, "rows"), effects(query, decisions)
    return State(
        seeds=_count(query, "seeds"),
        accepted=grown + more_rows(changed),
        candidates=candidates,
        rejected=changed_rejections(refused, changed),
        failed=dict(query("SELECT reason, COUNT(*) FROM failures GROUP BY reason ORDER BY reason")),
        calls=calls,
        unjudged=calls - judged,
        spent=_spent(query, metadata),
        last_batch=query("SELECT COALESCE(MAX(number), 0) FROM batches")[0][0],
        categories=changed_categories(_category_counts(query), changed),
        exhausted=metadata.exhausted,
        grown=grown,
        decisions=decisions.counts,
    )


def _spent(query: Query, metadata: RunMetadata) -> tuple[Spent, ...]:
    # Calls before the first batch belong to no category.
    preflights = [("", model, *figures) for model, figures in metadata.preflights.items()]
    calls = [(decode_text(name), decode_text(model), *figures) for name, model, *figures in query(_SPENT)]
    return tuple(
        Spent(category, model, requests, Usage(input_tokens, output_tokens, bool(estimated), *cached))
        for category, model, requests, input_tokens, output_tokens, estimated, *cached in (*calls, *preflights)
    )


def _category_counts(query: Query) -> dict[str, CategoryCounts]:
    asked = dict(query(_ASKED))
    candidates = dict(query(_CANDIDATES))
    accepted = {name: (all_of_it, hits) for name, all_of_it, hits in query(_ACCEPTED)}
    return {
        decode_text(name): CategoryCounts(asked.get(name, 0), candidates.get(name, 0), *accepted.get(name, (0, 0)))
        for (name,) in query("SELECT name FROM categories ORDER BY id")
        if name in asked or name in accepted
    }


def _count(query: Query, table: str) -> int:
    return int(query(f"SELECT COUNT(*) FROM {table}")[0][0])
