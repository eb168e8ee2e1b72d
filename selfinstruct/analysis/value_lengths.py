"""The length of a value that a reply is yet to write, from seeds, limits and labels, as a range of tokens.

Does not handle: what a model makes of it. A value without seeds and limits may have any length up to that of a reply.
"""

from __future__ import annotations

from collections.abc import Iterable

from selfinstruct.analysis.token_range import TokenRange
from selfinstruct.preparation import Prepared
from selfinstruct.prompts import estimate_tokens
from selfinstruct.prompts.language import is_chinese
from selfinstruct.recipe import Field, Recipe
from selfinstruct.text import value_text

#: An entry of a list, a verdict with its reason, and a value of which nothing is known: a word to a short paragraph.
ENTRY, VERDICT, UNKNOWN = TokenRange(2, 6, 20), TokenRange(10, 40, 120), TokenRange(2, 60, None)
# OpenAI's rule of thumb for English: 100 tokens are 75 words. A Chinese character counts as a word, and is one token.
_OF_A_WORD, _OF_A_HAN = 4 / 3, 1.0


def value_length(name: str, prepared: Prepared) -> TokenRange:
    """Return the length of the value of a name; as many tokens as the models may reply with if nothing is known."""
    name = name.partition(".")[0]
    recipe = prepared.recipe
    if name in recipe.attributes:
        return ENTRY
    for of, field in recipe.fields.items():
        if name in (of, field.source or of):
            own = [estimate_tokens(value_text(row[of])) for row in prepared.seeds.rows if of in row]
            if own:
                return TokenRange.exactly(sum(own) / len(own))
            if (stated := _stated(field, recipe)) is not None:
                return stated
    limits = [model.max_tokens for model in recipe.all_models]
    known = [limit for limit in limits if limit is not None]
    return TokenRange(UNKNOWN.least, UNKNOWN.usual, max(known) if known and len(known) == len(limits) else None)


def unknown_lengths(names: Iterable[str], prepared: Prepared) -> list[str]:
    """Return those of some names of which nothing says how long they will be."""
    return [name for name in dict.fromkeys(names) if value_length(name, prepared).most is None]


def _stated(field: Field, recipe: Recipe) -> TokenRange | None:
    """The length that the rules of a field state; None if they do not."""
    if field.min_words or field.max_words:
        in_chinese = is_chinese("\n".join(step.prompt for step in recipe.steps) or recipe.task)
        return _limited(field.min_words, field.max_words) * (_OF_A_HAN if in_chinese else _OF_A_WORD)
    if field.min_chars or field.max_chars:
        return _limited(field.min_chars, field.max_chars) * 0.25
    if field.one_of:
        own = [estimate_tokens(value_text(each)) for each in field.one_of]
        return TokenRange(min(own), sum(own) / len(own), max(own))
    return TokenRange(1, 1, 6) if field.type in ("integer", "number", "boolean") else None


def _limited(least: int | None, most: int | None) -> TokenRange:
    """A range that may be open at either end, with its middle."""
    low = least or 0
    return TokenRange(max(low, 1), (low + (most if most is not None else 2 * low)) / 2, most)
