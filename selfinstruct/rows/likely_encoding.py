"""Which encoding a text that is not UTF-8 is probably in: a proposal for the hint of an error, never used to read it.

A candidate must decode the text strictly. What counts then is how usual the characters are that it gives: the share of
those in the first level of its national standard (GB 2312, Big5, JIS X 0208, KS X 1001, which is ordered by use) and of
the most frequent ones of the language. Text in another encoding decodes to rare ones.
"""

from __future__ import annotations

import codecs
from collections import Counter
from dataclasses import dataclass

from selfinstruct.messages import Phrase

_SAMPLE = 1 << 16
_LEAST = 0.4


@dataclass(frozen=True, slots=True)
class _Candidate:
    """An encoding; the standard whose first bytes from ``first`` to ``last`` are of usual characters; frequent ones."""

    name: str
    standard: str
    first: int
    last: int
    frequent: str

    def score(self, sample: bytes) -> float:
        """From 0 to 1.5, how usual the characters are that the sample decodes to; 0 if it cannot be decoded."""
        try:
            text = codecs.getincrementaldecoder(self.name)().decode(sample)
        except UnicodeDecodeError:
            return 0
        counts = Counter(char for char in text if char > "\x7f" and (char.isalpha() or not char.isprintable()))
        total = sum(counts.values())
        if not total:
            return 0
        usual = sum(count for char, count in counts.items() if self._is_usual(char))
        frequent = sum(count for char, count in counts.items() if char in self.frequent)
        return usual / total / 2 + frequent / total

    def _is_usual(self, char: str) -> bool:
        code = char.encode(self.standard, "ignore")
        return bool(code) and self.first <= code[0] <= self.last


_SIMPLIFIED = (
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事"
    "成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日者意无力它与长把机十公第此已工"
    "使情明性知全三又关点正业外将两高间由问很最重并物手应战向头文体政美相见利什二等产或新己制身果加话月合回特代内信表化老"
)
_TRADITIONAL = (
    "的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下自之年過發後作裡用道行所然家種事"
    "成方多經麼去法學如都同現當沒動面起看定天分還進好小部其些主樣理心她本前開但因只從想實日者意無力它與長把機十公第此已工"
    "使情明性知全三又關點正業外將兩高間由問很最重並物手應戰向頭文體政美相見利什二等產或新己制身果加話月合回特代內信表化老"
)
_KANA = "のにはをたがでてとしれさいるなもすらかこりまうあきっよくだんスントルアイリラレドタシ日本人年大一中国"
_HANGUL = "이다는을의에가지고하도를기사로한은서자인대그리나있것들시아해어어여수일과정부제전게주만라"
_CANDIDATES = (  # of equal scores the first one is proposed
    _Candidate("gb18030", "gb2312", 0xB0, 0xD7, _SIMPLIFIED),
    _Candidate("big5", "big5", 0xA4, 0xC6, _TRADITIONAL),
    _Candidate("cp950", "big5", 0xA4, 0xC6, _TRADITIONAL),
    _Candidate("big5hkscs", "big5", 0xA4, 0xC6, _TRADITIONAL),
    _Candidate("gb18030", "big5", 0xA4, 0xC6, _TRADITIONAL),
    _Candidate("shift_jis", "euc_jp", 0xA4, 0xCF, _KANA),
    _Candidate("cp932", "euc_jp", 0xA4, 0xCF, _KANA),
    _Candidate("euc_jp", "euc_jp", 0xA4, 0xCF, _KANA),
    _Candidate("cp949", "euc_kr", 0xB0, 0xC8, _HANGUL),
)
_LEAST_ASCII = 0.6
_MARKS = "\xa0€£¥§©®°±²³µ·«»‘’“”–—…•"
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def likely_encoding(data: bytes | bytearray) -> str | None:
    """Return the encoding that a text which is not UTF-8 is probably in, by its first 64 KiB; None if none fits.

    >>> likely_encoding("学而时习之，不亦说乎？".encode("gbk")), likely_encoding("學而時習之".encode("big5"))
    ('gb18030', 'big5')
    """
    sample = bytes(data[:_SAMPLE])
    for mark, name in _BYTE_ORDER_MARKS:
        if sample.startswith(mark):
            return name
    if b"\0" in sample:
        return _utf16(sample)
    scores = [(candidate.score(sample), -at) for at, candidate in enumerate(_CANDIDATES)]
    best, at = max(scores)
    if best >= _LEAST:
        return _CANDIDATES[-at].name
    return "cp1252" if _is_western(sample) else None


def encoding_of_text(data: bytes) -> str | None:
    """Return the encoding that a text is probably in: ``utf-8``, or as ``likely_encoding``."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(data[:_SAMPLE])
    except UnicodeDecodeError:
        return likely_encoding(data)
    return "utf-8"


def encoding_hint(data: bytes | bytearray, *, other_than: str = "") -> Phrase:
    """What to do about a text that cannot be decoded, of which ``data`` is a part."""
    found = likely_encoding(data)
    if found is None or found == other_than:
        return Phrase('Name its encoding: `encoding="NAME"`, for example gb18030, big5 or cp1252; or save it as UTF-8.')
    return Phrase('It looks like {found}: use `encoding="{found}"`, or in a recipe encoding = "{found}".', found=found)


def around(exc: UnicodeDecodeError) -> bytes:
    """The lines from the one that cannot be decoded: a sample for ``encoding_hint``."""
    start = exc.object.rfind(b"\n", 0, exc.start) + 1
    return exc.object[start : start + _SAMPLE]


def _utf16(sample: bytes) -> str | None:
    """UTF-16 without a byte order mark: ASCII has a NUL in every second byte."""
    odd, even = sample[1::2].count(0), sample[::2].count(0)
    if max(odd, even) < _LEAST * min(len(sample) / 2, 8) or min(odd, even) > max(odd, even) / 8:
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _is_western(sample: bytes) -> bool:
    """Whether a text is mostly ASCII, with letters inside words and marks that Western languages use."""
    try:
        text = sample.decode("cp1252")
    except UnicodeDecodeError:
        return False
    others = [char for char in text if char > "\x7f"]
    return len(others) <= (1 - _LEAST_ASCII) * len(text) and all(char.isalpha() or char in _MARKS for char in others)
