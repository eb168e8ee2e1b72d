"""The recipe of rows about passages: which field asks, which one answers, and which one is the passage.

    seeds or their recipe -> PassageFields -> the recipe with one step, which asks about a passage

The rules of the seeds that are about these fields stay; those about their own logs (templates of their questions,
relations with other fields, lengths of their contexts) do not apply to other texts.

Does not handle: reading passages (``documents``), answers inside lists or objects.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from selfinstruct.errors import InputError
from selfinstruct.messages import Phrase
from selfinstruct.mining.questions import asking_paths
from selfinstruct.preparation.infer import context_fields
from selfinstruct.preparation.language_choice import language_of_files
from selfinstruct.prompts import ask_step, detect_language
from selfinstruct.recipe import Categories, Field, Novelty, Passages, Quota, Recipe, recipe_name
from selfinstruct.recipe.placeholders import names_in
from selfinstruct.records import Row
from selfinstruct.rows import UTF_8, RowFile, known_encoding
from selfinstruct.rows.leaves import Path as LeafPath

#: The fields of rows about passages without seeds.
QUESTION, ANSWER, CONTEXT = "Question", "Answer", "RawLog"
#: The rows of a run whose recipe has no quota. What a reader learns from more rows about the same lines levels off.
DEFAULT_ROWS = 1000
#: The largest ROUGE-L F1 of question and answer without seeds to measure it on.
WITHOUT_SEEDS = 0.95
_SHAPE_HINT = Phrase(
    "Rows about passages need seeds with a question, its answer, and the text that answers it, such as the fields "
    "Question, Answer and RawLog; answers occur in the text word for word. Or give no seeds."
)


@dataclass(frozen=True, slots=True)
class PassageFields:
    """The fields of a row that ask, that answer, and that are the passage; ``others`` are written too.

    The rest of the fields is known: ids (unique fields), and a label that is the category.
    """

    question: str
    answer: str
    context: str
    others: tuple[str, ...] = ()

    @property
    def written(self) -> tuple[str, ...]:
        """The fields that the author of a question writes."""
        return (self.question, self.answer, *self.others)


def passages_of(
    recipe: Recipe, files: Sequence[str], against: Sequence[str], encoding: str | None = None
) -> Passages | None:
    """The passages of a recipe, with other files where these are given; None if rows are not about passages."""
    table = recipe.passages
    if table is None and not files:
        if against:
            hint = Phrase("Set `passages` to the texts that rows are about, or leave out `against`.")
            raise InputError("`against` has no effect without passages", hint=hint)
        return None
    table = table or Passages(files=())
    given: dict[str, object] = {"files": tuple(files)} if files else {}
    given |= {"against": tuple(against)} if against else {}
    return table.model_copy(update=given | ({"encoding": known_encoding(encoding)} if given and encoding else {}))


def about_documents(recipe: Recipe, files: Sequence[str], encoding: str | None = None) -> Recipe:
    """Return a recipe that writes about ``[documents]`` with these files in place of its own, if there are any."""
    if recipe.documents is None or not files:
        return recipe
    documents = recipe.documents.model_copy(
        update={"files": tuple(files), "encoding": known_encoding(encoding or UTF_8)}
    )
    return recipe.model_copy(update={"documents": documents})


def without_seeds(passages: Sequence[str], encoding: str | None = None) -> tuple[RowFile, Recipe]:
    """No seeds, and the recipe of questions about passages without any. Raises InputError without passages."""
    if not passages:
        raise InputError("no seeds, recipe or passages", hint="Name a file of seed rows, a recipe, or `passages`.")
    recipe = Recipe(
        name=recipe_name(Path(passages[0])),
        fields={
            QUESTION: Field(identifiers_in=CONTEXT, max_chars=300),
            ANSWER: Field(appears_in=CONTEXT, max_chars=300),
            CONTEXT: Field(),
        },
        passages=Passages(files=tuple(passages), encoding=known_encoding(encoding or UTF_8)),
        novelty=Novelty(fields=(QUESTION, ANSWER), max_rouge_l=WITHOUT_SEEDS),
    )
    return RowFile(recipe.name, "jsonl", [], [], tuple(recipe.fields)), recipe


def passage_fields(recipe: Recipe, seeds: Sequence[Row]) -> PassageFields:
    """Return the roles of the fields. Raises InputError where a row has no question about a text of its own."""
    fields, table = recipe.fields, recipe.categories
    label = table.field if table.by == "field" else None
    own = [name for name, field in fields.items() if field.source == "passage"]
    targets = Counter(context_fields(recipe).values())
    context = own[0] if own else max(targets, key=targets.__getitem__, default="")
    free = [name for name in fields if name not in (context, label) and not fields[name].unique]
    texts = [name for name in free if fields[name].type in ("string", "any")]
    answers = [name for name in texts if fields[name].appears_in == context] or texts[-1:]
    asking = [name for name in _asking(seeds, texts) if name not in answers[:1]]
    questions = asking or [name for name in texts if name not in answers]
    if not context or not answers or not questions:
        names = ", ".join(fields)
        message = Phrase(
            "no field that a question is about and its answer is taken from: the rows have {names}", names=names
        )
        raise InputError(Phrase("{where}: {problem}", where=recipe.name, problem=message), hint=_SHAPE_HINT)
    question, answer = questions[0], answers[0]
    others = [name for name in free if name not in (question, answer) and not fields[name].optional]
    return PassageFields(question, answer, context, tuple(others))


def _asking(seeds: Sequence[Row], names: Sequence[str]) -> list[str]:
    """The fields of ``names`` whose texts are single questions in nearly all seeds."""
    texts: list[dict[LeafPath, str]] = [
        {(name,): row[name] for name in names if isinstance(row.get(name), str)} for row in seeds
    ]
    paths = asking_paths(texts)
    return [name for name in names if (name,) in paths]


def idle_attributes(recipe: Recipe) -> Iterator[Phrase]:
    """Yield a warning of the attributes that no prompt about a passage names."""
    named = {name.partition(".")[0] for step in recipe.steps for name in names_in(f"{step.system}\n{step.prompt}")}
    idle = [name for name in recipe.attributes if name not in named]
    if idle:
        yield Phrase(
            "attributes without effect on rows about passages, since no prompt names them: {names}",
            names=", ".join(idle),
        )


def about_passages(recipe: Recipe, passages: Passages, seeds: Sequence[Row]) -> Recipe:
    """Return the recipe with one step that asks about a passage; unchanged where it has that already.

    Raises InputError where the rows of the recipe are made in another way, or ask about no text.
    """
    for key in ("documents", "expand", "judge"):
        if getattr(recipe, key):
            message = Phrase("{name}: rows about passages cannot be combined with [{key}]", name=recipe.name, key=key)
            raise InputError(message, hint="Use the recipe without passages, or the seeds without this recipe.")
    if recipe.steps and recipe.passages is None:
        message = Phrase("{name}: rows about passages cannot be combined with [[steps]]", name=recipe.name)
        raise InputError(message, hint="Add [passages] to the recipe, and name {passage} in the prompts of its steps.")
    if recipe.categories.by == "template" and (recipe.quota.weights or recipe.novelty.categories):
        key = "quota.weights" if recipe.quota.weights else "novelty.categories"
        message = Phrase(
            "{name}: {key}: rows about passages have other categories than the templates of the seeds",
            name=recipe.name,
            key=key,
        )
        raise InputError(message, hint=Phrase("Remove {key}.", key=key))
    roles = passage_fields(recipe, seeds)
    recipe = recipe.model_copy(update={"passages": passages, **_changes(recipe, passages, roles)})
    if recipe.steps:
        return recipe
    found = detect_language(seeds) if seeds else language_of_files(passages.files, passages.encoding)
    language = recipe.language or found or "en"
    step = ask_step(recipe, roles.context, roles.written, language, has_seeds=bool(seeds))
    return recipe.model_copy(update={"steps": (step,)})


def _changes(recipe: Recipe, passages: Passages, roles: PassageFields) -> dict[str, object]:
    """The tables that differ for rows about passages."""
    by = recipe.categories.by
    label = recipe.categories.field if by == "field" else None
    fields = dict(recipe.fields)
    length = {"min_chars": None, "max_chars": None, "min_words": None, "max_words": None}
    fields[roles.context] = fields[roles.context].model_copy(update={"source": "passage", **length})
    if label is not None:
        fields[label] = fields[label].model_copy(update={"source": "category"})
    about = {roles.question, roles.answer, roles.context}
    compared = (roles.question, roles.answer)
    novelty = recipe.novelty.model_copy(update={"fields": compared})
    if not recipe.seeds.file and novelty.max_rouge_l == "seeds":
        novelty = novelty.model_copy(update={"max_rouge_l": WITHOUT_SEEDS})
    unset = recipe.quota.rows is None and recipe.quota.per_category is None
    return {
        "fields": fields,
        "relations": tuple(each for each in recipe.relations if set(each.fields) <= about),
        "categories": Categories(by="passage") if by in ("template", "none") else recipe.categories,
        "novelty": novelty,
        "prompt": recipe.prompt.model_copy(update={"rows_per_request": passages.rows_per_passage}),
        "quota": Quota(rows=DEFAULT_ROWS) if unset else recipe.quota,
    }


def passage_reasons(before: Recipe, after: Recipe, reasons: Mapping[str, str]) -> dict[str, str]:
    """The reasons for inferred settings that rows about passages keep, with those for the settings that differ."""
    if not reasons:
        return {}
    dropped = ("categories", "quota", "novelty.fields", "relations.")
    kept = {key: reason for key, reason in reasons.items() if not key.startswith(dropped)}
    if before.quota == after.quota and "quota.rows" in reasons:
        kept["quota.rows"] = reasons["quota.rows"]
    for at, relation in enumerate(after.relations):
        old = before.relations.index(relation)
        if (reason := reasons.get(f"relations.{old}")) is not None:
            kept[f"relations.{at}"] = reason
    kept["novelty.fields"] = Phrase("what is written about a passage; the passage itself is given")
    if after.categories.by == "passage":
        kept["categories"] = Phrase("the templates of the passages")
    return kept
