"""The same text: canonical form, tokens, token boundaries and spans, as all other modules compare them.

Two texts are the same if their canonical forms are equal: composed (NFC), with full-width and half-width forms folded
and without invisible characters. Values are stored as they came, and spans are places in the stored value.

Does not handle: stemming, language detection, or word segmentation that needs a dictionary (Thai, Japanese): in these
scripts every character, with the marks on it, is a token.

>>> tokens("Finished task 28.0 in stage 29.0")
['finished', 'task', '28', '0', 'in', 'stage', '29', '0']
>>> tokens("乾卦 is 元亨")
['乾', '卦', 'is', '元', '亨']
>>> find_span("29", "stage\u3000\uff12\uff19"), find_span("राम", "रामायण")
((6, 8), None)
"""

from __future__ import annotations

import json
import re
import unicodedata
from array import array
from collections.abc import Iterator
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any, NamedTuple

#: Character class of scripts written without spaces: Thai to Tibetan, kana, CJK ideographs.
UNSPACED = (
    "\u0e00-\u0e7f\u0e80-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff"
    "\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)


def _marks(*blocks: tuple[int, int]) -> str:
    """The combining marks (categories Mn, Mc, Me) of some blocks, as the inside of a character class."""
    ranges: list[str] = []
    for first, last in blocks:
        start = None
        for code in range(first, last + 2):
            is_mark = code <= last and unicodedata.category(chr(code))[0] == "M"
            if is_mark and start is None:
                start = code
            elif not is_mark and start is not None:
                ranges.append(f"{chr(start)}-{chr(code - 1)}")
                start = None
    return "".join(ranges)


def _characters(inside: str) -> frozenset[str]:
    """The characters of a character class, from its inside."""
    ranges = re.findall(r"(.)(?:-(.))?", inside)
    return frozenset(chr(code) for first, last in ranges for code in range(ord(first), ord(last or first) + 1))


# The blocks that have marks; the rest (ideographs, Hangul, private use) would double the time of the import.
_MARKS = _marks((0x300, 0x33FF), (0xA600, 0xABFF), (0xFB00, 0xFEFF))
_ASTRAL_MARKS = _marks((0x10000, 0x11FFF), (0x16A00, 0x16FFF), (0x1BC00, 0x1E9FF), (0xE0100, 0xE01EF))
#: Pattern of one combining mark. Ranges beyond U+FFFF are tried one by one, so they are tried only where needed.
MARK = f"(?:[{_MARKS}]|[\U00010000-\U0001ffff\U000e0100-\U000e01ef](?<=[{_ASTRAL_MARKS}]))"

# Default_Ignorable_Code_Point of Unicode, without: joiners (below), the Hangul fillers of old syllables, tags (they
# distinguish flags).
_IGNORED = (
    "\u00ad\u034f\u061c\u17b4\u17b5\u180b-\u180d\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0100-\U000e01ef"
)
_JOINERS = "\u180e\u200c\u200d"
# Scripts in which joiners distinguish words: Arabic, Syriac, Indic and others derived from Brahmi, Mongolian.
_JOINED = (
    "\u0600-\u08ff\u0900-\u109f\u1780-\u18af\u1900-\u1cff\ua800-\uabff\ufb50-\ufdff\ufe70-\ufefc\U00010a00-\U00011fff"
)
_WIDE = "\u3000\uff01-\uffbe\uffc2-\uffc7\uffca-\uffcf\uffd2-\uffd7\uffda-\uffdc\uffe0-\uffe6\uffe8-\uffee"
# What NFC may join to the character before it, besides marks: Hangul vowels and finals, Kirat Rai vowels.
_COMPOSING = "\u1161-\u1175\u11a8-\u11c2\uff9e\uff9f\U00016d63-\U00016d67"

_WIDTHS = {
    chr(code): chr(int(parts[1], 16))
    for code in (0x3000, *range(0xFF01, 0xFFEF))
    if (parts := unicodedata.decomposition(chr(code)).split())[:1] in (["<wide>"], ["<narrow>"])
}
_FOLDED = re.compile(f"[{_IGNORED}{_WIDE}]")
_FOLDED_OR_JOINER = re.compile(f"[{_IGNORED}{_WIDE}{_JOINERS}]")
_JOINER_RUN = re.compile(f"[{_JOINERS}]+")
_IN_JOINED = re.compile(f"[{_JOINED}]")
_SHORT = 4096  # code points
_VIRAMA = 9  # the canonical combining class of a sign that joins consonants

_ATTACHED = rf"(?:{MARK}|[{_JOINERS}{_COMPOSING}])"
# Latin letters but the soft hyphen: none changes, unless a mark follows.
_UNCHANGED = re.compile(r"[\x00-\xac\xae-\u02ff]+(?=[\x00-\xac\xae-\u02ff])")

_ASCII_TOKEN = re.compile(r"[a-z0-9]+")
_TOKEN = re.compile(rf"[{UNSPACED}]|[^\W_{UNSPACED}]+")
_ON_IT = rf"(?:{MARK}|[{_JOINERS}])"
_UNSPACED_CHARACTER = re.compile(f"[{UNSPACED}]")
_IGNORED_CHARACTERS = _characters(_IGNORED)
# What a token boundary is not affected by (ignored), or belongs to the character before it.
_UNSEEN = _IGNORED_CHARACTERS | _characters(_MARKS + _ASTRAL_MARKS + _JOINERS)
_NUMBER_SEPARATORS = (".", ",")
_WIDE_SEPARATORS = ("\uff0e", "\uff0c")
_UNDERSCORES = ("_", "\uff3f")


# Patterns of all marks take long to compile, and ASCII texts need none of them.
@cache
def _may_attach() -> re.Pattern[str]:
    """A character that may belong to the one before it; whole planes where such characters are rare."""
    return re.compile(f"[{_IGNORED}{_MARKS}{_JOINERS}{_COMPOSING}\U00010000-\U0001ffff\U000e0000-\U000e0fff]")


@cache
def _cluster() -> re.Pattern[str]:
    """A character with what belongs to it: ignored characters between two of its marks, but none after the last."""
    return re.compile(rf"(?:[^{_IGNORED}]|{_ATTACHED})(?:[{_IGNORED}]*{_ATTACHED})*", re.DOTALL)


@cache
def _marked_token() -> re.Pattern[str]:
    """A token of a text with marks or joiners."""
    return re.compile(rf"(?!{MARK})[{UNSPACED}]{_ON_IT}*|[^\W_{UNSPACED}](?:[^\W_{UNSPACED}]|{_ON_IT})*")


@cache
def _has_mark() -> re.Pattern[str]:
    """A mark or a joiner."""
    return re.compile(_ON_IT)


@cache
def _may_differ() -> re.Pattern[str]:
    """What texts contain whose tokens differ before and after folding; what is rare is sought by whole planes."""
    return re.compile(
        f"[{_MARKS}{_IGNORED}{_JOINERS}\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\uff66-\uffdc"
        "\U00010000-\U0001ffff\U000e0000-\U000e0fff]"
    )


def canonical(text: str) -> str:
    """Return the form by which texts are compared; texts with the same one are the same text.

    It is composed (NFC), full-width and half-width forms are replaced by the usual ones, and invisible characters
    (zero-width spaces, byte-order marks, soft hyphens, directional marks, variation selectors) are left out. Joiners
    stay where they distinguish words: between letters of Arabic, Indic and similar scripts, and after a virama. Other
    compatibility forms (superscripts, ligatures) stay distinct.

    >>> canonical("\uff34\uff29\uff24\u3000\uff11\u200b\uff12"), canonical("Zoe\u0308") == "Zoë"
    ('TID 12', True)
    """
    if text.isascii():
        return text
    if _FOLDED_OR_JOINER.search(text) is not None:
        # A few different characters, such as full-width punctuation, are replaced fastest one after another.
        for character in set(_FOLDED.findall(text)):
            text = text.replace(character, _usual(character))
        text = unicodedata.normalize("NFC", text)
        # Leaving out a joiner may bring marks into another order, and so other joiners into another place.
        while (
            _JOINER_RUN.search(text) is not None
            and (joined := unicodedata.normalize("NFC", _JOINER_RUN.sub(_joiner, text))) != text
        ):
            text = joined
        return text
    return unicodedata.normalize("NFC", text)


def _usual(character: str) -> str:
    """The usual form of a wide or narrow character, nothing for an ignored one."""
    return _WIDTHS.get(character, "") if character != "\uffa0" else ""


def _joiner(run: re.Match[str]) -> str:
    """The first joiner of a run where it distinguishes words, else nothing."""
    text, start, end = run.string, run.start(), run.end()
    before, after = text[max(0, start - 1) : start], text[end : end + 1]
    kept = before and (
        unicodedata.combining(before) == _VIRAMA or (_IN_JOINED.match(before) and _IN_JOINED.match(after))
    )
    return run[0][0] if kept else ""


class Alignment(NamedTuple):
    """The canonical form of a text, and where its characters are in the text as stored.

    ``starts`` has, for each canonical character, the place where it starts in the stored text, and ``ends``, for each
    number of canonical characters, the place where they end there; -1 inside a character with its marks. Both are None
    if every place is the same.
    """

    text: str
    starts: array[int] | None = None
    ends: array[int] | None = None

    def stored(self, start: int, end: int) -> tuple[int, int] | None:
        """Return a canonical [start, end) as places of the stored text; None inside a character with its marks."""
        if self.starts is None or self.ends is None:
            return start, end
        first, last = self.starts[start], self.ends[end]
        return (first, last) if first >= 0 and last >= 0 else None


def align(text: str) -> Alignment:
    """Return the canonical form of a text with the places of its characters in the text."""
    if text.isascii():
        return Alignment(text)
    return _short(text) if len(text) <= _SHORT else _long(text)


def _align(text: str) -> Alignment:
    whole = canonical(text)
    if whole == text or (len(whole) == len(text) and _may_attach().search(text) is None):
        return Alignment(whole)
    starts = array("q")
    ends = array("q", [-1])
    at = 0
    while at < len(text):
        if (run := _UNCHANGED.match(text, at)) is not None:
            starts.extend(range(at, run.end()))
            ends.extend(range(at + 1, run.end() + 1))
            at = run.end()
        cluster = _cluster().search(text, at)
        if cluster is None:
            break
        at = cluster.end()
        size = len(_in_place(text, cluster))
        if size:
            inside = [-1] * (size - 1)
            starts.extend([cluster.start(), *inside])
            ends.extend([*inside, at])
    return Alignment(whole, starts, ends)


# One context is searched for many values.
_short = lru_cache(maxsize=512)(_align)
_long = lru_cache(maxsize=4)(_align)


def _in_place(text: str, cluster: re.Match[str]) -> str:
    """The canonical form of a cluster where it is: whether its joiner stays depends on the character after it."""
    if _JOINER_RUN.search(cluster[0]) is None or (following := _cluster().search(text, cluster.end())) is None:
        return canonical(cluster[0])
    base = following[0][0]
    return canonical(cluster[0] + base).removesuffix(canonical(base))


def tokens(text: str) -> list[str]:
    """Return the tokens that ROUGE-L compares, in order, lower-cased.

    For ASCII text these are exactly those of rouge-score 0.1.2 (``[a-z0-9]+`` of the lower-cased text, no stemming),
    so that scores are comparable with published ones. Other text is split, in its canonical form, into Unicode words
    with their combining marks, and in scripts written without spaces into characters (rouge-score drops these).
    """
    lower = text.lower()
    if lower.isascii():
        return _ASCII_TOKEN.findall(lower)
    if _may_differ().search(lower) is None and unicodedata.is_normalized("NFC", lower):
        return _TOKEN.findall(lower)
    lower = unicodedata.normalize("NFC", canonical(text).lower())
    return (_TOKEN if _has_mark().search(lower) is None else _marked_token()).findall(lower)


def value_text(value: Any) -> str:
    """Return a JSON value as text: strings unchanged, other values as JSON."""
    if type(value) is int:  # what JSON writes too, and several times as fast
        return str(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def caseless(value: Any) -> str:
    """Return the text of a JSON value for comparing labels: canonical, letter case and outer white space aside."""
    text = value_text(value)
    if text.isascii():
        return text.strip().lower()
    return unicodedata.normalize("NFC", canonical(text).strip().casefold())


_PLAIN_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,4})?")
_GROUPED = re.compile(
    r"([-+]?(?!0)\d{1,3}(?:([,'\u2019\u00a0\u2009\u202f])\d{3}(?:\2\d{3})*|(?:,\d{2})+,\d{3}))(\.\d+)?"
)
_DECIMAL_COMMA = re.compile(r"[-+]?(?:\d+|(?!0)\d{1,3}(?:\.\d{3})+),\d+")
_GROUPED_BY_POINTS = re.compile(r"[-+]?(?!0)\d{1,3}(?:\.\d{3}){2,}")


@lru_cache(maxsize=4096)  # one number is looked for in many texts
def number_value(text: str) -> Decimal | None:
    """Return the number that a text denotes, so that numbers can be compared by value; None if it is no number.

    Thousands may be grouped by commas, by apostrophes or by no-break spaces. A comma that cannot group thousands is a
    decimal comma, and then full stops group. Digits of any script count.

    >>> [str(number_value(each)) for each in ("29.0", "1,234", "-1.234,5", "\uff12\uff19", "28.0.1")]
    ['29.0', '1234', '-1234.5', '29', 'None']
    """
    written = canonical(text).strip().replace("\u2212", "-")
    if (grouped := _GROUPED.fullmatch(written)) is not None:
        written = re.sub("[^-+\\d]", "", grouped[1]) + (grouped[3] or "")
    elif _DECIMAL_COMMA.fullmatch(written):
        written = written.replace(".", "").replace(",", ".")
    elif _GROUPED_BY_POINTS.fullmatch(written):
        written = written.replace(".", "")
    elif not _PLAIN_NUMBER.fullmatch(written):
        return None
    return Decimal(written)


def is_unspaced(character: str) -> bool:
    """Whether a character belongs to a script written without spaces between words."""
    return _UNSPACED_CHARACTER.match(character) is not None


def is_bound(text: str, at: int) -> bool:
    """Whether there is a token boundary between ``text[at - 1]`` and ``text[at]``.

    There is none inside a word, before a combining mark, or at the decimal point of a number: ``9.0`` and ``29`` are
    not tokens of ``29.0``. In scripts without spaces there is one between any two characters. Invisible characters are
    looked through.
    """
    if at <= 0 or at >= len(text):
        return True
    before, after = text[at - 1], text[at]
    if before.isascii() and after.isascii():
        if before not in _NUMBER_SEPARATORS and after not in _NUMBER_SEPARATORS:
            return not (_is_word(before) and _is_word(after))
    elif before in _UNSEEN or after in _UNSEEN:
        start, end = at - 1, at
        while start >= 0 and text[start] in _UNSEEN:
            start -= 1
        while end < len(text) and text[end] in _IGNORED_CHARACTERS:
            end += 1
        if start < 0 or end == len(text):
            return True
        if text[end] in _UNSEEN:
            return False
        return _is_between(text[max(0, start - 1) : start], text[start], text[end], text[end + 1 : end + 2])
    return _is_between(text[max(0, at - 2) : at - 1], before, after, text[at + 1 : at + 2])


def _is_between(second_last: str, last: str, first: str, second: str) -> bool:
    """Whether there is a token boundary between ``last`` and ``first``, given the characters around them ("": none)."""
    if _is_word(last) and _is_word(first):
        return is_unspaced(last) or is_unspaced(first)
    if last.isdigit() and _is_separator(first, last):
        return not second.isdigit()
    if first.isdigit() and _is_separator(last, first):
        return not second_last.isdigit()
    return True


def _is_separator(character: str, digit: str) -> bool:
    """Whether a character may separate digits of a number; a full-width comma does so only among full-width digits."""
    return character in _NUMBER_SEPARATORS or (character in _WIDE_SEPARATORS and digit in _WIDTHS)


def find_span(needle: str, text: str) -> tuple[int, int] | None:
    """Return the first occurrence of ``needle`` in ``text`` between token boundaries, as [start, end) code points.

    The canonical forms are compared; the span is a place of ``text`` as it is. None if there is no occurrence, or if
    the needle is empty.
    """
    return next(_spans(needle, text), None)


def find_spans(needle: str, text: str) -> list[tuple[int, int]]:
    """Return all occurrences of ``needle`` in ``text`` between token boundaries, including overlapping ones."""
    return list(_spans(needle, text))


def _spans(needle: str, text: str) -> Iterator[tuple[int, int]]:
    alignment = None if needle.isascii() and text.isascii() else align(text)
    where, sought = (text, needle) if alignment is None else (alignment.text, canonical(needle))
    start = where.find(sought) if sought else -1
    while start >= 0:
        end = start + len(sought)
        span = (start, end) if alignment is None else alignment.stored(start, end)
        if span is not None and is_bound(text, span[0]) and is_bound(text, span[1]):
            yield span
        start = where.find(sought, start + 1)


def _is_word(character: str) -> bool:
    return character.isalnum() or character in _UNDERSCORES
