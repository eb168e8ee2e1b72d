"""Texts and ids that depend on others: addresses of names, spans, optional fields, references inside lists."""

from __future__ import annotations

import re

from tests.truth.forms import Check, Row

_FOLDED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})
_NAME = r"[^\W\d_]+(?:['’-][^\W\d_]+)*"
_CAPITAL = r"[A-Z]\w*(?:['’-]?\w+)*"


def _handles(row: Row) -> str | None:
    first, last = (part.lower().replace("'", "").translate(_FOLDED) for part in row["name"].split(" "))
    expected = {
        "user": f"{first[0]}{last}",
        "mail": f"{first}.{last}@example.org",
        "file": f"cv_{last}_{first}.pdf",
        "text": f"{row['name']} (@{first}{last[0]}) signed in as {first[0]}{last}.",
    }
    wrong = [key for key, value in expected.items() if row[key] != value]
    return f"{wrong[0]} does not follow {row['name']}" if wrong else None


def _spans(row: Row) -> str | None:
    """The spans are the names of the sentence, each whole, in their order."""
    found = []
    for start, end, label in row["entities"]:
        text, around = row["text"][start:end], row["text"][max(start - 1, 0) : end + 1]
        if not re.fullmatch(rf"{_CAPITAL}(?: {_CAPITAL})*", text) or re.search(
            rf"\w{re.escape(text)}|{re.escape(text)}\w", around
        ):
            return f"{text!r} is no name"
        if label == "PERSON" and " " not in text:
            return f"{text!r} is no full name"
        found.append(text)
    left = row["text"]
    for text in found:
        left = left.replace(text, "", 1)
    names = set(re.findall(r"[A-Z]\w+", left)) - {"In", "From"}
    return f"without {sorted(names)}" if names else None


def _notes(row: Row) -> str | None:
    match = re.fullmatch(rf"Order (A-\d+) of ({_NAME} {_NAME}) goes to ([^.]+)\.", row["text"])
    if match is None or row["order"] != match[1]:
        return "another order"
    if "note" in row and row["note"] != f"Call {match[2]} before the delivery to {match[3]}.":
        return "the note is about another order"
    if type(row.get("express", True)) is not bool:
        return f"express {row['express']!r}"
    return None if {"order", "text"} <= row.keys() <= {"order", "text", "note", "express"} else "other fields"


def _graph(row: Row) -> str | None:
    names = [node["name"] for node in row["nodes"]]
    if [node["id"] for node in row["nodes"]] != [1, 2, 3] or len(set(names)) < 3:
        return "the ids are not 1, 2, 3"
    if row["text"] != "{} met {} in {}.".format(*names) or row["main"] != 1:
        return "the graph is not that of the text"
    edges = [(edge["from"], edge["to"], edge["type"]) for edge in row["edges"]]
    return None if edges == [(1, 2, "met"), (1, 3, "was in")] else f"edges {edges}"


def _chinese_spans(row: Row) -> str | None:
    for span in row["标注"]:
        if row["文本"][span["开始"] : span["结束"]] != span["内容"] or not re.fullmatch(r"\d{4,6}", span["内容"]):
            return f"{span['内容']} is not at {span['开始']}"
    return None if re.findall(r"\d{4,}", row["文本"]) == [span["内容"] for span in row["标注"]] else "another number"


def _items(row: Row) -> str | None:
    ids = [item["id"] for item in row["items"]]
    if len(set(ids)) < len(ids) or not all(re.fullmatch(r"it-\d+", each) for each in ids):
        return f"ids {ids}"
    if row["main_item"] != ids[-1]:
        return f"{row['main_item']} is not the last item"
    match = re.fullmatch(r"Order \d+ has (\d+) items\.", row["text"])
    return None if match and int(match[1]) == len(ids) else f"not {len(ids)} items: {row['text']}"


DEPENDENT: dict[str, Check] = {
    "handles.jsonl": _handles,
    "spacy_spans.jsonl": _spans,
    "optional_notes.jsonl": _notes,
    "graph_ids.jsonl": _graph,
    "zh_spans.jsonl": _chinese_spans,
    "order_items.jsonl": _items,
}
