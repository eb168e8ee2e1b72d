"""The files that training tools read beside the data, for the formats that have them.

    dataset_info.json    LLaMA-Factory: the data sets of a folder, ``dataset_dir``
    axolotl.yaml         Axolotl: the lines of a config that name the data

A split is a data set of its own for LLaMA-Factory. For Axolotl ``train`` is the data and ``validation``, or else
``test``, the test data.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from selfinstruct.records import Row

#: The names of the files.
DATASET_INFO_NAME, AXOLOTL_NAME = "dataset_info.json", "axolotl.yaml"

_TAGS = {
    "role_tag": "role",
    "content_tag": "content",
    "user_tag": "user",
    "assistant_tag": "assistant",
    "system_tag": "system",
}
_ALPACA = {"prompt": "instruction", "query": "input", "response": "output"}


def dataset_info(form: str, name: str, files: Mapping[str, str], sample: Row) -> str:
    """Return ``dataset_info.json`` for files by split; ``sample`` is a written row, whose keys all rows have.

    "" where LLaMA-Factory has no form for such rows: preferences between lists of messages.
    """
    about: dict[str, Any]
    if form == "alpaca":
        about = {"columns": _ALPACA | {key: key for key in ("system", "history") if key in sample}}
    elif form == "sharegpt":
        about = {"formatting": "sharegpt", "columns": {"messages": "conversations", "system": "system"}}
    elif form == "preference":
        if not all(isinstance(value, str) for value in sample.values()):
            return ""
        about = {"ranking": True, "columns": {"prompt": "prompt", "chosen": "chosen", "rejected": "rejected"}}
    else:
        about = {"formatting": "sharegpt", "columns": {"messages": "messages"}, "tags": _TAGS}
    sets = {f"{name}_{split}": {"file_name": path, **about} for split, path in files.items()}
    return json.dumps(sets, ensure_ascii=False, indent=2) + "\n"


def axolotl_config(form: str, files: Mapping[str, str]) -> str:
    """Return the lines of an Axolotl config for files by split."""
    kind = {"alpaca": ["type: alpaca"]}.get(form, ["type: chat_template", "field_messages: messages"])
    if form == "sharegpt":
        kind = [
            "type: chat_template",
            "field_messages: conversations",
            "message_property_mappings:",
            "  role: from",
            "  content: value",
        ]
    held_out = next((split for split in ("validation", "test") if split in files), None)
    parts = {"datasets": "train" if "train" in files else next(iter(files))}
    if held_out is not None:
        parts["test_datasets"] = held_out
    lines = ["# Paths are relative to the folder in which Axolotl is started."]
    for key, split in parts.items():
        lines += [f"{key}:", f"  - path: {json.dumps(files[split], ensure_ascii=False)}", "    ds_type: json"]
        lines += ["    split: train"] if key == "test_datasets" else []  # the only split of a file
        lines += [f"    {line}" for line in kind]
    return "\n".join([*lines, ""])
