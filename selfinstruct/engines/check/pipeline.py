"""``check`` as stages of tasks, on any number of machines: the findings and measures of ``analysis.gate``.

    files -> rows, shapes (read) -> rules (label) -> keys, texts (describe) -> equal rows (match)
          -> nearest rows (count, merge, encode, copies, join, compare) -> findings, sums (examine)

A task examines the rows of a block by itself, with what is known of earlier rows; the sums of all blocks are added
here. A stage begins when the one before it is complete. After a kill, the tasks whose result exists are skipped.

Done here: training the readers of ``unanswered``, and asking them; what only the sums show; the verdict.

Does not handle: where tasks run (``engines.executor``); rows about passages, which are compared in another way.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from selfinstruct._version import __version__
from selfinstruct.analysis.gate.criteria import Rules, chosen_rows, usual_shapes
from selfinstruct.analysis.gate.data_set import Examined, WholeSet
from selfinstruct.analysis.gate.leaks import Contexts
from selfinstruct.analysis.gate.reasons import check_severities
from selfinstruct.analysis.unanswered import asks_readers, contradicted
from selfinstruct.engines.check.comparing import compare_rows, link_near
from selfinstruct.engines.check.describing import Corpus, describe
from selfinstruct.engines.check.examining import Work, examine
from selfinstruct.engines.check.kept import keep, kept
from selfinstruct.engines.check.planning import PlannedSet, Source, blocks_of, plan, raise_error
from selfinstruct.engines.check.reading import FileRows, SourceFile, files_of, read
from selfinstruct.engines.check.rules import RuleSource, add_labels, count_labels
from selfinstruct.engines.check.stored import StoredRows
from selfinstruct.engines.dedup.stage_runner import StageRunner, Watch
from selfinstruct.engines.dedup.work import Arrays, Blocks, Job, remove, remove_first, save, working_in
from selfinstruct.engines.executor import Executor
from selfinstruct.errors import InputError
from selfinstruct.remote import state_of
from selfinstruct.similarity.bounds import LEAST_THRESHOLD

_PARTITION_BYTES = 1 << 24  # of input, for each partition of elements
_FEWEST, _MOST = 8, 4096  # partitions
_MOST_ROWS = 1 << 31  # two numbers of rows are one of 64 bits


@dataclass(frozen=True, slots=True)
class Given:
    """What is to be checked, as for ``analysis.gate.find_problems``; sources are paths."""

    sources: Sequence[str]
    recipe: str | None
    against: Sequence[str]
    encoding: str


def examine_in_tasks(
    given: Given, work: Path, executor: Executor, watch: Watch, *, with_alike: bool
) -> list[tuple[Examined, Rules]]:
    """Examine every data set, with the result of one process; with all rows that are alike, if these are wanted.

    ``work`` is the work directory, which is removed at the end; every machine of the executor sees it, and the files,
    under the same path.

    Raises:
        RowError, RecipeError: as in one process.
        InputError: ``work`` has the checkpoints of another input, or the recipe cannot be used here.
        StorageError: ``work`` cannot be written, or another process works there.
    """
    rules = None
    source = None if given.recipe is None else RuleSource(str(Path.cwd()), given.recipe)
    if source is not None:
        rules = source.rules()
        check_severities(rules.gate)
        _require_possible(rules)
    files, apart, sources = _find_files(given)
    states = list(map(_state, files))
    partitions = min(max(sum(state[1] for state in states) // _PARTITION_BYTES, _FEWEST), _MOST)
    settings = [given.encoding, with_alike, len(given.against), str(Path.cwd())]
    fingerprint = {
        "version": __version__,
        "check": [*settings, "" if rules is None else _digest(rules)],
        "files": [list(state) for state in states],
    }
    with working_in(work, fingerprint):
        job = Job(work.resolve(), 0.0, partitions)
        run = StageRunner(executor, watch)
        examined = _Check(given, job, files, run, with_alike=with_alike).all(apart, sources, source, rules)
        # First what tells that rows were read and described: a command that is killed from here on does it again.
        remove_first(job)
        for folder in job.folder.glob("corpus-*/described"):
            shutil.rmtree(folder, ignore_errors=True)
        parts = run.workers
        run("remove", remove, [(job, at, parts) for at in range(parts)])
    return examined


class _Check:
    """The stages of one check."""

    def __init__(
        self, given: Given, job: Job, files: Sequence[SourceFile], run: StageRunner, *, with_alike: bool
    ) -> None:
        self._given, self._job, self._files, self._run = given, job, files, run
        self._with_alike = with_alike
        self._read: Mapping[int, FileRows] = {}

    def all(
        self, apart: Sequence[Source], sources: Sequence[Source], source: RuleSource | None, rules: Rules | None
    ) -> list[tuple[Examined, Rules]]:
        """Examine the data sets of all sources; a recipe makes them one corpus, of its own ``rules``."""
        self._read = self._read_files()
        (self._job.folder / "names").mkdir(exist_ok=True)
        names = json.dumps([each.name for each in self._files]).encode()
        save(self._job.path("names", 0), names=np.frombuffer(names, np.uint8))
        encoding = self._given.encoding
        kept_apart = [number for each in apart for one in self._plan(each, encoding) for number in one.numbers]
        sets = [one for each in sources for one in self._plan(each, encoding)]
        if source is not None and rules is not None:
            return self._corpus(0, kept_apart, sets, source, rules)
        found = list[tuple[Examined, Rules]]()
        for at, one in enumerate(sets):
            inferred = self._infer(at, one)
            found += self._corpus(at, kept_apart, [one], inferred, inferred.rules())
        return found

    def _plan(self, source: Source, encoding: str) -> list[PlannedSet]:
        return plan(self._job, source, self._files, self._read, encoding)

    def _read_files(self) -> dict[int, FileRows]:
        """Cut all files into blocks; those that could be read."""
        calls = [(self._job, file, number) for number, file in enumerate(self._files)]
        sizes = list(self._run.each("read", read, calls))
        return {number: FileRows.of(self._job, number) for number, size in enumerate(sizes) if size >= 0}

    def _infer(self, number: int, one: PlannedSet) -> RuleSource:
        """The sample of a data set that its rules are inferred from, with the labels of all rows."""
        blocks = blocks_of(one.numbers, self._read)
        shapes: dict[tuple[str, ...], int] = {}
        for file in one.numbers:
            for shape, count in self._read[file].shapes.items():
                shapes[shape] = shapes.get(shape, 0) + count
        usual = usual_shapes(shapes)
        rows = StoredRows(self._job, blocks, [each.name for each in self._files])
        chosen = chosen_rows(self._ranked(one, set(usual)), whatever_order=self._with_alike)
        fields = tuple(dict.fromkeys(name for shape in usual for name in shape))
        form = self._read[one.numbers[0]].format
        source = RuleSource(
            str(Path.cwd()), None, one.name, form, one.encoding, fields, [rows.rows[at] for at in chosen]
        )
        table = source.rules().criteria.recipe.categories
        if table.by != "field" or table.field is None:
            return source
        folder = self._job.folder / f"labels-{number:03d}"
        usual_path = folder / "usual"
        save(usual_path, shapes=np.frombuffer(json.dumps(usual).encode(), np.uint8))
        paths = [folder / name for name in blocks.names]
        calls = [
            (self._job, path, table.field, usual_path, name) for path, name in zip(paths, blocks.names, strict=True)
        ]
        self._run("label", count_labels, calls)
        return source.with_labels(add_labels(paths))

    def _ranked(self, one: PlannedSet, usual: set[tuple[str, ...]]) -> Iterator[tuple[int, int]]:
        """The checksums and indexes of the rows that a sample is taken from."""
        start = 0
        for number in one.numbers:
            found = self._read[number]
            for shape, ranked in zip(found.shapes, found.ranked, strict=True):
                if shape in usual:
                    yield from ((checksum, start + at) for checksum, at in ranked)
            start += sum(found.counts)

    def _corpus(
        self, number: int, apart: Sequence[int], sets: Sequence[PlannedSet], source: RuleSource, rules: Rules
    ) -> list[tuple[Examined, Rules]]:
        """Compare the rows of some data sets with each other and with those to keep apart, and examine them."""
        recipe, job = rules.criteria.recipe, self._job
        threshold = min(rules.criteria.thresholds.values())
        indexes = len(recipe.novelty.fields) if recipe.novelty.per_field else 1
        corpus = Corpus(job.folder / f"corpus-{number:03d}", threshold, job.partitions, indexes)
        (job.folder / "rules").mkdir(exist_ok=True)
        path = job.path("rules", number)
        if not path.exists():
            source.save(path)
        blocks = blocks_of([*apart, *(each for one in sets for each in one.numbers)], self._read)
        if blocks.starts[-1] >= _MOST_ROWS:
            raise InputError("more rows than can be compared at once", hint="Check them in parts.")
        corpus.prepare(blocks)
        self._run("describe", describe, [(job, corpus, path, name) for name in blocks.names])
        first = blocks_of(apart, self._read).starts[-1]
        pairings = compare_rows(corpus, rules, blocks, first, self._run)
        contexts = self._contexts(corpus, rules, apart)
        found, start = list[tuple[Examined, Rules]](), first
        for at, one in enumerate(sets):
            own = blocks_of(one.numbers, self._read)
            done, doubts = (corpus.folder / f"{name}-{at:03d}" for name in ("examined", "doubts"))
            work = Work(job, corpus, path, done, doubts, contexts, with_links=self._with_alike)
            whole = self._examine(work, one, own, rules, corpus)
            if self._with_alike:
                whole.links = link_near(whole.links, corpus, blocks, start, pairings)
            rows = StoredRows(job, own, [each.name for each in self._files])
            names = tuple(self._files[each].name for each in one.numbers if self._read[each].counts)
            labelled = (item for name in own.names for item in kept(work.done / name).labelled)
            found.append((whole.result(rows, one.name, names, one.notes, labelled), rules))
            start += own.starts[-1]
        return found

    def _examine(self, work: Work, one: PlannedSet, blocks: Blocks, rules: Rules, corpus: Corpus) -> WholeSet:
        """Examine the rows of one data set; everything that was found."""
        rows = StoredRows(self._job, blocks, [each.name for each in self._files])
        sound = sum(int(np.count_nonzero(Arrays(corpus.job.path("described", name))["sound"])) for name in blocks.names)
        recipe = rules.criteria.recipe
        if not work.doubts.exists():
            asked = asks_readers(sound, recipe, inferred=rules.inferred)
            keep(work.doubts, dict(contradicted(rows.rows, recipe, inferred=rules.inferred)) if asked else {})
        work.done.mkdir(exist_ok=True)
        calls = [(work, name, start) for name, start in zip(blocks.names, blocks.starts, strict=False)]
        whole = WholeSet(rules)
        for at, _ in enumerate(self._run.each("examine", examine, calls)):
            part = kept(work.done / blocks.names[at])
            part.labelled = []
            whole.add(part)
        return whole

    def _contexts(self, corpus: Corpus, rules: Rules, apart: Sequence[int]) -> Path | None:
        """The contexts of the rows to keep apart, in a file."""
        blocks = blocks_of(apart, self._read)
        if not blocks.names:
            return None
        path = corpus.job.path("contexts", 0)
        if not path.exists():
            contexts = Contexts(rules.criteria.recipe)
            rows = StoredRows(self._job, blocks, [each.name for each in self._files])
            sound = np.concatenate([Arrays(corpus.job.path("described", name))["sound"] for name in blocks.names])
            for at, (row, line) in enumerate(zip(rows.rows, rows.lines, strict=True)):
                if sound[at]:
                    contexts.add(row, rows.file(at), line)
            keep(path, contexts)
        return path


def _state(file: SourceFile) -> tuple[str, int, str]:
    """What tells the versions of a file apart, with its size. Raises RowError if there is none."""
    try:
        return state_of(file.path)
    except OSError:
        raise_error(file)
        raise


def _find_files(given: Given) -> tuple[list[SourceFile], list[Source], list[Source]]:
    """All files, and the sources that they are of: those to keep apart, then those to check."""
    files = list[SourceFile]()
    found: tuple[list[Source], list[Source]] = ([], [])
    known = {str(Path(each).resolve()) for each in given.against}
    for kind, names in zip(found, (given.against, given.sources), strict=True):
        for name in names:
            own, entries = files_of(name, known if kind is found[1] else None, given.encoding)
            numbers = tuple(range(len(files), len(files) + len(own)))
            folder = None
            if entries is not None:
                places = iter(numbers)
                folder = tuple((entry, next(places) if is_read else None) for entry, is_read in entries)
            kind.append(Source(name, numbers, folder))
            files += own
    return files, *found


def _require_possible(rules: Rules) -> None:
    """Refuse a recipe whose rows are compared in a way that tasks do not know."""
    recipe = rules.criteria.recipe
    if recipe.passages is not None:
        raise InputError(
            '{name}: rows about passages cannot be checked with `engine="ray"`',
            hint='Omit `engine="ray"`: one process compares them by passage.',
            name=recipe.name,
        )
    if min(rules.criteria.thresholds.values()) < LEAST_THRESHOLD:
        raise InputError(
            '{name}: a `novelty.max_rouge_l` below {least} cannot be checked with `engine="ray"`',
            hint='Raise `novelty.max_rouge_l`, or omit `engine="ray"`.',
            name=recipe.name,
            least=LEAST_THRESHOLD,
        )


def _digest(rules: Rules) -> str:
    """What identifies the rules of a recipe: its content, and what its seeds make of it."""
    criteria = rules.criteria
    whole = json.dumps([dict(criteria.thresholds), criteria.recipe.model_dump(mode="json")], default=str)
    return hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()
