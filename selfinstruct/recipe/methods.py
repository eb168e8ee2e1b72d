"""The tables of a recipe beyond imitation: what a prompt is conditioned on, its steps, and what follows from a row.

[attributes] x [documents] -> [[steps]] -> [[judge]] -> [[expand]] -> rows, held to [fields] and [[rules]]
"""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import MaxLen, MinLen
from pydantic import BeforeValidator, Strict
from pydantic import Field as Key

from selfinstruct.recipe.types import Count, CountOrNone, FileName, Names, NonEmpty, Table

Scalar = str | int | float | bool
Scalars = Annotated[tuple[Scalar, ...], Strict(False), 'a list of texts or numbers such as ["good", "bad"]']
Texts = Annotated[tuple[str, ...], Strict(False), 'a list of texts such as ["one", "two"]']
Files = Annotated[tuple[FileName, ...], Strict(False), 'a list of files or patterns such as ["*.md"]']
Draw = Annotated[
    tuple[CountOrNone, ...],
    BeforeValidator(lambda given: (given,) if type(given) is int else given),
    Strict(False),
    MinLen(1),
    MaxLen(2),
    "how many to draw such as 2, or the least and the most such as [0, 3]",
]
Patterns = Annotated[dict[str, str], 'a table of text and name, such as { "{{context}}" = "passage" }']
Conditions = Annotated[dict[str, Scalars], 'a table of names and values, such as { kind = ["yes", "no"] }']


class Attribute(Table):
    """``[attributes.NAME]``: what a prompt is conditioned on, one value of it a batch, or ``draw`` of them.

    The values are ``values``, or the lines of ``file`` (of JSON Lines: objects, whose keys prompts name as
    ``{NAME.key}``), or are written once by the model, ``size`` of them, in answer to ``prompt``, and kept in the run
    directory to be edited. ``draw = [0, 3]`` draws at least none and at most three; drawn so, they are a list.
    ``balanced`` draws those that have the fewest accepted rows; else the draw is random.
    """

    values: Scalars = ()
    file: FileName | None = None
    prompt: str = ""
    size: Count = 20
    draw: Draw = (1,)
    balanced: bool = False


class Documents(Table):
    """``[documents]``: what rows are written about; the passages of the files are used evenly.

    A passage is a ``chunk`` of at most ``max_chars`` characters and ``max_tokens`` tokens (estimated), of which
    ``overlap`` characters may stand in the one before; or a ``sample``, set off by blank lines; or a ``row`` of row
    files, whose fields prompts name as ``{passage.FIELD}``.
    """

    files: Files
    by: Literal["chunk", "sample", "row"] = "chunk"
    max_chars: Count = 4000
    max_tokens: Count | None = None
    overlap: CountOrNone = 0


class Step(Table):
    """``[[steps]]``: a prompt, and the fields or names that its reply writes, for later steps and the row.

    A prompt is text with ``{names}``: of attributes, of ``passage``, ``document`` and ``page``, of what earlier
    steps have written, of ``task``, ``category``, ``count``, ``demos`` (``demos.FIELD``: what they have in one
    field, as a list) and ``form``; ``{{`` stands for a brace. ``reply`` is how a reply is read: ``json`` objects
    with the names of ``writes``, at most ``rows`` of them (0: as many as the batch asks for; each goes on by
    itself); the whole ``text``, which is the one name; or ``parts`` around a ``separator``, one a name. ``replace``
    puts the value of a name in place of a text in what was written. A reply that cannot be read is asked for again,
    ``tries`` times in all. ``model`` is one of ``[[models]]``. The step is passed over where a name of ``when`` has
    none of the values that are given.
    """

    name: NonEmpty
    prompt: NonEmpty
    system: str = ""
    writes: Names
    rows: CountOrNone = 1
    reply: Literal["json", "text", "parts"] = "json"
    separator: str = ""
    replace: Patterns = Key(default={})
    when: Conditions = Key(default={})
    tries: Count = 2
    model: str = ""


class Expand(Table):
    """``[[expand]]``: each row becomes one for each template, without a call; ``writes`` is the field that they write.

    A template is a text with ``{names}`` of the row, in ``templates`` or a line of ``file``, or is written once by
    the model, ``size`` of them, in answer to ``prompt``, and kept in the run directory to be edited. In JSON Lines a
    template is an object of several fields' texts, and fits rows that have all names of its ``needs``.
    """

    name: NonEmpty
    writes: str = ""
    templates: Texts = ()
    file: FileName | None = None
    prompt: str = ""
    size: Count = 20


class Judge(Table):
    """``[[judge]]``: a model's opinion of a row that has passed all checks; it refuses those that score too low.

    The reply is a JSON object of a ``score`` (a number, or yes or no, which are 5 and 1) and a ``reason``.
    """

    name: NonEmpty
    prompt: NonEmpty
    system: str = ""
    least: Annotated[float, "a number, the least score"] = 4.0
    model: str = ""


class Snippets(Table):
    """``fields.NAME.snippets``: what holds for fenced code in a value: in number, in lines, and that it is Python."""

    least: CountOrNone = 0
    most: Count | None = None
    max_lines: Count | None = None
    python: bool = False
    last: bool = False


class Constraints(Table):
    """What the values of a field must satisfy.

    ``appears_in`` names the field of which a value must be a token-bounded span, compared as ``match`` says;
    ``inflected``: one of the word's forms stands there. ``identifiers_in`` names the field in which its digit-bearing
    tokens must occur. ``min_chars`` and ``max_chars`` bound its length in code points, ``min_words`` and ``max_words``
    in words between blanks. ``pattern`` is a regular expression that all of it matches, ``refuse`` are some that
    nothing in it may match. It is one of ``one_of``, or one of the values of the field ``choice_of``, letter case
    aside. ``differs_from`` names a field that must have another value.
    """

    appears_in: str | None = None
    match: Literal["exact", "casefold", "whitespace", "inflected"] = "exact"
    identifiers_in: str | None = None
    min_chars: CountOrNone | None = None
    max_chars: Count | None = None
    min_words: CountOrNone | None = None
    max_words: Count | None = None
    pattern: str | None = None
    refuse: Texts = ()
    one_of: Scalars = ()
    choice_of: str | None = None
    differs_from: str | None = None
    snippets: Snippets | None = None


class Field(Constraints):
    """``[fields.NAME]``: one field of a row, and what its values must satisfy.

    ``source`` is the name that its value is taken from, where the model does not write it: an attribute's, or that of
    a passage's part. Rows that agree in all fields but ``answer`` ones, and differ in these, contradict each other.
    """

    description: str = ""
    answer: bool = False
    type: Literal["string", "integer", "number", "boolean", "array", "object", "any"] = "string"
    source: str | None = None


class Rule(Constraints):
    """``[[rules]]``: what holds for a field where all names of ``when`` have one of the values that are given."""

    field: NonEmpty
    when: Conditions
