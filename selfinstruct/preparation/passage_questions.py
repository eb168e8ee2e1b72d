"""The questions that the embedded imitator asks about passages, and how many rows of each category they can be.

    prepared run -> its questions -> a trial of all of them, judged as in a run -> capacity -> quotas

Three lines of a kind have a handful of questions, of which some are too similar. The trial finds this out before the
run, so that other categories get the rows that such lines cannot have.

Does not handle: composing questions (``asking``), a model's questions, whose number is not known.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from selfinstruct.backends import PassageQuestions
from selfinstruct.checks import Criteria
from selfinstruct.errors import InputError
from selfinstruct.growth import (
    CategoryProgress,
    Draft,
    PassageSchedule,
    Pool,
    judge_batch,
    passage_groups,
    start_batch,
)
from selfinstruct.messages import Phrase
from selfinstruct.mining.question_frames import QuestionFrames
from selfinstruct.preparation.passage_rows import PassageFields, passage_fields
from selfinstruct.preparation.prepare import Prepared, with_capacity
from selfinstruct.prompts import detect_language
from selfinstruct.recipe import Recipe
from selfinstruct.records import JSON, Batch, Row

#: The trial ends after this many accepted rows; categories that still yield some then are not limited.
_MOST_TRIED = 4000
# Another random seed asks in another order, and a few rows fewer may be accepted.
_MARGIN = 10
# The number of questions of a category that the trial did not exhaust is estimated from this many passages.
_SAMPLE = 20
_USE_MODEL = Phrase('Use a model: set `base_url="http://127.0.0.1:8000/v1"` and `model="NAME"`.')


def with_questions(prepared: Prepared) -> Prepared:
    """Return the preparation of a run about passages with the imitator's questions, and quotas within their number.

    Raises InputError where the imitator cannot write a field, or has no question to ask.
    """
    recipe, seeds = prepared.recipe, prepared.seeds.rows
    roles = passage_fields(recipe, seeds)
    if set(recipe.steps[0].writes) != set(roles.written):
        wanted = ", ".join(roles.written)
        message = Phrase(
            "{name}: the embedded imitator can only answer a step that writes {wanted}", name=recipe.name, wanted=wanted
        )
        raise InputError(message, hint=_USE_MODEL)
    questions = make_questions(prepared)
    trial = _Trial(prepared, questions, roles)
    trial.run(sum(prepared.quotas.values()))
    if not trial.accepted.total():
        message = Phrase(
            "{name}: the embedded imitator finds no question to ask about these passages (most often: {reason})"
            if trial.reason
            else "{name}: the embedded imitator finds no question to ask about these passages",
            name=recipe.name,
            reason=trial.reason,
        )
        raise InputError(message, hint=_USE_MODEL)
    kinds = ", ".join(f"{kind} {count:,}" for kind, count in trial.kinds.most_common())
    tried = Phrase("kinds of question in a trial of {count:,}: {kinds}", count=trial.kinds.total(), kinds=kinds)
    notes = (*prepared.notes, tried)
    prepared = with_capacity(replace(prepared, questions=questions, notes=notes), trial.capacity())
    unknown = [kind for kind in recipe.questions.weights if kind not in trial.kinds]
    warnings = [Phrase("questions.weights: no question of the kind {kind} in the trial", kind=kind) for kind in unknown]
    total = sum(prepared.inputs.capacity.values())
    if total < sum(prepared.quotas.values()):
        few = Phrase(
            "the imitator finds about {count:,} different questions to ask: the run will stop short", count=total
        )
        warnings.append(few)
    return replace(prepared, warnings=(*prepared.warnings, *warnings))


def make_questions(prepared: Prepared) -> PassageQuestions:
    """The imitator's questions about the passages of a run, in the style of its seeds."""
    from selfinstruct.asking import Asker, Style

    recipe, seeds, passages = prepared.recipe, prepared.seeds.rows, prepared.inputs.passages
    roles = passage_fields(recipe, seeds)
    asked = [
        (row[roles.question], row[roles.answer], row[roles.context])
        for row in seeds
        if all(isinstance(row.get(name), str) for name in (roles.question, roles.answer, roles.context))
    ]
    sample = [{"passage": passages[at]["passage"]} for at in range(0, len(passages), len(passages) // 100 + 1)]
    language = prepared.recipe.language or detect_language(seeds or sample)
    style = Style.of(asked) if asked else Style.default(language)
    texts = prepared.passage_texts
    asker = Asker(texts, style, language=language)
    return PassageQuestions(texts, asker, QuestionFrames(asked), recipe.questions.weights)


def constants_of(recipe: Recipe, roles: PassageFields, seeds: Sequence[Row]) -> dict[str, JSON]:
    """The values of the fields besides question and answer, which all seeds share.

    Raises InputError where they vary: a question about another text has another one, which only a model can know.
    """
    label = recipe.categories.field if recipe.categories.by == "field" else None
    constants: dict[str, JSON] = {}
    for name in (*roles.others, *([label] if label is not None else [])):
        values = {json.dumps(row.get(name), sort_keys=True) for row in seeds}
        if len(values) != 1:
            message = Phrase(
                "{name}: the embedded imitator cannot write {field} of rows about passages: it varies",
                name=recipe.name,
                field=name,
            )
            raise InputError(
                message,
                hint=Phrase("Leave {name} out of the seeds, or use a model: set `base_url` and `model`.", name=name),
            )
        constants[name] = seeds[0].get(name)
    return constants


class _Trial:
    """A run in memory: one row of each category in turn, in the order of the passages."""

    def __init__(self, prepared: Prepared, questions: PassageQuestions, roles: PassageFields) -> None:
        recipe = prepared.recipe
        self._prepared, self._questions, self._roles = prepared, questions, roles
        self._constants = constants_of(recipe, roles, prepared.seeds.rows)
        self._groups: Mapping[str, Sequence[Sequence[int]]] = passage_groups(prepared.inputs.passages)
        self._schedule = PassageSchedule(self._groups, 0, replace(prepared, questions=questions).is_usable)
        self._progress = {name: CategoryProgress(_MOST_TRIED) for name in prepared.quotas}
        self._pool = Pool(recipe, prepared.thresholds, self._progress)
        self._pool.add_seeds(prepared.seeds.rows, [prepared.categories.of(row) for row in prepared.seeds.rows])
        self._criteria = Criteria(recipe, prepared.thresholds, prepared.categories.of)
        self._exhausted: set[str] = set()
        self._rejected: Counter[str] = Counter()
        self._batches = 0
        self._asked: set[tuple[str, str]] = set()
        self.accepted: Counter[str] = Counter()
        self.kinds: Counter[str] = Counter()

    @property
    def reason(self) -> str:
        """The most frequent reason why rows were rejected, or ""."""
        common = self._rejected.most_common(1)
        return common[0][0] if common else ""

    def run(self, rows: int) -> None:
        """Try until ``rows`` are accepted, or ``_MOST_TRIED``, or nothing is left to ask."""
        active = list(self._progress)
        while active and self.accepted.total() < min(rows, _MOST_TRIED):
            active = [name for name in active if self._try(name)]
        self._exhausted = set(self._progress) - set(active)

    def capacity(self) -> dict[str, int]:
        """How many rows each category can have, as far as the trial shows."""
        return {name: self._capacity(name) for name in self._progress}

    def _capacity(self, name: str) -> int:
        accepted = self.accepted[name]
        if name in self._exhausted:
            return accepted - accepted // _MARGIN
        templates = self._groups.get(name) or [each for group in self._groups.values() for each in group]
        sample = [number for numbers in templates for number in numbers[:_SAMPLE]][:_SAMPLE]
        return max(accepted, sum(map(self._questions.count, sample)) * sum(map(len, templates)) // len(sample))

    def _try(self, name: str) -> bool:
        """Ask about passages of a category until a row is accepted; False if nothing is left to ask."""
        while (following := self._schedule.next(name)) is not None:
            self._schedule.mark(name, *following)
            if self._judge(name, *following):
                return True
        return False

    def _judge(self, name: str, number: int, used: int) -> int:
        self._batches += 1
        count = self._prepared.recipe.prompt.rows_per_request
        asked = self._questions.ask(number, used * count, count, 0, self._asked)
        drafts = []
        for at, each in enumerate(asked, self._batches * count):
            values = {self._roles.question: each.question, self._roles.answer: each.answer, **self._constants}
            values[self._roles.context] = self._questions.texts[number - 1]
            values |= {key: ids.draw(at) for key, ids in self._prepared.inputs.ids.items()}
            drafts.append(Draft({key: values[key] for key in self._prepared.recipe.fields if key in values}, ""))
        batch = Batch(self._batches, name, len(drafts), 0, ())
        start_batch(self._progress, batch)
        judgements = judge_batch(batch, drafts, self._criteria, self._pool, self._progress)
        accepted = 0
        for each, judgement in zip(asked, judgements, strict=True):
            if judgement.rejection is not None:
                self._rejected[judgement.rejection.reason] += 1
            else:
                accepted += 1
                self.kinds[each.kind] += 1
        self.accepted[name] += accepted
        return accepted
