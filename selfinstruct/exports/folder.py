"""An exported folder: the data of each split, the files that tools read beside it, a data-set card and a manifest.

    data/train.jsonl, data/validation.jsonl, data/test.jsonl
    dataset_info.json, axolotl.yaml, label-studio.xml       where the format has them
    README.md                                               the card of the run, with these files as its configuration
    manifest.json                                           every file with its sha256

Does not handle: which rows are in which split; the text of the card.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from selfinstruct.exports.configs import AXOLOTL_NAME, DATASET_INFO_NAME, axolotl_config, dataset_info
from selfinstruct.exports.formats import FORMATS
from selfinstruct.exports.hub_card import CARD_NAME, hub_card
from selfinstruct.exports.label_studio import INTERFACE_NAME, interface_xml
from selfinstruct.exports.manifest import MANIFEST_NAME, ExportedFile, Origin, described, manifest
from selfinstruct.exports.rows import ExportRows
from selfinstruct.exports.settings import Settings
from selfinstruct.messages import Phrase
from selfinstruct.records import Row

#: What pyarrow, and so ``datasets``, takes for a date if every text of a column in JSON Lines is like it.
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d(?::\d\d(?::\d\d)?)?(?:Z|[+-]\d\d(?::?\d\d)?)?)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class FolderFacts:
    """What a folder says about its rows: their ``name``, the ``card`` of the run, the ``labels`` of the categories.

    ``about`` is for the manifest, ``origins`` counts the rows by their origin, where they are not all grown.
    """

    name: str
    card: str
    labels: Sequence[str]
    about: Origin
    origins: Mapping[str, int] = field(default_factory=dict)


def write_folder(
    folder: Path, splits: Mapping[str, ExportRows], settings: Settings, facts: FolderFacts
) -> tuple[list[ExportedFile], list[str]]:
    """Write everything to an empty folder; return the files of the data, and the notes of the writers."""
    form = FORMATS[settings.format]
    (folder / "data").mkdir()
    data, notes = list[ExportedFile](), list[str]()
    for split, rows in splits.items():
        path = f"data/{split}.{form.suffix}"
        with (folder / path).open("xb") as file:
            count, note = form.write(rows, file, settings)
        data.append(described(folder, path, split, count))
        if note:
            notes.append(Phrase("{split}: {note}", split=split, note=note) if len(splits) > 1 else note)
    if settings.format == "jsonl" and (dates := _date_fields(folder / each.path for each in data)):
        notes.append(
            Phrase(
                "{fields}: the datasets library reads a column of dates as dates, not as the texts that they are; "
                "`format=parquet` keeps texts",
                fields=", ".join(dates),
            )
        )
    fields = next(iter(splits.values())).fields
    beside = _beside(folder, {each.split or "": each.path for each in data}, settings, facts, fields)
    beside[CARD_NAME] = hub_card(facts.card, data, settings.format, facts.origins)
    for name, text in beside.items():
        (folder / name).write_bytes(text.encode("utf-8", "backslashreplace"))
    files = [*data, *(described(folder, name) for name in beside)]
    (folder / MANIFEST_NAME).write_bytes(manifest(files, facts.about).encode("utf-8", "backslashreplace"))
    return data, notes


def _beside(
    folder: Path, files: Mapping[str, str], settings: Settings, facts: FolderFacts, fields: Sequence[str]
) -> dict[str, str]:
    """The texts of the files beside the data, by name."""
    beside = FORMATS[settings.format].beside
    texts = {}
    if DATASET_INFO_NAME in beside:
        sample = _first_row(folder / next(iter(files.values())))
        texts[DATASET_INFO_NAME] = dataset_info(settings.format, facts.name, files, sample)
    if AXOLOTL_NAME in beside:
        texts[AXOLOTL_NAME] = axolotl_config(settings.format, files)
    if INTERFACE_NAME in beside:
        texts[INTERFACE_NAME] = interface_xml(settings, fields, facts.labels)
    return {name: text for name, text in texts.items() if text}


def _date_fields(files: Iterable[Path]) -> list[str]:
    """The fields of which every value is a text that reads as a date."""
    found: dict[str, None] | None = None
    for path in files:
        with path.open("rb") as file:
            for line in file:
                row = json.loads(line)
                found = {
                    name: None
                    for name in (row if found is None else found)
                    if isinstance(row.get(name), str) and _DATE.fullmatch(row[name])
                }
                if not found:
                    return []
    return list(found or ())


def _first_row(path: Path) -> Row:
    """The first row of a file of JSON with a row on each line."""
    with path.open("rb") as file:
        lines = (line.strip().rstrip(b",") for line in file)
        first = next((line for line in lines if line.startswith(b"{")), b"{}")
    row: Row = json.loads(first)
    return row
