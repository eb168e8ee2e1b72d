"""Templates in Jinja: files, promptsource's format, and the tasks that rows become."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from selfinstruct import api
from selfinstruct.errors import InputError, RecipeError, RowError
from selfinstruct.jinja_templates.cells import typed
from selfinstruct.jinja_templates.template import JinjaTemplate, read_templates

RECIPE = """name = "mine"
[documents]
files = ["{rows}"]
by = "row"
[[expand]]
name = "templates"
file = "{file}"
{keys}
[fields.template]
[fields.task_type]
[fields.context]
[fields.instruction]
[fields.response]
answer = true
[novelty]
max_rouge_l = 1.0
"""
POOL = r"""dataset: films
templates:
  02ff2949-0f45-4d97-941e-6fa4c0afbc2d: !Template
    answer_choices: negative ||| positive
    id: 02ff2949-0f45-4d97-941e-6fa4c0afbc2d
    jinja: 'What does this review express? {{text}} ||| {{ answer_choices
      [label] }}'
    metadata: !TemplateMetadata
      choices_in_prompt: false
      metrics: &id001
      - Accuracy
      original_task: true
    name: Expressed Sentiment
    reference: ''
  866474a5-1498-46b7-bfee-ac0c5160707f: !Template
    answer_choices:
    - 'No'
    - 'Yes'
    jinja: "{{text}}\n\nDid they like it?\n|||\n{% if label == 1 %}{{ answer_choices[1] }}{% endif %}"
    metadata: !TemplateMetadata
      metrics: *id001
    name: "liked\u2026"
    reference: null
  96538f30-f2c1-430e-8fc6-936a16966d9c: !Template
    answer_choices: null
    jinja: Write a review. ||| {{ text }}
    name: generate
  af51297c-38a3-4d6c-a8b5-04b1243d7443: !Template
    jinja: '{{ text }} {{ summary }} ||| {{ title }}'
    name: title
"""
TYPES = 'context = "{text}"\n[expand.task_types]\n"liked*" = "yes-no question answering"\n"*" = "sentiment"'
ROWS = 'text,label\n"Good, all of it.",1\n"Dull ||| and long.",0\n'


def made(folder: Path, files: dict[str, str], rows: str, file: str, keys: str = "") -> list[tuple[str, ...]]:
    """The rows that a recipe with these files makes, in order of their text."""
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    recipe = RECIPE.replace("{rows}", rows).replace("{file}", file).replace("{keys}", keys)
    (folder / "mine.toml").write_text(recipe, encoding="utf-8")
    run = api.run(folder / "mine.toml", out=folder / "run")
    assert run.summary.conserved and run.summary.requests == 0
    assert api.rejudge(run.directory).identical
    return sorted(tuple(row.values()) for row in run.rows())


def test_a_file_of_promptsource_is_applied_to_a_table(tmp_path: Path) -> None:
    """Labels in a CSV file are numbers, choices a text or a list, and an empty target makes no task."""
    asked = "What does this review express? "
    assert made(tmp_path, {"rows.csv": ROWS, "t.yaml": POOL}, "rows.csv", "t.yaml", TYPES) == [
        ("Expressed Sentiment", "sentiment", "Dull ||| and long.", f"{asked}Dull ||| and long.", "negative"),
        ("Expressed Sentiment", "sentiment", "Good, all of it.", f"{asked}Good, all of it.", "positive"),
        ("liked…", "yes-no question answering", "Good, all of it.", "Good, all of it.\n\nDid they like it?", "Yes"),
    ]


def test_templates_that_make_no_task_are_named_with_the_reason(tmp_path: Path) -> None:
    """One asks for the passage itself, one for a field that no row has, one has no type of task."""
    keys = TYPES.replace('"*"', '"[gt]*"')
    recipe = RECIPE.replace("{rows}", "rows.csv").replace("{file}", "t.yaml").replace("{keys}", keys)
    for name, text in {"rows.csv": ROWS, "t.yaml": POOL, "mine.toml": recipe}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    notes = api.plan(tmp_path / "mine.toml").notes
    assert [note.partition("t.yaml: ")[2] for note in notes] == [
        "no task type, so left out: 'Expressed Sentiment'",
        "'generate' fits no row: its input does not show its context",
        "'title' fits no row: 'summary' is undefined",
    ]


def test_a_jinja_file_says_what_it_is_in_its_first_comment(tmp_path: Path) -> None:
    """Type, choices and context are read from there; a pattern names several files; Chinese is no exception."""
    files = {
        "t/review.jinja": "{# task_type: 情感分析\n   answer_choices: 消极 ||| 积极\n   context: {评论} #}\n"
        "这条评论是{{ answer_choices | join('还是') }}的？\n{{ 评论 }}\n|||\n{{ answer_choices[标签] }}\n",
        "t/title.jinja": "{# A comment: not a key. #}给它起个标题：{{ 评论 }}|||{{ 标题 }}",
        "rows.jsonl": '{"评论": "好看！", "标签": 1}\n{"评论": "太长。", "标签": 0, "标题": "长", "more": null}\n',
    }
    keys = 'context = "{评论}"\ntask_types = { "title" = "摘要" }'
    assert made(tmp_path, files, "rows.jsonl", "t/*.jinja", keys) == [
        ("review", "情感分析", "太长。", "这条评论是消极还是积极的？\n太长。", "消极"),
        ("review", "情感分析", "好看！", "这条评论是消极还是积极的？\n好看！", "积极"),
        ("title", "摘要", "太长。", "给它起个标题：太长。", "长"),
    ]


def test_draws_depend_on_template_and_row_alone(tmp_path: Path) -> None:
    """The same row gets the same wording in every run, wherever it stands; other rows get others."""
    template = "{{ ['one', 'two', 'three', 'four'] | choice }} {{ [1, 2, 3] | random }} {{ text }} ||| x"
    rows = [json.dumps({"text": f"row {number}"}) + "\n" for number in range(30)]
    found = []
    for name, order in (("a", rows), ("b", rows[::-1][:20])):
        (tmp_path / name).mkdir()
        files = {"rows.jsonl": "".join(order), "t.jinja": "{# task_type: a #}" + template}
        found.append(made(tmp_path / name, files, "rows.jsonl", "t.jinja", 'context = "{text}"'))
    assert set(found[1]) < set(found[0])
    assert len({instruction.partition(" ")[0] for _, _, _, instruction, _ in found[0]}) == 4


def test_filters_of_promptsource(tmp_path: Path) -> None:
    """The most frequent items, all of them if they tie; zip; nothing is highlighted in data."""
    template = (
        "{% for a, b in zip(items | most_frequent, 'xyz' | to_list) %}{{ a }}{{ b }}{% endfor %} "
        "{{ text | highlight | capitalize }} ||| {{ answers.text[0] }}"
    )
    row = {"text": "words", "items": ["c", "b", "b", "a", "a"], "answers": {"text": ["yes"]}}
    files = {"rows.jsonl": json.dumps(row), "t.jinja": template}
    keys = 'context = "{answers}"\ntask_types = { "*" = "a" }'
    with pytest.raises(InputError, match="does not show its context"):
        made(tmp_path, files, "rows.jsonl", "t.jinja", keys)
    files["t.jinja"] = "{# context: {text} #}" + template.replace(" | capitalize", "")
    assert [each[2:] for each in made(tmp_path, files, "rows.jsonl", "t.jinja", keys)] == [
        ("words", "bxay words", "yes")
    ]


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ('context = "{text}"', "t.yaml: no template has a task type"),
        ('task_types = { "*" = "a" }', "t.yaml: no template has a context"),
        ('context = "{body}"\ntask_types = { "Exp*" = "a" }', "t.yaml: no template fits a row; .*'body' is undefined"),
    ],
)
def test_a_recipe_that_makes_no_task_is_refused(keys: str, problem: str, tmp_path: Path) -> None:
    """It says what is missing, before a run directory is made."""
    with pytest.raises(InputError, match=problem):
        made(tmp_path, {"rows.csv": ROWS, "t.yaml": POOL}, "rows.csv", "t.yaml", keys)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("by = \"row\"", ""), "need rows"),
        (('file = "t.yaml"', 'file = "t.txt"'), "has no effect: the templates are not in Jinja"),
        (("[[expand]]", '[[expand]]\nname = "b"\nwrites = "context"\ntemplates = ["{text}"]\n[[expand]]'), "combined"),
        (('context = "{text}"', 'context = "text"'), "names no field"),
    ],
)  # fmt: skip
def test_keys_that_contradict_templates_in_jinja(change: tuple[str, str], problem: str, tmp_path: Path) -> None:
    """They are refused with the recipe."""
    recipe = RECIPE.replace("{rows}", "rows.csv").replace("{file}", "t.yaml").replace("{keys}", 'context = "{text}"')
    (tmp_path / "mine.toml").write_text(recipe.replace(*change))
    with pytest.raises(RecipeError, match=problem):
        api.plan(tmp_path / "mine.toml")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "t.yaml: the file is empty"),
        ("a: [", "t.yaml:1: not YAML"),
        ("dataset: x", "t.yaml:1: no templates"),
        ("templates:\n  a: {name: x}", "t.yaml:2: expected !Template"),
        ("templates:\n  a: !!python/object/apply:os.system [touch x]", "t.yaml:2: expected !Template"),
        ("templates:\n  a: !Template {name: x}", "t.yaml:2: the template has no jinja"),
        ("templates:\n  a: !Template\n    name: x\n    jinja: '{{ a }}'", r"t.yaml:4: template 'x' has no \|\|\|"),
        ("templates: " + "[" * 2000, "nested too deeply"),
        ("templates: \x00", "not YAML"),
    ],
)
def test_a_file_in_another_format_is_refused_with_its_line(text: str, problem: str, tmp_path: Path) -> None:
    """Tags construct nothing, and depth ends in an error, not in a crash."""
    (tmp_path / "t.yaml").write_text(text)
    with pytest.raises(RowError, match=problem):
        read_templates(str(tmp_path / "t.yaml"))


def test_aliases_are_not_multiplied(tmp_path: Path) -> None:
    """Nine levels of nine aliases each would be 400 million values; nothing is copied."""
    levels = "".join(f"  - &l{n + 1} [{', '.join([f'*l{n}'] * 9)}]\n" for n in range(9))
    text = f"bomb:\n  - &l0 [x]\n{levels}templates:\n  a: !Template {{name: x, jinja: '{{{{ a }}}} ||| b'}}\n"
    (tmp_path / "t.yaml").write_text(text)
    assert [each.name for each in read_templates(str(tmp_path / "t.yaml"))] == ["x"]


def test_a_header_with_an_unknown_key_is_an_error(tmp_path: Path) -> None:
    """The key is named with its line and the nearest known one; a comment without keys is only a comment."""
    (tmp_path / "t.jinja").write_text("{#\ntask_type: a\nanswer_choice: b #}\n{{ text }} ||| c")
    with pytest.raises(RowError, match=r"t.jinja:3: unknown key 'answer_choice'\n  Write answer_choices"):
        read_templates(str(tmp_path / "t.jinja"))
    (tmp_path / "t.jinja").write_text("{# Written for films. #}{{ text }} ||| c")
    assert read_templates(str(tmp_path / "t.jinja")) == [
        JinjaTemplate("t", str(tmp_path / "t.jinja"), 1, "{# Written for films. #}{{ text }} ||| c")
    ]


def test_a_file_in_another_encoding_is_read_when_told_so(tmp_path: Path) -> None:
    """GB18030 with its name; without it, the error says that it is not UTF-8."""
    (tmp_path / "t.jinja").write_bytes("给它起个标题：{{ 评论 }} ||| {{ 标题 }}".encode("gb18030"))
    found = read_templates(str(tmp_path / "t.jinja"), "gb18030")
    assert found[0].text.startswith("给它起个标题")
    with pytest.raises(InputError, match="UTF-8"):
        read_templates(str(tmp_path / "t.jinja"))


def test_only_whole_columns_of_a_table_are_numbers() -> None:
    """A cell that would be written differently keeps its column as text; empty cells stay empty."""
    rows = [
        {"a": "1", "b": "007", "c": "1.5", "d": "True", "e": "1", "f": "1.50", "g": "1e5", "h": ""},
        {"a": "-2", "b": "8", "c": "", "d": "False", "e": "x", "f": "2", "g": "NaN", "h": ""},
    ]
    assert typed(rows) == [
        {**rows[0], "a": 1, "c": 1.5, "d": True},
        {**rows[1], "a": -2, "d": False},
    ]
