"""Whole-file writes: the new file, or the old one, and nothing besides."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from selfinstruct.errors import StorageError
from selfinstruct.files import clear_parts, open_whole, write_whole


def _names(directory: Path) -> list[str]:
    return [path.name for path in directory.iterdir()]


def test_the_content_is_written_and_nothing_else_is_left(tmp_path: Path) -> None:
    """After a write the directory holds the file with exactly the bytes given, and no temporary file."""
    write_whole(tmp_path / "rows.jsonl", b"one\r\n\xff")
    assert (tmp_path / "rows.jsonl").read_bytes() == b"one\r\n\xff"
    assert _names(tmp_path) == ["rows.jsonl"]


def test_the_old_content_stands_until_the_block_ends(tmp_path: Path) -> None:
    """A reader sees the whole old file while the new one is being streamed, and then the whole new one."""
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"old")
    with open_whole(path) as handle:
        handle.write(b"new")
        handle.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("error", [ValueError("a bad row"), KeyboardInterrupt()])
def test_a_block_that_raises_changes_nothing(tmp_path: Path, error: BaseException) -> None:
    """An error or Ctrl-C half-way passes through as it is; the old file stands and the temporary one is gone."""
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"old")
    with pytest.raises(type(error)), open_whole(path) as handle:
        handle.write(b"half")
        raise error
    assert path.read_bytes() == b"old"
    assert _names(tmp_path) == ["rows.jsonl"]


def test_data_reaches_the_disk_before_the_name_and_the_name_before_the_return(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order is fsync of all the bytes, rename, fsync of the directory: any other order can lose the file."""
    steps: list[str] = []
    sync, rename = os.fsync, Path.replace

    def noting_sync(descriptor: int) -> None:
        status = os.fstat(descriptor)
        steps.append("sync directory" if stat.S_ISDIR(status.st_mode) else f"sync {status.st_size} bytes")
        sync(descriptor)

    def noting_rename(self: Path, target: Path) -> Path:
        steps.append("rename")
        return rename(self, target)

    monkeypatch.setattr(os, "fsync", noting_sync)
    monkeypatch.setattr(Path, "replace", noting_rename)
    write_whole(tmp_path / "rows.jsonl", b"new")
    assert steps == ["sync 3 bytes", "rename", "sync directory"]


def test_a_failed_fsync_is_an_error_and_is_not_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk found by fsync keeps the old file, and the error names the file and what to do."""
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"old")
    calls: list[int] = []

    def full(descriptor: int) -> None:
        calls.append(descriptor)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError) as caught:
        write_whole(path, b"new")
    assert str(path) in caught.value.message
    assert "free some space" in caught.value.hint
    assert len(calls) == 1
    assert path.read_bytes() == b"old"
    assert _names(tmp_path) == ["rows.jsonl"]


def test_a_file_system_that_cannot_sync_directories_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EINVAL from the directory's fsync is passed over, as some network file systems always give it."""
    sync = os.fsync

    def refusing(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", refusing)
    write_whole(tmp_path / "rows.jsonl", b"new")
    assert (tmp_path / "rows.jsonl").read_bytes() == b"new"


def test_an_existing_file_keeps_its_permissions(tmp_path: Path) -> None:
    """A private file stays private; a new one gets what the umask allows."""
    private, fresh = tmp_path / "private", tmp_path / "fresh"
    private.write_bytes(b"old")
    private.chmod(0o600)
    write_whole(private, b"new")
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    fresh.touch()
    usual = fresh.stat().st_mode
    fresh.unlink()
    write_whole(fresh, b"new")
    assert fresh.stat().st_mode == usual


def test_a_symbolic_link_is_written_through(tmp_path: Path) -> None:
    """The link stays a link, and the file that it points at is the one that changes."""
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(b"old")
    link.symlink_to(target)
    write_whole(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


def test_what_is_no_file_is_never_replaced(tmp_path: Path) -> None:
    """A directory or a device such as /dev/null is refused, not renamed over."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path, kind in [(tmp_path, "directory"), (pipe, "device or pipe"), (Path(os.devnull), "device or pipe")]:
        with pytest.raises(StorageError, match=kind):
            write_whole(path, b"new")
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)


@pytest.mark.parametrize(
    ("path", "remedy"),
    [("absent/rows.jsonl", "create it"), ("file/rows.jsonl", "not a directory"), ("n" * 300, "shorter")],
)
def test_a_place_that_cannot_be_written_is_named_with_a_remedy(tmp_path: Path, path: str, remedy: str) -> None:
    """The message gives the path as the user wrote it, and the hint fits the cause."""
    (tmp_path / "file").touch()
    with pytest.raises(StorageError) as caught:
        write_whole(tmp_path / path, b"new")
    assert str(tmp_path / path) in caught.value.message
    assert remedy in caught.value.hint
    assert _names(tmp_path) == ["file"]


def test_only_the_temporary_files_of_dead_processes_are_removed(tmp_path: Path) -> None:
    """A file that a live process is writing is left alone, and so is one of another name."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    names = [f".selfinstruct-{os.getpid()}-a.part", f".selfinstruct-{child.pid}-b.part", ".selfinstruct-x.part"]
    for name in names:
        (tmp_path / name).touch()
    clear_parts(tmp_path)
    assert sorted(_names(tmp_path)) == sorted([names[0], names[2]])
