"""How a reply ends and what is put around it: reasons, tokens, strings of JSON, other punctuation. All are billed."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from random import Random

from selfinstruct.records import Row
from selfinstruct.testing.content import Rewrite, all_rows_as, dump, json_lines, one_row_as
from selfinstruct.testing.exchange import Answer


def _torn(reason: str | None) -> Rewrite:
    """Cut the content, and give this reason."""

    def rewrite(answer: Answer, rng: Random) -> None:
        text = answer.content or ""
        answer.content, answer.finish_reason = text[: int(len(text) * rng.uniform(0.5, 0.95))], reason

    return rewrite


def _whole(reason: str | None) -> Rewrite:
    def rewrite(answer: Answer, rng: Random) -> None:
        answer.finish_reason = reason

    return rewrite


def _torn_labels(answer: Answer, rng: Random) -> None:
    """Labelled lines, of which the last is cut within its value, and a reason that says nothing."""
    rows = answer.rows()
    if rows:
        text = "\n\n".join("\n".join(f"{key}: {value}" for key, value in row.items()) for row in rows)
        answer.content, answer.finish_reason = text[:-2], "abort"


#: Reasons for the end of a torn reply: the token limit, the safety filter, and such as say nothing certain.
ENDINGS: dict[str, Rewrite] = {
    **{
        reason.lower().replace("_", "-"): _torn(reason)
        for reason in ("MAX_TOKENS", "model_length", "SAFETY", "sensitive", "abort", "error", "network_error")
    },
    "null": _torn(None),
    "none": _torn(""),
    "labelled": _torn_labels,
    **{
        f"whole-{reason.lower().replace('_', '-')}": _whole(reason)
        for reason in ("end_turn", "eos", "STOP", "stop_sequence")
    },
    "whole-null": _whole(None),
}


def _between(before: str, after: str) -> Rewrite:
    def rewrite(answer: Answer, rng: Random) -> None:
        answer.content = f"{before}{answer.content}{after}"

    return rewrite


def _labelled_before(after: str) -> Rewrite:
    """Labelled lines, so that a token behind the last would belong to its value."""
    return all_rows_as(
        lambda rows: "\n\n".join("\n".join(f"{key}: {value}" for key, value in row.items()) for row in rows) + after
    )


CONTROL_TOKENS: dict[str, Rewrite] = {
    "chatml": _between("<|im_start|>assistant\n", "<|im_end|>"),
    "llama-2": _between("<s> [/INST] ", " </s>"),
    "llama-3": _between("<|start_header_id|>assistant<|end_header_id|>\n\n", "<|eot_id|>"),
    "gemma": _between("<start_of_turn>model\n", "<end_of_turn>\n"),
    "deepseek": _between("<｜Assistant｜>", "<｜end▁of▁sentence｜>"),
    "labelled": _labelled_before("<|im_end|>"),
    "labelled-llama": _labelled_before(" </s>"),
    "next-turn": _labelled_before("<|im_end|>\n<|im_start|>user\nWrite three more.<|im_end|>\n"),
    "answer-tag": _between("<answer>\n", "\n</answer>"),
}
STRINGS: dict[str, Rewrite] = {
    "list": all_rows_as(lambda rows: dump({"rows": dump(rows)})),
    "each": all_rows_as(lambda rows: dump({"rows": list(map(dump, rows))})),
    "lines": all_rows_as(lambda rows: "\n".join(dump(dump(row)) for row in rows)),
    "fenced": all_rows_as(lambda rows: dump({"result": f"```json\n{dump(rows)}\n```"})),
    "keyed": all_rows_as(lambda rows: dump({f"row_{number}": dump(row) for number, row in enumerate(rows, 1)})),
    "whole": all_rows_as(lambda rows: dump(dump({"rows": rows}))),
    "inside": all_rows_as(lambda rows: dump(dump({"rows": rows}))[1:-1]),
    "html": all_rows_as(lambda rows: html.escape(dump({"rows": rows}))),
}

_FULL_WIDTH = str.maketrans('{}[]:,"', "｛｝［］：，＂")


def _widened(text: str, quotes: str = '""') -> str:
    """JSON with full-width punctuation outside its strings, which stand between ``quotes``."""
    pieces = re.split(r'("(?:[^"\\]|\\.)*")', text)
    return "".join(
        f"{quotes[0]}{piece[1:-1]}{quotes[1]}" if number % 2 else piece.translate(_FULL_WIDTH)
        for number, piece in enumerate(pieces)
    )


def _half_widened(rows: list[Row]) -> str:
    """Straight braces and quotes, but full-width commas and colons."""
    return _widened(json_lines(rows)).translate(str.maketrans("｛｝", "{}"))


FULL_WIDTH: dict[str, Rewrite] = {
    "all": all_rows_as(lambda rows: _widened(dump({"rows": rows}))),
    "commas-and-colons": all_rows_as(_half_widened),
    "quotes": all_rows_as(lambda rows: _widened(dump(rows), "＂＂").replace('\\"', '"')),
    "corner-quotes": all_rows_as(lambda rows: _widened(dump(rows), "「」").replace('\\"', '"')),
}


def _marked(mark: Callable[[int], str]) -> Rewrite:
    """The first text of each row behind a list mark."""

    def marked(rows: list[Row]) -> str:
        names = [next((name for name, value in row.items() if isinstance(value, str)), "") for row in rows]
        changed = [
            row | {name: f"{mark(number)}{row[name]}"} if name else row
            for number, (name, row) in enumerate(zip(names, rows, strict=True), 1)
        ]
        return dump({"rows": changed})

    return all_rows_as(marked)


LIST_MARKS: dict[str, Rewrite] = {
    "numbers": _marked(lambda number: f"{number}. "),
    "brackets": _marked(lambda number: f"({number}) "),
    "questions": _marked(lambda number: f"Q{number}: "),
    "chinese": _marked(lambda number: f"{number}、"),
    "bullets": _marked(lambda number: "- "),
    "key": all_rows_as(lambda rows: dump({"rows": [{"id": number, **row} for number, row in enumerate(rows, 1)]})),
}


def _spoilt(change: Callable[[str], str]) -> Rewrite:
    """One row of which each text is changed."""
    return one_row_as(
        lambda row: {name: change(value) if isinstance(value, str) else value for name, value in row.items()}
    )


PLACEHOLDERS: dict[str, Rewrite] = {
    name: _spoilt(lambda value, text=text: text)  # type: ignore[misc]
    for name, text in {
        "noinput": "<noinput>",
        "not-applicable": "N/A",
        "none": "None",
        "dots": "...",
        "label": "Output:",
        "open": "[insert text here]",
        "chinese": "无",
    }.items()
}
DAMAGE: dict[str, Rewrite] = {
    "nul": _spoilt(lambda value: f"{value}\0"),
    "replacement": _spoilt(lambda value: f"{value}\ufffd"),
    "doubled-escapes": _spoilt(lambda value: f"{value}\\n"),
    "doubled-unicode": _spoilt(lambda value: f"{value}\\u4e2d"),
    "entities": _spoilt(lambda value: f"{value} &amp; more"),
    "token": _spoilt(lambda value: f"{value}<|im_end|>"),
}
#: What an endpoint writes that ignores ``response_format``.
IGNORED_FORMATS: dict[str, Rewrite] = {
    "fenced": all_rows_as(lambda rows: f"```json\n{dump({'rows': rows})}\n```"),
    "lines": all_rows_as(json_lines),
    "prose": all_rows_as(lambda rows: f"Here you are:\n\n{dump(rows)}"),
    "other-key": all_rows_as(lambda rows: dump({"data": rows})),
}
