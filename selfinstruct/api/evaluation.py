"""The use case of an evaluation: read the rows, train and ask readers, keep the result with the run."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from selfinstruct.analysis.evaluate import Evaluation, EvaluationData, Roles, Settings, infer_roles, measure
from selfinstruct.api.inspect import report
from selfinstruct.errors import ExtensionError, InputError, SelfInstructError
from selfinstruct.files import write_whole
from selfinstruct.journal import History
from selfinstruct.messages import joined
from selfinstruct.preparation import prepared_from_journal
from selfinstruct.preparation.infer import infer
from selfinstruct.readers import Example, Prediction, Reader, SpanReader
from selfinstruct.readers.label_reader import LabelReader
from selfinstruct.readers.reading import Readings
from selfinstruct.recipe import Recipe, extension_error, import_extension
from selfinstruct.records import Row
from selfinstruct.rows import UTF_8, RowFile, file_name, read_rows
from selfinstruct.run_directory import EVALUATION_NAME, HOLDOUT_NAME, is_run_directory, open_history

#: With fewer trainings of a condition, chance in the order and the choice of rows is taken for an effect.
LEAST_TRAININGS = 5
#: At most this many grown rows are read for each seed: for each training another sample of the most that it gets.
_GROWN_PER_SEED = 200
#: Bytes for what the readers of all trainings work out about the rows.
_READINGS = 512 << 20


def evaluate(
    source: str | Path,
    holdout: str | Path | None = None,
    *,
    seeds: str | Path | None = None,
    full: str | Path | None = None,
    encoding: str = UTF_8,
    holdout_name: str | None = None,
    reader: str | Callable[[int], Reader] | None = None,
    trainings: int = LEAST_TRAININGS,
    updates: int | None = None,
    seed: int = 0,
    watch: Callable[[int, int, str], None] = lambda done, total, name: None,
) -> Evaluation:
    """Measure whether training on grown rows helps a reader to answer rows that were held out.

    ``source`` is a run directory, or a file of grown rows, which needs ``seeds``, the file they were grown from.
    ``holdout`` and ``full`` are files of human rows, for the test and as the ceiling of what training can bring. By
    default the test rows are those that the run has held out. ``encoding`` is that of ``seeds``, ``holdout`` and
    ``full`` which are not UTF-8. ``holdout_name`` is what the result calls the test rows, by default the file's name.
    ``reader`` makes a reader from a random seed, itself or as ``package.module:factory``; by default the embedded span
    reader, or TF-IDF and logistic regression for labels (extra ``evaluate``). Each condition has ``trainings``
    trainings, of ``updates`` examples each (by default a number that follows from the rows), with the random seeds
    from ``seed`` on. ``watch`` is called with the number of trainings done, of all, and the name of the next condition.

    For a run directory, the result is written to ``evaluation.json`` and shown in its report and its card.

    Raises InputError if there is no such run, a file lacks the fields, or too few rows are left; ExtensionError if
    ``reader`` fails.
    """
    if trainings < LEAST_TRAININGS:
        raise InputError(
            "`trainings`: expected at least {least}, got {trainings}",
            hint="Omit it for the default.",
            least=LEAST_TRAININGS,
            trainings=trainings,
        )
    if updates is not None and updates < 1:
        raise InputError(
            "`updates`: expected at least 1, got {updates}", hint="Omit it for the default.", updates=updates
        )
    read = partial(read_rows, encoding=encoding)
    origin = _read_origin(source, seeds, seed, read)
    roles = infer_roles(origin.recipe, origin.seeds)
    given = None if holdout is None else read(holdout, uniform=False)
    test = _test_rows(source, origin, given, roles)
    name_of_test = holdout_name or (HOLDOUT_NAME if holdout is None else Path(file_name(holdout)).name)
    data = _examples(roles, origin, test, None if full is None else read(full, uniform=False))
    make_reader, name = _reader_factory(reader, roles)
    settings = Settings(make_reader, name, trainings, updates, seed)
    done = measure(data, roles, settings, name_of_test, watch)
    if origin.is_run:
        text = json.dumps(done.to_dict(), ensure_ascii=False, indent=2) + "\n"
        write_whole(Path(source) / EVALUATION_NAME, text.encode("utf-8", "backslashreplace"))
        report(source)
    return done


@dataclass(frozen=True, slots=True)
class _Origin:
    """The rows to evaluate: their recipe, their seeds, themselves, and whether they are of a run directory."""

    recipe: Recipe
    seeds: Sequence[Row]
    grown: Sequence[Row]
    is_run: bool
    held_out: Sequence[Row] = ()


def _read_origin(source: str | Path, seeds: str | Path | None, seed: int, read: Callable[..., RowFile]) -> _Origin:
    if is_run_directory(source):
        with open_history(source) as history:
            prepared = prepared_from_journal(history)
            own = prepared.seeds.rows if seeds is None else read(seeds, uniform=False).rows
            if not own:
                raise InputError(
                    "{source}: the run has no seed rows to compare with",
                    hint='Name a file of them: `seeds="FILE"`.',
                    source=source,
                )
            return _Origin(
                prepared.recipe,
                own,
                list(_some_rows(history, _GROWN_PER_SEED * len(own), seed)),
                True,
                prepared.held_out,
            )
    if Path(source).is_dir():
        open_history(source)  # raises: not a run directory
    if seeds is None:
        raise InputError(
            "{source}: grown rows in a file, without the seeds that they were grown from",
            hint='Name the file of the seeds: `seeds="FILE"`. Or evaluate the run directory.',
            source=source,
        )
    file = read(seeds)
    return _Origin(infer(file).recipe, file.rows, read_rows(source, uniform=False).rows, False)


def _some_rows(history: History, most: int, seed: int) -> Iterator[Row]:
    """Accepted rows of a run: all, or a sample of ``most``, in their order."""
    total = history.state().accepted
    chosen = set(Random(seed).sample(range(1, total + 1), most)) if total > most else range(1, total + 1)
    for place, grown in enumerate(history.final_rows(total), 1):
        if place in chosen:
            yield grown.row


def _test_rows(source: str | Path, origin: _Origin, given: RowFile | None, roles: Roles) -> Sequence[Row]:
    """The rows to test on: those given, or those that the run has held out. Raises InputError if there are none."""
    if given is not None:
        return _with_fields(given, roles)
    if not origin.held_out:
        raise InputError(
            "{source}: no held-out rows",
            hint='Name a file of test rows: `holdout="FILE"`. Or hold seeds out when you grow: `holdout=0.2`.',
            source=source,
        )
    return origin.held_out


def _examples(roles: Roles, origin: _Origin, test_rows: Sequence[Row], full: RowFile | None) -> EvaluationData:
    given: dict[str, Sequence[Row]] = {"seeds": origin.seeds, "grown": origin.grown}
    given["holdout"] = test_rows
    given["full"] = _with_fields(full, roles) if full is not None else ()
    examples: Mapping[str, list[Example]] = {
        name: [each for row in rows if (each := roles.example(row)) is not None] for name, rows in given.items()
    }
    skipped = {name: len(rows) - len(examples[name]) for name, rows in given.items()}
    # A test row that is there twice would count twice.
    test = list(dict.fromkeys(examples["holdout"]))
    return EvaluationData(examples["seeds"], examples["grown"], test, examples["full"], skipped)


def _with_fields(file: RowFile, roles: Roles) -> Sequence[Row]:
    """The rows of a file. Raises InputError if a field of the task is in none of them."""
    missing = [name for name in roles.fields if name not in file.fields]
    if missing:
        raise InputError(
            "{path}: no field {missing}; the fields are {fields}",
            hint="Use the fields of the seeds. Inferred from them: {roles}.",
            path=file.path,
            missing=", ".join(map(repr, missing)),
            fields=", ".join(file.fields),
            roles=roles.words,
        )
    return file.rows


def _reader_factory(reader: str | Callable[[int], Reader] | None, roles: Roles) -> tuple[Callable[[int], Reader], str]:
    """The function that makes a reader from a random seed, and the name of the reader."""
    if isinstance(reader, str):
        factory = import_extension(reader)
        return lambda seed: _CustomReader(reader, factory, seed), reader
    if reader is not None:
        return reader, getattr(reader, "__qualname__", type(reader).__name__)
    if roles.task == "label":
        LabelReader()  # raises where scikit-learn is missing, before the rows are compared
        return lambda seed: LabelReader(), "TF-IDF and logistic regression"
    readings = Readings(_READINGS)
    return lambda seed: SpanReader(seed=seed, epochs=1, readings=readings), "embedded span reader"


class _CustomReader:
    """A reader of the user's own, whose exceptions become an ExtensionError with the line of its code."""

    def __init__(self, reference: str, factory: Callable[..., Any], seed: int) -> None:
        self._reference = reference
        self._reader: Any = self._call(factory, seed)
        missing = [name for name in ("fit", "predict") if not callable(getattr(self._reader, name, None))]
        if missing:
            raise ExtensionError(
                "{reference}: expected a reader, got {name} without {missing}",
                hint="Return an object with the methods of selfinstruct.readers.Reader.",
                reference=reference,
                name=type(self._reader).__name__,
                missing=joined(missing, " and "),
            )

    def fit(self, rows: Sequence[Example]) -> None:
        """Train the reader."""
        self._call(self._reader.fit, rows)

    def predict(self, question: str, context: str) -> Prediction:
        """Ask the reader. Raises ExtensionError if its answer is no Prediction with a text."""
        made = self._call(self._reader.predict, question, context)
        if not isinstance(made, Prediction) or not isinstance(made.answer, str):
            raise ExtensionError(
                "{reference}: predict() returned {made}",
                hint="Return a selfinstruct.readers.Prediction.",
                reference=self._reference,
                made=repr(made)[:80],
            )
        return made

    def _call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return function(*arguments)
        except SelfInstructError:
            raise
        except Exception as error:
            raise extension_error(self._reference, error) from error
