"""Written forms of dates and times, found in a text.

A form is a text with codes for its parts, most of them those of ``strftime``: ``%d.%m.%Y``. Further codes are ``%1``
and ``%2`` (day and month in unknown order), ``%o`` (an ordinal suffix, or none), ``%q`` (quarter), ``%E`` and ``%N`` (a
Japanese era and its year). ``%B`` is the name of a month and ``%A`` that of a weekday in any language, short or long.
``%H`` may also be an hour of twelve, and ``%p`` a part of the day in any language.

Does not handle: numerals in words (二〇二三年), other calendars, or years of two digits without a time of day.

>>> [(text, form) for text, form, _ in find_times("on 1. Mai 2023 at 3:20 pm")]
[('1. Mai 2023', '%d%o. %B %Y'), ('3:20 pm', '%H:%M %p')]
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from typing import NamedTuple

from selfinstruct.values.calendar_names import MONTH_SETS, WEEKDAY_SETS

#: Every date and time contains a digit.
DIGIT = re.compile(r"\d")
#: Two numbers before a year of which it is not known which one is the day.
DAY_OR_MONTH = ("%1", "%2")


def _any_of(names: Iterable[str]) -> str:
    return "|".join(map(re.escape, sorted(set(names), key=lambda name: (-len(name), name))))


_NAMES = [name for each in MONTH_SETS for name in each.names]
_WEEKDAYS = [name for each in WEEKDAY_SETS for name in each.names]
# Without a year, a short name is a month only as it is usually written: "12 May", but "12 may" is no date.
_SURE = [name for name in _NAMES if len(name) > 3 or not name.islower() or name in ("mai", "mei")]
_ENGLISH = [name for each in MONTH_SETS if each.language in ("en", "de") for name in each.names]
_PARTS_OF_DAY = (
    "凌晨|清晨|早上|上午|中午|下午|傍晚|晚上|午前|午後|오전|오후|새벽|아침|저녁|밤|सुबह|दोपहर|शाम|रात|"
    "صباحًا|صباحاً|صباحا|مساءً|مساءا|مساء"
)
#: The pattern of each code.
CODES = {
    "Y": r"\d{4}",
    "y": r"\d\d",
    "m": r"\d{1,2}",
    "d": r"(?:(?<= ) \d|\d{1,2})",
    "1": r"\d{1,2}",
    "2": r"\d{1,2}",
    "o": r"(?:st|nd|rd|th|er|[ºª°])?",
    "B": f"(?i:{_any_of(_NAMES)})",
    "A": f"(?i:{_any_of(_WEEKDAYS)})",
    "H": r"\d{1,2}",
    "M": r"\d{1,2}",
    "S": r"\d{1,2}",
    "f": r"\d{1,9}",
    "p": rf"(?:[AaPp][Mm]\b|[ap]\.\s?m\.|{_PARTS_OF_DAY})",
    "z": r"(?:Z\b|(?:UTC|GMT)?[+-](?:0\d|1[0-4])(?::?(?:00|15|30|45))?(?![\d:]))",
    "G": r"\d{4}",
    "V": r"\d\d",
    "u": r"[1-7]",
    "q": r"[1-4]",
    "E": "(?:令和|平成|昭和|大正|明治)",
    "N": r"(?:\d{1,2}|元)",
}
_NARROW = {
    "I": r"(?:0?[1-9]|1[0-2])",
    "j": r"(?:0[1-9]|1[0-2])",
    "k": r"(?:0[1-9]|[12]\d|3[01])",
    "h": r"(?:[01]\d|2[0-3])",
    "x": r"\d\d",
    "i": r"[0-5]\d",
    "c": r"(?:19|20)\d\d",
}
# Codes of the forms below that stand for others with a narrower pattern.
_MEANS = {"b": "B", "e": "B", "I": "H", "i": "S", "j": "m", "k": "d", "h": "H", "x": "M", "c": "Y"}
_NO_LETTER = r"(?![^\W\d_])"
_DIGIT_DATES = (
    r"%Y-%m-%d",
    r"%Y/%m/%d",
    r"%Y\.%m\.%d",
    r"%Y\. %m\. %d",
    r"%y/%m/%d(?= \d\d:\d\d:\d\d)",
    r"(?<!\d[./-])%d\.%m\.%Y",
    r"%d\. %m\. %Y",
    r"(?<!\d[./-])%1/%2/%Y",
    r"(?<!\d[./-])%1-%2-%Y",
    r"%d/%B/%Y",
    r"%d-%B-%Y",
    r"%d%o\.? (?:de |of )?%B\.?,? (?:de |del )?%Y",
    rf"%d%o\.? (?:de |of )?%b{_NO_LETTER}",
    r"%Y ?年 ?%m ?月 ?%d ?[日号號]",
    r"%Y ?年 ?%m ?月",
    r"%m ?月 ?%d ?[日号號]",
    r"%Y년 ?%m월 ?%d일",
    r"%Y년 ?%m월",
    r"%m월 ?%d일",
    r"%G-?W%V(?:-%u)?",
    r"%Y[- ]?Q%q\b",
    r"%q\. Quartal %Y",
    r"%c%j%k(?=\d{4}(?:\d\d)?(?!\d))",
    r"%c%j%k(?!\d)",
    r"%y%j%k(?= \d{6}(?!\d))",
    r"%j-%k(?= \d\d:\d\d:\d\d)",
    r"(?<![\d-])%c-%j(?![-\d])",
)
_NAME_DATES = (
    r"%e %d %H:%x:%S %Y",
    r"%B\.? %d%o,? %Y",
    r"%e\.? %d%o(?!\d)(?! ?[hH:]\d)",
    r"%b\.?,? (?:de |del )?%Y",
    r"%E%N年 ?%m月 ?%d日",
    r"%E%N年 ?%m月",
    r"Q%q[ /-]%Y",
)
_CLOCKS = (
    r"%H:%x(?::%S(?:[.,]%f)?)?(?: ?%p| ?%z)?",
    r"%H ?h ?%x(?! ?m)",
    r"%H ?[时時点點] ?%M ?分(?!間)(?: ?%S ?秒)?",
    r"%H ?時(?!間)",
    r"%H시(?!간)(?: ?%M분)?",
    r"%I ?%p",
    r"%H\.%x(?= Uhr\b)",
    r"%H(?= Uhr\b)",
    r"%H(?= बजे)",
)
_LED_CLOCKS = (
    r"%p ?%H[:：]%x(?::%S)?",
    r"%p ?%H ?[时時点點](?: ?%M ?分)?(?: ?%S ?秒)?",
    r"%p ?%H시(?: ?%M분)?",
    r"%p %H(?::%x)?(?= बजे)",
)


class FoundTime(NamedTuple):
    """What looks like a date, a time of day, or both: its text, its form, and its place."""

    text: str
    form: str
    start: int


def find_times(text: str) -> Iterator[FoundTime]:
    """Yield what has the form of a date or time, from left to right. It may be none of the calendar: 2023-02-30."""
    if DIGIT.search(text) is None:
        return
    for match in _time(text.isascii()).finditer(text):
        yield FoundTime(match.group(), form_of(match), match.start())


def whole_form(text: str) -> str | None:
    """The form of a text that is all a date or time, else None."""
    match = _time(text.isascii()).fullmatch(text) if DIGIT.search(text) is not None else None
    return None if match is None else form_of(match)


def form_of(match: re.Match[str], name: str = "") -> str:
    """The form of a match of ``time_pattern``, or of the group called ``name`` that contains it."""
    start, end = match.span(name) if name else match.span()
    codes = _codes(match.re)
    spans = sorted((span, codes[at]) for at, span in enumerate(match.regs) if span[0] >= 0 and codes[at])
    form, at = "", start
    for (first, last), code in spans:
        form += f"{match.string[at:first]}%{_MEANS.get(code, code)}"
        at = last
    return form + match.string[at:end]


@cache
def _codes(pattern: re.Pattern[str]) -> list[str]:
    """The code of each group of a pattern, "" for a group that is no part of a time."""
    codes = [""] * (pattern.groups + 1)
    for name, at in pattern.groupindex.items():
        codes[at] = name[1] if name[0] == "_" else ""
    return codes


@lru_cache(maxsize=4096)
def form_pattern(form: str) -> re.Pattern[str]:
    """The pattern of one form; its groups are called ``_`` and the code."""
    parts = re.split(r"%(\w)", form)
    pattern = re.escape(parts[0])
    for code, after in zip(parts[1::2], parts[2::2], strict=True):
        pattern += f"(?P<_{code}>{CODES[code]}){re.escape(after)}"
    return re.compile(pattern)


class _Compiler:
    """Makes patterns of forms: their codes become groups called by the code and a number.

    For ``ascii_only`` texts, names and forms that these cannot contain are left out.
    """

    def __init__(self, *, ascii_only: bool) -> None:
        self._count = 0
        self._ascii_only = ascii_only
        names = {"B": _NAMES, "A": _WEEKDAYS, "b": _SURE, "e": _ENGLISH}
        known = {code: [name for name in each if not ascii_only or name.isascii()] for code, each in names.items()}
        self._codes = CODES | _NARROW
        self._codes |= {code: f"(?{'i' * code.isupper()}:{_any_of(each)})" for code, each in known.items()}

    def pattern(self, form: str) -> str:
        """The pattern of a form."""
        self._count += 1
        return re.sub(r"%(\w)", lambda code: f"(?P<_{code[1]}_{self._count}>{self._codes[code[1]]})", form)

    def any_of(self, forms: Iterable[str]) -> str:
        """The pattern of any of some forms."""
        fitting = (form for form in forms if not self._ascii_only or _may_match_ascii(form))
        return "|".join(map(self.pattern, fitting))

    def clock(self) -> str:
        """The pattern of a time of day."""
        return f"(?:(?=\\d)(?:{self.any_of(_CLOCKS)})|(?=[^\\W\\d_])(?:{self.any_of(_LED_CLOCKS)}))"

    def time(self) -> str:
        """The pattern of a date, a time of day, or both."""
        digits = f"(?=\\d)(?:{self.any_of(_DIGIT_DATES)})"
        weekday = self.pattern(r"(?:%A\.?,? )?")
        # A name is looked up only where a number follows soon: a look-up at every word would take most of the time.
        soon = r"(?=(?:[^\W\d_][\w-]{0,12}[.,]{0,2} ){0,2}[^\W\d_][\w-]{0,13}[.,]{0,2}[ /-]{0,2}\d|[^\W\d_]{2}[\d元])"
        named = f"(?<![^\\W\\d_]){soon}{weekday}(?:(?=\\d)(?:{self.any_of(_DIGIT_DATES)})|{self.any_of(_NAME_DATES)})"
        between = r"(?:[T:]|, | {1,2}|(?<=[日号號일]) ?)"
        compact = self.pattern(r"(?:(?<=\d{8})| (?=\d{6}(?!\d)))%h%x%i?(?!\d)")
        date = f"(?:{digits}|{named})(?:{between}{self.clock()}|{compact})?"
        return f"(?<!\\d)(?:{date}|(?<![\\d:.]){self.clock()}(?![:\\d]))(?!\\d)"


def _may_match_ascii(form: str) -> bool:
    """Whether a form needs no other character; of those in brackets, one of ASCII is enough."""
    return "%E" not in form and re.sub(r"\[[^]]*[\x00-\x7f][^]]*\]", "", form).isascii()


@cache
def time_pattern(*, ascii_only: bool) -> str:
    """The pattern of every form, to be put into a larger one; see ``form_of``. It is smaller for ASCII texts."""
    return _Compiler(ascii_only=ascii_only).time()


@cache  # compiled on first use: it takes longer than most imports
def _time(ascii_only: bool) -> re.Pattern[str]:
    # A letter inside a word begins no time, other than AM or pm; this is quicker than trying every form there.
    return re.compile(rf"(?=[^\W_])(?!(?<=[A-Za-z])[B-OQ-Zb-oq-z])(?:{time_pattern(ascii_only=ascii_only)})")
