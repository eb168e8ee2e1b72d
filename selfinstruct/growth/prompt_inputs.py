"""Materials: what a recipe's prompts are conditioned on besides seeds: lists, passages of documents, templates.

    [attributes] -> lists        [documents] -> passages        [[expand]] -> templates

Read once, before a run; what the model is to write (a list with a ``prompt``) is missing until it has.

Does not handle: which of them a batch uses (``drawing``).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from selfinstruct.errors import InputError, RowError
from selfinstruct.prompts import estimate_tokens
from selfinstruct.recipe import Documents, Expand, Recipe, builtin
from selfinstruct.recipe.placeholders import fill, lookup, names_in
from selfinstruct.records import JSON, Row
from selfinstruct.rows import read_rows

if TYPE_CHECKING:
    from selfinstruct.documents import Passage

_JSON_LINES = "{"
_PASSAGE = "passage"


@dataclass(frozen=True, slots=True)
class ExpansionTemplate:
    """The texts of the fields that one template of an expansion writes; it fits rows with all names of ``needs``."""

    texts: Mapping[str, str]
    required: tuple[str, ...]

    def fits(self, values: Mapping[str, JSON]) -> bool:
        """Whether every name that it needs has a value."""
        return all(_has(values, name) for name in self.required)

    def render(self, values: Mapping[str, JSON]) -> dict[str, JSON]:
        """What it makes of a row's values; each field may name those that are written before it."""
        made: dict[str, JSON] = {}
        for name, text in self.texts.items():
            made[name] = fill(text, {**values, **made})
        return made


@dataclass(slots=True)
class PromptInputs:
    """The lists by attribute, the passages in order, the templates by expansion."""

    lists: dict[str, Sequence[JSON]] = field(default_factory=dict)
    passages: Sequence[Row] = ()
    templates: dict[str, Sequence[ExpansionTemplate]] = field(default_factory=dict)

    def to_json(self) -> JSON:
        """The lists and templates as JSON, for the journal; passages have a table of their own there."""
        templates = {name: [[dict(each.texts), each.required] for each in of] for name, of in self.templates.items()}
        return {"lists": {name: list(values) for name, values in self.lists.items()}, "templates": templates}

    @classmethod
    def from_json(cls, noted: JSON, passages: Sequence[Row]) -> PromptInputs:
        """What ``noted`` gave, with the journal's passages."""
        templates: dict[str, Sequence[ExpansionTemplate]] = {
            name: [ExpansionTemplate(texts, tuple(needs)) for texts, needs in of]
            for name, of in noted.get("templates", {}).items()
        }
        return cls(dict(noted.get("lists", {})), passages, templates)


def read_prompt_inputs(recipe: Recipe) -> PromptInputs:
    """Read what ``recipe`` names. Raises InputError where a file cannot be read or holds nothing."""
    lists: dict[str, Sequence[JSON]] = {}
    for name, attribute in recipe.attributes.items():
        if attribute.values:
            lists[name] = list(attribute.values)
        elif attribute.file is not None:
            lists[name] = parse_list(_text(attribute.file), attribute.file)
    templates: dict[str, Sequence[ExpansionTemplate]] = {}
    for expand in recipe.expand:
        if expand.templates:
            templates[expand.name] = parse_templates(expand.templates, expand)
        elif expand.file is not None:
            templates[expand.name] = parse_templates(parse_list(_text(expand.file), expand.file), expand)
    passages = read_passages(recipe.documents) if recipe.documents is not None else ()
    return PromptInputs(lists, passages, templates)


def parse_list(text: str, name: str) -> list[JSON]:
    """The entries of a list: a line each, blank ones left out; JSON objects where the first line is one.

    Raises InputError where there is none, or a line is no object where the first is.
    """
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if not lines:
        raise InputError(f"{name}: no entries", hint="Write one a line.")
    if not lines[0][1].startswith(_JSON_LINES):
        return [line for _, line in lines]
    found: list[JSON] = []
    for number, line in lines:
        try:
            entry = json.loads(line)
        except ValueError as error:
            raise RowError(f"{name}:{number}", f"not JSON: {error}", hint="Write one object a line.") from error
        if not isinstance(entry, dict):
            raise RowError(
                f"{name}:{number}", "not a JSON object, as the first line is", hint="Write one object a line."
            )
        found.append(entry)
    return found


def parse_templates(said: Iterable[JSON], expand: Expand) -> list[ExpansionTemplate]:
    """Templates from texts, or from objects of several fields' texts.

    Raises InputError for one that names nothing: it would make the same row of every row.
    """
    made = []
    for number, each in enumerate(said, 1):
        texts = dict(each) if isinstance(each, dict) else {expand.writes: str(each)}
        needs = texts.pop("needs", None)
        texts = {name: text if isinstance(text, str) else json.dumps(text) for name, text in texts.items()}
        # A field's own name in its text is what it was before, such as the subject that its question is about.
        fields = list(texts)
        named = [name for at, text in enumerate(texts.values()) for name in names_in(text) if name not in fields[:at]]
        if not named:
            raise InputError(
                f"expand {expand.name}: template {number} names no place: {list(texts.values())[:1]}",
                hint="Write the name that it is about in braces, such as {subject}.",
            )
        # What is not said to be needed, but named, is: only that a text may name the whole of a row.
        needed = needs if isinstance(needs, list) else [name for name in dict.fromkeys(named) if name != _PASSAGE]
        made.append(ExpansionTemplate(texts, tuple(needed)))
    return made


def read_passages(documents: Documents) -> list[Row]:
    """The passages as values for prompts: ``passage``, ``document``, ``page``, ``start``, ``end``.

    Documents are called by their paths; those of a built-in recipe as that recipe names them.

    The passage is text, or a row of a row file. Raises InputError where a document cannot be read.
    """
    from selfinstruct.documents import Chunking, find_documents, read_documents, samples

    if documents.by == "row":
        found: list[Row] = []
        for name in find_documents(documents.files):
            rows = read_rows(name, uniform=False)
            found += [
                {"passage": row, "document": _called(name), "page": None, "start": line, "end": line}
                for row, line in zip(rows.rows, rows.lines, strict=True)
            ]
        return found
    split = samples
    if documents.by == "chunk":
        limits = documents.max_chars, documents.max_tokens, documents.overlap
        split = Chunking(*limits, estimate_tokens).spans
    passages = read_documents(documents.files, split).passages
    return [{"passage": one.text, "document": _called(one.document), **_place(one)} for one in passages]


def _place(passage: Passage) -> Row:
    return {"page": passage.page, "start": passage.start, "end": passage.end}


def _called(name: str) -> str:
    folder = Path(builtin.__file__).parent.as_posix()
    return name.removeprefix(f"{folder}/")


def _text(name: str) -> str:
    try:
        return Path(name).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{name}: not UTF-8 text", hint="Save it as UTF-8.") from error
    except OSError as error:
        hint = "Check the name; it is taken from the recipe's folder."
        raise InputError(f"{name}: cannot be read: {error.strerror}", hint=hint) from error


def _has(values: Mapping[str, JSON], name: str) -> bool:
    """Whether there is something to put in the place of a name; a row as a whole is not its field ``passage``."""
    try:
        value = lookup(values, name)
    except KeyError:
        return False
    return value not in ("", None, []) and not (name == _PASSAGE and isinstance(value, Mapping))
