"""One object out of text that is nearly JSON, in linear time and without a guess inside a string.

Reads what models write in place of JSON: single and typographic quotes, comments, trailing commas, bare keys,
Python's ``True``/``None``, raw line breaks in strings. A string's value is only ever what stands between its
two quotes, with its escapes decoded. Where that is in doubt (a quote inside that is not escaped, an unknown escape)
the object is refused.

Does not handle: missing commas, missing brackets, unquoted values, strings glued with ``+``. Each needs a guess.

>>> Reader("{'Answer': '28.0', Rows: [1, 2,],} // done", steps=100).object(0)
({'Answer': '28.0', 'Rows': [1, 2]}, 34)
"""

from __future__ import annotations

import json
import math
import re

from selfinstruct.records import JSON, Row

#: A value nested deeper than this is refused: nothing that a recipe asks for comes near it.
MAX_DEPTH = 64
#: Longer integers are refused; CPython itself stops at 4,300 digits (``sys.set_int_max_str_digits``).
MAX_DIGITS = 4_000

#: Blanks and comments, as a pattern. A comment that holds a quote may be the rest of a string whose quote was not
#: escaped, so it is no comment; one is at most 80 characters long, so that a search cannot become quadratic.
#: Atomic groups and not possessive ones: CPython before 3.11.5 matches these wrongly (gh-106052).
BLANK_OR_COMMENT = r'(?>(?:[\s\ufeff]++|(?://|\#)[^\n"“”]{0,80}+(?=\n|\Z)|/\*[^*"“”]{0,80}+\*/)*)'
_BLANK_OR_COMMENT = re.compile(BLANK_OR_COMMENT)
_BLANK = re.compile(r"[\s\ufeff]*+")
_STRINGS = {
    '"': re.compile(r'"([^"\\]*+(?>(?:\\.[^"\\]*+)*))"', re.DOTALL),
    "'": re.compile(r"'([^'\\]*+(?>(?:\\.[^'\\]*+)*))'", re.DOTALL),
    **dict.fromkeys("“”„", re.compile(r"[“”„]([^“”„\\]*+(?>(?:\\.[^“”„\\]*+)*))[“”]", re.DOTALL)),
    **dict.fromkeys("‘’", re.compile(r"[‘’]([^‘’\\]*+(?>(?:\\.[^‘’\\]*+)*))’", re.DOTALL)),
}
_KNOWN_ESCAPES = re.compile(r'[^\\]*+(?>(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^\\]*+)*)')
_ESCAPE_OR_QUOTE = re.compile(r"\\.|\"", re.DOTALL)
_BARE_KEY = re.compile(r"[^\W\d]\w{0,63}+")
_SCALAR = re.compile(r"(-?(?:0|[1-9][0-9]*+)(\.[0-9]++)?([eE][-+]?[0-9]++)?|[-+]?[A-Za-z]++)(?=[\s,}\]/#]|\Z)")
_CONSTANTS: dict[str, JSON] = {
    "true": True, "false": False, "null": None, "True": True, "False": False, "None": None,
}  # fmt: skip
_NOT_NUMBERS = {"NaN", "nan", "Infinity", "inf"}


class UnreadableError(ValueError):
    """The object cannot be read without guessing.

    ``problem`` is ``torn`` (the text ended inside), ``guessed`` (a string's end is in doubt), ``number`` (NaN, an
    infinity, or too many digits), ``nested`` (too deep), ``unread`` (out of steps) or ``broken`` (anything else).
    ``at`` is the place in code points.
    """

    def __init__(self, problem: str, at: int) -> None:
        super().__init__(problem)
        self.problem = problem
        self.at = at


class Reader:
    """Reads objects at given places of one text.

    Every token costs a step, and one more for every 64 characters, so that ``steps`` bounds the work done in all.
    """

    def __init__(self, text: str, steps: int) -> None:
        self.text = text
        self.steps = steps

    def read_object(self, at: int, depth: int = 1) -> tuple[Row, int]:
        """The object whose brace is at ``at``, and the place after it; raises ``UnreadableError``."""
        text = self.text
        row: Row = {}
        at = self._skip_space(at + 1)
        while text[at] != "}":
            key, at = self._read_key(at)
            row[key], at, quote = self._read_value(at, depth)
            at = self._skip_to_next(at, "}", quote)
        return row, at + 1

    def _read_key(self, at: int) -> tuple[str, int]:
        """A key and the place of its value."""
        if self.text[at] in _STRINGS:
            key, at = self._read_string(at)
        elif bare := _BARE_KEY.match(self.text, at):
            key, at = bare.group(), bare.end()
        else:
            raise UnreadableError("broken", at)
        at = self._skip_space(at)
        if self.text[at] != ":":
            raise UnreadableError("guessed", at)
        return key, self._skip_space(at + 1)

    def _read_value(self, at: int, depth: int) -> tuple[JSON, int, str]:
        """A value, the place after it, and the quote that ended it ("" where none did)."""
        character = self.text[at]
        if character in _STRINGS:
            string, at = self._read_string(at)
            return string, at, character
        if character not in "{[":
            value, at = self._read_scalar(at)
            return value, at, ""
        if depth >= MAX_DEPTH:
            raise UnreadableError("nested", at)
        value, at = self.read_object(at, depth + 1) if character == "{" else self._read_array(at, depth + 1)
        return value, at, ""

    def _read_array(self, at: int, depth: int) -> tuple[list[JSON], int]:
        values = []
        at = self._skip_space(at + 1)
        while self.text[at] != "]":
            value, at, quote = self._read_value(at, depth)
            values.append(value)
            at = self._skip_to_next(at, "]", quote)
        return values, at + 1

    def _skip_to_next(self, at: int, closer: str, quote: str) -> int:
        """The place of the next member or of ``closer``.

        After a string in anything but straight double quotes no comment is looked for: ``'see '//x' now'`` is a
        quote too many and not a comment.
        """
        at = self._skip_space(at) if quote in ("", '"') else self._skip_blank(at, _BLANK)
        if self.text[at] == ",":
            return self._skip_space(at + 1)
        if self.text[at] != closer:
            raise UnreadableError("guessed" if quote else "broken", at)
        return at

    def _read_string(self, at: int) -> tuple[str, int]:
        """The string whose quote is at ``at``, its escapes decoded, and the place after it."""
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
        """The place after blanks and comments; raises where the text ends."""
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
    """``word`` as a float; raises ``UnreadableError`` where it overflows to an infinity, which JSON cannot hold."""
    value = float(word)
    if not math.isfinite(value):
        raise UnreadableError("number", at)
    return value
