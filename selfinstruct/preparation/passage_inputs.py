"""The passages of a run: read, without those that the seeds or a test set use, and grouped by their templates.

Does not handle: near-duplicates of the texts that are kept out, other than lines with more in front, such as a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from selfinstruct.documents import PROSE, Chunking, PackedPassages, PassageReading, read_passage_files
from selfinstruct.errors import InputError
from selfinstruct.growth import PromptInputs, passage_groups
from selfinstruct.messages import Phrase, joined
from selfinstruct.mining.id_sequence import IdSequence
from selfinstruct.mining.line_templates import line_templates
from selfinstruct.mining.text_template import SLOT
from selfinstruct.preparation.passage_quotas import QUESTIONS_PER_PASSAGE
from selfinstruct.preparation.passage_rows import passage_fields
from selfinstruct.prompts import estimate_tokens
from selfinstruct.recipe import Passages, Recipe
from selfinstruct.records import Row
from selfinstruct.rows import read_rows
from selfinstruct.text import canonical

_OF_SEEDS, _HELD_OUT = Phrase("used by seeds"), Phrase("held out")
# A context of the seeds may be a log line without what comes before its message: date, time, host, level, component.
_MOST_BEFORE = 10
# Of a shorter text it is no evidence that a longer one contains it.
_LEAST_CHARACTERS = 20
_CHUNK = (400, 2000)


def add_passages(
    inputs: PromptInputs, recipe: Recipe, seeds: Sequence[Row], held_out: Sequence[Row] = ()
) -> tuple[PromptInputs, tuple[str, ...]]:
    """Return the inputs with the passages that ``recipe`` names, and what was read, as notes for the user.

    Passages that rows of ``held_out``, or of the files ``against`` of the recipe, are about are left out. Raises
    InputError as ``read_passage_files``.
    """
    table = recipe.passages
    if table is None:
        return inputs, ()
    context = passage_fields(recipe, seeds).context
    contexts = [row[context] for row in seeds if isinstance(row.get(context), str)]
    found = read_passage_files(
        table.files,
        field=table.field or context,
        named=table.field is not None,
        by=table.by,
        chunking=Chunking(_chunk_characters(contexts), None, 0, estimate_tokens),
        keep_out=_KeptOut(contexts, _held_out(table, context, held_out)).reason,
        encoding=table.encoding,
    )
    templates = _set_templates(found.passages)
    most = max(QUESTIONS_PER_PASSAGE, table.rows_per_passage)
    capacity = {name: most * sum(map(len, group)) for name, group in passage_groups(found.passages).items()}
    inputs = replace(inputs, passages=found.passages, capacity=capacity, ids=id_sequences(recipe, seeds))
    return inputs, tuple(_notes(found, templates))


def id_sequences(recipe: Recipe, seeds: Sequence[Row]) -> dict[str, IdSequence]:
    """The values of the unique fields of new rows, which continue those of the seeds."""
    if recipe.passages is None:
        return {}
    unique = [name for name, field in recipe.fields.items() if field.unique]
    return {name: IdSequence([row[name] for row in seeds]) for name in unique if seeds}


def _set_templates(passages: PackedPassages) -> int:
    """Set the templates of the passages that are lines; return how many templates there are."""
    names, of = passages.templates
    is_prose = [names[number] == PROSE for number in of]
    mined, of_lines = line_templates(text for text, prose in zip(passages.texts, is_prose, strict=True) if not prose)
    numbers = iter(of_lines)
    passages.set_templates(PROSE if prose else mined[next(numbers)] or SLOT for prose in is_prose)
    return len(passages.templates[0])


def _chunk_characters(contexts: Sequence[str]) -> int:
    """The most characters of a chunk: about as many as the longest text of the seeds."""
    least, most = _CHUNK
    return min(max(max(map(len, contexts), default=most), least), most)


def _held_out(table: Passages, context: str, held_out: Sequence[Row]) -> Iterable[str]:
    """The texts of the rows of a test set."""
    yield from (row[context] for row in held_out if isinstance(row.get(context), str))
    for name in table.against:
        file = read_rows(name, uniform=False, encoding=table.encoding)
        for at, row in enumerate(file.rows):
            if not isinstance(row.get(context), str):
                hint = Phrase(
                    "Held-out rows need the field {context}, with the text that they are about.", context=context
                )
                raise InputError(
                    Phrase("{where}: no text in {context}", where=file.place(at), context=context), hint=hint
                )
            yield row[context]


class _KeptOut:
    """Decides which passages are kept out, since seeds or held-out rows are about them."""

    def __init__(self, seeds: Iterable[str], held_out: Iterable[str]) -> None:
        self._reasons = {canonical(text).strip(): _OF_SEEDS for text in seeds}
        self._reasons |= {canonical(text).strip(): _HELD_OUT for text in held_out}
        self._reasons.pop("", None)
        self._long = [text for text in self._reasons if len(text) >= _LEAST_CHARACTERS]

    def reason(self, passage: str) -> str:
        """Why a passage is kept out, or ""."""
        if not self._reasons:
            return ""
        text = canonical(passage).strip()
        if text in self._reasons:
            return self._reasons[text]
        if "\n" in text:
            return next((self._reasons[each] for each in self._long if each in text), "")
        rest = text
        for _ in range(_MOST_BEFORE):
            _, _, rest = rest.partition(" ")
            rest = rest.lstrip()
            if len(rest) < _LEAST_CHARACTERS:
                break
            if rest in self._reasons:
                return self._reasons[rest]
        return ""


def _notes(found: PassageReading, templates: int) -> Iterable[str]:
    """What was read, and what was left out of it."""
    read = joined([_counted(kind, count) for kind, count in found.read.items()], " and ")
    files = found.files[0] if len(found.files) == 1 else Phrase("{count:,} files", count=len(found.files))
    yield Phrase.counting(
        "passages: {read} in {files}: {passages:,} passages of {count:,} template",
        "passages: {read} in {files}: {passages:,} passages of {count:,} templates",
        templates,
        read=read,
        files=files,
        passages=len(found.passages),
    )
    if found.dropped:
        dropped = [
            Phrase("{count:,} {reason} (first: {place})", count=count, reason=Phrase(reason), place=found.first[reason])
            for reason, count in found.dropped.items()
        ]
        yield Phrase("passages left out: {groups}", groups=joined(dropped))


def _counted(kind: str, count: int) -> str:
    """A number of what was read, by its kind in ``PassageReading.read``."""
    known = {
        "line": Phrase.counting("{count:,} line", "{count:,} lines", count),
        "row": Phrase.counting("{count:,} row", "{count:,} rows", count),
    }
    return known.get(kind, f"{count:,} {kind}{'' if count == 1 else 's'}")
