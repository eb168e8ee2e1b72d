"""How a row violates a relation about texts: format, composed, numbers_in, names_in, query, supported, span, words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from selfinstruct.messages import Phrase
from selfinstruct.recipe.relation_paths import parse_composition, parse_pattern, places
from selfinstruct.recipe.relation_values import shown, values_of
from selfinstruct.records import JSON, Row
from selfinstruct.text import is_bound, value_text
from selfinstruct.values import matches_format, number_of, occurs_in
from selfinstruct.values.dated import impossible
from selfinstruct.values.numbers import NUMBER
from selfinstruct.values.pieces import named, names_in_query, stated

if TYPE_CHECKING:
    from selfinstruct.recipe.relations import Relation


def formats(relation: Relation, row: Row) -> Iterator[str]:
    """Yield the values that are not of their format."""
    for path, name in (relation.format or {}).items():
        for value in places(row, parse_pattern(path)).values():
            if name == "arithmetic":
                from selfinstruct.values.equations import false_equation  # few recipes compute

                if wrong := false_equation(value_text(value)):
                    yield Phrase("{where}: {problem}", where=path, problem=wrong)
            elif name == "dated":
                # A text without dates says nothing wrong of them.
                if written := impossible(value_text(value)):
                    yield Phrase("{path}: {written} does not exist", path=path, written=shown(written))
            elif not matches_format(value, name):
                yield Phrase("{path} {value} is not a valid {name}", path=path, value=shown(value), name=name)


def composed(relation: Relation, row: Row) -> Iterator[str]:
    """Yield how a text is not composed of the other values."""
    for target, form in (relation.composed or {}).items():
        for value in places(row, parse_pattern(target)).values():
            expected = composition(form, row)
            if expected is not None and normalized(expected) != normalized(value_text(value)):
                yield Phrase(
                    "{target}: expected {expected}, got {value}",
                    target=target,
                    expected=shown(expected),
                    value=shown(value),
                )


def composition(form: str, row: Row) -> str | None:
    """Return the text that a form makes of a row's values; None if the row lacks one of them."""
    text = ""
    for part, is_path in parse_composition(form):
        if is_path:
            found = list(places(row, parse_pattern(part)).values())
            if len(found) != 1:
                return None
            part = value_text(found[0])
        text += part
    return text


def numbers_in(relation: Relation, row: Row) -> Iterator[str]:
    """Yield the dates, numbers and quoted words of a text that another one does not contain."""
    one, other = relation.paths
    for value, text in values_of(relation, row):
        missing = next((piece for piece in stated(value_text(value)) if not occurs_in(piece, value_text(text))), None)
        if missing is not None:
            yield Phrase(
                "{one}: {missing} does not occur in {other} {text}",
                one=one,
                missing=shown(missing),
                other=other,
                text=shown(text),
            )


def names_in(relation: Relation, row: Row) -> Iterator[str]:
    """Yield the names in a text that another one does not contain."""
    one, other = relation.paths
    for value, text in values_of(relation, row):
        missing = next((name for name in named(value_text(value)) if not occurs_in(name, value_text(text))), None)
        if missing is not None:
            yield Phrase(
                "{one}: {missing} does not occur in {other} {text}",
                one=one,
                missing=shown(missing),
                other=other,
                text=shown(text),
            )


def query(relation: Relation, row: Row) -> Iterator[str]:
    """Yield the first name of a query that its schema does not contain."""
    one, other = relation.paths
    for value, schema in values_of(relation, row):
        missing = unknown_name(value, schema)
        if missing is not None:
            yield Phrase("{one}: {missing} is no table or column in {other}", one=one, missing=missing, other=other)


def unknown_name(value: JSON, schema: JSON) -> str | None:
    """Return the first table or column of a query that a schema does not contain, or None."""
    known = set(re.findall(r"\w+", value_text(schema).lower()))
    names = (name for name in names_in_query(value_text(value)) if not known.issuperset(name.lower().split()))
    return next(names, None)


def supported(relation: Relation, row: Row) -> Iterator[str]:
    """Yield that the option that a key names does not occur in the text."""
    text_path, key_path, *option_paths = relation.paths
    texts = list(places(row, parse_pattern(text_path)).values())
    options = [(path, value) for path in option_paths for value in places(row, parse_pattern(path)).values()]
    for key in places(row, parse_pattern(key_path)).values():
        option = named_option(key, options, relation.by)
        if option is not None and texts and not occurs_in(option, value_text(texts[0])):
            yield Phrase(
                "{key_path}: {option} does not occur in {text_path} {text}",
                key_path=key_path,
                option=shown(option),
                text_path=text_path,
                text=shown(texts[0]),
            )


def named_option(key: JSON, options: Sequence[tuple[str, JSON]], by: str) -> JSON:
    """Return the option that a key names, or None; ``options`` are paths and values."""
    if by == "value":
        return key
    if by == "name":
        return next((value for path, value in options if is_named(key, path)), None)
    at = index_of(key, by)
    return options[at][1] if 0 <= at < len(options) else None


def is_named(value: JSON, path: str) -> bool:
    """Whether a value is the name of the option at a path: its last name, or what follows its last _ or blank."""
    name = str(parse_pattern(path)[-1]).strip().casefold()
    given = value_text(value).strip().casefold()
    return given == name or given == re.split(r"[_\s-]", name)[-1]


def index_of(value: JSON, by: str) -> int:
    """Return the index from 0 that a number or a letter (A is 0) means; -1 if it is none."""
    if by == "letter":
        text = value_text(value).strip().upper()
        return ord(text) - ord("A") if len(text) == 1 and "A" <= text <= "Z" else -1
    number = number_of(value)
    return int(number) if number is not None and number == int(number) else -1


def span(relation: Relation, row: Row) -> Iterator[str]:
    """Yield the starts and ends that do not enclose whole words of a text."""
    start_path, end_path, text_path = relation.paths
    for start, end, text in values_of(relation, row):
        if not is_span(start, end, text):
            yield Phrase(
                "{start_path} {start} to {end_path} {end} are no whole words of {text_path}",
                start_path=start_path,
                start=shown(start),
                end_path=end_path,
                end=shown(end),
                text_path=text_path,
            )


def is_span(start: JSON, end: JSON, text: JSON) -> bool:
    """Whether two numbers are the start and the end of whole words of a text, in code points."""
    if type(start) is not int or type(end) is not int or not isinstance(text, str):
        return False
    inside = 0 <= start < end <= len(text) and text[start:end].strip() == text[start:end]
    return inside and is_bound(text, start) and is_bound(text, end)


# How letters are written where there are none with marks: Jürgen is juergen.
_SPELLED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "æ": "ae"})


def has_words(value: JSON, text: JSON) -> bool:
    """Whether the words of a value follow each other in a text, whatever their case, accents and separators.

    >>> has_words("Zoë Roth", "zoe.roth@example.org"), has_words("Ann Lee", "https://example.org/ann-leeds")
    (True, False)
    """
    own = value_text(value)
    there = f" {_words(value_text(text))} "
    forms = {_words(own), _words(unicodedata.normalize("NFC", own).casefold().translate(_SPELLED))}
    return any(words and f" {words} " in there for words in forms)


@lru_cache(maxsize=16384)
def _words(text: str) -> str:
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return " ".join(re.findall(r"[^\W_]+", plain))


def normalized(text: str) -> str:
    """Return a text in its composed form (NFC), as texts are compared."""
    return unicodedata.normalize("NFC", text)


_NUMBER = re.compile(rf"(?<![\d.])(?:(?<![\w)])[-−]\s?)?{NUMBER}")


def ends_in(value: JSON, text: JSON) -> bool:
    """Whether a number is the last one of a text, or a value of another kind its last words."""
    written = unicodedata.normalize("NFKC", value_text(text)).rstrip().rstrip(".!。！)\"'”’」』*").rstrip()
    number = number_of(value)
    if number is not None:
        found = _NUMBER.findall(written)
        return bool(found) and number_of(found[-1]) == number
    wanted = unicodedata.normalize("NFKC", value_text(value)).strip().rstrip(".!。！").casefold()
    start = len(written) - len(wanted)
    return written.casefold().endswith(wanted) and (start <= 0 or is_bound(written, start))
