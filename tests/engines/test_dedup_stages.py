"""``dedup`` in stages: the bytes, counts and notes of ``dedup`` in one process, whatever the rows are."""

from __future__ import annotations

import io
import json
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import streams
from selfinstruct import api
from selfinstruct.analysis.cleaning import Cleaning
from selfinstruct.engines import Sinks, deduplicate
from selfinstruct.engines.dedup import cutting, joining, pairing, pipeline, placing, sampling, settling, work
from selfinstruct.engines.executor import SerialExecutor
from selfinstruct.errors import InputError, RowError

Done = tuple[Cleaning, bytes, bytes]
WORDS = st.lists(st.sampled_from(["task", "stage", "28", "0", "亨", "?", "Ａ", "e\u0301", "，"]), max_size=9).map(
    " ".join
)
# What one process has in memory at once, several tasks have: small, so that a few rows are many tasks.
_SMALL = {
    (settling, "FEW"): 3, (cutting, "_ROWS"): 5, (joining, "_ENTRIES"): 8, (joining, "_PROBES"): 8,
    (joining, "_MEETINGS"): 4, (joining, "MOST_PAIRS"): 2,
    (placing, "_RANGE"): 7, (work, "_GROUPS"): 2, (work, "_GROUP"): 3,
    (sampling, "_TIMES"): 1, (sampling, "_LEAST"): 1,
    (sampling, "_SHARE"): 1, (pairing, "_TARGETS"): 6, (pairing, "_TASK"): 4, (pairing, "MOST_PAIRS"): 1,
}  # fmt: skip


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing waits for the disk: no test takes the machine's power away."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that bounds memory, so small that a few rows are many tasks."""
    make_small(monkeypatch)


def _slow(*values: object) -> Any:
    return pytest.param(*values, marks=pytest.mark.slow)


def make_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the bounds of memory to a few rows."""
    for (module, name), size in _SMALL.items():
        monkeypatch.setattr(module, name, size)
    settle = settling.settle
    monkeypatch.setattr(pipeline, "settle", lambda *given: settle(*given, first_panel=4))


def local(path: Path, **options: Any) -> Done:
    """The result of one process."""
    out, dropped = io.BytesIO(), path.parent / "dropped.local"
    done = api.dedup(path, out=out, dropped=dropped, **options)
    return done, out.getvalue(), dropped.read_bytes()


def in_stages(path: Path, work: Path, *, fields: Sequence[str] = (), max_rouge_l: float = 0.7) -> Done:
    """The result of the stages."""
    parts: list[bytes] = []
    sinks = Sinks(lambda file: parts.append(file.read_bytes()), lambda file: parts.append(file.read_bytes()))
    done = deduplicate(
        str(path), work, SerialExecutor(), sinks, fields=fields, max_rouge_l=max_rouge_l, encoding="utf-8"
    )
    kept, dropped = parts
    return done, kept, dropped


def assert_same(write: Callable[[Path], Path], **options: Any) -> Done:
    """Both ways give the same for what ``write`` writes into a folder, or raise the same error."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = write(folder)
        try:
            expected = local(path, **options)
        except RowError as error:
            with pytest.raises(RowError) as raised:
                in_stages(path, folder / "work", **options)
            assert str(raised.value) == str(error)
            assert not (folder / "work").exists(), "a corrected input would meet the checkpoints of the invalid one"
            raise
        found = in_stages(path, folder / "work", **options)
        assert found == expected
        assert not (folder / "work").exists()
        return found


@pytest.mark.slow
def test_any_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts with and without tokens, copies, chains of near copies; plain lines, JSON Lines, CSV, shards; CRLF."""
    make_small(monkeypatch)

    @settings(max_examples=60, deadline=None)
    @given(
        st.lists(WORDS, min_size=1, max_size=30),
        st.sampled_from([0.03, 0.5, 0.7, 0.8, 0.95, 1.0]),
        st.sampled_from(["text", "jsonl", "csv", "shards"]),
        st.sampled_from(["\n", "\r\n"]),
    )
    def run(texts: list[str], threshold: float, form: str, end: str) -> None:
        def write(folder: Path) -> Path:
            rows = [json.dumps({"n": at, "text": text}, ensure_ascii=False) for at, text in enumerate(texts)]
            if form == "text":
                return _written(folder / "f", [f"x{end}", *(f"{text}{end}" for text in texts)])
            if form == "csv":
                return _written(folder / "f", [f"n,text{end}", *(f'{n},"{text}"{end}' for n, text in enumerate(texts))])
            if form == "jsonl":
                return _written(folder / "f", [row + end for row in rows])
            (folder / "rows").mkdir()
            for at in range(0, len(rows), 7):  # the last row of a shard has no line end
                _written(folder / "rows" / f"{at:03d}.jsonl", [end.join(rows[at : at + 7])])
            return folder / "rows"

        assert_same(write, max_rouge_l=threshold)

    run()


def _written(path: Path, lines: Sequence[str]) -> Path:
    path.write_bytes("".join(lines).encode())
    return path


@pytest.mark.parametrize(
    ("stream", "threshold", "rows"), [("logs", 0.8, 80), _slow("natural", 0.7, 400), _slow("chinese", 0.7, 400)]
)
def test_streams_of_rows(stream: str, threshold: float, rows: int) -> None:
    """Log lines of few templates, sentences and Chinese text, with the usual sizes."""
    texts = getattr(streams, stream)(Random(3), threshold, lambda: rows)
    done, _, dropped = assert_same(
        lambda folder: _written(folder / "f", [f"{next(texts)}\n" for _ in range(rows)]), max_rouge_l=threshold
    )
    assert done.rows == rows
    assert done.dropped == dropped.count(b"\n") > 0


def test_bytes_that_are_not_utf_8_are_kept(small: None) -> None:
    """Plain lines in an unknown encoding: kept byte for byte, counted, and compared by their readable part."""

    def write(folder: Path) -> Path:
        (folder / "f").write_bytes(b"a b c \xff\xfe\n" * 2 + b"d e\xe4 f\n")
        return folder / "f"

    done, kept, dropped = assert_same(write)
    assert (done.not_utf8, done.dropped, kept.count(b"\xff\xfe"), dropped.count(b"\n")) == (3, 1, 1, 1)


def test_the_error_is_that_of_one_process(small: None) -> None:
    """The first broken row in the order of files is named, with the hint."""

    def write(folder: Path) -> Path:
        for name, rows in {"a": '{"t": "x"}\n', "b": '{"t": "y"}\n{"t": \n', "c": "[]\n"}.items():
            _written(folder / f"{name}.jsonl", [rows])
        return folder

    with pytest.raises(RowError, match=r"b\.jsonl:2"):
        assert_same(write)


class Interrupted(Exception):
    """Stands for a kill."""


class Unfinished(SerialExecutor):
    """Dies while the checkpoints are removed."""

    workers = 5  # the rows and that mark are of two parts

    def run(self, task: Callable[..., Any], calls: Sequence[tuple[Any, ...]]) -> Any:
        """Run tasks, but not the one that would remove the mark of the file that was read."""
        for call in calls:
            if task is not work.remove or call[1] != crc32(b"cut/000000") % self.workers:
                yield task(*call)
        if task is work.remove:
            raise Interrupted


def test_a_command_killed_at_its_end_starts_again(tmp_path: Path) -> None:
    """Some checkpoints are removed, others not: the next command does what is missing."""
    file = _written(tmp_path / "f", [f"{text}\n" for text in ("a b c d", "a b c d e", "f g h", "亨 亨 亨")])
    options: Any = {"fields": (), "encoding": "utf-8", "max_rouge_l": 0.7}
    with pytest.raises(Interrupted):
        deduplicate(str(file), tmp_path / "work", Unfinished(), Sinks(None, None), **options)
    assert (tmp_path / "work" / "manifest.json").exists()
    assert in_stages(file, tmp_path / "work") == local(file)


class Mortal(SerialExecutor):
    """Dies after some tasks."""

    def __init__(self, tasks: int) -> None:
        self.left, self.done = tasks, 0

    def run(self, task: Callable[..., Any], calls: Sequence[tuple[Any, ...]]) -> Any:
        """Run tasks until the last one."""
        for call in calls:
            if not self.left:
                raise Interrupted
            self.left, self.done = self.left - 1, self.done + 1
            yield task(*call)


@pytest.mark.slow
@pytest.mark.parametrize("tasks", [1, 12, 25, 40, 60])
def test_a_killed_command_goes_on_from_its_checkpoints(tasks: int, small: None, tmp_path: Path) -> None:
    """The same call again gives the same bytes; another threshold, or a folder of something else, is refused."""
    file, folder, texts = tmp_path / "f", tmp_path / "work", streams.logs(Random(5), 0.8, lambda: 60)
    _written(file, [f"{next(texts)}\n" for _ in range(60)])
    options: Any = {"fields": (), "encoding": "utf-8"}
    with pytest.raises(Interrupted):
        deduplicate(str(file), folder, Mortal(tasks), Sinks(None, None), max_rouge_l=0.8, **options)
    with pytest.raises(InputError, match="checkpoints of another input or of other options"):
        deduplicate(str(file), folder, SerialExecutor(), Sinks(None, None), max_rouge_l=0.7, **options)
    with pytest.raises(InputError, match="not a work directory"):
        deduplicate(str(file), tmp_path, SerialExecutor(), Sinks(None, None), max_rouge_l=0.8, **options)
    assert in_stages(file, folder, max_rouge_l=0.8) == local(file, max_rouge_l=0.8)
