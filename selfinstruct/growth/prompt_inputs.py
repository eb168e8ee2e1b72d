"""Prompt inputs: what the prompts of a recipe use besides seeds: lists of values, passages of documents, templates.

    [attributes] -> lists        [documents], [passages] -> passages        [[expand]] -> templates

They are read once, before a run. A list that the model is to write (one with a ``prompt``) is absent until then.

Does not handle: which of them a batch uses (``sampler``).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from selfinstruct.checks.agreement import Convention
from selfinstruct.checks.leftovers import SeedMarks
from selfinstruct.errors import InputError, RowError
from selfinstruct.journal import History
from selfinstruct.messages import Phrase
from selfinstruct.mining.id_sequence import IdSequence
from selfinstruct.prompts import estimate_tokens
from selfinstruct.recipe import Documents, Expand, Recipe, builtin
from selfinstruct.recipe.placeholders import fill, lookup, names_in
from selfinstruct.records import JSON, Row
from selfinstruct.rows import RowFile, open_unpacked, read_rows
from selfinstruct.rows.likely_encoding import encoding_hint
from selfinstruct.rows.sources import CHECK_PATH
from selfinstruct.similarity.hard_negatives import HardNegatives
from selfinstruct.text import value_text

if TYPE_CHECKING:
    from selfinstruct.documents import Passage

_JSON_LINES = "{"
_PASSAGE = "passage"
# The key of a passage with the rows that templates in Jinja made of it, by expansion. No name in a recipe has a space.
_TASKS = "made by templates"
_TABLES = ("csv", "tsv")


@dataclass(frozen=True, slots=True)
class ExpansionTemplate:
    """The field texts that one template of an expansion writes, for rows with a value for each ``required`` name."""

    texts: Mapping[str, str]
    required: tuple[str, ...]

    def applies(self, values: Mapping[str, JSON]) -> bool:
        """Whether every required name has a value."""
        return all(_has_value(values, name) for name in self.required)

    def render(self, values: Mapping[str, JSON]) -> dict[str, JSON]:
        """The fields filled from ``values``; each may also name the fields before it."""
        fields: dict[str, JSON] = {}
        for name, text in self.texts.items():
            fields[name] = fill(text, {**values, **fields})
        return fields


@dataclass(slots=True)
class PromptInputs:
    """Lists by attribute, passages in document order, templates by expansion.

    ``capacity`` is the most rows that the passages of a category can yield. ``ids`` continue the values of the unique
    fields of the seeds, for rows whose author writes no ids; both are for rows about ``[passages]``.
    ``conventions`` are those of the seeds' answers, for second opinions. ``marks`` are what the seeds have of the dress
    of replies. ``notes`` are for the user.
    """

    lists: dict[str, Sequence[JSON]] = field(default_factory=dict)
    passages: Sequence[Row] = ()
    templates: dict[str, Sequence[ExpansionTemplate]] = field(default_factory=dict)
    capacity: Mapping[str, int] = field(default_factory=dict)
    ids: Mapping[str, IdSequence] = field(default_factory=dict)
    conventions: Mapping[str, Convention] = field(default_factory=dict)
    marks: SeedMarks = field(default_factory=SeedMarks)
    notes: Sequence[str] = ()
    # By the name of the passage's text, made on first use; other passages need others, so it is never copied.
    _negatives: dict[str, HardNegatives] = field(init=False, default_factory=dict, repr=False, compare=False)

    def hard_negatives(self, source: str) -> HardNegatives:
        """Return the passages as candidates for hard negatives; ``source`` is "passage", or "passage.KEY" of rows."""
        if source not in self._negatives:
            texts = [value_text(lookup(each, source)) for each in self.passages if _has_value(each, source)]
            self._negatives[source] = HardNegatives(texts)
        return self._negatives[source]

    def to_json(self) -> JSON:
        """The lists and templates as JSON for the journal, which keeps passages in a table of their own."""
        templates = {name: [[dict(each.texts), each.required] for each in of] for name, of in self.templates.items()}
        noted: JSON = {"lists": {name: list(values) for name, values in self.lists.items()}, "templates": templates}
        return noted | ({"capacity": dict(self.capacity)} if self.capacity else {})

    @classmethod
    def from_json(cls, noted: JSON, passages: Sequence[Row]) -> PromptInputs:
        """The inputs from the JSON of ``to_json``, with the journal's passages."""
        templates: dict[str, Sequence[ExpansionTemplate]] = {
            name: [ExpansionTemplate(texts, tuple(needs)) for texts, needs in of]
            for name, of in noted.get("templates", {}).items()
        }
        return cls(dict(noted.get("lists", {})), passages, templates, dict(noted.get("capacity", {})))


def recorded_inputs(recipe: Recipe, history: History) -> PromptInputs:
    """The inputs that a journal contains."""
    from selfinstruct.documents import PackedPassages

    rows = history.passages()
    passages = PackedPassages.of(rows) if recipe.passages is not None else list(rows)
    return PromptInputs.from_json(history.metadata().prompt_inputs, passages)


def read_prompt_inputs(recipe: Recipe) -> PromptInputs:
    """Read the inputs that ``recipe`` names. Raises InputError for a file that cannot be read or is empty."""
    lists: dict[str, Sequence[JSON]] = {}
    for name, attribute in recipe.attributes.items():
        if attribute.values:
            lists[name] = list(attribute.values)
        elif attribute.file is not None:
            lists[name] = parse_list(_read_text(attribute.file, attribute.encoding), attribute.file)
    templates: dict[str, Sequence[ExpansionTemplate]] = {}
    for expand in recipe.expand:
        if expand.templates:
            templates[expand.name] = parse_templates(expand.templates, expand)
        elif expand.file is not None and not expand.in_jinja:
            entries = parse_list(_read_text(expand.file, expand.encoding), expand.file)
            templates[expand.name] = parse_templates(entries, expand)
    if recipe.documents is None:
        return PromptInputs(lists, (), templates)
    for expand in recipe.expand:
        if expand.in_jinja:
            passages, notes = _passages_with_tasks(recipe.documents, expand, tuple(recipe.fields))
            return PromptInputs(lists, passages, templates, notes=notes)
    return PromptInputs(lists, read_passages(recipe.documents), templates)


def made_by_templates(passage: Mapping[str, JSON], expand: Expand) -> Sequence[Row]:
    """The rows that templates in Jinja made of a passage, when it was read."""
    made: Sequence[Row] = passage.get(_TASKS, {}).get(expand.name, ())
    return made


def _passages_with_tasks(
    documents: Documents, expand: Expand, fields: Sequence[str]
) -> tuple[list[Row], Sequence[str]]:
    """The passages with the rows that templates in Jinja make of them, and notes.

    They are rendered here, once, and are part of the passage from now on, in the journal too.
    """
    from selfinstruct.documents import find_documents
    from selfinstruct.jinja_templates.cells import typed
    from selfinstruct.jinja_templates.tasks import tasks_of_rows

    passages: list[Row] = []
    values: list[Row] = []
    places: list[str] = []
    for name in find_documents(documents.files):
        rows = read_rows(name, uniform=False, encoding=documents.encoding)
        passages += _row_passages(rows)
        values += typed(rows.rows) if rows.format in _TABLES else rows.rows
        places += map(rows.place, range(len(rows.rows)))
    tasks, notes = tasks_of_rows(expand, fields, values, places)
    return [{**each, _TASKS: {expand.name: made}} for each, made in zip(passages, tasks, strict=True)], notes


def parse_list(text: str, name: str) -> list[JSON]:
    """Parse a list with one entry per line, ignoring blank lines; entries are JSON objects if the first line is one.

    Raises InputError for an empty list, and for a line that is not an object where the first one is.
    """
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if not lines:
        raise InputError("{name}: no entries", hint="Write one entry per line.", name=name)
    if not lines[0][1].startswith(_JSON_LINES):
        return [line for _, line in lines]
    found: list[JSON] = []
    for number, line in lines:
        try:
            entry = json.loads(line)
        except ValueError as error:
            raise RowError(
                f"{name}:{number}", "not JSON: {error}", hint="Write one object per line.", error=error
            ) from error
        if not isinstance(entry, dict):
            raise RowError(
                f"{name}:{number}", "not a JSON object, but the first line is", hint="Write one object per line."
            )
        found.append(entry)
    return found


def parse_templates(entries: Iterable[JSON], expand: Expand) -> list[ExpansionTemplate]:
    """Parse templates from texts, or from objects with the texts of several fields.

    Raises InputError for a template without a placeholder: it would turn every row into the same one.
    """
    templates = []
    for number, each in enumerate(entries, 1):
        texts = dict(each) if isinstance(each, dict) else {expand.writes: str(each)}
        required = texts.pop("needs", None)
        texts = {name: text if isinstance(text, str) else json.dumps(text) for name, text in texts.items()}
        # A field's own name in its text refers to its earlier value, such as the subject of a question.
        fields = list(texts)
        named = [name for at, text in enumerate(texts.values()) for name in names_in(text) if name not in fields[:at]]
        if not named:
            raise InputError(
                "expand {name}: template {number} has no placeholder: {text}",
                hint="Put at least one name in braces, such as {{subject}}.",
                name=expand.name,
                number=number,
                text=list(texts.values())[:1],
            )
        # By default all named values are required, except the passage, which may be a whole row.
        required = (
            required if isinstance(required, list) else [name for name in dict.fromkeys(named) if name != _PASSAGE]
        )
        templates.append(ExpansionTemplate(texts, tuple(required)))
    return templates


def read_passages(documents: Documents) -> list[Row]:
    """Read passages as values for prompts: ``passage``, ``document``, ``page``, ``start``, ``end``.

    A passage is text, or a row of a row file. ``document`` is a path, relative to the recipe for built-in ones.
    Raises InputError for a document that cannot be read.
    """
    from selfinstruct.documents import Chunking, find_documents, read_documents, samples

    if documents.by == "row":
        found = [
            read_rows(name, uniform=False, encoding=documents.encoding) for name in find_documents(documents.files)
        ]
        return [passage for rows in found for passage in _row_passages(rows)]
    split = samples
    if documents.by == "chunk":
        limits = documents.max_chars, documents.max_tokens, documents.overlap
        split = Chunking(*limits, estimate_tokens).spans
    passages = read_documents(documents.files, split, encoding=documents.encoding).passages
    return [{"passage": one.text, "document": _document_name(one.document), **_position(one)} for one in passages]


def _row_passages(rows: RowFile) -> list[Row]:
    name = _document_name(rows.path)
    return [
        {"passage": row, "document": name, "page": None, "start": line, "end": line}
        for row, line in zip(rows.rows, rows.lines, strict=True)
    ]


def _position(passage: Passage) -> Row:
    return {"page": passage.page, "start": passage.start, "end": passage.end}


def _document_name(name: str) -> str:
    folder = Path(builtin.__file__).parent.as_posix()
    return name.removeprefix(f"{folder}/")


def _read_text(name: str, encoding: str) -> str:
    try:
        with open_unpacked(name, encoding) as file:
            return file.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(Phrase("{name}: not UTF-8 text", name=name), hint=encoding_hint(error.object)) from error
    except RowError as error:
        hint = Phrase("Check the path; it is relative to the recipe.") if error.hint == CHECK_PATH else error.hint
        raise InputError(error.message, hint=hint) from error


def _has_value(values: Mapping[str, JSON], name: str) -> bool:
    """Whether a name has a non-empty value; a passage that is a whole row does not count as its field ``passage``."""
    try:
        value = lookup(values, name)
    except KeyError:
        return False
    return value not in ("", None, []) and not (name == _PASSAGE and isinstance(value, Mapping))
