"""The header of a log line: when, how severe, which host, process and component, before the message.

    "Mar 14 02:17:33 bastion sshd[24186]: Failed password" -> time, host, process, process ID; message from "Failed"

Does not handle: formats whose fields have a fixed order without any mark (``1117838570 2005.06.03 R02-M1 RAS KERNEL``).

>>> header = parse_header("090412 075318 13 INFO dfs.DataNode$PacketResponder: Received block blk_7")
>>> [(field.name, field.text) for field in header.fields], header.end
([('time', '090412 075318'), ('level', 'INFO'), ('component', 'dfs.DataNode$PacketResponder')], 52)
"""

from __future__ import annotations

import re
from typing import NamedTuple

from selfinstruct.asking.moments import MOMENT

_STAMP = re.compile(rf"\[?(?P<time>{MOMENT})\]?(?=[\s:,|-]|$)[\s:,|-]*")
_LEVEL = re.compile(
    r"(?:[\[(<]?(?P<level>TRACE|DEBUG|INFO|NOTICE|LOG|WARN|WARNING|ERROR|SEVERE|CRITICAL|FATAL|ALERT|EMERG)[\])>]?(?![\w-])"
    r"|\[(?P<level_>debug|info|notice|warn|warning|error|crit|alert|emerg)\])[\s:|-]*"
)
_THREAD_NUMBER = re.compile(r"\d{1,7}\s+(?=[\[A-Z])|\[\d{1,7}\]\s+(?=[A-Z])")
_SYSLOG = re.compile(r"(?P<host>[A-Za-z][\w.-]*)\s+(?=[\w./()-]+(?:\[\d+\])?:\s)")
_PROCESS = re.compile(r"(?P<process>[A-Za-z][\w./-]*)(?:\([\w]+\))?\[(?P<pid>\d+)\]:\s+")
_DAEMON = re.compile(r"(?P<process>[a-z][\w./-]*):\s+")
_THREAD = re.compile(r"\[(?P<thread>[A-Za-z][^\[\]]*)\]\s*[-:|]*\s+")
_COMPONENT = re.compile(r"(?P<component>[A-Za-z][\w.$/]*(?:[.$][\w$]+|[a-z][A-Z][\w$]*))(?:\[\d+\])?\s*(?::|\s-|\|)\s+")
_GLOG = re.compile(r"[IWEF]\d{4} (?P<time>\d\d:\d\d:\d\d\.\d+)\s+\d+ (?P<component>[A-Za-z][\w./-]*):\d+\]\s+(?=\S)")
_PLAIN_COMPONENT = re.compile(r"(?P<component>[A-Za-z][\w.$-]*)\s*(?::|\s-|\|)\s+(?=[^\W\d])")


class Field(NamedTuple):
    """A field of a header at [start, end) code points.

    Names are time, level, host, process, process ID, thread and component.
    """

    name: str
    start: int
    end: int
    text: str


class Header(NamedTuple):
    """The fields of a header, and where the message starts."""

    fields: tuple[Field, ...]
    end: int


def parse_header(text: str) -> Header:
    """Return the header of a line; without a time or a level at its beginning a line has none."""
    fields: list[Field] = []
    if (end := _take(_GLOG, text, 0, fields)) > 0:
        return Header(tuple(fields), end)
    at = _take(_STAMP, text, len(text) - len(text.lstrip()), fields)
    has_time = bool(fields)
    if has_time and (number := _THREAD_NUMBER.match(text, at)):
        at = number.end()
    at = _take(_LEVEL, text, at, fields)
    has_level = len(fields) > has_time
    if not fields:
        process = _take(_PROCESS, text, at, fields)
        return Header(tuple(fields), process if fields else 0)
    if not has_time and text[at - 1 : at] == " " and not re.search(r"[\])>:|-]\s*$", text[:at]):
        moved = _take(_PLAIN_COMPONENT, text, at, fields)
        return Header(tuple(fields), moved) if moved > at else Header((), 0)
    if has_time and not has_level and (moved := _take(_SYSLOG, text, at, fields)) > at:
        at = _take(_PROCESS, text, moved, fields)
        return Header(tuple(fields), at if at > moved else _take(_DAEMON, text, moved, fields))
    at = _take(_THREAD, text, at, fields)
    if not has_level:
        moved = _take(_LEVEL, text, at, fields)
        has_level, at = moved > at, moved
    moved = _take(_COMPONENT, text, at, fields)
    if moved == at and has_level:
        moved = _take(_PLAIN_COMPONENT, text, at, fields)
    return Header(tuple(fields), moved)


def _take(pattern: re.Pattern[str], text: str, at: int, fields: list[Field]) -> int:
    """Append the fields that match at a place; return the place behind them."""
    match = pattern.match(text, at)
    if match is None or match.end() == at or match.end() >= len(text):
        return at
    for group, value in match.groupdict().items():
        if value:
            name = {"pid": "process ID", "level_": "level"}.get(group, group)
            fields.append(Field(name, match.start(group), match.end(group), value))
    return match.end()
