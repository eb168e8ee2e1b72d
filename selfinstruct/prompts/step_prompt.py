"""The chat messages of a step whose prompt is in the recipe."""

from __future__ import annotations

from collections.abc import Mapping

from selfinstruct.prompts.language import is_chinese
from selfinstruct.prompts.quoting import EXAMPLE_PROBABILITY, PLACEHOLDERS
from selfinstruct.prompts.verbalized import sampling_rule
from selfinstruct.recipe import PROBABILITY
from selfinstruct.recipe.placeholders import fill, names_in
from selfinstruct.records import JSON, Message, ReplyFormat
from selfinstruct.rows import to_json


def step_messages(
    system: str, prompt: str, values: Mapping[str, JSON], form: ReplyFormat | None, *, verbatim: bool = False
) -> tuple[Message, ...]:
    """The messages of a step whose prompt is in the recipe.

    If the reply is JSON and the prompt lacks ``{form}``, the form is added at the end: without it, replies gain
    sections of their own. ``verbatim`` keeps the white space around the prompt, for models that continue it.
    """
    form_text = _reply_form(form, f"{system}\n{prompt}") if form is not None else ""
    known = {**values, "form": form_text}
    text = fill(prompt, known, _blank)
    text = text if verbatim else text.strip()
    if form is not None and "form" not in (*names_in(prompt), *names_in(system)):
        text = f"{text}\n\n{form_text}"
    before = (Message("system", fill(system, known, _blank).strip()),) if system.strip() else ()
    return (*before, Message("user", text))


def _blank(name: str) -> str:
    """The text of a name without a value: a document without pages, a step that was skipped."""
    return ""


def _reply_form(form: ReplyFormat, prompt: str) -> str:
    chinese = is_chinese(prompt)
    row = {name: PLACEHOLDERS.get(kind, "……" if chinese else "...") for name, kind in form.types.items()}
    if form.is_verbalized:
        row[PROBABILITY] = EXAMPLE_PROBABILITY
    shape = to_json({"rows": [row]}) if form.is_list else to_json(row)
    rule = f"{sampling_rule('zh' if chinese else 'en')}\n" if form.is_verbalized else ""
    if chinese:
        return f"{rule}只输出 JSON，不要使用 Markdown，不要添加注释，格式如下：\n{shape}"
    return f"{rule}Reply with JSON alone, without Markdown and without comments, in this form:\n{shape}"
