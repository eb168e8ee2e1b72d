"""The use case of an export: the rows of a run, in a format, to a file or a folder."""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from selfinstruct.api.exported_rows import Choice, ExportedRun
from selfinstruct.api.hub import push_folder, require_hub
from selfinstruct.errors import InputError
from selfinstruct.exports import CHAT, FORMATS, ExportRows, Settings
from selfinstruct.exports.folder import FolderFacts, write_folder
from selfinstruct.exports.hub_card import CARD_NAME
from selfinstruct.exports.manifest import MANIFEST_NAME, ExportedFile, Origin, listed_files
from selfinstruct.files import open_folder, open_whole
from selfinstruct.messages import Phrase, joined
from selfinstruct.preparation import roles_of_columns
from selfinstruct.run_directory import open_history

#: A name of a split: what ``datasets`` takes for one.
_SPLIT = re.compile(r"\w+")
#: The formats that have the fields of the rows.
_OF_ROWS = [name for name, form in FORMATS.items() if form.is_of_rows]


@dataclass(frozen=True, slots=True)
class Exported:
    """The outcome of an export: the number of rows written, and a note for the user ("" if there is none).

    ``files`` are those with data in an exported folder; none where the rows were written to one file. ``url`` is the
    address of a data set that was pushed to the hub.
    """

    rows: int
    note: str = ""
    files: Sequence[ExportedFile] = ()
    url: str = ""


def export(
    directory: str | Path,
    out: str | Path | BinaryIO | None = None,
    *,
    format: str = "jsonl",
    columns: Mapping[str, str] | None = None,
    with_seeds: bool = False,
    best: int | None = None,
    mix: str | Path | None = None,
    ratio: float | None = None,
    mark: str | None = None,
    split: Mapping[str, float] | None = None,
    split_by: str = "context",
    max_rouge_l: float | None = None,
    shuffle: bool = False,
    seed: int = 0,
    keep_formulas: bool = False,
    bom: bool = False,
    force: bool = False,
    push_to_hub: str | None = None,
    public: bool = False,
) -> Exported:
    """Write a run's accepted rows to ``out``, a path or an open binary file; a run in progress may be exported too.

    ``format`` is one of ``selfinstruct.exports.FORMATS``. ``columns`` names the fields of the roles of a format, such
    as ``{"user": "q", "assistant": "a"}`` for chats; by default the recipe's roles, or the fields' names, decide. In
    CSV, cells that a spreadsheet would evaluate as a formula are prefixed with an apostrophe, unless
    ``keep_formulas``; ``bom`` begins it with a byte order mark.

    ``with_seeds`` writes the seeds first. ``best`` keeps as many grown rows, those that together cover the most, in the
    proportion of the run's quotas. ``mix`` is a file of real rows to add, ``ratio`` their share, in (0, 1), among the
    real and the grown rows. ``mark`` is the name of a field to add: ``synthetic``, ``seed`` or ``real``.

    ``split`` gives the share of each split, such as ``{"train": 0.9, "test": 0.1}``. Rows stay on one side with their
    near-duplicates and with the rows about the same context; ``split_by`` is ``template`` or ``category`` to keep these
    together, too, or the name of a field. Near-duplicates have a ROUGE-L F1 above the thresholds of the run (with
    ``template``, above 0.7), or above ``max_rouge_l``. ``shuffle`` orders the rows at random, with rows of the same
    batch apart. ``seed`` is that of the random order and of the split.

    ``out`` is a folder if it is one already or ends with a slash, and always for splits and for formats that need
    several files: with the data, a card, the files that training tools read, and a manifest. Existing files are
    replaced only with ``force``. ``push_to_hub`` uploads the folder to the Hugging Face Hub as the data set of this
    name, ``owner/name``, private unless ``public``, with the token in HF_TOKEN; ``out`` may then be omitted.

    Raises InputError if there is no such run or format, rows do not fit the format, or ``out`` already exists;
    StorageError if a file cannot be written, EndpointError if the hub refuses or cannot be reached.
    """
    _check_options(format, keep_formulas=keep_formulas, bom=bom)
    if out is None and push_to_hub is None:
        raise InputError("`out`: nothing to write to", hint="Name a file or a folder, or a data set: `push_to_hub`.")
    if public and push_to_hub is None:
        raise InputError("`public`: nothing is pushed", hint="Name the data set: `push_to_hub=OWNER/NAME`.")
    if push_to_hub is not None:
        require_hub()
    choice = Choice(
        with_seeds=with_seeds,
        best=best,
        mix=mix,
        ratio=ratio,
        mark=mark,
        shuffle=shuffle,
        split=split,
        split_by=split_by,
        max_rouge_l=max_rouge_l,
        seed=seed,
    )
    _check_choice(choice, format)
    as_folder = _is_folder(out, format, needed=split is not None or push_to_hub is not None)
    if isinstance(out, str | Path) and not force:
        _refuse_existing(Path(out), as_folder=as_folder)
    with open_history(directory) as history, contextlib.ExitStack() as stack:
        run = ExportedRun(history)
        settings = _settings(run, format, columns, keep_formulas=keep_formulas, bom=bom)
        splits = run.splits(choice, counted=as_folder)
        if out is not None and not as_folder:
            return _write_file(out, splits["train"], settings, run.notes)
        assert out is None or isinstance(out, str | Path)
        place = Path(stack.enter_context(TemporaryDirectory()) if out is None else out)
        done = _write_folder(place, splits, settings, _facts(run, format, columns, choice), run.notes)
        if push_to_hub is None:
            return done
        return replace(done, url=push_folder(place, push_to_hub, public=public))


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


def _check_choice(choice: Choice, format: str) -> None:
    """Raises InputError for values that no run could fulfil."""
    if choice.best is not None and choice.best < 1:
        raise InputError(
            "`best`: expected at least 1, got {best}", hint="Omit it to export all rows.", best=choice.best
        )
    if choice.ratio is not None and not 0 < choice.ratio < 1:
        raise InputError(
            "`ratio`: expected a share between 0 and 1, got {ratio}",
            hint="`ratio=0.5` takes as many real rows as grown ones.",
            ratio=choice.ratio,
        )
    if choice.ratio is not None and choice.mix is None:
        raise InputError("`ratio`: needs a file of real rows", hint="Name it: `mix=FILE`.")
    if choice.max_rouge_l is not None and not 0 < choice.max_rouge_l <= 1:
        raise InputError(
            "`max_rouge_l`: expected a number above 0 and at most 1, got {value}",
            hint="Omit it for the thresholds of the run.",
            value=choice.max_rouge_l,
        )
    if choice.mark is not None and format not in _OF_ROWS:
        raise InputError("`mark`: this format has no fields of the rows", hint="Set `format=jsonl`.")
    shares = {} if choice.split is None else choice.split
    if choice.split is not None and (not shares or not all(share > 0 for share in shares.values())):
        raise InputError("`split`: every split needs a share above 0", hint="For example: train=0.9,test=0.1")
    if shares and abs(sum(shares.values()) - 1) > 1e-6:
        raise InputError(
            "`split`: the shares sum to {total:g}, not to 1",
            hint="For example: train=0.9,test=0.1",
            total=sum(shares.values()),
        )
    for name in shares:
        if not _SPLIT.fullmatch(name):
            raise InputError("`split`: not a name of a split: {name!r}", hint="Use letters and digits.", name=name)


def _is_folder(out: str | Path | BinaryIO | None, format: str, *, needed: bool) -> bool:
    """Whether the export is a folder. Raises InputError where it must be one and ``out`` is an open file."""
    needed = needed or FORMATS[format].is_folder
    if out is None:
        return True
    if isinstance(out, str | Path):
        return needed or str(out).endswith("/") or Path(out).is_dir()
    if needed:
        raise InputError("several files cannot be written to an open file or stdout", hint="Name a folder: `out=DIR`.")
    return False


def _facts(run: ExportedRun, format: str, columns: Mapping[str, str] | None, choice: Choice) -> FolderFacts:
    """What the folder of an export says about the run."""
    metadata = run.history.metadata()
    options = {"format": format, "columns": columns, **asdict(choice)}
    if choice.mix is not None:
        options["mix"] = Path(choice.mix).name
    defaults = asdict(Choice())
    about: Origin = {
        "run": run.recipe.name,
        "recipe_sha256": hashlib.sha256(metadata.recipe.encode("utf-8", "surrogatepass")).hexdigest(),
        "seeds_sha256": metadata.seeds_digest,
        "export": {name: value for name, value in options.items() if value != defaults.get(name)},
    }
    try:
        card = (run.history.path.parent / CARD_NAME).read_text(encoding="utf-8")
    except (OSError, ValueError):  # not written yet, or no longer: the folder has a shorter one
        card = ""
    return FolderFacts(_set_name(run.recipe.name), card, run.prepared.categories.names, about, run.origins)


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
    run: ExportedRun, format: str, columns: Mapping[str, str] | None, *, keep_formulas: bool, bom: bool
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


def _write_file(out: str | Path | BinaryIO, rows: ExportRows, settings: Settings, notes: Sequence[str]) -> Exported:
    write = FORMATS[settings.format].write
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(open_whole(out)) if isinstance(out, str | Path) else out
        count, note = write(rows, file, settings)
    return Exported(count, _note([*notes, note]))


def _write_folder(
    out: Path, splits: Mapping[str, ExportRows], settings: Settings, facts: FolderFacts, notes: Sequence[str]
) -> Exported:
    with open_folder(out, last=MANIFEST_NAME, obsolete=listed_files(out)) as folder:
        files, own_notes = write_folder(folder, splits, settings, facts)
    return Exported(sum(each.rows or 0 for each in files), _note([*notes, *own_notes]), files)


def _note(notes: Sequence[str]) -> str:
    given = [note for note in notes if note]
    return joined(given, "\n") if given else ""


def _set_name(name: str) -> str:
    """The name of a data set for training tools: letters, digits, hyphens and underscores."""
    return "".join(each if each.isalnum() else "_" for each in name) or "rows"
