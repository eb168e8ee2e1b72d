"""A lenient JSON parser for single objects, in linear time, that never guesses the value of a string.

Accepts common deviations from JSON: single and typographic quotes, comments, trailing commas, bare keys, Python's
``True``/``None``, raw line breaks in strings, full-width punctuation outside strings. The value of a string is the text
between its two quotes, with escapes decoded. If that is ambiguous (an unescaped quote inside, an unknown escape), the
object is rejected.

Does not handle: missing commas or brackets, unquoted values, strings concatenated with ``+``. Each needs a guess.

>>> Reader("{'Answer': '28.0', Rows: [1, 2,],} // done", steps=100).object(0)
({'Answer': '28.0', 'Rows': [1, 2]}, 34)
"""

from __future__ import annotations

import json
import math
import re

from selfinstruct.records import JSON, Row

#: The maximum depth of nesting, far more than any recipe needs.
MAX_DEPTH = 64
#: The maximum number of digits of an integer; the limit of CPython is 4,300 (``sys.set_int_max_str_digits``).
MAX_DIGITS = 4_000

#: A pattern for blanks and comments. Text with a quote does not count as a comment, because it may be the rest of a
#: string with an unescaped quote. Comments have at most 80 characters, so that a search cannot become quadratic.
#: Atomic groups instead of possessive quantifiers: CPython before 3.11.5 matches the latter incorrectly (gh-106052).
BLANK_OR_COMMENT = r'(?>(?:[\s\ufeff]++|(?://|\#)[^\n"“”]{0,80}+(?=\n|\Z)|/\*[^*"“”]{0,80}+\*/)*)'
_BLANK_OR_COMMENT = re.compile(BLANK_OR_COMMENT)
_BLANK = re.compile(r"[\s\ufeff]*+")
_STRINGS = {
    '"': re.compile(r'"([^"\\]*+(?>(?:\\.[^"\\]*+)*))"', re.DOTALL),
    "'": re.compile(r"'([^'\\]*+(?>(?:\\.[^'\\]*+)*))'", re.DOTALL),
    **dict.fromkeys("“”„", re.compile(r"[“”„]([^“”„\\]*+(?>(?:\\.[^“”„\\]*+)*))[“”]", re.DOTALL)),
    **dict.fromkeys("‘’", re.compile(r"[‘’]([^‘’\\]*+(?>(?:\\.[^‘’\\]*+)*))’", re.DOTALL)),
    "＂": re.compile(r"＂([^＂\\]*+(?>(?:\\.[^＂\\]*+)*))＂", re.DOTALL),
    "「": re.compile(r"「([^「」\\]*+(?>(?:\\.[^「」\\]*+)*))」", re.DOTALL),
}
_KNOWN_ESCAPES = re.compile(r'[^\\]*+(?>(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^\\]*+)*)')
_ESCAPE_OR_QUOTE = re.compile(r"\\.|\"", re.DOTALL)
_BARE_KEY = re.compile(r"[^\W\d]\w{0,63}+")
_SCALAR = re.compile(r"(-?(?:0|[1-9][0-9]*+)(\.[0-9]++)?([eE][-+]?[0-9]++)?|[-+]?[A-Za-z]++)(?=[\s,}\]/#，、｝］]|\Z)")
_CONSTANTS: dict[str, JSON] = {
    "true": True, "false": False, "null": None, "True": True, "False": False, "None": None,
}  # fmt: skip
_NOT_NUMBERS = {"NaN", "nan", "Infinity", "inf"}


class UnreadableError(ValueError):
    """The object cannot be read without guessing.

    ``problem`` is ``torn`` (the text ends inside the object), ``guessed`` (the end of a string is ambiguous),
    ``number`` (NaN, infinity, or too many digits), ``nested`` (too deep), ``unread`` (out of steps) or ``broken``
    (anything else).
    ``at`` is the position in code points.
    """

    def __init__(self, problem: str, at: int) -> None:
        super().__init__(problem)
        self.problem = problem
        self.at = at


class Reader:
    """Parses objects at given positions of one text.

    Every token costs one step, plus one per 64 characters, so that ``steps`` limits the total work.
    ``has_repeated_key`` is whether the object read last, or one inside it, has a key twice with two values; the last
    one is taken.
    """

    def __init__(self, text: str, steps: int) -> None:
        self.text = text
        self.steps = steps
        self.has_repeated_key = False

    def read_object(self, at: int, depth: int = 1) -> tuple[Row, int]:
        """Return the object whose brace is at ``at``, and the position after it; raises ``UnreadableError``."""
        text = self.text
        row: Row = {}
        self.has_repeated_key &= depth > 1
        at = self._skip_space(at + 1)
        while text[at] not in "}｝":
            key, at = self._read_key(at)
            value, at, quote = self._read_value(at, depth)
            if key in row and row[key] != value:
                self.has_repeated_key = True
            row[key] = value
            at = self._skip_to_next(at, "}｝", quote)
        return row, at + 1

    def _read_key(self, at: int) -> tuple[str, int]:
        """Return a key and the position of its value."""
        if self.text[at] in _STRINGS:
            key, at = self._read_string(at)
        elif bare := _BARE_KEY.match(self.text, at):
            key, at = bare.group(), bare.end()
        else:
            raise UnreadableError("broken", at)
        at = self._skip_space(at)
        if self.text[at] not in ":：":
            raise UnreadableError("guessed", at)
        return key, self._skip_space(at + 1)

    def _read_value(self, at: int, depth: int) -> tuple[JSON, int, str]:
        """Return a value, the position after it, and its opening quote ("" if it is not a string)."""
        character = self.text[at]
        if character in _STRINGS:
            string, at = self._read_string(at)
            return string, at, character
        if character not in "{[｛［":
            value, at = self._read_scalar(at)
            return value, at, ""
        if depth >= MAX_DEPTH:
            raise UnreadableError("nested", at)
        value, at = self.read_object(at, depth + 1) if character in "{｛" else self._read_array(at, depth + 1)
        return value, at, ""

    def _read_array(self, at: int, depth: int) -> tuple[list[JSON], int]:
        values = []
        at = self._skip_space(at + 1)
        while self.text[at] not in "]］":
            value, at, quote = self._read_value(at, depth)
            values.append(value)
            at = self._skip_to_next(at, "]］", quote)
        return values, at + 1

    def _skip_to_next(self, at: int, closers: str, quote: str) -> int:
        """Return the position of the next member or of one of the ``closers``.

        Comments are not skipped after strings in other than straight double quotes: ``'see '//x' now'`` contains an
        unescaped quote, not a comment.
        """
        at = self._skip_space(at) if quote in ("", '"') else self._skip_blank(at, _BLANK)
        if self.text[at] in ",，、":
            return self._skip_space(at + 1)
        if self.text[at] not in closers:
            raise UnreadableError("guessed" if quote else "broken", at)
        return at

    def _read_string(self, at: int) -> tuple[str, int]:
        """Return the string whose quote is at ``at``, with escapes decoded, and the position after it."""
        quote = self.text[at]
        found = _STRINGS[quote].match(self.text, at)
        if found is None:
            self.steps -= (len(self.text) - at) >> 6
            raise UnreadableError("torn", len(self.text))
        self._charge(at, found.end())
        body: str = found.group(1)
        if "\\" in body:
            body = self._decode_escapes(body, quote, at)
        return body, found.end()

    def _decode_escapes(self, body: str, quote: str, at: int) -> str:
        if quote == "'":
            body = _ESCAPE_OR_QUOTE.sub(lambda part: {"\\'": "'", '"': '\\"'}.get(part.group(), part.group()), body)
        elif quote != '"' and '"' in body:
            raise UnreadableError("guessed", at)
        if _KNOWN_ESCAPES.fullmatch(body) is None:
            raise UnreadableError("guessed", at)
        return str(json.loads(f'"{body}"', strict=False))

    def _read_scalar(self, at: int) -> tuple[JSON, int]:
        found = _SCALAR.match(self.text, at)
        if found is None:
            raise UnreadableError("broken", at)
        self._charge(at, found.end())
        word = found.group()
        if word in _CONSTANTS:
            return _CONSTANTS[word], found.end()
        if word.lstrip("+-") in _NOT_NUMBERS or len(word) > MAX_DIGITS:
            raise UnreadableError("number", at)
        if word[-1].isalpha():
            raise UnreadableError("broken", at)
        if found.group(2) is None and found.group(3) is None:
            return int(word), found.end()
        return finite_float(word, at), found.end()

    def _skip_space(self, at: int) -> int:
        """Return the position after blanks and comments; raises ``UnreadableError`` at the end of the text."""
        return self._skip_blank(at, _BLANK_OR_COMMENT)

    def _skip_blank(self, at: int, blank: re.Pattern[str]) -> int:
        found = blank.match(self.text, at)
        end = found.end() if found else at
        self._charge(at, end)
        if end == len(self.text):
            raise UnreadableError("torn", end)
        return end

    def _charge(self, start: int, end: int) -> None:
        self.steps -= 1 + ((end - start) >> 6)
        if self.steps <= 0:
            raise UnreadableError("unread", end)


def finite_float(word: str, at: int = 0) -> float:
    """Return ``word`` as a float; raises ``UnreadableError`` if it overflows to infinity, which JSON lacks."""
    value = float(word)
    if not math.isfinite(value):
        raise UnreadableError("number", at)
    return value
