"""How a reply ends and what is put around it: reasons, tokens, strings of JSON, other punctuation. All are billed."""

from __future__ import annotations

import re
from random import Random

from selfinstruct.records import Row
from selfinstruct.testing.content import Rewrite, all_rows_as, dump, json_lines
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
