"""One run: plan a batch, send its calls, journal the replies, judge the rows, and plan again.

Does not handle: reading seeds and recipes (``selfinstruct.preparation``), talking to an endpoint
(``selfinstruct.backends``), or the layout of a run directory (``selfinstruct.run_directory``).
"""

from selfinstruct.growth.batch_numbers import BatchNumbers
from selfinstruct.growth.batch_result import BatchResult
from selfinstruct.growth.batch_state import BatchState
from selfinstruct.growth.decided import apply_change, compare_with, show_again, take_decisions
from selfinstruct.growth.echoes import Echoes
from selfinstruct.growth.judging import judge_batch, judge_batches, rows_to_run
from selfinstruct.growth.loop import Loop
from selfinstruct.growth.passage_schedule import PassageGroups, PassageSchedule, passage_groups
from selfinstruct.growth.planner import CategoryProgress, cancel_batch, finish_batch, plan, quotas, start_batch
from selfinstruct.growth.pool import Pool
from selfinstruct.growth.prompt_inputs import (
    PromptInputs,
    made_by_templates,
    parse_list,
    parse_templates,
    read_prompt_inputs,
    recorded_inputs,
)
from selfinstruct.growth.prompt_size import PromptSize
from selfinstruct.growth.resume import restore
from selfinstruct.growth.rows_per_call import RowsPerCall
from selfinstruct.growth.run_counts import RunCounts
from selfinstruct.growth.sampler import PASSAGE, ROUND, Sampler, attribute_categories
from selfinstruct.growth.second_opinion import FIRST_TRAINING, ReaderFields, SecondOpinion
from selfinstruct.growth.step_call import EXPAND, StepCall, first_reply_format
from selfinstruct.growth.step_reply import Draft, StepReply
from selfinstruct.growth.steps import advance

__all__ = [
    "EXPAND",
    "FIRST_TRAINING",
    "PASSAGE",
    "ROUND",
    "BatchNumbers",
    "BatchResult",
    "BatchState",
    "CategoryProgress",
    "Draft",
    "Echoes",
    "Loop",
    "PassageGroups",
    "PassageSchedule",
    "Pool",
    "PromptInputs",
    "PromptSize",
    "ReaderFields",
    "RowsPerCall",
    "RunCounts",
    "Sampler",
    "SecondOpinion",
    "StepCall",
    "StepReply",
    "advance",
    "apply_change",
    "attribute_categories",
    "cancel_batch",
    "compare_with",
    "finish_batch",
    "first_reply_format",
    "judge_batch",
    "judge_batches",
    "made_by_templates",
    "parse_list",
    "parse_templates",
    "passage_groups",
    "plan",
    "quotas",
    "read_prompt_inputs",
    "recorded_inputs",
    "restore",
    "rows_to_run",
    "show_again",
    "start_batch",
    "take_decisions",
]
