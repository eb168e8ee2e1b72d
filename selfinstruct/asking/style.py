"""The style of questions: what the seed questions show about how to ask and how to answer.

    seed questions, answers and contexts -> question mark, capital, length, shares of wordings,
                                            units and negations in answers

Does not handle: words that only the seeds use; their own questions are varied elsewhere (see ``selfinstruct.mining``).

>>> style = Style.of([("How large is b1?", "318.5", "b1 has 318.5 KB"), ("Is p7 found?", "not", "p7 not found")])
>>> style.has_units, style.is_negation_alone, style.mark, dict(style.shares)
(False, True, '?', {'how': 0.5, 'is': 0.5})
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from selfinstruct.asking import grammar
from selfinstruct.asking.chinese_words import is_chinese
from selfinstruct.asking.headers import parse_header
from selfinstruct.asking.lexicon import entries
from selfinstruct.text import find_span

#: A negation and the word that it negates: not found, Did not receive, 未找到.
_NEGATED = re.compile(r"\b(?:not|never)\b\s\w|^(?:未|没有)\S", re.IGNORECASE)
_AUXILIARIES = grammar.AUXILIARIES | grammar.MODALS
_CHINESE_CLASSES = (
    ("why", "为什么|为何|什么原因|原因"),
    ("when", "什么时候|何时|什么时间|几点"),
    ("where", "哪里|哪儿|何处|什么地方|从哪|到哪"),
    ("who", "谁"),
    ("how many", "多少|几"),
    ("how", "多大|多长|多久|多远|如何|怎么|怎样"),
    ("is", "吗|是否|有没有"),
    ("which", "哪"),
    ("what", "什么"),
)
_SLACK = 2
_SHORTEST_LIMIT = 80
_DEFAULT_LIMIT = 160
#: Number of seeds with headers that shows whether headers are asked about, and the weight of such questions if not.
_FEWEST_HEADERS, _UNASKED_HEADER = 5, 0.15
#: How much a wording that the seeds never use is drawn, against one that has its even share in them.
_FLOOR = 0.4


def wording_class(question: str) -> str:
    """Return the class of a question's wording: what, which, how many, how, where, who, when, why, is, or other.

    A preposition before the question word ("from which") does not matter.
    """
    if is_chinese(question):
        return next((name for name, pattern in _CHINESE_CLASSES if re.search(pattern, question)), "other")
    words = re.findall(r"[a-z']+", question.lower())[:4]
    if words and words[0] in grammar.PREPOSITIONS:
        words = words[1:]
    if not words:
        return "other"
    if words[0] == "how" and words[1:2] in (["many"], ["much"]):
        return "how many"
    if words[0] in ("what", "which", "how", "where", "who", "whom", "when", "why"):
        return str(words[0]).removesuffix("m")
    return "is" if words[0] in _AUXILIARIES else "other"


@dataclass(frozen=True, slots=True)
class Style:
    """How to ask and answer.

    ``mark`` ends a question. ``longest`` is a limit in code points. ``has_units`` is whether an answer includes the
    unit that the question does not name, ``units`` the same for single wording classes. ``is_negation_alone`` is
    whether "Is it found?" is answered by "not" and not by "not found", as it is in English unless the seeds show
    otherwise; in Chinese the verb belongs to the answer.
    ``header_weight`` is how much questions
    about the header of a line are drawn: less, if the seeds have headers and never ask about them. ``shares`` are
    those of the wording classes in the seeds, empty without seeds.
    """

    mark: str = "?"
    is_capitalised: bool = True
    longest: int = _DEFAULT_LIMIT
    has_units: bool = True
    units: Mapping[str, bool] = field(default_factory=dict)
    is_negation_alone: bool = True
    header_weight: float = 1.0
    shares: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def default(cls, language: str = "en") -> Style:
        """The style without seeds; ``language`` is ``en`` or ``zh``."""
        return cls(mark="？" if language == "zh" else "?", is_negation_alone=language != "zh")

    @classmethod
    def of(cls, seed_questions: Sequence[tuple[str, str, str]]) -> Style:
        """The style of seed questions, each with its answer and context; the default without any."""
        if not seed_questions:
            return cls()
        questions = [question.strip() for question, _, _ in seed_questions]
        marks = Counter(text[-1] if text[-1:] in ("?", "？") else "" for text in questions)
        capitals = Counter(text[:1].isupper() for text in questions if text[:1].isalpha() and text[:1].isascii())
        classes = Counter(map(wording_class, questions))
        return cls(
            mark=marks.most_common(1)[0][0],
            is_capitalised=not capitals or capitals[True] >= capitals[False],
            longest=max(_SHORTEST_LIMIT, int(_SLACK * max(map(len, questions)))),
            has_units=_has_units(seed_questions) is not False,
            units=_units_by_class(seed_questions),
            is_negation_alone=_is_negation_alone(seed_questions),
            header_weight=_header_weight(seed_questions),
            shares={name: count / len(questions) for name, count in classes.items()},
        )

    def asks(self, kind: str, answer: str) -> bool:
        """Whether a kind of question with such an answer is asked: "not", or "not found", as in the seeds."""
        if kind == "is-it-not":
            return self.is_negation_alone
        return kind != "is-it" or not self.is_negation_alone or not _NEGATED.search(answer)

    def keeps_unit(self, question: str) -> bool:
        """Whether the answer to a question includes the unit, by the seeds of its wording class or else by all."""
        return self.units.get(wording_class(question), self.has_units)

    def written(self, question: str) -> str:
        """Return a question with its capital and its mark."""
        if self.is_capitalised and not is_chinese(question):
            question = question[:1].upper() + question[1:]
        mark = {"?": "？", "": ""}.get(self.mark, self.mark) if is_chinese(question) else self.mark.replace("？", "?")
        return question + mark

    def weight(self, question: str) -> float:
        """Return how much more often than others a wording is used, by the shares of the seeds."""
        if not self.shares:
            return 1.0
        return _FLOOR + self.shares.get(wording_class(question), 0.0) * len(self.shares)


def _is_negation_alone(seed_questions: Sequence[tuple[str, str, str]]) -> bool:
    """Whether a negation alone is an answer; it is unless an answer includes the verb and none leaves it out."""
    answers = [answer for question, answer, _ in seed_questions if wording_class(question) == "is"]
    alone = any(answer.strip().lower() in ("not", "no", "never", "未", "没有") for answer in answers)
    is_chinese_seed = any(is_chinese(question) for question, _, _ in seed_questions)
    return alone or not (is_chinese_seed or any(_NEGATED.search(answer) for answer in answers))


def _header_weight(seed_questions: Sequence[tuple[str, str, str]]) -> float:
    headers = [(parse_header(context), answer, context) for _, answer, context in seed_questions]
    led = [(header.end, answer, context) for header, answer, context in headers if header.fields]
    if len(led) < _FEWEST_HEADERS:
        return 1.0
    spans = [(end, find_span(answer.strip(), context)) for end, answer, context in led]
    return 1.0 if any(span is not None and span[0] < end for end, span in spans) else _UNASKED_HEADER


def _units_by_class(seed_questions: Sequence[tuple[str, str, str]]) -> dict[str, bool]:
    by_class: defaultdict[str, list[tuple[str, str, str]]] = defaultdict(list)
    for row in seed_questions:
        by_class[wording_class(row[0])].append(row)
    found = {name: _has_units(rows) for name, rows in by_class.items()}
    return {name: has_units for name, has_units in found.items() if has_units is not None}


def _has_units(seed_questions: Sequence[tuple[str, str, str]]) -> bool | None:
    """Whether answers that are numbers include their units; None if no answer shows it."""
    units = {*entries("units"), *entries("chinese-units")}
    with_unit = without = 0
    for question, answer, context in seed_questions:
        match = re.fullmatch(r"[-+]?\d[\d,.]*\s?(\S+)?", answer.strip())
        if match is None:
            continue
        if match[1] in units:
            with_unit += 1
            continue
        span = find_span(answer.strip(), context)
        following = re.match(r"\s?([^\W\d_]+|%)", context[span[1] :]) if span is not None else None
        if following is not None and following[1] in units and following[1].lower() not in question.lower():
            without += 1
    return None if with_unit == without else with_unit > without
