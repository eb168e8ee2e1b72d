"""The chat messages that ask a model for rows of one category.

system: the task, the fields, the rules that the recipe's checks enforce, the form of the reply
user:   the demonstrations, the category, the number of rows
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from selfinstruct.prompts.chinese import category_zh, system_zh
from selfinstruct.prompts.english import category_en, system_en
from selfinstruct.prompts.quoting import demonstrations, quoted, reply_shape, stated_probability
from selfinstruct.recipe import Language, Recipe
from selfinstruct.recipe.placeholders import fill
from selfinstruct.records import JSON, Message, Row
from selfinstruct.rows import to_json


def row_messages(
    recipe: Recipe,
    category: str,
    count: int,
    demos: Sequence[Row],
    language: Language = "en",
    *,
    given: Mapping[str, JSON] | None = None,
    repeat_format: bool = False,
) -> tuple[Message, ...]:
    """The messages that ask for ``count`` new rows of ``category``, with ``demos`` as examples.

    ``given`` contains the attribute values that the rows are conditioned on. ``repeat_format`` repeats the form of the
    reply with a worked example, for a model whose replies have lost it.
    """
    if language == "zh":
        system, examples, wanted = system_zh(recipe), "示例：", category_zh(recipe, category)
        request = f"请写出 {count} 行新数据。"
    else:
        system, examples, wanted = system_en(recipe), "Examples:", category_en(recipe, category)
        request = f"Write {count} new row{'s' if count > 1 else ''}."
    parts = [f"{examples}\n{demonstrations(demos)}\n"] if demos else []
    format_lines = _format_lines(recipe, demos, language) if repeat_format else []
    conditions = [f"- {quoted(name)}: {fill(f'{{{name}}}', {name: value})}" for name, value in (given or {}).items()]
    user = "\n".join([*parts, *wanted, *conditions, *format_lines, request])
    return Message("system", system), Message("user", user)


def _format_lines(recipe: Recipe, demos: Sequence[Row], language: Language) -> list[str]:
    """The form of the reply, repeated, and an example reply of one row."""
    if language == "zh":
        form = "输出必须是一个完整的 JSON 对象，格式如下，前后不加任何文字："
        example = "只有一行数据时的输出示例（勿照抄内容）："
        shape = reply_shape(recipe, "……")
    else:
        form = "The reply is one whole JSON object of this form, with nothing before or after it: "
        example = "A reply of one row would look like this (do not copy what it says): "
        shape = reply_shape(recipe, "...")
    return [
        form + shape,
        *([example + to_json({"rows": [{**demos[0], **stated_probability(recipe)}]})] if demos else []),
    ]
