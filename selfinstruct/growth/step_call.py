"""A call of a batch: its key, its prompt, and the format of its reply; pure.

Does not handle: sending, or reading the reply (``step_reply``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from selfinstruct.prompts import ANSWER, REASONING, step_messages, verify_messages
from selfinstruct.recipe import PROBABILITY, Judge, Recipe, Step, Verify
from selfinstruct.records import JSON, Message, ReplyFormat

#: The only call of a recipe without steps: whole rows that imitate the demonstrations, or templates alone.
IMITATE, EXPAND = "imitate", "expand"
#: Tries of a judge, and of a second opinion.
_JUDGE_TRIES = 2


@dataclass(frozen=True, slots=True)
class StepCall:
    """A call to be made; ``values`` fill its prompt. ``definition`` is None where the reply contains whole rows."""

    key: str
    definition: Step | Judge | Verify | None
    values: Mapping[str, JSON] = field(default_factory=dict)

    @property
    def max_tries(self) -> int:
        """How often the call may be made while its replies are unreadable."""
        if self.definition is None:
            return 1
        return self.definition.tries if isinstance(self.definition, Step) else _JUDGE_TRIES

    @property
    def model(self) -> str:
        """The name of the model to call; "" for any."""
        return "" if self.definition is None else self.definition.model

    @property
    def asks_for_rows(self) -> bool:
        """Whether the reply is to have as many rows as the batch."""
        if self.definition is None:
            return True
        return isinstance(self.definition, Step) and self.definition.reply == "json" and not self.definition.rows

    @property
    def continues_answer(self) -> bool:
        """Whether a model that continues rows continues one up to its answer here; reasons are not among its fields."""
        return isinstance(self.definition, Verify) and not self.definition.reasons

    def reply_format(self, recipe: Recipe) -> ReplyFormat | None:
        """The format of a JSON reply; None where the reply is text."""
        fields, definition = recipe.fields, self.definition
        if definition is None:
            types = {name: str(each.type) for name, each in fields.items()}
            optional = frozenset(name for name, each in fields.items() if each.optional)
            return _of_rows(recipe, ReplyFormat(types, optional=optional, choices=_choices(recipe, types)))
        if isinstance(definition, Judge):
            return ReplyFormat({"score": "number", "reason": "string"}, is_list=False)
        if isinstance(definition, Verify):
            steps = {REASONING: "string"} if definition.reasons else {}
            answered = fields[definition.answers]
            # A reader that cannot tell gives an empty text.
            choices = {ANSWER: (*answered.one_of, "")} if answered.one_of and answered.type == "string" else {}
            return ReplyFormat({**steps, ANSWER: str(answered.type)}, is_list=False, choices=choices)
        if definition.reply != "json":
            return None
        types = {name: str(fields[name].type) if name in fields else "string" for name in definition.writes}
        choices = _choices(recipe, types)
        return _of_rows(recipe, ReplyFormat(types, is_list=definition.rows != 1, choices=choices))

    def messages(self, recipe: Recipe) -> tuple[Message, ...]:
        """The prompt of a step, a judge or a reader; empty for imitation: its prompt is built from demonstrations."""
        if self.definition is None:
            return ()
        form = self.reply_format(recipe)
        if isinstance(self.definition, Verify):
            return verify_messages(recipe, self.definition, self.values, form)
        # A completion model was trained on an exact format, including the line break at its end.
        verbatim = any(each.api == "completions" for each in recipe.all_models if self.model in ("", each.name))
        system, prompt = self.definition.system, self.definition.prompt
        return step_messages(system, prompt, self.values, form, verbatim=verbatim)


def _choices(recipe: Recipe, names: Iterable[str]) -> dict[str, tuple[JSON, ...]]:
    """The values of the labels among the fields with these names."""
    return {name: recipe.fields[name].one_of for name in names if name in recipe.fields and recipe.fields[name].one_of}


def _of_rows(recipe: Recipe, form: ReplyFormat) -> ReplyFormat:
    """The format of a reply with rows; those of a list have probabilities where the recipe says so."""
    if not (recipe.prompt.verbalized_sampling and form.is_list):
        return form
    return replace(form, types={**form.types, PROBABILITY: "number"}, is_verbalized=True)


def first_reply_format(recipe: Recipe) -> ReplyFormat | None:
    """The format of the first JSON reply that a run requests; None where all replies are text."""
    definitions: list[Step | Judge | Verify | None] = [*(recipe.steps or [None]), *recipe.judge]
    formats = (StepCall("", definition).reply_format(recipe) for definition in definitions)
    return next((each for each in formats if each is not None), None)
