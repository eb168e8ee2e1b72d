"""Files named by URLs: read and written as local ones are, or refused with what to do."""

from __future__ import annotations

import contextlib
import gzip
import http.server
import json
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import fsspec
import pytest

from selfinstruct import api, remote
from selfinstruct.cli import main
from selfinstruct.engines import ray_executor
from selfinstruct.engines.executor import SerialExecutor
from selfinstruct.errors import InputError, RowError, SelfInstructError, StorageError
from selfinstruct.render.findings import verdict_text
from selfinstruct.render.github import github_text
from selfinstruct.render.sarif import sarif_json
from selfinstruct.rows import find_shards, read_rows

TEXTS = ["床前明月光，疑是地上霜", "the job failed at once", "床前明月光，疑是地上霜。", "nothing else"]
ROWS = [{"text": text} for text in TEXTS]


@pytest.fixture
def bucket() -> Iterator[Any]:
    """A file system in memory, with two shards and what is no shard."""
    system = fsspec.filesystem("memory")
    for at in range(2):
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS[2 * at : 2 * at + 2])
        system.pipe(f"/rows/{at}.jsonl.gz", gzip.compress(lines.encode()))
    system.pipe("/rows/README.md", b"no rows")
    system.pipe("/rows/below/2.jsonl", b"{}\n")
    yield system
    system.store.clear()


def refuse_writing(patch: pytest.MonkeyPatch, bucket: Any) -> None:
    """Let the file system be full."""
    opened = type(bucket)._open

    def refuse(self: Any, path: str, mode: str = "rb", **options: Any) -> Any:
        if mode == "wb":
            raise OSError("the bucket is full")
        return opened(self, path, mode, **options)

    patch.setattr(type(bucket), "_open", refuse)


@pytest.mark.parametrize("url", ["memory://rows", "memory://rows/", "memory://rows/*.gz"])
def test_shards_are_read_as_one(url: str, bucket: Any) -> None:
    """A folder or a glob: the files in order, unpacked; folders in it and a README are left out."""
    assert find_shards(url) == ["memory://rows/0.jsonl.gz", "memory://rows/1.jsonl.gz"]
    assert read_rows(url).rows == ROWS


def test_both_engines_write_the_same(bucket: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kept and dropped rows go to URLs when they are complete; the checkpoints are removed after that."""
    source, work = "memory://rows/*.gz", tmp_path / "work"
    monkeypatch.setattr(ray_executor, "ray_executor", lambda address: contextlib.nullcontext(SerialExecutor()))
    local = api.dedup(source, out="memory://out/kept", dropped="memory://out/dropped")
    assert (local.rows, local.kept) == (4, 3)
    assert json.loads(bucket.cat("/out/dropped"))["nearest_file"] == "memory://rows/0.jsonl.gz"
    for broken in (True, False):
        with monkeypatch.context() as patch, pytest.raises(StorageError) if broken else contextlib.nullcontext():
            if broken:
                refuse_writing(patch, bucket)
            ours = api.dedup(source, out="memory://out/1", dropped="memory://out/2", engine="ray", work=work)
            assert ours == local
        assert work.exists() == broken
    assert bucket.cat("/out/1") == bucket.cat("/out/kept")
    assert bucket.cat("/out/2") == bucket.cat("/out/dropped")
    with pytest.raises(InputError, match="no directory for its checkpoints"):
        api.dedup(source, out="memory://out/3", engine="ray")


def test_check_by_both_engines(bucket: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Findings at the URLs of the rows, beside rows at other URLs, in every format; a baseline that keeps its URLs."""
    monkeypatch.setattr(ray_executor, "ray_executor", lambda address: contextlib.nullcontext(SerialExecutor()))
    bucket.pipe("/rows/1.jsonl.gz", gzip.compress(json.dumps(ROWS[1]).encode()))
    bucket.pipe("/other rows.jsonl", json.dumps(ROWS[0]).encode())
    baseline, recipe = tmp_path / "baseline.json", tmp_path / "recipe.toml"
    (tmp_path / "seeds.jsonl").write_text(json.dumps(ROWS[3]))
    api.init(tmp_path / "seeds.jsonl", recipe)
    given: dict[str, Any] = {"against": ["memory://other rows.jsonl"], "baseline": baseline, "update_baseline": True}
    found = api.check("memory://rows/*.gz", **given)
    assert [(each.reason, each.file, each.evidence["file"]) for each in found.findings] == [
        ("duplicate", "memory://rows/0.jsonl.gz", "memory://other rows.jsonl"),
        ("duplicate", "memory://rows/1.jsonl.gz", "memory://rows/0.jsonl.gz"),
    ]
    assert api.check("memory://rows/*.gz", engine="ray", work=tmp_path / "work", **given).to_dict() == found.to_dict()
    found = api.check("memory://other rows.jsonl", others=["memory://rows/*.gz"], recipe=recipe)
    assert '"uri": "memory://other%20rows.jsonl"' in sarif_json(found, {}, tmp_path)
    assert "file=memory%3A//rows/1.jsonl.gz,line=1" in github_text(found, tmp_path)
    found = api.check("memory://rows/0.jsonl.gz", baseline=baseline, update_baseline=True)
    assert "memory://rows: " in str(verdict_text(found, "memory://me:secret@rows?signature=secret"))
    assert list(json.loads(baseline.read_bytes())["data_sets"]) == ["memory://rows/*.gz", "memory://rows/0.jsonl.gz"]
    with pytest.raises(InputError, match="no directory for its checkpoints"):
        api.check("memory://rows", engine="ray")


@pytest.mark.parametrize("option", ["recipe", "baseline", "waivers", "work"])
def test_only_rows_have_a_url(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 2, before anything is read; no folder `s3:` is made here, and no password is shown."""
    given = [f"--{option}", "s3://me:secret@host/x?signature=secret", "--engine", "ray"]
    assert main(["check", "none.jsonl", *given]) == 2
    shown = capsys.readouterr().err
    assert f"--{option}" in shown
    assert "s3://host/x is a URL" in shown
    assert "secret" not in shown


@pytest.mark.parametrize("command", ["run", "init"])
def test_a_run_reads_no_url(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its directory would keep a password, and a resumed run reads its recipe beside a file."""
    out = ["--out" if command == "run" else "-o", str(tmp_path / "out")]
    assert main([command, "http://me:secret@127.0.0.1:9/rows.jsonl", *out]) == 2
    shown = capsys.readouterr().err
    assert "http://127.0.0.1:9/rows.jsonl: `dedup` and `check` read URLs" in shown
    assert "secret" not in shown
    assert not (tmp_path / "out").exists()


def test_a_failed_upload_leaves_the_content_here(bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """After hours of work, the rows are in the file that the hint names; a failed block leaves nothing."""
    refuse_writing(monkeypatch, bucket)
    failed = pytest.raises(StorageError, match="memory://out: cannot write: the bucket is full")
    with failed as raised, remote.open_upload("memory://out") as file:
        file.write(b"rows")
    part = Path(file.name)
    assert str(part) in raised.value.hint
    assert part.read_bytes() == b"rows"
    part.unlink()
    with pytest.raises(KeyError), remote.open_upload("memory://out") as file:
        raise KeyError
    assert not Path(file.name).exists()


class _Server(http.server.SimpleHTTPRequestHandler):
    """Serves a folder, and fails for one name."""

    def do_GET(self) -> None:
        """Serve."""
        if "broken" in self.path:
            self.send_error(500)
        else:
            super().do_GET()

    def log_message(self, *given: object) -> None:
        """Say nothing."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """The address of a web server, which sends no parts of files."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Server, directory=str(tmp_path))) as serving:
        thread = threading.Thread(target=serving.serve_forever, args=[0.01])
        thread.start()
        yield f"http://127.0.0.1:{serving.server_port}"
        serving.shutdown()
        thread.join()


def test_a_web_server(server: str, tmp_path: Path) -> None:
    """A file is read as it comes; what is missing or fails is an error without the signature in the address."""
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    assert read_rows(f"{server}/rows.jsonl?signature=secret").rows == ROWS
    for name, problem in {"none": "no such file", "broken": "cannot read: 500"}.items():
        with pytest.raises(RowError) as raised:
            read_rows(f"{server.replace('://', '://me:secret@')}/{name}?signature=secret")
        assert str(raised.value).startswith(f"{server}/{name}: {problem}")
        assert "secret" not in raised.value.message
    with pytest.raises(InputError, match="cannot write to a web server"):
        api.dedup(f"{server}/rows.jsonl", out=f"{server}/out")
    found = api.check(f"{server.replace('://', '://me:secret@')}/rows.jsonl?signature=secret")
    assert found.measures.rows == 4
    assert "secret" not in json.dumps(found.to_dict())
    with pytest.raises(RowError, match=f"^{server}/none: no such file") as raised:
        api.check(f"{server}/rows.jsonl", against=[f"{server}/none?signature=secret"])
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("url", "problem", "hint"),
    [
        ("memory://none", "memory://none: no such file", "Check the address."),
        ("memory://none/*", "memory://none/*: no file matches", "Check the address."),
        ("nowhere://rows", "nowhere://rows: Protocol not known: nowhere", "Check the address"),
        ("smb://me:secret@host/rows", "smb://host/rows: smb:// needs a package that is", "Install the package that"),
        ("gs://bucket/rows", "gs://bucket/rows: gs:// needs a package that is not", "Install it: pip install gcsfs"),
    ],
)  # fmt: skip
def test_what_cannot_be_read(url: str, problem: str, hint: str) -> None:
    """The error says what to do, and which package to install."""
    with pytest.raises(RowError) as raised:
        read_rows(url)
    assert raised.value.message.startswith(problem)
    assert raised.value.hint.startswith(hint)


def test_fsspec_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra."""
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    with pytest.raises(RowError) as raised:
        read_rows("s3://bucket/rows")
    assert raised.value.hint == "Install it: pip install 'selfinstruct[remote]'"


def test_a_recipe_names_no_url(bucket: Any, tmp_path: Path) -> None:
    """Only what the user names on the command line is fetched: a recipe may come from anybody."""
    (tmp_path / "recipe.toml").write_text('[seeds]\nfile = "memory://rows/0.jsonl.gz"\n[fields.text]\n')
    with pytest.raises(SelfInstructError, match="no such file"):
        api.run(tmp_path / "recipe.toml", out=tmp_path / "run", rows=10)
