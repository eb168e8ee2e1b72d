"""Templates of strangers: what they may not do, and that they cost an error at most."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfinstruct.errors import InputError
from selfinstruct.jinja_templates import rendering
from selfinstruct.jinja_templates.rendering import Rendered, RenderLimits, render
from selfinstruct.jinja_templates.template import JinjaTemplate

ROW = {"text": "words", "label": 1, "none": None}
LIMITS = RenderLimits(seconds=5.0, characters=10_000)


def rendered(text: str, choices: str = "", limits: RenderLimits = LIMITS) -> Rendered:
    """What a template makes of ROW."""
    return render([JinjaTemplate("bad", "t.jinja", 1, text, choices)], [ROW], ["rows.jsonl:1"], limits)[0][0]


HOSTILE = {
    "{{ ''.__class__ }}": "not allowed: access to attribute '__class__'",
    "{{ ''['__class__'].__mro__ }}": "not allowed",
    "{{ text | attr('__class__') }}": "not allowed",
    "{{ '{0.__class__.__mro__}'.format(text) }}": "not allowed",
    "{{ self._TemplateReference__context }}": "not allowed",
    "{{ zip.mro() }}": "not allowed",
    "{{ [].append(1) }}": "not allowed",
    "{% include '/etc/passwd' %}": "no loader",
    "{% import 'os' as os %}{{ os }}": "no loader",
    "{% extends 'base.html' %}": "no loader",
    "{{ 'a' * 10 ** 10 }}": "needs more than 512 MiB of memory",
    "{{ '%9999999999d' % 1 }}": "needs more than 512 MiB of memory",
    "{% for i in range(10 ** 9) %}{{ i }}{% endfor %}": "Range too big",
    "{% for i in range(90000) %}aaaa{% endfor %}": "writes more than 10,000 characters",
    "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}": "too deeply",
    "{{ 1 / 0 }}": "division by zero",
    "{{ zip([1], [2]) }}": "writes a zip, which is no text",
    "{{ [1] | map('string') }}": "writes a generator, which is no text",
    "{{ text | nothing }}": "No filter named 'nothing'",
    "{{ text": "unexpected end|expected token",
    "{{ text }} ||| b": "3 parts",
    "\n\n{{ 1 / 0 }}": r"^t\.jinja:3: template 'bad', with the row rows\.jsonl:1",
}


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_template_is_an_error_with_its_place(text: str) -> None:
    """Nothing of Python is reached, nothing is read, and memory, length and depth have limits."""
    with pytest.raises(InputError, match=HOSTILE[text]) as caught:
        rendered(f"{text} ||| x")
    assert caught.value.message.startswith("t.jinja:") and "template 'bad'" in caught.value.message


@pytest.mark.parametrize(
    "text",
    [
        "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
        "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}",
        "{{ 9 ** (9 ** 9) }}",
    ],
)
def test_a_template_that_does_not_end_is_ended(text: str) -> None:
    """After the time for one row its process is killed, and the message names template and row."""
    with pytest.raises(InputError, match=r"'bad', with the row rows\.jsonl:1: the template took more than 1\.5 s"):
        rendered(f"{text} ||| x", limits=RenderLimits(seconds=1.5))


@pytest.mark.parametrize(
    "text",
    [
        "{{ missing }} ||| x",
        "{{ lipsum() }} {{ cycler }} ||| x",
        "{{ none }} ||| x",
        "{{ text }} ||| {% if label == 0 %}x{% endif %}",
        "{% if label == 0 %}{{ text }} ||| x{% endif %}",
        "{{ text }} ||| {{ answer_choices[label + 5] }}",
    ],
)
def test_a_template_may_not_fit_a_row(text: str) -> None:
    """A name without a value, null, and an empty input or target are no error: there is no task."""
    found = rendered(text, "no ||| yes")
    assert found.unfit and not found.input and not found.target


def test_a_separator_in_a_list_is_written_as_it_is() -> None:
    """Also where a template writes the list as Python or JSON does."""
    template = JinjaTemplate("list", "t.jinja", 1, "{{ [text] }} {{ [text] | tojson }} ||| x")
    ((found,),) = render([template], [{"text": "a ||| b"}], ["rows.jsonl:1"])
    assert found.input == """['a ||| b'] ["a ||| b"]"""


def test_a_process_that_dies_or_lies_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its output is not trusted, and it gets no secrets."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(rendering, "_WORKER", "renderer_of_test")
    monkeypatch.setenv("OPENAI_API_KEY", "canary")
    for code, problem in {
        "print('{}')": r"crashed \(exit 0\)",
        "print('{}\\n[]')": "invalid output",
        "print('{]')": "invalid output",
        "import os, json; print(json.dumps({'error': ' '.join(os.environ)}))": "PYTHONPATH",
    }.items():
        (tmp_path / "renderer_of_test.py").write_text(code)
        with pytest.raises(InputError, match=problem) as caught:
            rendered("{{ text }} ||| x")
        assert "OPENAI" not in str(caught.value)
