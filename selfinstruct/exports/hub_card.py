"""The README.md of an exported folder: the card of the run, with the files of this export as its configuration.

The front matter of a card is YAML. The hub and ``datasets`` read from its ``configs`` which file is which split; the
other files of the folder are then no data.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from selfinstruct.exports.manifest import ExportedFile

CARD_NAME = "README.md"
_FENCE = "---"
_TAGS = "tags: [synthetic, selfinstruct]"


def hub_card(card: str, data: Sequence[ExportedFile], form: str, origins: Mapping[str, int]) -> str:
    """Return the card of a run, "" if it has none yet, with the files of the data in its front matter and its text.

    ``origins`` counts the rows by their origin, where they are not all grown.
    """
    front, body = _parts(card)
    configs = ["configs:", "- config_name: default", "  data_files:"]
    for each in data:
        configs += [f"  - split: {each.split}", f"    path: {json.dumps(each.path, ensure_ascii=False)}"]
    section = ["## Files", "", "| split | rows | file |", "|---|---:|---|"]
    section += [f"| {each.split} | {each.rows:,} | `{each.path}` |" for each in data]
    mixed = ", ".join(f"{rows:,} {origin}" for origin, rows in origins.items() if rows)
    of_rows = f", of {mixed} rows" if len(origins) > 1 else ""
    section += [
        "",
        f"Exported as `{form}`{of_rows}. `manifest.json` has the sha256 of every file. Other files "
        "that this page names are in the run directory.",
    ]
    return "\n".join([_FENCE, *(front or [_TAGS]), *configs, _FENCE, *body, *section, ""])


def _parts(card: str) -> tuple[list[str], list[str]]:
    """The lines of the front matter without ``configs``, and those of the text."""
    lines = card.splitlines() if "\n" in card else []
    if not lines or lines[0] != _FENCE or _FENCE not in lines[1:]:
        return [], [*lines, ""]
    end = lines.index(_FENCE, 1)
    front, within = [], False
    for line in lines[1:end]:
        if line[:1] not in (" ", "-", "\t", "#", ""):  # a key of the top level
            within = line.startswith("configs:")
        if not within:
            front.append(line)
    return front, [*lines[end + 1 :], ""]
