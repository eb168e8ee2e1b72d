"""From a source (a seed file, a recipe, rows in memory) to a prepared run.

``prepare`` reads and checks the seeds, infers missing settings, and sets categories, thresholds and quotas;
``prepared_from_journal`` does so for a recorded run. ``JudgingState`` is the state that judging starts from.

Does not handle: run directories, calling models, judging.
"""

from selfinstruct.preparation.categories import Categorizer
from selfinstruct.preparation.chat_roles import chat_roles, roles_by_name, roles_of_columns
from selfinstruct.preparation.infer import context_fields, infer, make_categories, prose_field, value_statistics
from selfinstruct.preparation.judging_state import JudgingState
from selfinstruct.preparation.passage_questions import constants_of, make_questions, with_questions
from selfinstruct.preparation.passage_rows import passage_fields
from selfinstruct.preparation.prepare import (
    Prepared,
    build_prepared,
    prepare,
    prepared_from_journal,
    with_capacity,
)
from selfinstruct.preparation.seed_checks import check_seeds
from selfinstruct.preparation.source import Source, model_command, read_source
from selfinstruct.preparation.thresholds import CAP, thresholds
from selfinstruct.preparation.trial import tried

__all__ = [
    "CAP",
    "Categorizer",
    "JudgingState",
    "Prepared",
    "Source",
    "build_prepared",
    "chat_roles",
    "check_seeds",
    "constants_of",
    "context_fields",
    "infer",
    "make_categories",
    "make_questions",
    "model_command",
    "passage_fields",
    "prepare",
    "prepared_from_journal",
    "prose_field",
    "read_source",
    "roles_by_name",
    "roles_of_columns",
    "thresholds",
    "tried",
    "value_statistics",
    "with_capacity",
    "with_questions",
]
