"""The checks: judgements of one row, each a pass or a rejection with a stable reason; pure, but for ``tests``.

    candidate -> schema -> field checks -> checks of your own -> tests of code -> row checks -> Judgement

``judge`` stops at the first reason, for a candidate of a run; ``examine`` collects every fault, for a row of a file.
One file a check; ``table`` has their order, cheap ones first and novelty last.

Does not handle: adding accepted rows to the pool, which the caller does between two calls.
"""

from selfinstruct.checks.criteria import (
    AppliedCheck,
    Criteria,
    applied_checks,
    custom_checks,
    custom_rejection,
    field_faults,
    first_rejection,
    run_ahead,
    running_checks,
)
from selfinstruct.checks.custom import Check, CustomCheck
from selfinstruct.checks.judge import Fault, Neighbours, PoolView, examine, judge, judge_alone, judge_in_pool
from selfinstruct.checks.table import FIELD_CHECKS, REASONS

__all__ = [
    "FIELD_CHECKS",
    "REASONS",
    "AppliedCheck",
    "Check",
    "Criteria",
    "CustomCheck",
    "Fault",
    "Neighbours",
    "PoolView",
    "applied_checks",
    "custom_checks",
    "custom_rejection",
    "examine",
    "field_faults",
    "first_rejection",
    "judge",
    "judge_alone",
    "judge_in_pool",
    "run_ahead",
    "running_checks",
]
