"""The log: one JSON object a line, with the route, the status and the time of each request.

A line never contains a query, a body, a row, or the text of an unexpected exception, which may quote any of these.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, TextIO

_FRAMES = 12


class JsonLines(logging.Formatter):
    """Formats a record as one JSON object: time, level, event, and the values of its ``fields``."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {"time": time, "level": record.levelname.lower(), "event": record.getMessage()}
        line |= getattr(record, "fields", {})
        return json.dumps(line, default=str)


def make_log(stream: TextIO | None = None) -> logging.Logger:
    """A logger that writes to ``stream`` (default: stderr), apart from the loggers of libraries.

    On a terminal, where a person reads the link to the page, it writes errors alone.
    """
    stream = stream or sys.stderr
    log = logging.Logger("selfinstruct.service", logging.WARNING if stream.isatty() else logging.INFO)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    log.addHandler(handler)
    return log


def say(log: logging.Logger, event: str, level: int = logging.INFO, **fields: Any) -> None:
    """Log an event with its fields."""
    log.log(level, "%s", event, extra={"fields": fields})


def frames(error: BaseException) -> list[str]:
    """The innermost places that an exception passed, without its text."""
    trace: TracebackType | None = error.__traceback__
    return [f"{each.filename}:{each.lineno} {each.name}" for each in traceback.extract_tb(trace)[-_FRAMES:]]
