"""Facts of the world: the capital of a country, the author of a poem, the population or the coordinates of a city.

Another name or number makes such a fact false, though nothing in the row shows it. A row that also has a text about
other things keeps these fields; one that has nothing else cannot be imitated.

Does not handle: facts whose fields have other names, or that a passage with a question about it tells: a passage that
is rewritten is consistent with itself.

>>> fact_fields({"country": "Peru", "capital": "Lima"}), fact_fields({"name": "Ann", "city": "Lima"})
(('country', 'capital'), ())
>>> fact_fields({"text": "Lima is the capital of Peru."}), fact_fields({"text": "Ann lives in Lima."})
(('text',), ())
"""

from __future__ import annotations

import re
from typing import Final

from selfinstruct.mining.lexicon import words
from selfinstruct.records import Row
from selfinstruct.text import value_text

_SUBJECTS: Final = frozenset(words("fact-subjects"))
#: What is true of one subject alone.
_FACTS: Final = frozenset(words("fact-properties"))
#: What is a fact where a row has nothing else.
_FACTS_ALONE: Final = _FACTS | frozenset(words("fact-properties-alone"))
#: What is a fact of a mountain or a planet, but not of an animal or a parcel.
_MEASURES: Final = frozenset(words("fact-measures"))
_MEASURED: Final = frozenset(words("fact-measured"))
_NEUTRAL: Final = frozenset(["id", "nr", "no", "index", "idx", "编号", "序号"])
_NAMES: Final = frozenset(("name", "名称", "名字", "姓名"))
_WORD = re.compile(r"[^\W\d_]+|\d+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_SENTENCE = re.compile(
    r"\bcapital (?:city )?of\b"
    r"|\bpopulation (?:of|is|was)\b"
    r"|\bchemical symbol\b"
    r"|\batomic number\b"
    r"|\bhas \S+ inhabitants\b"
    r"|\b(?:largest|highest|longest|deepest|smallest) (?:city|mountain|river|lake|planet|desert) (?:in|of|on)\b"
    r"|\b(?:currency|official language) of\b"
    r"|\b(?:novel|poem|play|book|symphony|opera|painting)\b.*\b(?:written|composed|painted) by\b"
    r"|^[A-Z][\w.]+(?: [A-Z][\w.]+)* (?:wrote|painted|composed|invented) "
    r"|\b(?:invented|painted|composed) by\b"
    r"|\d°\s?\d*['′]?\s?[NSEW]\b"
    r"|\bHauptstadt (?:von|der|des|Deutsch)"
    r"|\bist die Hauptstadt"
    r"|\d Einwohner"
    r"|\bcapitale (?:de|du|des|d')"
    r"|\d habitants\b"
    r"|\bcapital de\b"
    r"|\d habitantes\b"
    r"|столица "
    r"|населени"
    r"|的?首都[是为在]"
    r"|是.{1,12}的(?:首都|省会|作者)"
    r"|省会[是为]"
    r"|(?:常住)?人口(?:约|为|是|有|达)"
    r"|元素符号"
    r"|化学符号"
    r"|原子序数"
    r"|作者[是为]"
    r"|《[^》]+》.{0,6}(?:是|由).{1,12}(?:所作|所写|写的|创作|的(?:代表作|作品|诗|词))"
    r"|の首都"
    r"|人口は"
    r"|元素記号"
    r"|عاصمة"
    r"|राजधानी"
    r"|수도[는은이]"
)
_LONGEST = 160
_ASKS = re.compile("[?？؟]")
_LEAST_WORDS = 4


def fact_fields(row: Row) -> tuple[str, ...]:
    """The fields that show the fact that a row is, () if it is none."""
    return _of_fields(row) or _of_sentence(row)


def told_fields(row: Row) -> frozenset[str]:
    """The fields of a row about other things that tell a fact of the world, such as a country and its currency."""
    subjects = [name for name in row if _words(name) & _SUBJECTS]
    facts = [name for name in row if _words(name) & _FACTS]
    return frozenset((*subjects, *facts)) if facts and len({*subjects, *facts}) > 1 else frozenset()


def _of_fields(row: Row) -> tuple[str, ...]:
    named = {name: own for name in row if not (own := _words(name)) <= _NEUTRAL}
    subjects = [name for name, own in named.items() if own & _SUBJECTS]
    facts = [name for name, own in named.items() if own & _FACTS_ALONE and name not in subjects]
    measures = [name for name, own in named.items() if own & _MEASURES]
    if any(own & _FACTS for own in named.values()):
        subjects += [name for name, own in named.items() if own & _NAMES]
    known = {*subjects, *facts, *measures}
    if len(known) < len(named) or not subjects or any(isinstance(row[name], list | dict) for name in named):
        return ()
    measured = [name for name in measures if any(named[each] & _MEASURED for each in subjects)]
    shown = [*subjects, *(name for name in facts + measured if name not in subjects)]
    return tuple(shown[:2]) if len(shown) > 1 else ()


def _of_sentence(row: Row) -> tuple[str, ...]:
    if any(isinstance(value, list | dict) for value in row.values()):
        return ()
    texts = {name: value_text(value) for name, value in row.items()}
    if any(_ASKS.search(text) for text in texts.values()):
        return ()
    sentences = [name for name, text in texts.items() if _is_sentence(text)]
    if len(sentences) != 1 or len(texts[sentences[0]]) > _LONGEST:
        return ()
    return (sentences[0],) if _SENTENCE.search(texts[sentences[0]]) is not None else ()


def _is_sentence(text: str) -> bool:
    return len(text.split()) >= _LEAST_WORDS or (not text.isascii() and len(text) > 2 * _LEAST_WORDS)


def _words(name: str) -> frozenset[str]:
    return frozenset(word.lower() for word in _WORD.findall(_CAMEL.sub(" ", name)))
