"""Atomic writes of files: the result is the complete new file or the old one."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from selfinstruct.errors import StorageError
from selfinstruct.files import clear_parts, move_into, open_whole, write_whole


def _names(directory: Path) -> list[str]:
    return [path.name for path in directory.iterdir()]


def test_only_the_written_file_remains(tmp_path: Path) -> None:
    """After a write the directory contains the file with exactly the given bytes, and no temporary file."""
    write_whole(tmp_path / "rows.jsonl", b"one\r\n\xff")
    assert (tmp_path / "rows.jsonl").read_bytes() == b"one\r\n\xff"
    assert _names(tmp_path) == ["rows.jsonl"]


def test_the_old_content_remains_until_the_block_ends(tmp_path: Path) -> None:
    """Readers see the complete old file while the new one is written, and then the complete new one."""
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"old")
    with open_whole(path) as handle:
        handle.write(b"new")
        handle.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_finished_file_is_moved_or_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, elsewhere: bool) -> None:
    """From another file system it is copied; the permissions of the file that it replaces remain in either case."""
    finished, path, rename = tmp_path / "finished", tmp_path / "rows.jsonl", Path.replace

    def replace(file: Path, target: str) -> Path:
        if elsewhere and file == finished:
            raise OSError(errno.EXDEV, "another file system")
        return rename(file, target)

    monkeypatch.setattr(Path, "replace", replace)
    path.write_bytes(b"old")
    path.chmod(0o640)
    finished.write_bytes(b"new")
    with open_whole(path) as handle:
        move_into(handle, finished)
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert _names(tmp_path) == ["finished", "rows.jsonl"][not elsewhere :]


@pytest.mark.parametrize("error", [ValueError("a bad row"), KeyboardInterrupt()])
def test_a_block_that_raises_changes_nothing(tmp_path: Path, error: BaseException) -> None:
    """An error or Ctrl-C is re-raised; the old file remains, and the temporary one is removed."""
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
    """The order is fsync of all the bytes, rename, fsync of the directory: other orders can lose the file."""
    steps: list[str] = []
    sync, rename = os.fsync, Path.replace

    def record_sync(descriptor: int) -> None:
        status = os.fstat(descriptor)
        steps.append("sync directory" if stat.S_ISDIR(status.st_mode) else f"sync {status.st_size} bytes")
        sync(descriptor)

    def record_rename(self: Path, target: Path) -> Path:
        steps.append("rename")
        return rename(self, target)

    monkeypatch.setattr(os, "fsync", record_sync)
    monkeypatch.setattr(Path, "replace", record_rename)
    write_whole(tmp_path / "rows.jsonl", b"new")
    assert steps == ["sync 3 bytes", "rename", "sync directory"]


def test_a_failed_fsync_is_an_error_and_not_retried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If fsync reports a full disk, the old file remains, and the error has the file name and a hint."""
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


def test_file_systems_that_cannot_sync_directories_are_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EINVAL from fsync of a directory is ignored, since some network file systems always return it."""
    sync = os.fsync

    def refusing(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", refusing)
    write_whole(tmp_path / "rows.jsonl", b"new")
    assert (tmp_path / "rows.jsonl").read_bytes() == b"new"


def test_an_existing_file_keeps_its_permissions(tmp_path: Path) -> None:
    """A private file remains private; a new one gets the permissions that the umask allows."""
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
    """The link remains, and its target changes."""
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(b"old")
    link.symlink_to(target)
    write_whole(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


def test_directories_and_devices_are_never_replaced(tmp_path: Path) -> None:
    """A directory or a device such as /dev/null is rejected, not overwritten by a rename."""
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
def test_an_unwritable_path_is_reported_with_a_hint(tmp_path: Path, path: str, remedy: str) -> None:
    """The message contains the path as given, and the hint fits the cause."""
    (tmp_path / "file").touch()
    with pytest.raises(StorageError) as caught:
        write_whole(tmp_path / path, b"new")
    assert str(tmp_path / path) in caught.value.message
    assert remedy in caught.value.hint
    assert _names(tmp_path) == ["file"]


def test_only_the_temporary_files_of_dead_processes_are_removed(tmp_path: Path) -> None:
    """Files of live processes and files with other names remain."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    names = [f".selfinstruct-{os.getpid()}-a.part", f".selfinstruct-{child.pid}-b.part", ".selfinstruct-x.part"]
    for name in names:
        (tmp_path / name).touch()
    clear_parts(tmp_path)
    assert sorted(_names(tmp_path)) == sorted([names[0], names[2]])
