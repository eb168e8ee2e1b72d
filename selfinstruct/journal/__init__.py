"""The journal of a run: every batch, reply, row and rejection, in one SQLite file with one writer.

``Journal`` writes it, ``History`` reads it (also during a run), ``DamagedJournal`` salvages a damaged one. All other
files of a run directory are derived from it. A reply is committed raw before it is parsed, and its judgements are
recorded all together or not at all.

Does not handle: judging, the other files of a run directory, deciding which batch comes next.
"""

from selfinstruct.journal.database import JOURNAL_NAME
from selfinstruct.journal.decisions import (
    ACTIONS,
    BY_PERSON,
    Action,
    Change,
    Decision,
    DecisionCounts,
    Decisions,
    Standing,
    row_name,
)
from selfinstruct.journal.entries import (
    BatchOutcome,
    CategoryCounts,
    FailedCall,
    GrownRow,
    OpenBatch,
    Outcome,
    RecordedReply,
    RefusedCandidate,
    SeedRow,
    SentJob,
    Spent,
    State,
)
from selfinstruct.journal.finished import CalledBatch, called_batches
from selfinstruct.journal.history import History, write_rows
from selfinstruct.journal.inbox import INBOX_NAME, post, waiting
from selfinstruct.journal.lock import LOCK_NAME, Lock, holder_of
from selfinstruct.journal.metadata import QuotaStage, RunMetadata, seeds_digest
from selfinstruct.journal.recovery import DamagedJournal, Recovered
from selfinstruct.journal.results import demos_by_batch, rejections_by_call, seconds_by_reply
from selfinstruct.journal.sent_jobs import count_calls, keys_of_calls, sent_jobs
from selfinstruct.journal.writer import Journal

__all__ = [
    "ACTIONS",
    "BY_PERSON",
    "INBOX_NAME",
    "JOURNAL_NAME",
    "LOCK_NAME",
    "Action",
    "BatchOutcome",
    "CalledBatch",
    "CategoryCounts",
    "Change",
    "DamagedJournal",
    "Decision",
    "DecisionCounts",
    "Decisions",
    "FailedCall",
    "GrownRow",
    "History",
    "Journal",
    "Lock",
    "OpenBatch",
    "Outcome",
    "QuotaStage",
    "RecordedReply",
    "Recovered",
    "RefusedCandidate",
    "RunMetadata",
    "SeedRow",
    "SentJob",
    "Spent",
    "Standing",
    "State",
    "called_batches",
    "count_calls",
    "demos_by_batch",
    "holder_of",
    "keys_of_calls",
    "post",
    "rejections_by_call",
    "row_name",
    "seconds_by_reply",
    "seeds_digest",
    "sent_jobs",
    "waiting",
    "write_rows",
]
