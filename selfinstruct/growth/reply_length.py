"""How many tokens the reply to a call will have, from what the call asks for; pure.

    rows asked for x the tokens of their fields in the seeds, or in what the recipe says of fields that seeds lack

Of the seeds' values the long ones count (the 95th percentile): a reply that is cut off is lost.

Does not handle: the tokenizer of a model, reasoning, prose around the rows; the backend's margin covers these
(``backends/openai/reply_limit``).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from selfinstruct.growth.step_call import StepCall
from selfinstruct.prompts import ANSWER, estimate_tokens
from selfinstruct.recipe import PROBABILITY, Judge, Recipe, Step, Verify
from selfinstruct.recipe.methods import Field
from selfinstruct.records import Row
from selfinstruct.rows import to_json
from selfinstruct.text import value_text

#: Seeds that are measured, evenly spread over the file.
_MEASURED = 500
_PERCENTILE = 0.95
#: Tokens of a text that nothing is known about: a page and a half, or some hundred lines of code.
_UNKNOWN_TEXT = 1_000
#: Tokens of a number, a truth value, or a probability.
_SCALAR = 8
#: Tokens per word: English text has 1.3, names and other languages more.
_TOKENS_PER_WORD = 2
#: Tokens of the sentence in which a judge gives its reason, and of an answer that is worked out step by step.
_REASON, _STEPS = 100, 400
#: Tokens of the quotes, the colon and the comma around a name and its value.
_PUNCTUATION = 4
_NOT_TEXT = ("integer", "number", "boolean")


class ReplyLengths:
    """The expected lengths of replies for one recipe and its seeds."""

    def __init__(self, recipe: Recipe, seeds: Sequence[Row]) -> None:
        self._recipe = recipe
        measured = seeds[:: math.ceil(len(seeds) / _MEASURED) or 1]
        self._row = _long(estimate_tokens(to_json(row)) for row in measured)
        self._fields = {
            name: _long(estimate_tokens(value_text(row[name])) for row in measured if name in row)
            for name in recipe.fields
        }

    def expected(self, call: StepCall, count: int) -> int:
        """The tokens of the reply to ``call``, in a batch of ``count`` rows."""
        definition = call.definition
        if isinstance(definition, Judge):
            return _SCALAR + _REASON
        if isinstance(definition, Verify):
            return self._value(definition.answers) + len(ANSWER) + (_STEPS if definition.reasons else 0)
        if definition is None:
            each = self._row or sum(map(self._member, self._recipe.fields))
            rows = count
        else:
            as_json = definition.reply == "json"
            each = sum(map(self._member if as_json else self._value, definition.writes))
            rows = _rows(definition, count)
        if self._recipe.prompt.verbalized_sampling and rows > 1:
            each += estimate_tokens(PROBABILITY) + _PUNCTUATION + _SCALAR
        return rows * each

    def _member(self, name: str) -> int:
        """The tokens of a name with its value in an object."""
        return estimate_tokens(name) + _PUNCTUATION + self._value(name)

    def _value(self, name: str) -> int:
        """The tokens of the value of a field, or of a name that only later steps use."""
        if measured := self._fields.get(name, 0):
            return measured
        field = self._recipe.fields.get(name)
        return _UNKNOWN_TEXT if field is None else _described(field)


def _described(field: Field) -> int:
    """The tokens of a value by what the recipe says about it."""
    if field.type in _NOT_TEXT:
        return _SCALAR
    if field.one_of:
        return max(estimate_tokens(value_text(each)) + 1 for each in field.one_of)
    # A text of as many characters in a script without spaces has a token for each.
    limits = [field.max_chars, field.max_words and _TOKENS_PER_WORD * field.max_words]
    return min((each for each in limits if each), default=_UNKNOWN_TEXT)


def _rows(step: Step, count: int) -> int:
    """The rows that the reply of a step has."""
    if step.reply != "json":
        return 1
    return step.rows or count


def _long(lengths: Iterable[int]) -> int:
    """The length that only a twentieth of the values exceeds; 0 for none."""
    found = sorted(lengths)
    return found[math.ceil(_PERCENTILE * len(found)) - 1] if found else 0
