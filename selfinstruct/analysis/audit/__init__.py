"""An audit of a run by other means than its own: brute force, plain SQL, rouge-score itself.

    journal -> integrity, conservation     replies -> provenance     recipe -> rules, quotas, duplicates
    rows -> every pair                     files -> checksums, rows, recipe, summary

None of the indexes and counters of the engine is used. What both share is stated in the claims' modules: the parser of
replies, and the pure checks that a recipe turns on.

Does not handle: a journal whose replies, rows and checksums were all rewritten to agree with each other.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from selfinstruct.analysis.audit.claims import Claim, row_name, seed_name
from selfinstruct.analysis.audit.decided import audit_decisions, recount_decisions
from selfinstruct.analysis.audit.derived import (
    audit_checksums,
    audit_recipe_file,
    audit_rows_file,
    audit_summary_file,
)
from selfinstruct.analysis.audit.ledger import audit_conservation, audit_integrity, recount
from selfinstruct.analysis.audit.origins import Origins, audit_origins
from selfinstruct.analysis.audit.pairs import ComparedPairs, compare_pairs
from selfinstruct.analysis.audit.rules import audit_duplicates, audit_passages, audit_quotas, audit_rules, audit_seeds
from selfinstruct.journal import History
from selfinstruct.journal.database import connect_reader
from selfinstruct.messages import Phrase
from selfinstruct.preparation import Prepared
from selfinstruct.records import Row
from selfinstruct.rows.leaves import leaf_text
from selfinstruct.similarity import compared_text

__all__ = ["Audit", "Claim", "DerivedFiles", "audit_run"]

#: Draws the sample of rows and pairs: the same in every audit of a run.
_SEED = 0


@dataclass(frozen=True, slots=True)
class DerivedFiles:
    """The files of a run directory that the audit compares with the journal."""

    rows: Path
    recipe: Path
    summary: Path
    checksums: Path


@dataclass(frozen=True, slots=True)
class Audit:
    """The claims about a run, each with what was proved of it.

    ``rows`` and ``seeds`` count the accepted rows and the seeds of the run. ``claims`` are in the order of the audit.
    ``stopped`` is why the run ended.
    """

    claims: tuple[Claim, ...]
    rows: int
    seeds: int
    stopped: str

    @property
    def holds(self) -> bool:
        """Whether nothing contradicts any claim."""
        return all(claim.holds for claim in self.claims)

    def to_dict(self) -> dict[str, Any]:
        """The audit as plain JSON values."""
        return {
            "holds": self.holds,
            "rows": self.rows,
            "seeds": self.seeds,
            "stopped": self.stopped,
            "claims": [claim.to_dict() for claim in self.claims],
        }


def audit_run(
    history: History,
    prepared: Prepared,
    files: DerivedFiles,
    *,
    max_pairs: int,
    watch: Callable[[str, int, int], None] = lambda name, done, total: None,
) -> Audit:
    """Prove or refute each claim about the run of this journal; ``prepared`` is its preparation, read from it.

    At most about ``max_pairs`` pairs of rows are compared. ``watch`` gets the name of a claim, and how much of it is
    done and to be done. Raises StorageError where the journal cannot be read.
    """
    watch("journal", 0, 1)
    with contextlib.closing(connect_reader(history.path)) as database:
        ledger = (audit_integrity(database), audit_conservation(database))
        figures = recount_decisions(recount(database), database, history.decisions.log)
    claims = [audit_checksums(history.path.parent, files.checksums), *ledger, audit_seeds(history)]
    claims.append(audit_summary_file(files.summary, figures, history, prepared))
    claims.append(audit_recipe_file(files.recipe, history, prepared))
    claims.append(audit_rows_file(files.rows, history))
    if history.decisions.log:
        claims.append(audit_decisions(history, prepared))
    watch("provenance", 0, 1)
    origins = audit_origins(history, prepared)
    claims.append(origins.claim)
    watch("rules", 0, 1)
    claims.append(audit_rules(history, prepared))
    passages = audit_passages(history, prepared)
    claims += [passages] if passages is not None else []
    claims += [audit_quotas(history, prepared), audit_duplicates(history, prepared)]
    claims.append(_novelty(history, prepared, origins, max_pairs, lambda done, total: watch("novelty", done, total)))
    return Audit(tuple(claims), figures["accepted"], figures["seeds"], history.metadata().stopped)


def _novelty(
    history: History, prepared: Prepared, origins: Origins, max_pairs: int, watch: Callable[[int, int], None]
) -> Claim:
    """No row is nearer to an earlier one than its category allows."""
    seeds = [seed.row for seed in history.seeds()]
    rows: list[Row] = []
    limits = [2.0] * len(seeds)
    groups: list[Hashable | None] = [None] * len(seeds)
    for grown in history.rows():
        rows.append(grown.row)
        limits.append(prepared.thresholds.get(grown.category, 0.0))
        group = origins.groups.get((grown.call, grown.position))
        groups.append((grown.call, group) if group else None)
    found = [
        compare_pairs(texts, limits, len(seeds), groups=groups, max_pairs=max_pairs, rng=Random(_SEED), watch=watch)
        for texts in _compared(prepared, [*seeds, *rows])
    ]
    return Claim.of(
        "novelty",
        Phrase("no row is nearer to an earlier row or a seed than its category allows"),
        "pair",
        sum(each.pairs for each in found),
        (problem for each in found for problem in _near_pairs(each, limits, len(seeds))),
        total=sum(each.all_pairs for each in found),
        detail=Phrase(
            "nearest {highest:.4f}; rouge-score judged {judged:,} of them",
            highest=max((each.highest for each in found), default=0.0),
            judged=sum(each.judged for each in found),
        ),
        unproved=_unproved(found),
    )


def _compared(prepared: Prepared, rows: Sequence[Row]) -> Iterator[list[str]]:
    """The texts of all rows that are compared with each other: one of each row, or one of each field."""
    novelty = prepared.recipe.novelty
    if not novelty.per_field:
        yield [compared_text(row, novelty.fields) for row in rows]
        return
    for name in novelty.fields:
        yield [leaf_text(row[name]) if name in row else "" for row in rows]


def _near_pairs(found: ComparedPairs, limits: Sequence[float], seeds: int) -> Iterator[str]:
    def name(at: int) -> Phrase:
        return seed_name(at + 1) if at < seeds else row_name(at - seeds + 1)

    for other, at, score in found.above:
        yield Phrase(
            "{name}: ROUGE-L F1 of {score:.4f} with {other}; {allowed:.4f} is allowed",
            name=name(at),
            score=score,
            other=name(other),
            allowed=limits[at],
        )
    for other, at, ours, theirs in found.disagreements:
        yield Phrase(
            "{name} and {other}: F1 of {ours:.6f} here, {theirs:.6f} by rouge-score",
            name=name(at),
            other=name(other),
            ours=ours,
            theirs=theirs,
        )


def _unproved(found: Sequence[ComparedPairs]) -> str:
    """What was not compared, or ""."""
    first = found[0]
    if first.rows == first.all_rows:
        return ""
    return Phrase(
        "a random sample of {rows:,} of {total:,} rows, each with all before it", rows=first.rows, total=first.all_rows
    )
