"""Running code that nobody has read: a function and its tests, in a process that can compute and nothing else.

    Program -> Runner -> worker (a bare interpreter) -> a fork for each program, behind a seccomp filter -> verdict

What is prevented, and what is not, is told in ``docs/explanation/running-code.md``.
"""

from __future__ import annotations

from selfinstruct.execution.program import Program
from selfinstruct.execution.runner import Runner, shared_runner

__all__ = ["Program", "Runner", "shared_runner"]
