"""The exit codes of the command line with their meanings, for its documentation and for ``selfinstruct context``."""

from __future__ import annotations

from collections.abc import Mapping

EXIT_CODES: Mapping[int, str] = {
    0: "done",
    1: "a gate failed: `check` found an error, or `verify` a claim that does not hold",
    2: "invalid command line, recipe or row file",
    3: "the endpoint or the disk failed; accepted rows are kept",
    4: "stopped short of the quota; accepted rows are kept",
    70: "internal error: a bug",
    130: "interrupted; accepted rows are kept, and the same command resumes the run",
    141: "the reader of stdout is gone (broken pipe)",
}
