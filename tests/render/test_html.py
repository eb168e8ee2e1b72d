"""Templates: every printed value is text, never markup."""

from __future__ import annotations

import random
import re
from html.parser import HTMLParser
from importlib.resources import files

import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfinstruct.analysis.summary import Summary
from selfinstruct.render.html import _environment, render_template
from selfinstruct.render.notebook import findings_html, run_html

_PIECES = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style>",
    "</pre></details>",
    "<!--",
    "]]>",
    "{{ 7 * 7 }}",
    "{% include 'report.html' %}",
    "&lt;b&gt;",
    "javascript:alert(1)",
    "' onmouseover='x",
    "\x00",
    "\x1b[31m",
    "\u202e",
    "\ud800",
    "\n",
    "日志",
    "plain",
)


class Elements(HTMLParser):
    """The elements and attributes of a fragment, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, tuple[str, ...]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the element and the names of its attributes."""
        self.seen.append((tag, tuple(name for name, _ in attrs)))

    def handle_data(self, data: str) -> None:
        """Note the text."""
        self.text.append(data)


def elements(html: str) -> Elements:
    """Parse HTML that must encode as UTF-8."""
    html.encode()
    found = Elements()
    found.feed(html)
    found.close()
    return found


def hostile(count: int) -> list[str]:
    """Strings that try to be markup, the same ones each time."""
    draw = random.Random(7)
    return ["".join(draw.choices(_PIECES, k=draw.randint(1, 6))) for _ in range(count)]


def summary(name: str) -> Summary:
    """A summary whose category and note have this name."""
    bill = {"requests": 2, "tokens": {"input": 0, "output": 0, "estimated": False}, "cost": None, "cost_per_row": None}
    category = {**bill, "accepted": 3, "quota": 4, "drifted": 0, "exhausted": True, "max_rouge_l": 0.7}
    return Summary.from_dict(
        {
            **{**bill, "name": name, "requested_rows": 4, "accepted": 3, "seeds": 2, "candidates": 9},
            **{"rejected": {"echo": 6}, "failed": {}, "categories": {name: category}, "models": {}, "model": name},
            **{"max_rouge_l": 0.7, "seed": 0, "stopped": "exhausted", "seconds": 2.0, "conserved": True},
            "notes": [name],
        }
    )


def findings(*values: str) -> dict[str, object]:
    """Findings whose texts are these."""
    each = [
        {"file": v, "line": 3, "field": v, "reason": "echo", "severity": "error", "message": v, "evidence": {}}
        for v in values
    ]
    return {"findings": each, "measures": {"rows": 5, "errors": len(each), "warnings": 0, "recipe": "inferred"}}


@pytest.mark.parametrize(
    "name", sorted(each.name for each in files("selfinstruct.render").joinpath("templates").iterdir())
)
def test_autoescape_is_on_in_every_template(name: str) -> None:
    """No template turns escaping off or marks a value as safe."""
    source = files("selfinstruct.render").joinpath("templates", name).read_text(encoding="utf-8")
    assert not re.search(r"autoescape|\|\s*safe|Markup", source)
    assert _environment().autoescape is True


def test_five_hundred_hostile_rows_add_no_markup() -> None:
    """A fragment of hostile rows, names and directories has the elements of one of harmless values."""
    for text in hostile(500):
        html = run_html(summary(text), text, [{text: text}])
        assert elements(html).seen == elements(run_html(summary("a"), "a", [{"a": "a"}])).seen
        assert "\x1b" not in html and "\u202e" not in html
        assert elements(findings_html(findings(text))).seen == elements(findings_html(findings("a"))).seen


@given(st.text(st.characters()))
def test_any_text_can_be_printed(text: str) -> None:
    """Any code points, half characters too, give HTML of the same elements that encodes as UTF-8."""
    assert elements(run_html(summary(text), text)).seen == elements(run_html(summary("a"), "a")).seen


def test_printable_text_is_shown_as_it_is() -> None:
    """What looks like markup or a template can be read in the page."""
    text = "<b>{{ 7 * 7 }}</b> & 日志"
    assert text in "".join(elements(run_html(summary(text), "o")).text)


def test_a_missing_value_is_an_error() -> None:
    """A template that is not given what it prints fails, instead of printing nothing."""
    with pytest.raises(jinja2.UndefinedError):
        render_template("findings.html", style="")
