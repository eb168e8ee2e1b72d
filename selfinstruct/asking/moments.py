"""The forms of dates and times in log lines and plain prose, as patterns without groups.

Narrower than ``selfinstruct.values.time_forms``, and many times faster: a token is only taken for a time where nothing
else is likely, and what it denotes does not matter here.

Does not handle: other languages than English and Chinese.

>>> import re
>>> [bool(re.fullmatch(TIME, text)) for text in ("Mar 14 02:17:33", "2015-07-29 19:04:12,394", "7.29", "May")]
[True, True, False, False]
"""

from __future__ import annotations

_MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)"
_LONG_MONTH = "(?:January|February|March|April|May|June|July|August|September|October|November|December)"
_DAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_LONG_DAY = "(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)"
_CLOCK = r"\d\d:\d\d(?::\d\d)?"
_NUMERIC_DATES = rf"(?:\d{{4}}-\d\d-\d\d|\d{{4}}/\d\d/\d\d|\d\d/\d\d/\d\d|\d\d/{_MONTH}/\d{{4}}|\d\d-{_MONTH}-\d{{4}})"
_DATES = (
    _NUMERIC_DATES,
    r"\d{1,2}\.\d{1,2}\.\d{4}",
    r"\d{1,2}/\d{1,2}/\d{4}",
    rf"(?:{_LONG_DAY}, )?{_LONG_MONTH} \d{{1,2}}(?:, \d{{4}})?",
    rf"(?:{_LONG_DAY}, |{_DAY}, )?\d{{1,2}} (?:{_LONG_MONTH}|{_MONTH})(?: \d{{4}})?",
    r"\d{4}年\d{1,2}月(?:\d{1,2}日)?",
    r"\d{1,2}月\d{1,2}日",
)
_MOMENTS = (
    rf"{_NUMERIC_DATES}[T :]{_CLOCK}",
    rf"{_DAY},? {_MONTH} [ 0123]?\d {_CLOCK}(?: \d{{4}})?",
    rf"{_DAY}, \d\d {_MONTH} \d{{4}} {_CLOCK}",
    rf"{_MONTH} [ 0123]?\d (?:\d{{4}} )?{_CLOCK}",
    rf"\d{{1,2}}[./]\d{{1,2}}[./]\d{{4}},? {_CLOCK}",
    r"\d\d-\d\d \d\d:\d\d:\d\d",
    r"\d{6} \d{6}",
    r"(?:19|20)\d{12}",
    r"\d{4}年\d{1,2}月\d{1,2}日\s?\d\d:\d\d(?::\d\d)?",
)
_FRACTION = r"(?:[.,]\d{1,9})?(?:Z\b|\s?[+-]\d\d:?\d\d\b|\s(?:UTC|GMT)\b)?"
#: A date with a time of day, or a time of day with seconds.
MOMENT = rf"(?:{'|'.join(_MOMENTS)}|\d\d:\d\d:\d\d){_FRACTION}"
#: A date, a time of day with seconds, or both.
TIME = rf"(?:{MOMENT}|{'|'.join(_DATES)})"
