"""Faults of content: a good reply, rewritten as models and servers have been seen to spoil it. All are billed."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any, TypeAlias

from selfinstruct.testing.exchange import Answer

#: Changes an answer in place.
Rewrite: TypeAlias = Callable[[Answer, Random], None]
_Row: TypeAlias = dict[str, Any]


def _rows_as(text: Callable[[list[_Row], Random], str]) -> Rewrite:
    """Rewrite the content from its rows; a reply without rows stays unchanged."""

    def rewrite(answer: Answer, rng: Random) -> None:
        rows = answer.rows()
        if rows:
            answer.content = text(rows, rng)

    return rewrite


def _all_as(text: Callable[[list[_Row]], str]) -> Rewrite:
    return _rows_as(lambda rows, rng: text(rows))


def _one_as(change: Callable[[_Row], _Row]) -> Rewrite:
    """The usual format with one row changed."""

    def text(rows: list[_Row], rng: Random) -> str:
        at = rng.randrange(len(rows))
        return _dump({"rows": [change(row) if n == at else row for n, row in enumerate(rows)]})

    return _rows_as(text)


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _lines(rows: list[_Row]) -> str:
    return "\n".join(map(_dump, rows))


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
    answer.content = '{"rows": [' + ", ".join(map(_dump, rows[: len(rows) // 2 + 1])) + ", " + "\n \t" * 3_000
    answer.finish_reason = "length"


def length_nothing(answer: Answer, rng: Random) -> None:
    """Reach the token limit before the first row."""
    answer.content, answer.finish_reason = '{"rows": [', "length"


LENGTHS: dict[str, Rewrite] = {"cut": _length_cut, "blanks": _length_blanks}


def _reasoning(answer: Answer) -> str:
    """A train of thought with draft rows that are not part of the reply."""
    draft = [{key: "draft" for key in row} for row in answer.rows()[:2]]
    return (
        f"They want rows such as {_dump(draft)}. Not good enough: {_dump(draft[:1])[1:-1]}? Let me write better ones."
    )


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


REASONING_ALONE: dict[str, Rewrite] = {"empty": _alone(""), "null": _alone(None), "unclosed": _reasoning_unclosed}
REASONING_BESIDE: dict[str, Rewrite] = {
    "field": _reasoning_field,
    "block": _before("<think>\n", "\n</think>\n\n"),
    "no-opener": _before("", "\n</think>\n\n"),
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


def _numbered(rows: list[_Row]) -> str:
    return "\n".join(f"{number}. {_dump(row)}" for number, row in enumerate(rows, 1))


def _labelled(rows: list[_Row]) -> str:
    blocks = ["\n".join(f"{key}: {value}" for key, value in row.items()) for row in rows]
    return "\n\n".join(f"{number}. {block}" for number, block in enumerate(blocks, 1))


def _typographic(rows: list[_Row]) -> str:
    return "\n".join("{" + ", ".join(f"“{key}”: “{value}”" for key, value in row.items()) + "}" for row in rows)


def _commented(rows: list[_Row]) -> str:
    return "[\n" + "\n".join(f"  // row {number}\n  {_dump(row)}," for number, row in enumerate(rows, 1)) + "\n]"


def _wrong_types(row: _Row) -> _Row:
    return {key: [value] if number == 0 else 7 for number, (key, value) in enumerate(row.items())}


def _twice(row: _Row) -> str:
    key = next(iter(row))
    return f"{{{_dump(key)}: {_dump('no')}, {_dump(row)[1:]}"


DRESSES: dict[str, Rewrite] = {
    "fence": _all_as(lambda rows: f"```json\n{json.dumps({'rows': rows}, ensure_ascii=False, indent=2)}\n```"),
    "prose": _all_as(lambda rows: f'Here are the rows:\n\n{_dump(rows)}\n\nLet me know if you need "more"!'),
    "trailing-commas": _all_as(lambda rows: "[" + "".join(f"{_dump(row)[:-1]},}}, " for row in rows) + "]"),
    "single-quotes": _all_as(lambda rows: str(rows)),
    "typographic-quotes": _all_as(_typographic),
    "bom": _all_as(lambda rows: "\ufeff" + _lines(rows)),
    "comments": _all_as(_commented),
    "nan": _one_as(lambda row: dict.fromkeys(row, float("nan"))),
    "duplicate-keys": _all_as(lambda rows: "\n".join(map(_twice, rows))),
    "wrong-types": _one_as(_wrong_types),
    "extra-keys": _one_as(lambda row: row | {"difficulty": "easy", "id": 1}),
    "nested-lists": _all_as(lambda rows: _dump([rows[:1], rows[1:]])),
    "one-object": _all_as(lambda rows: _dump(rows[0])),
    "json-lines": _all_as(_lines),
    "numbered": _all_as(_numbered),
    "labelled": _all_as(_labelled),
    "other-key": _all_as(lambda rows: _dump({"synthetic_data": rows, "count": len(rows)})),
    "fewer": _all_as(lambda rows: _dump({"rows": rows[: max(1, len(rows) // 2)]})),
    "more": _all_as(lambda rows: _dump({"rows": rows + rows[:3]})),
    "renamed-keys": _all_as(lambda rows: _dump([{key.lower(): row[key] for key in row} for row in rows])),
    "one-translated": _one_as(lambda row: {f"字段{n}": value for n, value in enumerate(row.values())}),
}

# --- 26, 27, 28 ---------------------------------------------------------------------------------------------------


def _torn_line(rows: list[_Row], rng: Random) -> str:
    """JSON Lines with one line torn in the middle."""
    lines = list(map(_dump, rows))
    at = rng.randrange(len(lines))
    lines[at] = lines[at][: len(lines[at]) * 2 // 3]
    return "\n".join(lines)


def _baited(row: _Row) -> _Row:
    """The row with a last value that resembles trailing commas."""
    last = list(row)[-1]
    return row | {last: f"{row[last]} [1,], {{2,}}"}


def _comma_bait(rows: list[_Row]) -> str:
    """Trailing commas outside strings, and a lookalike inside one."""
    return "[" + ", ".join(f"{_dump(row)[:-1]},}}" for row in [_baited(rows[0]), *rows[1:]]) + ",]"


def _with(rows: list[_Row], value: str) -> str:
    """A list whose first row has an extra key with this JSON value."""
    return f'[{_dump(rows[0])[:-1]}, "x": {value}}}, {_dump(rows[1:])[1:]}'


TRAPS: dict[str, Rewrite] = {
    "torn-line": _rows_as(_torn_line),
    "comma-bait": _all_as(_comma_bait),
    "quotes": _all_as(lambda rows: _lines(rows) + "\n" + '{"a": "' * 5_000),
    "braces": _all_as(lambda rows: _lines(rows) + "\n" + "[{" * 20_000),
    "open-string": _all_as(lambda rows: _lines(rows[:-1]) + "\n" + _dump(rows[-1]).replace('"', "", 1)),
}
HOSTILE: dict[str, Rewrite] = {
    "nested": _all_as(lambda rows: _with(rows, "[" * 20_000 + "]" * 20_000)),
    "digits": _all_as(lambda rows: _with(rows, "9" * 5_000)),
    "surrogate": _one_as(lambda row: {key: f"{row[key]}\ud83d" for key in row}),
    "escaped-surrogate": _all_as(
        lambda rows: json.dumps([{key: f"{rows[0][key]}\udc00" for key in rows[0]}, *rows[1:]])
    ),
}


def _translated(rows: list[_Row]) -> str:
    """Every other row with half of its fields in another language."""
    other = "以下内容改用另一种语言写成。"
    foreign = [{key: value if n % 2 else other for n, (key, value) in enumerate(row.items())} for row in rows]
    return _dump({"rows": [foreign[n] if n % 2 else row for n, row in enumerate(rows)]})


def _third_section(rows: list[_Row]) -> str:
    return _dump({"rows": [row | {"Explanation": "As shown above."} for row in rows]})


DRIFTS: dict[str, Rewrite] = {
    "third-section": _all_as(_third_section),
    "nested-object": _one_as(lambda row: row | {"example": dict(row)}),
    "repeated-field": _all_as(lambda rows: "\n".join(f"{_dump(row)[:-1]}, {_dump(row)[1:]}" for row in rows)),
    "other-language": _all_as(_translated),
    "cycle": _all_as(lambda rows: _dump({"rows": [rows[n % 2] for n in range(len(rows))]})),
}
