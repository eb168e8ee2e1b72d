"""The journal of a run: every batch, reply, row and rejection, in one SQLite file with one writer.

``Journal`` writes it, ``History`` reads it (also while a run goes on), ``Remains`` reads a damaged one, and everything
else in a run directory is derived from it. A reply is committed raw before it is parsed, and is judged wholly or not
at all.
"""

from selfinstruct.journal.database import JOURNAL_NAME
from selfinstruct.journal.entries import (
    BatchOutcome,
    CategoryCounts,
    FailedCall,
    GrownRow,
    OpenBatch,
    RecordedReply,
    RefusedCandidate,
    SeedRow,
    Spent,
    State,
)
from selfinstruct.journal.history import History, write_rows
from selfinstruct.journal.metadata import QuotaStage, RunMetadata
from selfinstruct.journal.recovery import Recovered, Remains
from selfinstruct.journal.writer import Journal

__all__ = [
    "JOURNAL_NAME",
    "BatchOutcome",
    "CategoryCounts",
    "FailedCall",
    "GrownRow",
    "History",
    "Journal",
    "OpenBatch",
    "QuotaStage",
    "RecordedReply",
    "Recovered",
    "RefusedCandidate",
    "Remains",
    "RunMetadata",
    "SeedRow",
    "Spent",
    "State",
    "write_rows",
]
