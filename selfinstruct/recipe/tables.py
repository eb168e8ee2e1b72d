"""A recipe's tables as frozen pydantic models, with the meaning and the type of each key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from annotated_types import Ge, Le
from pydantic import Field as Key
from pydantic import Strict

from selfinstruct.recipe.gate import Gate
from selfinstruct.recipe.methods import (
    Attribute,
    Documents,
    Expand,
    Field,
    Judge,
    Passages,
    Questions,
    Rule,
    Step,
    Verify,
)
from selfinstruct.recipe.relations import Relation
from selfinstruct.recipe.types import (
    Amount,
    Body,
    Count,
    CountOrNone,
    Encoding,
    FileName,
    Headers,
    Label,
    Language,
    Names,
    NonEmpty,
    Part,
    Query,
    Reference,
    Share,
    Table,
    Url,
    Variable,
    Weight,
)
from selfinstruct.rows.encoding import UTF_8

References = Annotated[
    tuple[Reference, ...], Strict(False), 'a list of functions of your own such as ["package.module:function"]'
]


class Seeds(Table):
    """``[seeds]``: the rows a person wrote; ``file`` is relative to the recipe until it is loaded; "" is none.

    ``encoding`` is that of a file which is not UTF-8, such as "gb18030". ``holdout`` is the share of the rows that is
    held out as a test set: nothing is grown from these. With ``split_field``, the rows are held out in which this field
    is not "train"; it is no field of the data set.
    """

    file: FileName = ""
    encoding: Encoding = UTF_8
    holdout: Part | None = None
    split_field: str | None = None

    @property
    def holds_out(self) -> bool:
        """Whether some of the rows are held out."""
        return self.holdout is not None or self.split_field is not None


class Categories(Table):
    """``[categories]``: the classes of rows that have quotas.

    ``by`` the template or the value of ``field``; by the template of the ``passage`` that a row is about; by the
    combinations of values of ``attributes``; by a function of your own, ``"package.module:function"``, which returns
    the category of a row; or one category for all rows.
    """

    by: Literal["template", "field", "passage", "attribute", "none"] | Reference = "none"
    field: str | None = None
    attributes: Names = ()

    @property
    def function(self) -> str | None:
        """The reference to a function of the user's own that returns a row's category, or None."""
        return self.by if ":" in self.by else None


class Checks(Table):
    """``[checks]``: checks of your own, besides the built-in ones.

    ``use`` names functions as ``"package.module:function"``, which are called as ``function(row, recipe)`` and return
    None or the reason for a rejection.
    """

    use: References = ()


class Quota(Table):
    """``[quota]``: how many accepted rows, over all categories (``rows``) or in each (``per_category``).

    ``weights`` divides ``rows`` unequally: category -> weight, 1 for categories that are not listed.
    """

    rows: Count | None = None
    per_category: Count | None = None
    weights: dict[str, Weight] = Key(default={})


class Novelty(Table):
    """``[novelty]``: how similar two rows may be.

    ``fields`` are compared as one text, or, with ``per_field``, each with the same field of the other rows.
    ``max_rouge_l`` is the largest ROUGE-L F1 in (0, 1] that an accepted row may have with its nearest neighbour, or
    "seeds": as similar as the seeds of its category are to each other. ``categories`` overrides it: category -> F1.
    """

    fields: Names = ()
    per_field: bool = False
    max_rouge_l: Literal["seeds"] | Share = "seeds"
    categories: dict[str, Share] = Key(default={})


#: The key of the probability that a model states for each row of a reply, with ``prompt.verbalized_sampling``.
PROBABILITY = "probability"


class Demos(Table):
    """``prompt.demos``: how many demonstrations are ``seeds``, and at most how many are ``grown`` rows.

    6 + 2 is the Self-Instruct paper's (Wang et al. 2023, arXiv:2212.10560). ``pool`` more are drawn from all rows,
    seeds and grown alike.
    """

    seeds: CountOrNone = 6
    grown: CountOrNone = 2
    pool: CountOrNone = 0


class Prompt(Table):
    """``[prompt]``: the demonstrations and rows of one request; ``instructions`` is text added to every prompt.

    A request asks for ``rows_per_request`` rows.

    With ``verbalized_sampling``, a model states a probability for each row of a reply with several, and samples
    unlikely rows too (Zhang et al. 2025, arXiv:2510.01171); the probability is not part of the row.
    """

    demos: Demos = Demos()
    rows_per_request: Count = 20
    verbalized_sampling: bool = False
    instructions: str = ""


class Price(Table):
    """``model.price``: the price of a million ``input`` and ``output`` tokens, in the currency of the budget.

    ``cached`` is that of input tokens which the endpoint has in its cache of prompts; by default that of the others.
    ``batch`` is the share of the price that requests in batch jobs cost.
    """

    input: Amount
    output: Amount
    cached: Amount | None = None
    batch: Share = 0.5

    @property
    def figures(self) -> list[float]:
        """The prices of input, output and, only if it is set, cached input."""
        return [self.input, self.output, *([] if self.cached is None else [self.cached])]

    @classmethod
    def of(cls, figures: Sequence[float]) -> Self:
        """The price with these ``figures``."""
        given, got, *cached = figures
        return cls(input=given, output=got, cached=cached[0] if cached else None)


class Model(Table):
    """``[model]``: a model at an OpenAI-compatible endpoint. Keys that are not set are left to the endpoint.

    ``base_url`` is the endpoint, by default that of the environment variable OPENAI_BASE_URL. ``temperature``,
    ``top_p`` and ``presence_penalty`` set its sampling. ``max_tokens`` limits one reply. ``concurrency`` is the largest
    number of requests in flight; ``requests_per_minute`` and ``tokens_per_minute`` are the endpoint's limits, where its
    replies do not state them. A call is abandoned after ``timeout`` seconds. ``api_key_env`` names the environment
    variable with the key; a recipe never contains one. Of several ``[[models]]``, each gets a share of the batches by
    its ``weight``. ``api`` is "completions" for a model that continues a text and takes no messages: it
    writes rows that imitate others by continuing these. With ``batch`` the requests are sent in batch jobs, which take
    up to a day and cost about half.

    ``extra_body`` is added to the body of each request, ``extra_headers`` to its headers, ``extra_query`` to the query
    of its URL; a header or query may name an environment variable, ``"${NAME}"``. With ``stream``, replies are
    streamed; without it, only if the endpoint serves nothing else.
    """

    name: NonEmpty
    base_url: Url | None = None
    price: Price | None = None
    temperature: Amount | None = None
    top_p: Share | None = None
    presence_penalty: Annotated[float, Ge(-2), Le(2), "a number from -2 to 2"] | None = None
    max_tokens: Count | None = None
    concurrency: Count = 16
    requests_per_minute: Weight | None = None
    tokens_per_minute: Weight | None = None
    timeout: Weight | None = None
    api_key_env: Variable = "OPENAI_API_KEY"
    weight: Weight = 1.0
    api: Literal["chat", "completions"] = "chat"
    extra_body: Body = Key(default={})
    extra_headers: Headers = Key(default={})
    extra_query: Query = Key(default={})
    stream: bool = False
    batch: bool = False

    @property
    def batch_price(self) -> Price | None:
        """The price of requests in batch jobs."""
        if self.price is None:
            return None
        share = self.price.batch
        cached = None if self.price.cached is None else self.price.cached * share
        return Price(input=self.price.input * share, output=self.price.output * share, cached=cached, batch=share)

    @property
    def usual_price(self) -> Price | None:
        """The price of the requests of a run, in batch jobs or not."""
        return self.batch_price if self.batch else self.price


class Roles(Table):
    """``[roles]``: the fields that the ``user`` and the ``assistant`` say, for chat messages and for ``probe``.

    The user's message begins with the text of ``context``, and ends with that of ``input``, where a row has them;
    ``system`` is the message before it. A question is put without its ``context`` by ``probe``. By default the roles
    follow from the names of the fields.
    """

    user: NonEmpty
    assistant: NonEmpty
    context: str = ""
    input: str = ""
    system: str = ""

    @property
    def names(self) -> dict[str, str]:
        """The field of each role that has one."""
        return {role: name for role, name in self if name}


Models = Annotated[tuple[Model, ...], Strict(False)]
Steps = Annotated[tuple[Step, ...], Strict(False)]
Expansions = Annotated[tuple[Expand, ...], Strict(False)]
Judges = Annotated[tuple[Judge, ...], Strict(False)]
Verifications = Annotated[tuple[Verify, ...], Strict(False)]
Rules = Annotated[tuple[Rule, ...], Strict(False)]
Relations = Annotated[tuple[Relation, ...], Strict(False)]


class Recipe(Table):
    """What a data set is and how it grows; ``task`` says in a few words what its rows are.

    The ``model`` writes the rows, or each of several ``models`` its share; with neither, the embedded imitator.
    ``backend`` names a function of your own, ``"package.module:factory"``, that is called with the resolved recipe and
    returns the ``Backend`` that writes them. ``language`` is that of its prompts; by default it follows the seeds or
    the documents.
    """

    name: Label
    task: str = ""
    language: Language | None = None
    backend: Reference | None = None
    seeds: Seeds = Seeds()
    fields: dict[str, Field]
    rules: Rules = ()
    relations: Relations = ()
    checks: Checks = Checks()
    gate: Gate = Gate()
    categories: Categories = Categories()
    quota: Quota = Quota()
    novelty: Novelty = Novelty()
    prompt: Prompt = Prompt()
    attributes: dict[str, Attribute] = Key(default={})
    documents: Documents | None = None
    passages: Passages | None = None
    questions: Questions = Questions()
    steps: Steps = ()
    judge: Judges = ()
    verify: Verifications = ()
    expand: Expansions = ()
    roles: Roles | None = None
    model: Model | None = None
    models: Models = ()

    @property
    def imitates(self) -> bool:
        """Whether new rows imitate the seeds, in one step."""
        return not self.steps and not (self.expand and self.documents)

    @property
    def continues_rows(self) -> bool:
        """Whether a model without instruction training writes whole rows, as the continuation of others."""
        return self.imitates and any(each.api == "completions" for each in self.all_models)

    @property
    def needs_model(self) -> bool:
        """Whether neither the embedded imitator nor templates alone can write the rows."""
        lists = [*(each.prompt for each in self.attributes.values()), *(each.prompt for each in self.expand)]
        return bool((self.steps and not self.asks) or self.judge or any(lists))

    @property
    def asks(self) -> bool:
        """Whether rows are questions about passages, which are asked in one step."""
        return self.passages is not None and len(self.steps) == 1

    @property
    def all_models(self) -> tuple[Model, ...]:
        """The models of ``[model]`` or ``[[models]]``; none for the imitator."""
        return self.models or (() if self.model is None else (self.model,))

    @property
    def verified_by_models(self) -> tuple[Verify, ...]:
        """The second opinions that models give."""
        return tuple(each for each in self.verify if each.votes) if self.all_models and self.backend is None else ()

    @property
    def verified_by_reader(self) -> tuple[Verify, ...]:
        """The second opinions that the embedded reader gives; it finds parts of a text, and so no labels."""
        by_models = self.verified_by_models
        return tuple(each for each in self.verify if each not in by_models and not self.is_label(each.answers))

    def is_label(self, name: str) -> bool:
        """Whether a field has one of a few values."""
        return bool(self.fields[name].one_of) or (self.categories.by == "field" and self.categories.field == name)
