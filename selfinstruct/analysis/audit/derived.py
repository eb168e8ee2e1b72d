"""The files that are derived from the journal: whether they still say what the journal says.

Does not handle: the content of the report and the card, of which only the checksums are compared.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from selfinstruct.analysis.audit.claims import Claim
from selfinstruct.errors import RecipeError
from selfinstruct.journal import History
from selfinstruct.messages import Phrase
from selfinstruct.preparation import Prepared
from selfinstruct.recipe import accept_unimported, frozen_changes, parse_recipe


def audit_checksums(directory: Path, checksums: Path) -> Claim:
    """Each file that ``checksums`` (lines of ``sha256sum``) names has the SHA-256 recorded there."""
    try:
        lines = checksums.read_text(encoding="utf-8").splitlines()
    except OSError:
        return Claim(
            "checksums",
            Phrase("every file has its recorded SHA-256"),
            "file",
            0,
            0,
            unproved=Phrase(
                "{name} is missing: the run is going on, was killed, or is of an earlier version", name=checksums.name
            ),
        )

    def problems() -> Iterator[str]:
        for line in lines:
            recorded, _, name = line.partition("  ")
            # Only names in the directory itself: the file may have been tampered with.
            path = directory / Path(name).name
            found = _sha256(path)
            if not found:
                yield Phrase("{name}: missing", name=path.name)
            elif found != recorded:
                yield Phrase("{name}: changed since the run wrote it", name=path.name)

    return Claim.of("checksums", Phrase("every file has its recorded SHA-256"), "file", len(lines), problems())


def audit_rows_file(path: Path, history: History) -> Claim:
    """The file of rows has the rows of the journal, as a person left them, byte for byte and in order."""

    def problems() -> Iterator[str]:
        try:
            file = path.open("rb")
        except OSError as error:
            yield Phrase("{name}: cannot be read: {problem}", name=path.name, problem=error.strerror)
            return
        with file:
            for at, grown in enumerate(history.final_rows(), 1):
                line = file.readline()
                if not line:
                    yield Phrase("{name}: ends before row {number}", name=path.name, number=grown.name)
                    return
                if line != f"{grown.line}\n".encode():
                    yield Phrase(
                        "{name}:{line}: not row {number} of the journal", name=path.name, line=at, number=grown.name
                    )
            if file.read(1):
                yield Phrase("{name}: has more lines than the journal has rows", name=path.name)

    total = history.state().accepted
    return Claim.of(
        "rows", Phrase("{name} has the journal's rows, byte for byte", name=path.name), "row", total, problems()
    )


def audit_recipe_file(path: Path, history: History, prepared: Prepared) -> Claim:
    """The recipe in the directory judges rows as the recorded one did."""

    def problems() -> Iterator[str]:
        try:
            text = path.read_text(encoding="utf-8")
            written = parse_recipe(text, str(path), path.parent, importer=accept_unimported)
        except (OSError, UnicodeDecodeError, RecipeError) as error:
            yield Phrase("{name}: cannot be read: {problem}", name=path.name, problem=error)
            return
        for key in frozen_changes(prepared.recipe, written):
            yield Phrase("{name}: {key} is not what the run was judged by", name=path.name, key=key)

    return Claim.of(
        "recipe", Phrase("{name} is the recipe that rows were judged by", name=path.name), "file", 1, problems()
    )


def audit_summary_file(path: Path, figures: Mapping[str, Any], history: History, prepared: Prepared) -> Claim:
    """The counts, thresholds and tokens of the summary are those of the journal's tables, counted anew."""
    expected = _expected(figures, history, prepared)

    def problems() -> Iterator[str]:
        try:
            written = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            yield Phrase("{name}: cannot be read: {problem}", name=path.name, problem=error)
            return
        for key, value in expected.items():
            found: Any = written
            for part in key:
                found = found.get(part) if isinstance(found, dict) else None
            if found != value:
                yield Phrase(
                    "{name}: {key} is {found!r}; counted anew: {value!r}",
                    name=path.name,
                    key=".".join(key),
                    found=found,
                    value=value,
                )

    return Claim.of(
        "summary",
        Phrase("{name} has the journal's figures, counted anew", name=path.name),
        "figure",
        len(expected),
        problems(),
    )


def _expected(figures: Mapping[str, Any], history: History, prepared: Prepared) -> dict[tuple[str, ...], Any]:
    """The figures that the summary must have, by their place in it."""
    preflights = history.metadata().preflights.values()
    tokens = figures["tokens"]
    expected: dict[tuple[str, ...], Any] = {
        (key,): figures[key] for key in ("seeds", "accepted", "candidates", "rejected", "failed")
    }
    expected["requests",] = figures["requests"] + sum(each[0] for each in preflights)
    expected["tokens", "input"] = tokens["input"] + sum(each[1] for each in preflights)
    expected["tokens", "output"] = tokens["output"] + sum(each[2] for each in preflights)
    expected["requested_rows",] = sum(prepared.quotas.values())
    expected["max_rouge_l",] = max(prepared.thresholds.values())
    for action, count in figures["decisions"].items():
        expected["decisions", action] = count
    for name, quota in prepared.quotas.items():
        expected["categories", name, "quota"] = quota
        expected["categories", name, "accepted"] = figures["categories"].get(name, 0)
        expected["categories", name, "max_rouge_l"] = prepared.thresholds[name]
    return expected


def _sha256(path: Path) -> str:
    """The SHA-256 of a file in hexadecimal, "" if it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
