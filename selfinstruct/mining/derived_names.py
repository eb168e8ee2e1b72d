"""Texts that are derived from a person's name: e-mail addresses, user names, handles, addresses of pages, file names.

hanna.roth@, hroth@, hanna_r, @HannaRoth and cv-roth-hanna.pdf follow the name of their row. A text that seems to follow
the name in another way (a nickname, pinyin) is kept, together with the name.

Does not handle: names of three words, or one of which the row shows no full form.

>>> fold("Jürgen", "ae"), fold("Jürgen", "a"), fold("O'Brien", "a")
('juergen', 'jurgen', 'obrien')
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from selfinstruct.mining.entities import Entity
from selfinstruct.rows.leaves import Path

_NAMES = frozenset(("first-name", "surname"))
_REPLACED = frozenset(("email", "user", "host"))
_TOKEN = re.compile(r"[^\s<>(){}\[\],;:\"'“”«»，。；：（）]+")
_MARK = re.compile(r"[@._/~\d-]")
_PIECE = re.compile(r"[^\W\d_]+")
_NEXT = re.compile(r" ([^\W\d_][\w’'-]+)(?!\w)")
_PREVIOUS = re.compile(r"(?<!\w)([^\W\d_][\w’'-]+) $")
_FULL_NAME = re.compile(r"(?<!\w)([^\W\d_][^\W\d_]+) ([^\W\d_][^\W\d_’'-]+)(?!\w)")
_LETTERS = re.compile(r"[A-Za-z._-]+")
_ENGLISHED = str.maketrans(
    {"ß": "ss", "ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"}
)
_SPELLED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})
# A part of a name that an address shares with it by more than chance.
_LEAST_SHARED = 3


class _Part(NamedTuple):
    """A part of a name in a word: the name, the [start, end) in the word, and whether it is its initial alone."""

    name: str
    start: int
    end: int
    initial: bool


class _Person(NamedTuple):
    first: str
    last: str


def fold(name: str, umlaut: str) -> str:
    """Return a name in lower-case letters without accents; ``umlaut`` is ``ae`` or ``a`` for how ä is written."""
    text = unicodedata.normalize("NFC", name).lower()
    text = (text.translate(_SPELLED) if umlaut == "ae" else text).translate(_ENGLISHED)
    return "".join(c for c in unicodedata.normalize("NFD", text) if c.isalpha() and not unicodedata.combining(c))


def with_derived(texts: Mapping[Path, str], found: dict[Path, list[Entity]]) -> dict[Path, list[Entity]]:
    """Return the entities of a row with those that are derived from its names, in place of addresses and users.

    ``key`` of a derived one is the name, ``format`` how it is written.
    """
    if not any(each.kind in _NAMES or each.kind == "email" for entities in found.values() for each in entities):
        return found
    persons = list(dict.fromkeys(_persons(texts, found)))
    changed = dict(found)
    kept: set[str] = set()
    for path, text in texts.items():
        entities = changed.get(path, [])
        for token in _TOKEN.finditer(text):
            start, end = token.start(), token.start() + len(token.group().rstrip(".!?"))
            inside = [each for each in entities if each.start < end and start < each.end]
            blocking = [each for each in inside if each.kind in _NAMES]
            if blocking or not _may_be_derived(text, start, end, inside):
                continue
            parts = _derived(text, start, end, persons)
            if parts:
                free = [each for each in entities if each not in inside or each.kind not in _REPLACED]
                added = [each for each in parts if all(each.end <= o.start or o.end <= each.start for o in free)]
                entities = sorted([*free, *added], key=lambda each: each.start)
            elif mails := [each for each in inside if each.kind == "email"]:
                names = {name for mail in mails for person in persons for name in _shared(mail.text, person)}
                if names or _may_be_transcribed(mails[0].text, texts.values()):
                    kept |= names | {mail.text for mail in mails}
        changed[path] = entities
    if kept:
        changed = {
            path: [each for each in entities if each.text not in kept and each.key not in kept]
            for path, entities in changed.items()
        }
    return changed


def derived_writer(entity: Entity) -> Callable[[str], str]:
    """Return what writes a name as a derived entity is written."""
    umlaut, case, length = entity.format.split()

    def write(name: str) -> str:
        text = fold(name, umlaut)[: 1 if length == "initial" else None]
        return text.upper() if case == "upper" else text.capitalize() if case == "title" else text

    return write


def _persons(texts: Mapping[Path, str], found: Mapping[Path, list[Entity]]) -> Iterator[_Person]:
    """The names of a row, those with listed words first."""
    for path, entities in found.items():
        text = texts[path]
        for each in entities:
            if each.kind not in _NAMES:
                continue
            after, before = _NEXT.match(text, each.end), _PREVIOUS.search(text[: each.start])
            if after is not None and after[1][0].isupper() and each.kind == "first-name":
                yield _Person(each.text, after[1])
            elif before is not None and before[1][0].isupper():
                yield _Person(before[1], each.text)
            else:
                yield _Person(each.text, "")
    for text in texts.values():
        for name in _FULL_NAME.finditer(text):
            if name[1][0].isupper() and name[2][0].isupper():
                yield _Person(name[1], name[2])


def _may_be_derived(text: str, start: int, end: int, inside: Iterable[Entity]) -> bool:
    """Whether a word is of a form in which names are written: with marks, all of its leaf, or a known user."""
    word = text[start:end]
    if any(each.kind in _REPLACED for each in inside):
        return True
    if end - start == len(text.strip()):
        return word != word.capitalize() or _MARK.search(word) is not None
    marked = _MARK.search(word.strip("-."))
    return marked is not None and len(_PIECE.findall(word)) > 0


def _derived(text: str, start: int, end: int, persons: Iterable[_Person]) -> list[Entity]:
    """The entities of a word that are parts of one person's name; none unless one is a full part."""
    for person in persons:
        for umlaut in ("a", "ae"):
            first, last = fold(person.first, umlaut), fold(person.last, umlaut)
            names = _Person(first, last)
            pieces = [(start + piece.start(), piece.group()) for piece in _PIECE.finditer(text[start:end])]
            parts: list[_Part] = []
            for at, (place, piece) in enumerate(pieces):
                around = {other.lower() for _, other in pieces[max(at - 1, 0) : at + 2]}
                parts += [
                    _Part(person.first if part.name == first else person.last, *_moved(part, place), part.initial)
                    for part in _parts(piece.lower(), names, around)
                ]
            if any(not part.initial and part.end - part.start > 1 for part in parts):
                return [_entity(text, part, umlaut) for part in parts]
    return []


def _moved(part: _Part, by: int) -> tuple[int, int]:
    return part.start + by, part.end + by


def _parts(piece: str, person: _Person, around: set[str]) -> list[_Part]:
    """How a run of letters is made of a name: ``hannaroth`` is ``hanna`` and ``roth``, ``hroth`` is ``h`` and ``roth``.

    An initial alone counts beside the other part of the name.
    """
    first, last = person
    orders = [(first, last), (last, first)] if first and last else []
    for one, other in orders:
        for left, right in ((one, other), (one[:1], other), (one, other[:1])):
            if piece == left + right:
                cut = len(left)
                return [
                    _Part(one, 0, cut, left != one),
                    _Part(other, cut, len(piece), right != other),
                ]
    for name, other in ((first, last), (last, first)):
        if name and piece == name:
            return [_Part(name, 0, len(piece), False)]
        if name and piece == name[:1] and other in around:
            return [_Part(name, 0, 1, True)]
    return []


def _entity(text: str, part: _Part, umlaut: str) -> Entity:
    written = text[part.start : part.end]
    length = "initial" if part.initial else "full"
    alone = len(written) == 1 and length == "initial"
    case = "lower" if written.islower() else "upper" if written.isupper() and (len(written) > 1 or alone) else "title"
    return Entity(part.start, part.end, "derived", written, part.name, f"{umlaut} {case} {length}")


def _shared(mail: str, person: _Person) -> set[str]:
    """The parts of a name that an address seems to follow in a way that is not known."""
    local = mail.partition("@")[0]
    letters = fold(local, "a")
    parts = [part for part in (fold(name, "a") for name in person) if part]
    initials = "".join(part[0] for part in parts)
    near = any(part[:_LEAST_SHARED] in letters for part in parts if len(part) >= _LEAST_SHARED)
    return {name for name in person if name} if near or letters in (initials, initials[::-1]) else set()


def _may_be_transcribed(mail: str, texts: Iterable[str]) -> bool:
    """Whether an address may be a name of another script in Latin letters (wangfang@)."""
    local = mail.partition("@")[0]
    return _LETTERS.fullmatch(local) is not None and any(
        character.isalpha() and character > "\u036f" for text in texts for character in text
    )
