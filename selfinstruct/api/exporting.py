"""The use case of an export: the rows of a run, in a format, to a file or a folder."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any, BinaryIO

from selfinstruct.errors import InputError
from selfinstruct.exports import CHAT, FORMATS, ExportRows, Settings, export_rows
from selfinstruct.exports.folder import FolderFacts, write_folder
from selfinstruct.exports.hub_card import CARD_NAME
from selfinstruct.exports.manifest import MANIFEST_NAME, ExportedFile, listed_files
from selfinstruct.files import open_folder, open_whole
from selfinstruct.journal import History
from selfinstruct.messages import Phrase, joined
from selfinstruct.preparation import Prepared, chat_roles, prepared_from_journal, roles_of_columns
from selfinstruct.recipe import Recipe, Roles
from selfinstruct.run_directory import open_history

#: Rows whose texts tell which field asks, where a run has no seeds.
_EXAMPLES = 50


@dataclass(frozen=True, slots=True)
class Exported:
    """The outcome of an export: the number of rows written, and a note for the user ("" if there is none).

    ``files`` are those with data in an exported folder; none where the rows were written to one file.
    """

    rows: int
    note: str = ""
    files: Sequence[ExportedFile] = ()


def export(
    directory: str | Path,
    out: str | Path | BinaryIO,
    *,
    format: str = "jsonl",
    with_seeds: bool = False,
    columns: Mapping[str, str] | None = None,
    shuffle: bool = False,
    seed: int = 0,
    keep_formulas: bool = False,
    bom: bool = False,
    force: bool = False,
) -> Exported:
    """Write a run's accepted rows to ``out``, a path or an open binary file; a run in progress may be exported too.

    ``format`` is one of ``selfinstruct.exports.FORMATS``; ``with_seeds`` writes the seeds first. ``columns`` names the
    fields of the roles of a format, such as ``{"user": "q", "assistant": "a"}`` for chats; by default the recipe's
    roles, or the fields' names, decide. ``shuffle`` orders the rows at random, by ``seed``, with rows of the same batch
    apart. In CSV, cells that a spreadsheet would evaluate as a formula are prefixed with an apostrophe, unless
    ``keep_formulas``; ``bom`` begins it with a byte order mark.

    ``out`` is a folder if it is one already or ends with a slash, and always for formats that need several files: with
    the data, a card, the files that training tools read, and a manifest. Existing files are replaced only with
    ``force``.

    Raises InputError if there is no such run or format, rows do not fit the format, or ``out`` already exists;
    StorageError if a file cannot be written.
    """
    _check_options(format, keep_formulas=keep_formulas, bom=bom)
    as_folder = _is_folder(out, format)
    if isinstance(out, str | Path) and not force:
        _refuse_existing(Path(out), as_folder=as_folder)
    with open_history(directory) as history:
        run = _ExportedRun(history)
        settings = _settings(run, format, columns, keep_formulas=keep_formulas, bom=bom)
        rows = export_rows(history, with_seeds=with_seeds, shuffle=Random(seed) if shuffle else None)
        if not as_folder:
            return _write_file(out, rows, settings)
        assert isinstance(out, str | Path)
        options = {"format": format, "with_seeds": with_seeds, "columns": columns, "shuffle": shuffle, "seed": seed}
        return _write_folder(Path(out), {"train": rows}, settings, run.facts(options))


class _ExportedRun:
    """What an export asks about a run, read on first use."""

    def __init__(self, history: History) -> None:
        self.history = history

    @cached_property
    def prepared(self) -> Prepared:
        """The run as it was prepared."""
        return prepared_from_journal(self.history)

    @property
    def recipe(self) -> Recipe:
        """The recipe of the run."""
        return self.prepared.recipe

    def roles(self) -> tuple[Roles | None, Roles | None]:
        """The roles of chats that the recipe names, and else those that its rules suggest."""
        if self.recipe.roles is not None:
            return self.recipe.roles, None
        seeds = self.prepared.seeds.rows
        return None, chat_roles(self.recipe, seeds or [grown.row for grown in islice(self.history.rows(), _EXAMPLES)])

    def facts(self, options: Mapping[str, Any]) -> FolderFacts:
        """What the folder of an export says about the run; ``options`` are those of the export."""
        metadata = self.history.metadata()
        about = {
            "run": self.recipe.name,
            "recipe_sha256": hashlib.sha256(metadata.recipe.encode("utf-8", "surrogatepass")).hexdigest(),
            "seeds_sha256": metadata.seeds_digest,
            "export": {name: value for name, value in options.items() if value is not None and value is not False},
        }
        try:
            card = (self.history.path.parent / CARD_NAME).read_text(encoding="utf-8")
        except (OSError, ValueError):  # not written yet, or no longer: the folder has a shorter one
            card = ""
        return FolderFacts(_set_name(self.recipe.name), card, self.prepared.categories.names, about)


def _check_options(format: str, *, keep_formulas: bool, bom: bool) -> None:
    if format not in FORMATS:
        raise InputError(
            "`format`: unknown value {format!r}",
            hint="Choose one of {formats}.",
            format=format,
            formats=", ".join(FORMATS),
        )
    for name, given in (("keep_formulas", keep_formulas), ("bom", bom)):
        if given and format != "csv":
            raise InputError("`{name}`: has no effect on this format", hint="Set `format=csv`.", name=name)


def _is_folder(out: str | Path | BinaryIO, format: str) -> bool:
    """Whether the export is a folder. Raises InputError where it must be one and ``out`` is an open file."""
    if isinstance(out, str | Path):
        return FORMATS[format].is_folder or str(out).endswith("/") or Path(out).is_dir()
    if FORMATS[format].is_folder:
        raise InputError(
            "`format={format}`: several files cannot be written to one", hint="Name a folder: `out=DIR`.", format=format
        )
    return False


def _refuse_existing(out: Path, *, as_folder: bool) -> None:
    """Raises InputError if the export would replace files."""
    if as_folder and out.is_file():
        raise InputError("{out}: is a file, and the export is a folder", hint="Choose another `out`.", out=out)
    if out.is_file() or (as_folder and out.is_dir() and any(out.iterdir())):
        what = Phrase("the folder has files") if as_folder else Phrase("already exists")
        raise InputError(
            "{out}: {what}", hint="Choose another `out`, or overwrite it with `force=True`.", out=out, what=what
        )


def _settings(
    run: _ExportedRun, format: str, columns: Mapping[str, str] | None, *, keep_formulas: bool, bom: bool
) -> Settings:
    form = FORMATS[format]
    if columns and not form.roles:
        raise InputError("`columns` has no effect on this format", hint="Set `format=messages`.")
    if form.is_of_rows:
        return Settings(format, keep_formulas=keep_formulas, bom=bom)
    fields = tuple(run.recipe.fields)
    if not columns:
        roles, fallback = run.roles() if "user" in form.roles else (None, None)
        return Settings(format, roles, fallback, recipe=run.recipe)
    if form.roles == CHAT:
        return Settings(format, roles_of_columns(columns, fields), recipe=run.recipe)
    return Settings(format, columns=_known_columns(columns, form.roles, fields), recipe=run.recipe)


def _known_columns(columns: Mapping[str, str], roles: Sequence[str], fields: Sequence[str]) -> Mapping[str, str]:
    """The fields by role. Raises InputError for a role that the format lacks, or a field that rows lack."""
    for role, name in columns.items():
        if role not in roles:
            raise InputError(
                "`columns`: unknown role {role!r}", hint="The roles are {roles}.", role=role, roles=", ".join(roles)
            )
        if name not in fields:
            raise InputError(
                "`columns`: no field {name!r}", hint="The fields are {fields}.", name=name, fields=", ".join(fields)
            )
    return columns


def _write_file(out: str | Path | BinaryIO, rows: ExportRows, settings: Settings) -> Exported:
    write = FORMATS[settings.format].write
    if not isinstance(out, str | Path):
        return Exported(*write(rows, out, settings))
    with open_whole(out) as file:
        return Exported(*write(rows, file, settings))


def _write_folder(out: Path, splits: Mapping[str, ExportRows], settings: Settings, facts: FolderFacts) -> Exported:
    obsolete = listed_files(out)
    with open_folder(out, last=MANIFEST_NAME, obsolete=obsolete) as folder:
        files, notes = write_folder(folder, splits, settings, facts)
    return Exported(sum(each.rows or 0 for each in files), joined(notes, "\n") if notes else "", files)


def _set_name(name: str) -> str:
    """The name of a data set for training tools: letters, digits, hyphens and underscores."""
    return "".join(each if each.isalnum() else "_" for each in name) or "rows"
