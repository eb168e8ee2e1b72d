"""Which files are one data set, as ``gate.sources`` decides it, by what is known of the files that were read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from selfinstruct.analysis.gate.sources import BASELINE_KIND, arrange_folder
from selfinstruct.engines.check.reading import FileRows, SourceFile, full_rows
from selfinstruct.engines.check.stored import block_rows
from selfinstruct.engines.dedup.cutting import block_name
from selfinstruct.engines.dedup.work import Blocks, Job
from selfinstruct.errors import RowError
from selfinstruct.rows import UTF_8, file_name, known_encoding
from selfinstruct.rows.reader import READABLE
from selfinstruct.rows.sources import note_on_shards


@dataclass(frozen=True, slots=True)
class Source:
    """A source with its files, by their numbers.

    For a folder of row files, ``folder`` lists its entries in order: the name, and the number of the file that was
    read or None.
    """

    name: str
    numbers: tuple[int, ...]
    folder: tuple[tuple[str, int | None], ...] | None = None


@dataclass(frozen=True, slots=True)
class PlannedSet:
    """A data set: its name, its files by their numbers, the notes on it, and the encoding that rules are told."""

    name: str
    numbers: tuple[int, ...]
    notes: tuple[str, ...]
    encoding: str


def plan(
    job: Job, source: Source, files: Sequence[SourceFile], read: Mapping[int, FileRows], encoding: str
) -> list[PlannedSet]:
    """The data sets of a source; ``read`` are its files that could be read, or else the error is raised here.

    Raises RowError as reading the files here does.
    """
    known = known_encoding(encoding)
    if source.folder is None:
        for number in source.numbers:
            if number not in read:
                raise_error(files[number])
        if not any(read[number].counts for number in source.numbers):
            raise RowError(file_name(source.name), "no rows found", hint=READABLE)
        notes = list[str]()
        shards = files[source.numbers[0]].shards
        if shards is not None and len(shards) > 1:
            notes.append(note_on_shards(shards))
        for number in source.numbers:
            notes += [note for note in read[number].notes if note not in notes]
        return [PlannedSet(file_name(source.name), source.numbers, tuple(notes), known)]
    taken, passed_over = list[int](), list[str]()
    for entry, place in source.folder:
        if place is not None and _holds_rows(job, files[place], place, read):
            taken.append(place)
        else:
            passed_over.append(entry)
    fields = [frozenset(key for shape in read[number].shapes for key in shape) for number in taken]
    groups, notes_on_all = arrange_folder(source.name, fields, [files[number].name for number in taken], passed_over)
    planned = list[PlannedSet]()
    for places in groups:
        numbers = tuple(taken[at] for at in places)
        own = tuple(note for number in numbers for note in read[number].notes)
        joined = len({*fields}) == 1
        name = source.name if joined else files[numbers[0]].name
        first = tuple(notes_on_all) if not planned else ()
        planned.append(PlannedSet(name, numbers, (*first, *own), UTF_8 if joined else known))
    return planned


def _holds_rows(job: Job, file: SourceFile, number: int, read: Mapping[int, FileRows]) -> bool:
    """Whether a file of a folder is one of rows. Raises RowError for a broken one that is named like one."""
    found = read.get(number)
    if found is None or not found.counts:
        if file.doubtful:
            return False
        if found is None:
            raise_error(file)
        raise RowError(file.name, "no rows found", hint=READABLE)
    if sum(found.counts) > 1:
        return True
    return block_rows(job, block_name(number, 0))[0].get("kind") != BASELINE_KIND


def raise_error(file: SourceFile) -> None:
    """Read a file again that a task could not read: the error is raised here, as without tasks."""
    with file.open() as stream:
        for _ in full_rows(stream, file.name):
            pass
    raise RowError(file.name, "could not be read by a worker", hint="Check that every machine sees this path.")


def blocks_of(numbers: Sequence[int], read: Mapping[int, FileRows]) -> Blocks:
    """The blocks of some files, one after the other."""
    names, starts = list[str](), [0]
    for number in numbers:
        for at, count in enumerate(read[number].counts):
            names.append(block_name(number, at))
            starts.append(starts[-1] + count)
    return Blocks(tuple(names), tuple(starts))
