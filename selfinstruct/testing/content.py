"""Faults of content: a good reply, rewritten as models and servers have been seen to spoil it. All are billed."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any, TypeAlias

from selfinstruct.records import Row
from selfinstruct.testing.exchange import Answer

#: Changes an answer in place.
Rewrite: TypeAlias = Callable[[Answer, Random], None]


def rows_as(text: Callable[[list[Row], Random], str]) -> Rewrite:
    """Rewrite the content from its rows; a reply without rows stays unchanged."""

    def rewrite(answer: Answer, rng: Random) -> None:
        rows = answer.rows()
        if rows:
            answer.content = text(rows, rng)

    return rewrite


def all_rows_as(text: Callable[[list[Row]], str]) -> Rewrite:
    """Rewrite the content from its rows, without chance."""
    return rows_as(lambda rows, rng: text(rows))


def one_row_as(change: Callable[[Row], Row]) -> Rewrite:
    """Rewrite the content in the usual format with one row changed."""

    def text(rows: list[Row], rng: Random) -> str:
        at = rng.randrange(len(rows))
        return dump({"rows": [change(row) if n == at else row for n, row in enumerate(rows)]})

    return rows_as(text)


def dump(value: Any) -> str:
    """Return a value as JSON."""
    return json.dumps(value, ensure_ascii=False)


def json_lines(rows: list[Row]) -> str:
    """Return rows as JSON Lines."""
    return "\n".join(map(dump, rows))


# --- 10, 17, 20, 21, 22, 23 -------------------------------------------------------------------------------------


def no_choices(answer: Answer, rng: Random) -> None:
    """A payload without choices."""
    answer.choices = False


def _usage(change: Callable[[dict[str, Any]], dict[str, Any] | None]) -> Rewrite:
    def rewrite(answer: Answer, rng: Random) -> None:
        answer.usage = change(answer.usage or {})

    return rewrite


USAGES: dict[str, Rewrite] = {
    "missing": _usage(lambda usage: None),
    "partial": _usage(lambda usage: {"prompt_tokens": usage.get("prompt_tokens", 0)}),
    "total": _usage(lambda usage: {"total_tokens": usage.get("total_tokens", 0)}),
    "nulls": _usage(lambda usage: dict.fromkeys(usage)),
    "strings": _usage(lambda usage: {key: str(value) for key, value in usage.items()}),
    "zeros": _usage(lambda usage: dict.fromkeys(usage, 0)),
}


def _length_cut(answer: Answer, rng: Random) -> None:
    text = answer.content or ""
    answer.content, answer.finish_reason = text[: int(len(text) * rng.uniform(0.3, 0.95))], "length"


def _length_blanks(answer: Answer, rng: Random) -> None:
    rows = answer.rows()
    answer.content = '{"rows": [' + ", ".join(map(dump, rows[: len(rows) // 2 + 1])) + ", " + "\n \t" * 3_000
    answer.finish_reason = "length"


def length_nothing(answer: Answer, rng: Random) -> None:
    """Reach the token limit before the first row."""
    answer.content, answer.finish_reason = '{"rows": [', "length"


LENGTHS: dict[str, Rewrite] = {"cut": _length_cut, "blanks": _length_blanks}


def _reasoning(answer: Answer) -> str:
    """A train of thought with draft rows that are not part of the reply."""
    draft = [{key: "draft" for key in row} for row in answer.rows()[:2]]
    return f"They want rows such as {dump(draft)}. Not good enough: {dump(draft[:1])[1:-1]}? Let me write better ones."


def _alone(content: str | None) -> Rewrite:
    def rewrite(answer: Answer, rng: Random) -> None:
        answer.reasoning, answer.content = _reasoning(answer), content

    return rewrite


def _before(opener: str, closer: str) -> Rewrite:
    def rewrite(answer: Answer, rng: Random) -> None:
        answer.content = f"{opener}{_reasoning(answer)}{closer}{answer.content}"

    return rewrite


def _reasoning_unclosed(answer: Answer, rng: Random) -> None:
    answer.content, answer.finish_reason = f"<think>\n{_reasoning(answer)}", "length"


def _reasoning_field(answer: Answer, rng: Random) -> None:
    answer.reasoning = _reasoning(answer)


def _taken_for_reasoning(thought: str, closer: str) -> Rewrite:
    """A server that expects reasoning first takes the whole reply for it."""

    def rewrite(answer: Answer, rng: Random) -> None:
        answer.reasoning, answer.content = f"{thought}{closer}{answer.content}", None

    return rewrite


REASONING_ALONE: dict[str, Rewrite] = {"empty": _alone(""), "null": _alone(None), "unclosed": _reasoning_unclosed}
#: What reasoning stands between, by the name of the variant.
_REASONING_MARKERS = {
    "block": ("<think>\n", "\n</think>\n\n"),
    "no-opener": ("", "\n</think>\n\n"),
    "thinking": ("<thinking>", "</thinking>"),
    "triangles": ("◁think▷", "◁/think▷"),
    "minimax": ("<mm:think>\n", "\n</mm:think>\n"),
    "seed": ("<seed:think>", "</seed:think>"),
    "cohere": ("<|START_THINKING|>", "<|END_THINKING|><|START_RESPONSE|>"),
    "mistral": ("[THINK]", "[/THINK]"),
    "begin-of": ("<|begin_of_thought|>\n", "\n<|end_of_thought|>\n"),
    "thought": ("<thought>\n", "\n</thought>\n"),
    "scratchpad": ("<scratchpad>\n", "\n</scratchpad>\n"),
    "other-name": ("<work-in-progress>\n", "\n</work-in-progress>\n"),
    "two-blocks": ("<plan>Three rows.</plan>\n<draft>", "</draft>\n"),
    "harmony": (
        "<|channel|>analysis<|message|>",
        "<|end|><|start|>assistant<|channel|>final <|constrain|>json<|message|>",
    ),
    "bare-harmony": ("analysis", "assistantfinal"),
    "gemma": ("<|channel>thought\n", "<channel|>"),
    "ollama": ("Thinking...\n", "\n...done thinking.\n\n"),
    "chinese": ("【思考】", "【/思考】"),
}
REASONING_BESIDE: dict[str, Rewrite] = {
    "field": _reasoning_field,
    "mistaken": _taken_for_reasoning("", ""),
    "mistaken-after-it": _taken_for_reasoning("They want rows.", "</think>"),
    **{name: _before(*markers) for name, markers in _REASONING_MARKERS.items()},
}


def _refusal_sentence(answer: Answer, rng: Random) -> None:
    answer.content = "I'm sorry, but I can't assist with that request."


def _refusal_field(answer: Answer, rng: Random) -> None:
    answer.content, answer.refusal = None, "I'm sorry, I cannot assist with that request."


def _refusal_filter(answer: Answer, rng: Random) -> None:
    answer.content, answer.finish_reason = "", "content_filter"


REFUSALS: dict[str, Rewrite] = {"sentence": _refusal_sentence, "field": _refusal_field, "filter": _refusal_filter}


def tool_call(answer: Answer, rng: Random) -> None:
    """Move the content into the arguments of a tool call."""
    answer.arguments, answer.content, answer.finish_reason = answer.content, None, "tool_calls"


def tool_call_empty(answer: Answer, rng: Random) -> None:
    """A tool call without arguments."""
    answer.arguments, answer.content, answer.finish_reason = "", None, "tool_calls"


# --- 25: dress --------------------------------------------------------------------------------------------------


def _numbered(rows: list[Row]) -> str:
    return "\n".join(f"{number}. {dump(row)}" for number, row in enumerate(rows, 1))


def _labelled(rows: list[Row]) -> str:
    blocks = ["\n".join(f"{key}: {value}" for key, value in row.items()) for row in rows]
    return "\n\n".join(f"{number}. {block}" for number, block in enumerate(blocks, 1))


def _typographic(rows: list[Row]) -> str:
    return "\n".join("{" + ", ".join(f"“{key}”: “{value}”" for key, value in row.items()) + "}" for row in rows)


def _commented(rows: list[Row]) -> str:
    return "[\n" + "\n".join(f"  // row {number}\n  {dump(row)}," for number, row in enumerate(rows, 1)) + "\n]"


def _wrong_types(row: Row) -> Row:
    return {key: [value] if number == 0 else 7 for number, (key, value) in enumerate(row.items())}


def _twice(row: Row) -> str:
    key = next(iter(row))
    return f"{{{dump(key)}: {dump('no')}, {dump(row)[1:]}"


DRESSES: dict[str, Rewrite] = {
    "fence": all_rows_as(lambda rows: f"```json\n{json.dumps({'rows': rows}, ensure_ascii=False, indent=2)}\n```"),
    "prose": all_rows_as(lambda rows: f'Here are the rows:\n\n{dump(rows)}\n\nLet me know if you need "more"!'),
    "trailing-commas": all_rows_as(lambda rows: "[" + "".join(f"{dump(row)[:-1]},}}, " for row in rows) + "]"),
    "single-quotes": all_rows_as(lambda rows: str(rows)),
    "typographic-quotes": all_rows_as(_typographic),
    "bom": all_rows_as(lambda rows: "\ufeff" + json_lines(rows)),
    "comments": all_rows_as(_commented),
    "nan": one_row_as(lambda row: dict.fromkeys(row, float("nan"))),
    "duplicate-keys": all_rows_as(lambda rows: "\n".join(map(_twice, rows))),
    "wrong-types": one_row_as(_wrong_types),
    "extra-keys": one_row_as(lambda row: row | {"difficulty": "easy", "id": 1}),
    "nested-lists": all_rows_as(lambda rows: dump([rows[:1], rows[1:]])),
    "one-object": all_rows_as(lambda rows: dump(rows[0])),
    "json-lines": all_rows_as(json_lines),
    "numbered": all_rows_as(_numbered),
    "labelled": all_rows_as(_labelled),
    "other-key": all_rows_as(lambda rows: dump({"synthetic_data": rows, "count": len(rows)})),
    "fewer": all_rows_as(lambda rows: dump({"rows": rows[: max(1, len(rows) // 2)]})),
    "more": all_rows_as(lambda rows: dump({"rows": rows + rows[:3]})),
    "renamed-keys": all_rows_as(lambda rows: dump([{key.lower(): row[key] for key in row} for row in rows])),
    "one-translated": one_row_as(lambda row: {f"字段{n}": value for n, value in enumerate(row.values())}),
}

# --- 26, 27, 28 ---------------------------------------------------------------------------------------------------


def _torn_line(rows: list[Row], rng: Random) -> str:
    """JSON Lines with one line torn in the middle."""
    lines = list(map(dump, rows))
    at = rng.randrange(len(lines))
    lines[at] = lines[at][: len(lines[at]) * 2 // 3]
    return "\n".join(lines)


def _baited(row: Row) -> Row:
    """The row with a last value that resembles trailing commas."""
    last = list(row)[-1]
    return row | {last: f"{row[last]} [1,], {{2,}}"}


def _comma_bait(rows: list[Row]) -> str:
    """Trailing commas outside strings, and a lookalike inside one."""
    return "[" + ", ".join(f"{dump(row)[:-1]},}}" for row in [_baited(rows[0]), *rows[1:]]) + ",]"


def _with(rows: list[Row], value: str) -> str:
    """A list whose first row has an extra key with this JSON value."""
    return f'[{dump(rows[0])[:-1]}, "x": {value}}}, {dump(rows[1:])[1:]}'


TRAPS: dict[str, Rewrite] = {
    "torn-line": rows_as(_torn_line),
    "comma-bait": all_rows_as(_comma_bait),
    "quotes": all_rows_as(lambda rows: json_lines(rows) + "\n" + '{"a": "' * 5_000),
    "braces": all_rows_as(lambda rows: json_lines(rows) + "\n" + "[{" * 20_000),
    "open-string": all_rows_as(lambda rows: json_lines(rows[:-1]) + "\n" + dump(rows[-1]).replace('"', "", 1)),
}
HOSTILE: dict[str, Rewrite] = {
    "nested": all_rows_as(lambda rows: _with(rows, "[" * 20_000 + "]" * 20_000)),
    "digits": all_rows_as(lambda rows: _with(rows, "9" * 5_000)),
    "surrogate": one_row_as(lambda row: {key: f"{row[key]}\ud83d" for key in row}),
    "escaped-surrogate": all_rows_as(
        lambda rows: json.dumps([{key: f"{rows[0][key]}\udc00" for key in rows[0]}, *rows[1:]])
    ),
}


def _translated(rows: list[Row]) -> str:
    """Every other row with half of its fields in another language."""
    other = "以下内容改用另一种语言写成。"
    foreign = [{key: value if n % 2 else other for n, (key, value) in enumerate(row.items())} for row in rows]
    return dump({"rows": [foreign[n] if n % 2 else row for n, row in enumerate(rows)]})


def _third_section(rows: list[Row]) -> str:
    return dump({"rows": [row | {"Explanation": "As shown above."} for row in rows]})


DRIFTS: dict[str, Rewrite] = {
    "third-section": all_rows_as(_third_section),
    "nested-object": one_row_as(lambda row: row | {"example": dict(row)}),
    "repeated-field": all_rows_as(lambda rows: "\n".join(f"{dump(row)[:-1]}, {dump(row)[1:]}" for row in rows)),
    "other-language": all_rows_as(_translated),
    "cycle": all_rows_as(lambda rows: dump({"rows": [rows[n % 2] for n in range(len(rows))]})),
}
