"""Recipes: what is read, what is refused and in which words, and what is written comes back the same."""

from __future__ import annotations

import re
import tomllib
import traceback
import warnings
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfinstruct.errors import RecipeError
from selfinstruct.recipe import (
    Categories,
    Demos,
    Field,
    Model,
    Novelty,
    Price,
    Prompt,
    Quota,
    Recipe,
    Seeds,
    bind,
    frozen_changes,
    is_recipe,
    load_recipe,
    parse_recipe,
    recipe_name,
    to_toml,
    toml,
)
from selfinstruct.recipe.patterns import pattern_problem

LOGQA = """\
name = "logqa"
task = "Reading-comprehension questions over one log line"
[seeds]
file = "logqa.jsonl"                      # relative to the recipe
[fields.Question]
description = "a question answered by a span of RawLog"
identifiers_in = "RawLog"
[fields.Answer]
appears_in = "RawLog"
[fields.RawLog]
[categories]
by = "template"
field = "Question"
[quota]
rows = 1000
[novelty]
fields = ["Question", "RawLog"]
max_rouge_l = "seeds"
[prompt]
demos = { seeds = 6, grown = 2 }
rows_per_request = 20
[model]
name = "some-model"
base_url = "http://127.0.0.1:8000/v1"
price = { input = 0.15, output = 0.60 }
"""
CANARY = "sk-canary-4711"


def parse(text: str) -> Recipe:
    """A recipe from text, its seeds beside it."""
    return parse_recipe(text, "logqa.toml", ".")


def refusal(*changes: tuple[str, str]) -> str:
    """The message for the LogQA recipe with each old text replaced by the new one."""
    text = LOGQA
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    with pytest.raises(RecipeError) as caught:
        parse(text)
    return str(caught.value)


def line_of(text: str) -> int:
    """The line of the LogQA recipe that begins with some text."""
    return next(number for number, line in enumerate(LOGQA.split("\n"), 1) if line.startswith(text))


# Reading


def test_a_whole_recipe_is_read() -> None:
    """Every key of the documented example arrives under its attribute, fields in their order."""
    recipe = parse(LOGQA)
    assert list(recipe.fields) == ["Question", "Answer", "RawLog"]
    assert recipe.fields["Answer"] == Field(appears_in="RawLog")
    assert recipe.fields["Question"].identifiers_in == "RawLog"
    assert recipe.categories == Categories(by="template", field="Question")
    assert recipe.quota == Quota(rows=1000)
    assert recipe.novelty == Novelty(fields=("Question", "RawLog"), max_rouge_l="seeds")
    assert recipe.prompt == Prompt(demos=Demos(seeds=6, grown=2), rows_per_request=20)
    assert recipe.model == Model(
        name="some-model", base_url="http://127.0.0.1:8000/v1", price=Price(input=0.15, output=0.6)
    )


def test_a_short_recipe_is_filled_in() -> None:
    """Without name and novelty: named for its file; compares text that is neither grounded nor the label."""
    recipe = parse_recipe(
        '[seeds]\nfile = "a.csv"\n[fields.text]\n[fields.label]\n[fields.span]\nappears_in = "text"\n'
        '[fields.n]\ntype = "integer"\n[categories]\nby = "field"\nfield = "label"\n[novelty]\nmax_rouge_l = 1\n',
        "recipes/tickets.toml",
        ".",
    )
    assert recipe.name == "tickets"
    assert recipe.novelty == Novelty(fields=("text",), max_rouge_l=1.0)
    assert recipe.quota == Quota() and recipe.model is None
    numbers = parse('[seeds]\nfile = "a.csv"\n[fields.n]\ntype = "integer"\n[categories]\n')
    assert numbers.novelty.fields == ("n",)


def test_the_seed_file_is_found_beside_the_recipe(tmp_path: Path) -> None:
    """A relative seed file starts from the recipe's folder; an absolute one and stdin stay as they are."""
    path = tmp_path / "deep" / "logqa.toml"
    path.parent.mkdir()
    path.write_bytes(
        b"\xef\xbb\xbf" + LOGQA.replace("logqa.jsonl", "../seeds/logqa.jsonl").replace("\n", "\r\n").encode()
    )
    assert Path(load_recipe(path).seeds.file) == tmp_path / "seeds" / "logqa.jsonl"
    assert parse_recipe(LOGQA.replace("logqa.jsonl", "/data/a.jsonl"), "r.toml", "x").seeds.file == "/data/a.jsonl"
    assert parse_recipe(LOGQA.replace("logqa.jsonl", "-"), "r.toml", "x").seeds.file == "-"


def test_recipes_are_frozen() -> None:
    """A recipe cannot be changed after it was read."""
    with pytest.raises(ValueError, match="frozen"):
        parse(LOGQA).quota.rows = 5


@pytest.mark.parametrize(
    ("path", "name"),
    [("seeds/logqa.json.train", "logqa"), (".hidden.csv", "hidden"), ("...", "recipe"), ("a:b\x07.toml", "a-b-")],
)
def test_every_file_gives_a_lawful_name(path: str, name: str) -> None:
    """The name made from a file is one that a recipe accepts, and that can name a folder."""
    assert recipe_name(path) == name
    assert Recipe(name=name, seeds=Seeds(file="a"), fields={}).name == name


# Refusing


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("appears_in", "appear_in", "appears_in", "Answer.appear_in: unknown key; did you mean appears_in?"),
        ("[fields.RawLog]", '[fields.RawLog]\ntype = "str"', "[categories]", 'type: expected "string", "integer"'),
        ("rows = 1000", 'rows = "ten"', "rows", 'quota.rows: expected a whole number, 1 or more, got "ten"'),
        ("rows = 1000", "rows = true", "rows", "quota.rows: expected a whole number, 1 or more, got true"),
        ("rows = 1000", "rows = 10.0", "rows", "quota.rows: expected a whole number, 1 or more, got 10.0"),
        ("rows = 1000", "rows = -1", "rows", "quota.rows: expected a whole number, 1 or more, got -1"),
        ("rows = 1000", "per_category = 0", "rows", "quota.per_category: expected a whole number, 1 or more, got 0"),
        ("rows = 1000", "rows = 1\nper_category = 1", "[novelty]", "quota.per_category: cannot be combined with rows"),
        ("rows = 1000", "weights = { A = 2 }", "rows", "quota.weights: requires rows"),
        ("rows = 1000", "rows = 9\nweights = { A = 0 }", "[novelty]", "weights.A: expected a number above 0, got 0"),
        ("rows = 1000", "rows = 9\nweights = { A = nan }", "[novelty]", "expected a number above 0, got nan"),
        ("[quota]", "[[quota]]", "[quota]", "per_category, weights, got a list"),
        ('"RawLog"\n[fields.RawLog]', '"Rawlogs"\n[fields.RawLog]', "appears_in", '"Rawlogs"; did you mean "RawLog"?'),
        ('identifiers_in = "RawLog"', 'identifiers_in = "X"', "identifiers_in", 'the recipe has no field "X"\n'),
        ('field = "Question"', 'field = "Qestion"', "field =", '"Qestion"; did you mean "Question"?'),
        ('["Question", "RawLog"]', '["QUESTION"]', "fields =", '"QUESTION"; did you mean "Question"?'),
        ('["Question", "RawLog"]', "[]", "fields =", "novelty.fields: must name at least one field"),
        ('["Question", "RawLog"]', '["Question", 3]', "fields =", 'expected a list of field names'),
        ('["Question", "RawLog"]', '"Question"', "fields =", '"RawLog"], got "Question"'),
        ('appears_in = "RawLog"', 'appears_in = "Answer"', "appears_in", "Answer.appears_in: must name another field"),
        ('identifiers_in = "RawLog"', 'identifiers_in = "Question"', "identifiers_in", "must name another field"),
        ('appears_in = "RawLog"', 'match = "casefold"', "appears_in", "Answer.match: has no effect without appears_in"),
        ('appears_in = "RawLog"', "min_chars = 5\nmax_chars = 4", "[fields.RawLog]", "is below min_chars (5)"),
        ('by = "template"', 'by = "label"', "by", 'or a function of your own such as "package.module:function"'),
        ('by = "template"', 'by = "none"', "field =", 'categories.field: has no effect with by = "none"'),
        ('field = "Question"', "", "[categories]", 'categories.field: missing; by = "template" requires a field'),
        ('"seeds"', '"seed"', "max_rouge_l", 'expected "seeds" or a number above 0 and at most 1, got "seed"'),
        ('"seeds"', "1.5", "max_rouge_l", 'expected "seeds" or a number above 0 and at most 1, got 1.5'),
        ('"seeds"', "2026-11-21", "max_rouge_l", ", got a date or time"),
        ("seeds = 6", "seed = 6", "demos", "prompt.demos.seed: unknown key; did you mean seeds?"),
        ("output = 0.60", "output = -1", "price", "model.price.output: expected a number, 0 or more, got -1"),
        (", output = 0.60", "", "price", "model.price.output: missing; expected a number, 0 or more"),
        ("[prompt]", "[prompts]", "[prompt]", "prompts: unknown key; did you mean prompt?"),
        ("[seeds]", '[seeds]\ntask = "x"', "file", "unknown key here; it belongs above the first [table]"),
        ("[novelty]", "[novelty]\nfield = 1\nrows_per_request = 9", "max_rouge_l", "it belongs in [prompt]"),
        ("[prompt]", "[prompt]\nquota = 9", "demos", "unknown key here; it belongs at the top, as [quota]"),
        ('name = "logqa"', 'name = "../logqa"', "name", "text of at most 80 characters that can name a folder"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_line_path_and_remedy(old: str, new: str, line: str, said: str) -> None:
    """Each kind of mistake gives file:line, the key path, what is allowed there, and the nearest name."""
    message = refusal((old, new))
    assert said in message
    place = next(said_line for said_line in message.split("\n") if said.split("\n")[0] in said_line)
    assert place.startswith(f"logqa.toml:{line_of(line)}: ")
    assert message.count(place) == 1
    assert "Input should" not in message and "pydantic" not in message


def test_an_unknown_key_lists_what_is_allowed() -> None:
    """The hint under an unknown key names the keys of its table, and only those."""
    assert refusal(("rows = 1000", "row = 1000")).split("\n")[1] == "  [quota] may contain: rows, per_category, weights"


def test_missing_parts_are_named() -> None:
    """The error for an empty recipe lists everything missing; a recipe without fields is an error too."""
    with pytest.raises(RecipeError) as caught:
        parse("")
    assert str(caught.value).split("\n") == [
        "logqa.toml: fields: missing; expected tables such as [fields.NAME]",
    ]
    with pytest.raises(RecipeError, match=r"r.toml:3: fields: must define at least one field\n  add a table for each"):
        parse_recipe('[seeds]\nfile = "a"\n[fields]', "r.toml", ".")


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
    """Three mistakes in one recipe are three lines, first line first."""
    message = refusal(("rows = 1000", "rows = 0"), ("[prompt]", "[promt]"), ("appears_in", "appearsin"))
    starts = [line.split(" ")[0] for line in message.split("\n") if not line.startswith("  ")]
    assert starts == [f"logqa.toml:{line_of(line)}:" for line in ("appears_in", "rows", "[prompt]")]


def test_lines_are_found_behind_values_of_several_lines() -> None:
    """Text and lists over several lines, comments, CRLF and keys with dots do not shift the line of a mistake."""
    text = (
        '# "odd" start\n\n"name" = \'a\'\ntask = """\n[quota]\nrows = 1\n"""\nseeds.file = "a"\n'
        '[fields.A] # ]\n[fields."A.b"]\n'
        "  description = '''\nx = [\n'''\n[novelty]\nfields = [ # one\n  'A', # ]\n  'A.b',\n]\n[quota]\n\nrows = 0"
    )
    for written in (text, text.replace("\n", "\r\n")):
        with pytest.raises(RecipeError, match=r"^r.toml:21: quota.rows: expected"):
            parse_recipe(written, "r.toml", ".")
    found = toml.lines(text)
    assert found["task",] == 4 and found["seeds", "file"] == 8 and found["fields", "A.b", "description"] == 11
    assert found["novelty", "fields"] == 15 and ("quota", "x") not in found


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("rows = 1000", "rows = ten", "rows", "at column 8: invalid value\n  put text in quotes"),
        ("[quota]", "quota", "[quota]", "TOML at column 6: expected = and a value after the key"),
        ("[fields.Answer]", "[fields.Question]", "[fields.Answer]", "the table [fields.Question] is defined twice"),
        ("rows = 1000", "rows = 1\nrows = 2", "[novelty]", "this key or table is defined twice\n  keep one of the two"),
        ("0.60 }", "0.60", "price", ": unclosed inline table"),
    ],
)  # fmt: skip
def test_text_that_is_not_toml_is_told_with_its_line(old: str, new: str, line: str, said: str) -> None:
    """A syntax error names the line, the column and the likely remedy."""
    message = refusal((old, new))
    assert message.startswith(f"logqa.toml:{line_of(line)}: ") and said in message


def test_unreadable_files_are_told(tmp_path: Path) -> None:
    """Missing, a folder, not UTF-8, cut short, nested beyond reason: each names the file, and the line if any."""
    path = tmp_path / "r.toml"
    with pytest.raises(RecipeError, match=r"r.toml: cannot read the recipe: No such file"):
        load_recipe(path)
    with pytest.raises(RecipeError, match="cannot read the recipe: Is a directory"):
        load_recipe(tmp_path)
    path.write_bytes(b'name = "a"\ntask = "\xe9t\xe9"\n')
    with pytest.raises(RecipeError, match=r"r.toml:2: not UTF-8 text"):
        load_recipe(path)
    path.write_text('name = "a"\n\ntask = """open')
    with pytest.raises(RecipeError, match=r"r.toml:3: not valid TOML: "):
        load_recipe(path)
    path.write_text("a = " + "[" * 100_000)
    with pytest.raises(RecipeError, match=r"r.toml.*(nested too deeply|not valid TOML)"):
        load_recipe(path)


@pytest.mark.parametrize(
    "new",
    [
        f'api_key = "{CANARY}"',
        f'OpenAI-API-Key = "{CANARY}"',
        f'token = "{CANARY}"',
        f'headers = {{ Authorization = "Bearer {CANARY}" }}',
        f'api_key_env = "{CANARY}"',
        f'max_tokens = 0\napi_key = "{CANARY}"',
        f"api_key = {CANARY}",
    ],
)
def test_a_key_in_a_recipe_is_refused_and_never_repeated(new: str) -> None:
    """A pasted key reaches neither the message nor a traceback; a key's own name says where keys belong."""
    with pytest.raises(RecipeError) as caught:
        parse(LOGQA.replace('name = "some-model"', f'name = "some-model"\n{new}'))
    everything = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert "canary" not in everything
    if new.startswith(("api_key =", "OpenAI", "token")) and CANARY + '"' in new:
        assert "a recipe must not contain a secret\n  put the key into an environment variable" in str(caught.value)


@pytest.mark.parametrize(
    "url", ["127.0.0.1:8000", f"ftp://me:{CANARY}@h", f"https://host/v1#{CANARY}", f"http://a b@{CANARY}"]
)
def test_a_wrong_base_url_is_not_repeated(url: str) -> None:
    """Only http(s) is an endpoint; a refused one may hold a secret."""
    message = refusal(("http://127.0.0.1:8000/v1", url))
    assert "model.base_url: expected a URL" in message
    assert CANARY not in message


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        (f"https://me:{CANARY}@host:1/v1", "https://host:1/v1"),
        (f"https://host/v1?api-version=1&key={CANARY}", "https://host/v1?api-version=1"),
        ("https://me:${PASSWORD}@host/v1?key=${KEY}", "https://me:${PASSWORD}@host/v1?key=${KEY}"),
    ],
)
def test_secrets_of_a_base_url_are_not_written(url: str, kept: str) -> None:
    """A recipe that is written has neither the user of the address nor parameters with secrets, but their variables."""
    recipe = parse(LOGQA.replace("http://127.0.0.1:8000/v1", url))
    written = to_toml(recipe, {})
    assert f'base_url = "{kept}"' in written
    assert CANARY not in written


def test_a_terminal_is_safe_from_what_a_recipe_says() -> None:
    """Control characters of refused names and values are shown escaped, long values cut."""
    message = refusal(('"seeds"', '"\\u001b[2J' + "x" * 500 + '"'), ("[model]", '[model]\n"\\u001b]0;" = 1'))
    assert "\x1b" not in message and r"\u001b[2J" in message and max(map(len, message.split("\n"))) < 200


# Binding to seeds


def test_binding_puts_fields_in_the_order_of_the_seeds() -> None:
    """The bound recipe is the same, its fields ordered like the seeds'."""
    recipe = parse(LOGQA)
    bound = bind(recipe, ["RawLog", "Question", "Answer"])
    assert list(bound.fields) == ["RawLog", "Question", "Answer"] and bound == recipe


def test_binding_refuses_other_fields_than_the_seeds_have() -> None:
    """A misspelt field is reported once with the nearest name; a field of the seeds without a table separately."""
    with pytest.raises(RecipeError) as caught:
        bind(parse(LOGQA), ["Question", "Anser", "RawLog", "Session Id"])
    assert str(caught.value).split("\n") == [
        'recipe "logqa" with logqa.jsonl: fields.Answer: the seeds have no field "Answer"; did you mean "Anser"?',
        '  the fields are: "Question", "Anser", "RawLog", "Session Id"',
        'recipe "logqa" with logqa.jsonl: fields."Session Id": missing; the seeds have this field',
        '  add [fields."Session Id"]',
    ]


def test_binding_refuses_a_recipe_that_contradicts_itself() -> None:
    """A recipe built in Python must satisfy the same rules as one from a file."""
    recipe = Recipe(
        name="x", seeds=Seeds(file="a"), fields={"A": Field(appears_in="B")}, novelty=Novelty(fields=("A",))
    )
    with pytest.raises(RecipeError, match=r'fields.A.appears_in: the recipe has no field "B"'):
        bind(recipe, ["A"])


# Resuming


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ("rows = 1000", "rows = 2000", []),
        ("rows = 1000", "rows = 999", ["quota.rows"]),
        ("rows = 1000", "per_category = 250", ["quota.rows"]),
        ("rows = 1000", "rows = 1000\nweights = { A = 2 }", ["quota.weights.A"]),
        ('"seeds"', "0.7", ["novelty.max_rouge_l"]),
        ('["Question", "RawLog"]', '["Question"]', ["novelty.fields"]),
        ('by = "template"', 'by = "field"', ["categories.by"]),
        ('appears_in = "RawLog"', 'appears_in = "RawLog"\nmatch = "casefold"', ["fields.Answer.match"]),
        ('appears_in = "RawLog"', "", ["fields.Answer.appears_in"]),
        ("[fields.RawLog]", '[fields.RawLog]\n[fields."Raw 2"]', ['fields."Raw 2"']),
        ("logqa.jsonl", "other.jsonl", ["seeds.file"]),
        ("logqa.jsonl", "../here/logqa.jsonl", []),
        ("a question answered", "words", []),
        ('name = "logqa"', 'name = "b"', []),
        ("seeds = 6", "seeds = 3", []),
        ('"some-model"', '"another"', []),
        ("Reading", "Writing", []),
    ],
)
def test_only_what_judged_earlier_rows_is_frozen(old: str, new: str, changed: list[str]) -> None:
    """Quotas may grow and words, prompt and model change; any other change is named by its key path."""
    assert old in LOGQA
    before, after = (parse_recipe(text, "r.toml", "here") for text in (LOGQA, LOGQA.replace(old, new, 1)))
    assert frozen_changes(before, before) == []
    assert frozen_changes(before, after) == changed


def test_the_same_seed_file_by_another_path_is_no_change() -> None:
    """A run that was started by a relative path goes on by an absolute one."""
    here, there = parse_recipe(LOGQA, "r.toml", "seeds"), parse_recipe(LOGQA, "r.toml", Path("seeds").resolve())
    assert here != there and frozen_changes(here, there) == []


# Sniffing


@pytest.mark.parametrize(
    "data",
    [
        LOGQA.encode(),
        b"\xef\xbb\xbf" + LOGQA.encode(),
        LOGQA.replace("\n", "\r\n").encode(),
        b'# a comment, "with" {braces}\n\n[seeds]\nfile = "a"',
        b"[[steps]]\nprompt = 1",
        b'"task" = "x"\n[seeds]',
        LOGQA.replace("rows = 1000", "rows = ten").encode(),
        b'[seeds\nfile = "a"',
        b'name "logqa"\n[seeds]\nfile = "a"\n',
        b'[seed]\nfile = "a"',
        b'task = "caf\xe9"\n[seeds]\n',
    ],
)
def test_recipes_are_known_by_their_content(data: bytes) -> None:
    """Valid, misspelt and broken recipes are recognised as recipes under any file name."""
    assert is_recipe(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n\n",
        b'{"Question": "a = b", "Answer": "[seeds]"}\n{"Question": 1}',
        b'\xef\xbb\xbf  {"a": "x\\n[seeds]\\n"}',
        b'[\n  {"name": "x"},\n  {"name": "y"}\n]',
        b'[{"a": 1}]',
        b"[]",
        b"[1, 2]",
        b'["a", "b"]',
        b"Question,Answer,RawLog\nwhat = it,b,c\n",
        b'text\tlabel\nname = "x"\t1\n',
        b'a,b\n"several\n[main] lines",2\n',
        b"[main] INFO started\n[main] INFO stopped\n",
        bytes(range(256)),
    ],
)
def test_rows_are_not_taken_for_recipes(data: bytes) -> None:
    """JSON Lines, JSON arrays, CSV, TSV, raw logs and binary data are left to the readers of rows."""
    assert not is_recipe(data)


# Writing

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.sampled_from(
    ['"', '"""', '\n""""', "a\nb", "\n", "\r\n", "\\", "\\\n  x", "乾卦\n元亨", "a.b", "",
     "# x", "\x00\x1b\x7f\x85\u2028", "'''", "\n \t"]
)  # fmt: skip
names = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/\\:"), min_size=1, max_size=12)
amounts = st.floats(min_value=0, allow_nan=False, allow_infinity=False)
weights = st.floats(min_value=0, exclude_min=True, allow_infinity=False)
shares = st.floats(min_value=0, max_value=1, exclude_min=True)
counts = st.integers(1, 10**20)
naturals = st.integers(0, 10**6)


def optional(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """The values, or None."""
    return st.none() | values


@st.composite
def recipes(draw: st.DrawFn) -> Recipe:
    """Any recipe that does not contradict itself."""
    fields = draw(st.lists(texts, min_size=1, max_size=4, unique=True))
    others = st.sampled_from(fields)

    def field(name: str) -> Field:
        other = optional(others.filter(lambda other: other != name)) if len(fields) > 1 else st.none()
        appears_in, bound = draw(other), draw(optional(naturals))
        return Field(
            description=draw(texts),
            type=draw(st.sampled_from(["string", "integer", "number", "boolean", "array", "object", "any"])),
            appears_in=appears_in,
            match=draw(st.sampled_from(["exact", "casefold", "whitespace"])) if appears_in is not None else "exact",
            identifiers_in=draw(other),
            min_chars=bound,
            max_chars=draw(optional(st.integers(max(bound or 0, 1), 10**6 + 1))),
        )

    by: Literal["template", "field", "none"] = draw(st.sampled_from(["template", "field", "none"]))
    rows = draw(optional(counts))
    shared = draw(st.dictionaries(texts, weights, max_size=3)) if rows and by != "none" else {}
    model = st.builds(
        Model,
        name=texts.filter(bool),
        base_url=optional(st.just("https://host:1/v1")),
        price=optional(st.builds(Price, input=amounts, output=amounts)),
        temperature=optional(amounts),
        top_p=optional(shares),
        max_tokens=optional(counts),
        concurrency=counts,
        api_key_env=st.just("MY_KEY"),
    )
    return Recipe(
        name=draw(names.filter(lambda name: not name.startswith("."))),
        task=draw(texts),
        seeds=Seeds(file=draw(names)),
        fields={name: field(name) for name in fields},
        categories=Categories(by=by, field=draw(others) if by != "none" else None),
        quota=Quota(rows=rows, per_category=None if rows else draw(optional(counts)), weights=shared),
        novelty=Novelty(
            fields=tuple(draw(st.lists(others, min_size=1))),
            max_rouge_l=draw(shares) if draw(st.booleans()) else "seeds",
        ),
        prompt=Prompt(
            demos=Demos(seeds=draw(naturals), grown=draw(naturals)),
            rows_per_request=draw(counts),
            instructions=draw(texts),
        ),
        model=draw(optional(model)),
    )


def every_path(recipe: Recipe) -> list[str]:
    """The paths that may bear a comment."""
    return [
        *("", "name", "task", "seeds", "seeds.file", "fields", "categories.by", "quota", "quota.rows", "model"),
        *(f"fields.{name}" for name in recipe.fields),
        *(f"fields.{name}.{key}" for name in recipe.fields for key in Field.model_fields),
        *("quota.weights", "novelty.max_rouge_l", "prompt.demos", "prompt.instructions"),
    ]


any_text = st.text(max_size=20)


@settings(max_examples=300, deadline=None)
@given(recipes(), st.data())
def test_a_written_recipe_loads_back_equal(recipe: Recipe, data: st.DataObject) -> None:
    """A recipe with any strings, names and comments, and the order of its fields, survive TOML."""
    comments = data.draw(st.dictionaries(st.sampled_from(every_path(recipe)), any_text, max_size=6))
    written = to_toml(recipe, comments)
    again = parse_recipe(written, "r.toml", ".")
    assert again == recipe
    assert list(again.fields) == list(recipe.fields)
    assert tomllib.loads(written.encode().decode()) == tomllib.loads(to_toml(recipe, dict.fromkeys(comments, "x")))


@settings(max_examples=60, deadline=None)
@given(recipes())
def test_the_line_of_every_key_is_found(recipe: Recipe) -> None:
    """In a written recipe the line given for a table or key is the one that begins with it."""
    written = to_toml(recipe, {})
    rows = written.split("\n")
    paths = [("fields", name) for name in recipe.fields] + [("quota",), ("prompt", "demos"), ("prompt", "instructions")]
    found = toml.lines(written)
    for path in paths:
        start = f"{path[1]} = " if path[0] == "prompt" else f"[{toml.key_path(path)}]"
        assert rows[found[path] - 1].startswith(start)


def test_a_recipe_is_written_for_people() -> None:
    """Comments stand above their keys, defaults of fields are left out, small tables are inline, text is in lines."""
    recipe = parse(LOGQA.replace("rows_per_request = 20", 'instructions = "Say \\"yes\\".\\nOr no.\\t"'))
    assert to_toml(
        recipe,
        {
            "": "LogQA",
            "fields.Answer.appears_in": "a span in 10 of 10 seeds",
            "fields.RawLog.description": "say\nwhat it is",
            "categories": "4 kinds",
            "quota.per_category": "or per_category = 250",
        },
    ).split("\n") == [
        *("# LogQA", "", 'name = "logqa"', 'task = "Reading-comprehension questions over one log line"', ""),
        *("[seeds]", 'file = "logqa.jsonl"', "", "[fields.Question]"),
        *('description = "a question answered by a span of RawLog"', 'identifiers_in = "RawLog"', ""),
        *("[fields.Answer]", "# a span in 10 of 10 seeds", 'appears_in = "RawLog"', ""),
        *("[fields.RawLog]", "# say", "# what it is", 'description = ""', ""),
        *("# 4 kinds", "[categories]", 'by = "template"', 'field = "Question"', ""),
        *("[quota]", "rows = 1000", "# or per_category = 250", ""),
        *("[novelty]", 'fields = ["Question", "RawLog"]', 'max_rouge_l = "seeds"', ""),
        *("[prompt]", "demos = { seeds = 6, grown = 2 }", "rows_per_request = 20"),
        *('instructions = """', 'Say "yes".', 'Or no.\\t"""', ""),
        *("[model]", 'name = "some-model"', 'base_url = "http://127.0.0.1:8000/v1"'),
        *("price = { input = 0.15, output = 0.6 }", "concurrency = 16", 'api_key_env = "OPENAI_API_KEY"', ""),
    ]


def test_the_seed_file_is_written_as_seen_from_the_recipes_folder() -> None:
    """A recipe written into another folder still finds its seeds; absolute files and stdin stay."""
    recipe = parse_recipe(LOGQA, "seeds/logqa.toml", "seeds")
    written = to_toml(recipe, {}, "outputs/logqa")
    assert 'file = "../../seeds/logqa.jsonl"' in written
    assert parse_recipe(written, "recipe.toml", "outputs/logqa") == recipe
    for file in ("-", "/data/a.jsonl"):
        kept = recipe.model_copy(update={"seeds": Seeds(file=file)})
        assert f'file = "{file}"' in to_toml(kept, {}, "outputs/logqa")
        assert parse_recipe(to_toml(kept, {}, "outputs/logqa"), "recipe.toml", "outputs/logqa") == kept


def test_a_comment_without_a_place_is_refused() -> None:
    """A comment on an unknown path is an error, instead of being lost."""
    with pytest.raises(ValueError, match=r"fields.Anser, quota.row$"):
        to_toml(parse(LOGQA), {"fields.Anser": "x", "quota.row": "y", "quota": "z"})


def test_half_a_character_cannot_be_written() -> None:
    """A field whose name holds a lone surrogate, lawful in JSON, is refused in words: TOML has no way to write it."""
    recipe = Recipe(name="x", seeds=Seeds(file="a"), fields={"\ud800": Field()}, novelty=Novelty(fields=("\ud800",)))
    with pytest.raises(RecipeError, match="lone surrogate"):
        to_toml(recipe, {})


# Constraints and rules


RULED = """\
[seeds]
file = "a.jsonl"
[fields.kind]
[fields.answer]
[fields.choices]
[[rules]]
field = "choices"
when = { kind = ["choice"] }
min_words = 1
[[rules]]
field = "answer"
when = { kind = ["choice"] }
choice_of = "choices"
"""


def test_rules_are_read_and_written_back() -> None:
    """A recipe with rules, patterns and snippets says the same after it was written."""
    text = RULED.replace(
        "[fields.answer]\n",
        "[fields.answer]\nanswer = true\npattern = '[a-z]+(?: [a-z]+)*'\nrefuse = ['(?i)\\bas an ai\\b', 'x$']\n"
        "one_of = ['a', 1, true]\ndiffers_from = 'kind'\n"
        "snippets = { least = 1, most = 2, max_lines = 9, python = true }\n",
    )
    recipe = parse(text)
    assert [rule.field for rule in recipe.rules] == ["choices", "answer"]
    assert recipe.fields["answer"].one_of == ("a", 1, True)
    assert parse(to_toml(recipe, {})) == recipe


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "[fields.answer]",
            '[fields.answer]\nchoice_of = "choice"',
            "fields.answer.choice_of: the recipe has no field",
        ),
        ("[fields.answer]", '[fields.answer]\ndiffers_from = "kin"', "fields.answer.differs_from: the recipe has no"),
        ("[fields.answer]", '[fields.answer]\ndiffers_from = "answer"', "differs_from: must name another field"),
        ('choice_of = "choices"', 'choice_of = "answer"', "choice_of: must name another field"),
        ('choice_of = "choices"', 'choice_of = "choice"', "choice_of: the recipe has no field"),
        ('field = "answer"', 'field = "anser"', 'the recipe has no field "anser"; did you mean "answer"?'),
        ("{ kind =", "{ kinds =", 'when: the recipe has no field "kinds"; did you mean "kind"?'),
        ("min_words = 1", "min_words = 3\nmax_words = 2", "max_words: is below min_words (3)"),
        ("min_words = 1", "min_chars = 3\nmax_chars = 2", "max_chars: is below min_chars (3)"),
        ("[fields.answer]", '[fields.answer]\nmatch = "inflected"', "match: has no effect without appears_in"),
        ("min_words = 1", 'match = "inflected"', "match: has no effect without appears_in"),
        ("[fields.answer]", "[fields.answer]\nsnippets = { least = 3, most = 2 }", "least (3) is above most (2)"),
        (
            "[fields.answer]",
            "[fields.answer]\npattern = '(a'",
            'pattern: "(a" is not a valid regular expression: missing )',
        ),
        ("[fields.answer]", "[fields.answer]\nrefuse = ['a', '[']", 'refuse: "[" is not a valid regular expression'),
        ("min_words = 1", "pattern = '(a+)+'", 'pattern: "(a+)+" has nested repeats'),
    ],
)
def test_a_constraint_that_cannot_be_held_is_told(old: str, new: str, told: str) -> None:
    """Names that are nowhere, bounds that exclude all, expressions that are none: each with its key."""
    assert old in RULED
    with pytest.raises(RecipeError) as caught:
        parse(RULED.replace(old, new, 1))
    assert told in str(caught.value)
    assert str(caught.value).count("logqa.toml:") == 1


EXPLOSIVE = [
    r"(a+)+b", r"(a*)*", r"(?:\w+\s*)+x", r"(.|\s)*x", r"((a|b)+)*c", r"(?i)(?:[a-z]+[A-Z]*)*!", r"(\d+\.?)+$",
    r"(?:a*a*,)+$", r"(?P<x>\w*\d*)*", r"(a+){2,}", r"(a+){10}", r"((ab)*)*", r"(?x) ( a + ) + b", r"(?:(a+))+",
    r"(?:(?:x+)y?)*", r"(a|a)*b", r"(\w|\d)+$", "(?x)(a+ # x\n)+", r"^(\s*\S+\s*)*$",
]  # fmt: skip
SOUND = [
    r"\s*[0-9A-Za-z](?s:.*)", r"(?i)\b(?:images?|graphs?|go\s+to)\b", r"(?:\w+,)*\w+", r"(?:- .+\n)+", r"(.|\n)*",
    r":\s*\Z", r"(a+){2}", r'(?:"[^"]*")+', r"[^()]+\(\w+\)", r"(ab|cd)+", r"\d{4}-\d{2}-\d{2}", r"a{,3}", "{}",
    r"(?:C: .+\nA: .+\n?)+", r"[\]\[(+*]+", r"(?:[A-Z]\w*\s)+", r"\((a)\)+", "(?x)a # (b+)+", r"(?:(\w+), )+",
    r"(?<=a)b+(?!c)", r"(['\"]).*?\1", "[一-龥]+(?:，[一-龥]+)*。", r"(?:[^\W_]+-)+\d+", "",
]  # fmt: skip


@pytest.mark.parametrize("pattern", EXPLOSIVE)
def test_a_pattern_that_may_take_for_ever_is_refused(pattern: str) -> None:
    """A repeat in a repeat with no mark between them, as groups, alternatives or counts write it."""
    assert "never finish" in pattern_problem(pattern)


@pytest.mark.parametrize("pattern", SOUND)
def test_a_pattern_whose_repeats_are_told_apart_is_taken(pattern: str) -> None:
    """Repeats that a character of another kind ends, brackets in classes, counts that are small."""
    assert pattern_problem(pattern) == ""


@pytest.mark.parametrize("pattern", ["(", "[", "*", "(?P<a", "a{99999999999999}", "(" * 5000 + ")" * 5000, "a(?i)"])
def test_what_is_no_expression_is_told(pattern: str) -> None:
    """Also where the fault is one of size or depth."""
    assert pattern_problem(pattern).startswith("is not a valid regular expression: ")


@settings(max_examples=300, deadline=None)
@given(st.text("ab(){}[]|*+?\\\\.,^$-<>=!:#P0 2ix", max_size=14))
def test_any_text_is_a_pattern_or_a_problem(pattern: str) -> None:
    """It never raises, and accepted expressions compile and terminate."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if not pattern_problem(pattern):
            for text in ("a" * 24 + "!", "ab" * 12 + "!", " 2" * 12 + "\n"):
                re.fullmatch(pattern, text)
