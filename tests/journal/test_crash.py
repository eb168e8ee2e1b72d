"""Whole runs that are killed, or whose disk refuses: the short form of ``make crash`` (see benchmarks/crash.py).

The harness raises Broken where something does not hold, and says what it did where everything does.
"""

from __future__ import annotations

import os

import pytest

from benchmarks import crash
from benchmarks.kills import kill_at_random

pytestmark = pytest.mark.slow  # a minute of runs that are started, killed and resumed
SEED = int(os.environ.get("SELFINSTRUCT_CRASH_SEED", "20261121"))


def test_runs_that_are_killed_at_random_moments_lose_nothing_and_pay_for_nothing_twice() -> None:
    """Against a server that counts: rows and replies that were seen stay, and only calls in flight are made again."""
    assert kill_at_random(4, SEED, rows=300).startswith("4 kills ")


def test_runs_of_several_steps_lose_no_step_when_they_are_killed() -> None:
    """What a first step brought is not asked for again when the answers to it are still to come."""
    assert kill_at_random(4, SEED, rows=120, stepped=True).startswith("4 kills ")


def test_runs_that_are_killed_at_a_call_that_writes_go_on_from_there() -> None:
    """Before it and after it, in a run that grows on."""
    assert int(crash.kill_everywhere(0.03, SEED, crash.SCENARIOS[1:2]).split()[0]) > 0


def test_runs_whose_disk_refuses_stop_at_once_with_the_cause_and_go_on_when_it_does_not() -> None:
    """ENOSPC, EIO and EACCES from some call that writes on: exit 3 within seconds, and nothing is lost."""
    assert int(crash.fail_disk(0.025, SEED, crash.SCENARIOS[:1]).splitlines()[-1].split()[0]) > 0


def test_torn_logs_lose_nothing_that_was_acknowledged_before() -> None:
    """Cut, zeroed, or garbage from some bytes of the log's last 4 KB on."""
    assert int(crash.tear_log(127, SEED).split()[0]) > 0


def test_of_two_runs_that_start_together_one_is_told_who_is_there() -> None:
    """By pid and host, while the other one grows the directory: it is not waited for."""
    assert crash.start_in_pairs(4, SEED).startswith("4 pairs: ")
