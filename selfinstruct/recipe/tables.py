"""A recipe's tables as frozen pydantic models: what each key means and what it may hold."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le
from pydantic import AllowInfNan, BaseModel, ConfigDict, Strict, StringConstraints

# The last word of each alias is what messages say is allowed.
Count = Annotated[int, Ge(1), "a whole number, 1 or more"]
CountOrNone = Annotated[int, Ge(0), "a whole number, 0 or more"]
Share = Annotated[float, Gt(0), Le(1), "a number above 0 and at most 1"]
Weight = Annotated[float, Gt(0), AllowInfNan(False), "a number above 0"]
Amount = Annotated[float, Ge(0), AllowInfNan(False), "a number, 0 or more"]
Names = Annotated[tuple[str, ...], Strict(False), 'a list of field names such as ["Question", "RawLog"]']
Label = Annotated[
    str,
    StringConstraints(pattern=r"^[^\x00-\x1f\x7f/\\:.][^\x00-\x1f\x7f/\\:]*$", max_length=80),
    "text of at most 80 characters that can name a folder: no / \\ : and no dot at its start",
]
FileName = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]+$"), "the name of a file, in quotes"]
Url = Annotated[
    str,
    StringConstraints(pattern=r"^https?://[^/?#@\s]+(/[^?#\s]*)?$"),
    'a URL such as "http://127.0.0.1:8000/v1", without user, key or query',
]
Variable = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Z_][A-Z0-9_]*$"),
    'the name of an environment variable in capitals such as "OPENAI_API_KEY", never the key itself',
]
NonEmpty = Annotated[str, StringConstraints(min_length=1), "text in quotes, not empty"]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class Seeds(_Table):
    """``[seeds]``: the rows a person wrote; ``file`` is relative to the recipe until it is loaded."""

    file: FileName


class Field(_Table):
    """``[fields.NAME]``: one field of a row, and what its values must satisfy.

    ``appears_in`` names the field of which a value must be a token-bounded span, compared as ``match`` says.
    ``identifiers_in`` names the field in which its digit-bearing tokens must occur. ``min_chars`` and
    ``max_chars`` bound its length in code points.
    """

    description: str = ""
    type: Literal["string", "integer", "number", "boolean", "array", "object", "any"] = "string"
    appears_in: str | None = None
    match: Literal["exact", "casefold", "whitespace"] = "exact"
    identifiers_in: str | None = None
    min_chars: CountOrNone | None = None
    max_chars: Count | None = None


class Categories(_Table):
    """``[categories]``: what quotas are counted in; the template or the value of ``field``, or nothing."""

    by: Literal["template", "field", "none"] = "none"
    field: str | None = None


class Quota(_Table):
    """``[quota]``: how many accepted rows, over all categories or in each.

    ``weights`` shares ``rows`` out unequally: category -> weight, 1 for those not named.
    """

    rows: Count | None = None
    per_category: Count | None = None
    weights: dict[str, Weight] = {}


class Novelty(_Table):
    """``[novelty]``: how alike two rows may be.

    ``fields`` are compared together. ``max_rouge_l`` is the largest ROUGE-L F1 in (0, 1] that an accepted row
    may have with its nearest neighbour, or "seeds": as alike as the seeds of a category are to each other.
    """

    fields: Names = ()
    max_rouge_l: Literal["seeds"] | Share = "seeds"


class Demos(_Table):
    """``prompt.demos``: how many demonstrations are seeds, and at most how many are grown rows.

    6 + 2 is the Self-Instruct paper's (Wang et al. 2023, arXiv:2212.10560).
    """

    seeds: CountOrNone = 6
    grown: CountOrNone = 2


class Prompt(_Table):
    """``[prompt]``: what one request shows and asks for; ``instructions`` are added in the user's words."""

    demos: Demos = Demos()
    rows_per_request: Count = 20
    instructions: str = ""


class Price(_Table):
    """``model.price``: money for a million tokens; any currency, as long as the budget is in it too."""

    input: Amount
    output: Amount


class Model(_Table):
    """``[model]``: an OpenAI-compatible endpoint. What is None is left to the endpoint.

    ``max_tokens`` bounds one reply. ``concurrency`` is how many requests may be in flight at most;
    ``requests_per_minute`` and ``tokens_per_minute`` are the endpoint's limits, where its replies do not state them.
    A call is given up after ``timeout`` seconds. ``api_key_env`` names the environment variable that holds the key;
    a recipe never holds one. Of several ``[[models]]``, each gets a share of the batches by its ``weight``.
    """

    name: NonEmpty
    base_url: Url | None = None
    price: Price | None = None
    temperature: Amount | None = None
    top_p: Share | None = None
    max_tokens: Count | None = None
    concurrency: Count = 16
    requests_per_minute: Weight | None = None
    tokens_per_minute: Weight | None = None
    timeout: Weight | None = None
    api_key_env: Variable = "OPENAI_API_KEY"
    weight: Weight = 1.0


Models = Annotated[tuple[Model, ...], Strict(False)]


class Recipe(_Table):
    """What a data set is and how it grows.

    Who writes is the ``model``, or one of several ``models`` batch by batch; with neither, the embedded imitator.
    """

    name: Label
    task: str = ""
    seeds: Seeds
    fields: dict[str, Field]
    categories: Categories = Categories()
    quota: Quota = Quota()
    novelty: Novelty = Novelty()
    prompt: Prompt = Prompt()
    model: Model | None = None
    models: Models = ()

    @property
    def authors(self) -> tuple[Model, ...]:
        """The models that write; none for the imitator."""
        return self.models or (() if self.model is None else (self.model,))
