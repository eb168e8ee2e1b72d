"""Ask every right question about the lines of a text.

    lines -> templates and learnt values -> for each line, when it is asked for: slots, clauses, wordings -> questions

Does not handle: reading files, or judging the rows that are made of the questions (see ``selfinstruct.checks``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from selfinstruct.asking.chinese import chinese_questions
from selfinstruct.asking.chinese_words import is_chinese
from selfinstruct.asking.english_events import event_questions
from selfinstruct.asking.english_labels import label_questions
from selfinstruct.asking.english_outcomes import outcome_questions
from selfinstruct.asking.english_parts import part_questions
from selfinstruct.asking.english_reasons import reason_questions
from selfinstruct.asking.english_records import record_questions
from selfinstruct.asking.english_requests import request_questions
from selfinstruct.asking.english_slots import slot_questions
from selfinstruct.asking.english_transfers import transfer_questions
from selfinstruct.asking.headers import parse_header
from selfinstruct.asking.lines import read_line
from selfinstruct.asking.mentions import varied
from selfinstruct.asking.question import Draft, Question, is_right
from selfinstruct.asking.style import Style
from selfinstruct.asking.templates import Mined, mine

_WORDINGS = (
    slot_questions, label_questions, event_questions, outcome_questions, reason_questions, transfer_questions,
    request_questions, part_questions, record_questions,
)  # fmt: skip
#: Number of lines whose questions are kept in memory: a draw from few lines needs the same ones repeatedly.
_LARGEST_CACHE = 4096
#: Longer passages are not asked about, in code points: these rules are for lines and short prose.
LONGEST_PASSAGE = 2000


class Asker:
    """Composes questions about texts, in the language of each (English or Chinese); built once from all texts.

    Building takes time linear in the texts; questions about a text are composed when they are asked for.

    >>> lines = ["Received block blk_7 of size 671 from /10.0.0.1"]
    >>> asker = Asker(lines, Style.default("en"))
    >>> [(each.text, each.answer) for each in asker.questions(0) if each.kind == "where"][:1]
    [('Where was block blk_7 received from?', '10.0.0.1')]
    """

    def __init__(self, texts: Sequence[str], style: Style, *, language: str | None = None) -> None:
        self._texts = texts
        self._style = style
        self._language = language
        self._mined: Mined = mine(texts)
        self._cache: dict[int, tuple[Question, ...]] = {}

    @property
    def templates(self) -> Sequence[int]:
        """The number of each text's template."""
        return self._mined.of

    def __len__(self) -> int:
        return len(self._texts)

    def questions(self, index: int) -> Sequence[Question]:
        """Every right question about one text, in a fixed order; none in a language that is not the asker's."""
        if index not in self._cache:
            if len(self._cache) >= _LARGEST_CACHE:
                self._cache.clear()
            self._cache[index] = tuple(self._ask(self._texts[index]))
        return self._cache[index]

    def _ask(self, text: str) -> Iterator[Question]:
        language = "zh" if is_chinese(text) else "en"
        if len(text) > LONGEST_PASSAGE or (self._language is not None and language != self._language):
            return
        if language == "zh":
            drafts: Iterable[Draft] = chinese_questions(text)
        else:
            line = read_line(text, self._mined)
            drafts = varied(line, (draft for wording in _WORDINGS for draft in wording(line)))
        yield from self._finished(text, drafts)

    def _finished(self, text: str, drafts: Iterable[Draft]) -> Iterator[Question]:
        """The drafts that obey the rules, in the style; none of a question that has several answers."""
        found: dict[str, Question] = {}
        header_end = parse_header(text).end
        ambiguous = set()
        for draft in drafts:
            if not self._style.asks(draft.kind, text[draft.start : draft.end]):
                continue
            written = self._style.written(draft.text)
            end = draft.unit_end if draft.unit_end and self._style.keeps_unit(written) else draft.end
            if len(written) > self._style.longest or not is_right(
                written, text, draft.start, end, is_part=draft.is_part
            ):
                continue
            weight = draft.weight * self._style.weight(written)
            if draft.end <= header_end:
                weight *= self._style.header_weight
            question = Question(written, text[draft.start : end], draft.start, draft.kind.removesuffix("-not"), weight)
            other = found.setdefault(written, question)
            if (other.answer, other.start) != (question.answer, question.start):
                ambiguous.add(written)
            elif question.weight > other.weight:
                found[written] = question
        yield from (question for written, question in found.items() if written not in ambiguous)
