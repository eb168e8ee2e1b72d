"""The tables of a recipe beyond imitation: the inputs of its prompts, its steps, and the constraints on rows.

[attributes] x [documents] | [passages] -> [[steps]] -> [[judge]], [[verify]] -> [[expand]] -> rows,
checked by [fields], [[rules]]
"""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import MaxLen, MinLen
from pydantic import BeforeValidator, Strict
from pydantic import Field as Key

from selfinstruct.recipe.types import Count, CountOrNone, Encoding, FileName, Names, NonEmpty, Share, Table, Weight
from selfinstruct.rows.encoding import UTF_8

Scalar = str | int | float | bool
Scalars = Annotated[tuple[Scalar, ...], Strict(False), 'a list of texts or numbers such as ["good", "bad"]']
Texts = Annotated[tuple[str, ...], Strict(False), 'a list of texts such as ["one", "two"]']
Files = Annotated[tuple[FileName, ...], Strict(False), 'a list of files or patterns such as ["*.md"]']
Draw = Annotated[
    tuple[CountOrNone, ...],
    BeforeValidator(
        lambda given: (given,) if type(given) is int else given,
        json_schema_input_type=CountOrNone | Annotated[tuple[CountOrNone, ...], MinLen(1), MaxLen(2)],
    ),
    Strict(False),
    MinLen(1),
    MaxLen(2),
    "how many to draw such as 2, or the least and the most such as [0, 3]",
]
Patterns = Annotated[dict[str, str], 'a table of text and name, such as { "{{context}}" = "passage" }']
Conditions = Annotated[dict[str, Scalars], 'a table of names and values, such as { kind = ["yes", "no"] }']


class Attribute(Table):
    """``[attributes.NAME]``: an input of prompts, of which each batch gets one value, or ``draw`` of them.

    The values are ``values``, or the lines of ``file`` (of JSON Lines: objects, whose keys prompts name as
    ``{NAME.key}``), or are generated once by the model: ``size`` of them, in reply to ``prompt``, kept in the run
    directory where they can be edited. ``draw = [0, 3]`` draws a list of zero to three values. ``balanced`` draws the
    values with the fewest accepted rows; otherwise the draw is random. ``encoding`` is that of ``file``.
    """

    values: Scalars = ()
    file: FileName | None = None
    encoding: Encoding = UTF_8
    prompt: str = ""
    size: Count = 20
    draw: Draw = (1,)
    balanced: bool = False


class Documents(Table):
    """``[documents]``: the texts that rows are written about; the passages of the files are used evenly.

    A passage (``by``) is a ``chunk`` of at most ``max_chars`` characters and ``max_tokens`` tokens (estimated), of
    which up to ``overlap`` characters may repeat the end of the previous one; or a ``sample``, set off by blank lines;
    or a ``row`` of row files, whose fields prompts name as ``{passage.FIELD}``. ``encoding`` is that of files which are
    not UTF-8.
    """

    files: Files
    encoding: Encoding = UTF_8
    by: Literal["chunk", "sample", "row"] = "chunk"
    max_chars: Count = 4000
    max_tokens: Count | None = None
    overlap: CountOrNone = 0


class Passages(Table):
    """``[passages]``: your own unlabelled text that new rows ask about; each row has one passage, word for word.

    Each line of a log is a passage, each chunk of a text document, and of row files each value of ``field`` (default:
    the field that answers are taken from). Passages that occur in the seeds or in the rows of the files ``against``
    (a test set) are left out. ``rows_per_passage`` is the number of rows that one request asks for. Whether a text has
    a passage per ``line`` or is divided into a ``chunk`` of sentences follows from its content, unless ``by`` is set.
    ``encoding`` is that of files which are not UTF-8.
    """

    files: Files
    against: Files = ()
    encoding: Encoding = UTF_8
    by: Literal["line", "chunk"] | None = None
    field: str | None = None
    rows_per_passage: Count = 1


class Questions(Table):
    """``[questions]``: what the embedded imitator asks about passages.

    ``weights`` makes kinds of question more or less frequent than in the seeds: kind -> factor, 1 for kinds that are
    not listed. ``selfinstruct run --dry-run`` lists the kinds.
    """

    weights: dict[str, Weight] = Key(default={})


class Step(Table):
    """``[[steps]]``: a prompt, and the names that its reply assigns, for later steps and the fields of the row.

    ``system`` is the message before the ``prompt``. A prompt is text with ``{names}``: of attributes, ``passage``,
    ``document`` and ``page``, the names that earlier steps assign, ``task``, ``category``, ``count``, ``demos``
    (``demos.FIELD``: what they have in one field, as a list) and ``form``; ``{{name}}`` is literal. ``reply`` is how a
    reply is parsed: ``json`` objects with the names of ``writes``, at most ``rows`` of them (0: as many as the batch
    asks for), each of which continues on its own; the whole ``text``, as the only name; ``parts`` around a
    ``separator``, one per name; or the fenced blocks of ``code``, one per name (without a fence, the whole text).
    ``replace`` substitutes the value of a name for a text in the reply. A reply that cannot be parsed is requested
    again, up to ``tries`` times in total. ``model`` is one of ``[[models]]``. The step is skipped if a name in ``when``
    has none of the listed values.
    """

    name: NonEmpty
    prompt: NonEmpty
    system: str = ""
    writes: Names
    rows: CountOrNone = 1
    reply: Literal["json", "text", "parts", "code"] = "json"
    separator: str = ""
    replace: Patterns = Key(default={})
    when: Conditions = Key(default={})
    tries: Count = 2
    model: str = ""


class Expand(Table):
    """``[[expand]]``: each row becomes one row per template, without a call; ``writes`` is the field that they fill.

    A template is a text with ``{names}`` of the row, in ``templates`` or a line of ``file``, or the templates
    are generated once by the model: ``size`` of them, in reply to ``prompt``, kept in the run directory where they can
    be edited. In JSON Lines a template is an object with the texts of several fields, and applies to rows that have all
    the names in its ``needs``. ``encoding`` is that of ``file``.

    A ``file`` that ends in .jinja (or a pattern of several), or in .yaml as promptsource writes it, has templates in
    Jinja, for the rows of ``[documents]``. They give values to the fields ``template`` (its name), ``task_type``,
    ``context``, ``instruction`` and ``response``. ``context`` has the fields of a row in braces that are the text which
    the tasks are about, and ``task_types`` the type of each template by its name, or by a pattern such as ``*``.
    """

    name: NonEmpty
    writes: str = ""
    templates: Texts = ()
    file: FileName | None = None
    encoding: Encoding = UTF_8
    prompt: str = ""
    size: Count = 20
    context: str = ""
    task_types: dict[str, NonEmpty] = Key(default={})

    @property
    def in_jinja(self) -> bool:
        """Whether the templates are in Jinja."""
        return self.file is not None and self.file.lower().endswith((".jinja", ".jinja2", ".j2", ".yaml", ".yml"))


class Judge(Table):
    """``[[judge]]``: a model scores each row that has passed its field checks; rows with a low score are rejected.

    ``least`` is the lowest score of a row that is kept. ``prompt`` is text with ``{names}``, ``system`` the message
    before it, ``model`` one of ``[[models]]``. The reply is a JSON object with a ``score`` (a number, or yes for 5 and
    no for 1) and a ``reason``; "4 out of 5", "Score: 4" and 四分 are read as well.
    """

    name: NonEmpty
    prompt: NonEmpty
    system: str = ""
    least: Annotated[float, "a number, the least score"] = 4.0
    model: str = ""


class Verify(Table):
    """``[[verify]]``: a second opinion. A reader sees the fields ``reads`` alone and must give the field ``answers``.

    The reader is ``model``, one of ``[[models]]``, or any model of the run: of ``votes`` independent replies, more than
    half must give the answer; with ``reasons``, each works it out step by step before. Without a model, or with
    ``votes = 0``, it is an embedded reader that learns from the other rows; it rejects only what it contradicts with
    confidence.
    """

    name: NonEmpty = "verify"
    reads: Names
    answers: NonEmpty
    votes: CountOrNone = 3
    reasons: bool = False
    model: str = ""

    @property
    def ballots(self) -> tuple[str, ...]:
        """The name of each vote, as the keys of its calls begin."""
        return tuple(f"{self.name}-{number}" for number in range(1, self.votes + 1))


class Snippets(Table):
    """``fields.NAME.snippets``: constraints on the fenced code blocks of a value.

    There must be ``least`` to ``most`` of them, each of at most ``max_lines`` lines. ``python``: each must parse as
    Python. ``last``: nothing may follow the last one.
    """

    least: CountOrNone = 0
    most: Count | None = None
    max_lines: Count | None = None
    python: bool = False
    last: bool = False


class Negatives(Table):
    """``fields.NAME.negatives``: the value is a list of hard negatives, found among the other passages without a call.

    These are the passages most similar, by ROUGE-L, to the field ``query`` and to the field ``of``, which is the
    passage that answers the query; at most ``count`` of them, the hardest first. Left out are those that contain the
    text of the field ``answer``, and near-duplicates of the passage: ROUGE-L F1 above ``max_rouge_l``. A row without
    any is rejected.
    """

    of: NonEmpty
    query: str = ""
    answer: str = ""
    count: Count = 3
    max_rouge_l: Share = 0.7

    @property
    def names(self) -> dict[str, str]:
        """The field that each key names, of those that name one."""
        return {key: name for key in ("of", "query", "answer") if (name := getattr(self, key))}


#: The keys of Constraints that name another field.
REFERRING_KEYS = ("appears_in", "identifiers_in", "choice_of", "differs_from", "passes")


class Constraints(Table):
    """The constraints on the values of a field.

    ``appears_in`` names the field of which a value must be a token-bounded span, compared by ``match``; with
    ``inflected``, any form of the word may occur there. ``identifiers_in`` names the field in which every number and id
    of the value must occur. ``min_chars`` and ``max_chars`` limit its length in code points, ``min_words`` and
    ``max_words`` in words between white space. ``pattern`` is a regular expression that the whole value must match,
    ``refuse`` are regular expressions that must not match anywhere in it. The value must be one of ``one_of``, or one
    of the choices in the field ``choice_of``, ignoring case. ``differs_from`` names a field that must have a different
    value; ``differs_by`` is the least share of its words that do not occur in that field in the same order. ``passes``
    names the field of the tests that code must pass when it is run.
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
    differs_by: Share | None = None
    passes: str | None = None
    snippets: Snippets | None = None


class Field(Constraints):
    """``[fields.NAME]``: one field of a row, and the constraints on its values.

    ``type`` is that of its values, ``description`` says in the prompts what it is. ``source`` names what its value
    is taken from if the model does not write it: an attribute, or a part of the passage; ``negatives`` finds it among
    the other passages. Rows that agree in all fields except ``answer`` fields contradict each other. The values of a
    ``unique`` field (an id) must all differ, and never make a row new: rows that differ in it alone are copies. A row
    may lack an ``optional`` field.
    """

    description: str = ""
    answer: bool = False
    unique: bool = False
    optional: bool = False
    type: Literal["string", "integer", "number", "boolean", "array", "object", "any"] = "string"
    source: str | None = None
    negatives: Negatives | None = None


class Rule(Constraints):
    """``[[rules]]``: constraints on a field that apply only if every field in ``when`` has one of the listed values."""

    field: NonEmpty
    when: Conditions
