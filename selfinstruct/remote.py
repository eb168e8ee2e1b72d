"""Files that the user names by a URL, such as ``s3://bucket/rows/*.jsonl.gz``: listed, read and written by fsspec.

Reading takes fsspec (the extra ``remote``) and its driver for the scheme, such as s3fs, which knows where credentials
are. URLs come from the command line or the caller alone, never from a row or a recipe.

Does not handle: what is in a file (``rows``).
"""

from __future__ import annotations

import contextlib
import io
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.parse import urlsplit

from selfinstruct.errors import InputError, RowError, StorageError
from selfinstruct.messages import Phrase

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_SECRET = re.compile(r"(?<=://)[^\s/@'\"]+@|(?<=\w)\?[^\s'\"]+=[^\s'\"]*")
_WEB = ("http", "https")
_BUFFER = 1 << 20
# Drivers whose package has the name of its module.
_PACKAGES = ("adlfs", "gcsfs", "huggingface_hub", "ossfs", "paramiko", "s3fs")
# What tells the versions of a file apart, by the names that drivers give it.
_VERSIONS = ("ETag", "etag", "md5Hash", "mtime", "LastModified", "last_modified", "created")


def is_remote(path: object) -> bool:
    """Whether a path is a URL. A ``pathlib.Path`` never is: it has lost a slash."""
    return isinstance(path, str) and _URL.match(path) is not None


def shown(url: str) -> str:
    """A URL without a password and without a query, which may be a signature: for messages and output."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def matching(url: str) -> list[str] | None:
    """The files that a URL with wildcards matches, in order; None if it has none."""
    if not any(mark in url for mark in ("*" if urlsplit(url).scheme in _WEB else "*?[")):
        return None
    system, path = _system(url)
    with _reading(url):
        found = system.glob(path, detail=True)
        return sorted(_beside(url, path, name) for name, about in found.items() if about["type"] == "file")


def files_in(url: str) -> list[str] | None:
    """The files of a folder, in order; None for a file, or nothing."""
    system, path = _system(url)
    with _reading(url):
        # First whether it is a file: a web server would send it to tell whether it is a folder.
        if system.isfile(path) or not system.isdir(path):
            return None
        listed = system.ls(path, detail=True)
        names = [each["name"] for each in listed if each["type"] == "file" and not each["name"].endswith("/")]
        return sorted(_beside(url, path, name) for name in names)


def open_remote(url: str) -> BinaryIO:
    """The file at a URL, open for reading.

    Raises RowError if it cannot be read, here or while reading.
    """
    system, path = _system(url)
    with _reading(url):
        return io.BufferedReader(_Remote(system.open(path, "rb"), url), _BUFFER)


def state_of(path: str) -> tuple[str, int, str]:
    """What names a file or a URL, its size (0 if a server does not tell), and what tells its versions apart."""
    if not is_remote(path):
        state = Path(path).stat()
        return str(Path(path).resolve()), state.st_size, str(state.st_mtime_ns)
    system, place = _system(path)
    with _reading(path):
        about = system.info(place)
    version = next((str(about[name]) for name in _VERSIONS if about.get(name)), "")
    return shown(path), about.get("size") or 0, version


@contextlib.contextmanager
def open_upload(url: str) -> Iterator[BinaryIO]:
    """Yield a temporary file, which is written to the URL as a whole when the block ends without an error.

    Raises:
        InputError: no driver, or the scheme is read-only.
        StorageError: the URL cannot be written; the temporary file stays, and the hint names it.
    """
    if urlsplit(url).scheme in _WEB:
        raise InputError("{url}: cannot write to a web server", hint="Name a file, or a bucket.", url=shown(url))
    system, path = _system(url)
    with tempfile.NamedTemporaryFile(prefix="selfinstruct-", delete=False) as file:
        part = Path(file.name)
        try:
            yield cast("BinaryIO", file)
        except BaseException:
            part.unlink()
            raise
    try:
        with part.open("rb") as whole, system.transaction, system.open(path, "wb") as target:
            shutil.copyfileobj(whole, target, _BUFFER)
    except Exception as exc:  # each driver has its own errors
        hint = Phrase("The content is in {part}: copy it, or run the same command again.", part=part)
        raise StorageError("{url}: cannot write: {reason}", hint=hint, url=shown(url), reason=_reason(exc)) from exc
    part.unlink()


class _Remote(io.RawIOBase):
    """A file of fsspec as a raw stream; its errors are RowErrors."""

    def __init__(self, file: Any, url: str) -> None:
        self._file, self._url = file, url

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._file.size is not None  # a web server that sends no parts

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        place: int = self._file.seek(offset, whence)
        return place

    def tell(self) -> int:
        place: int = self._file.tell()
        return place

    def readinto(self, buffer: Any) -> int:
        with _reading(self._url):
            data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


def _system(url: str) -> tuple[Any, str]:
    """The file system of fsspec, and the path in it."""
    scheme = urlsplit(url).scheme
    try:
        from fsspec.core import url_to_fs
    except ImportError as exc:
        raise RowError(
            shown(url), "needs fsspec, which is not installed", hint="Install it: pip install 'selfinstruct[remote]'"
        ) from exc
    try:
        system, path = url_to_fs(url)
    except ImportError as exc:
        missing = str(getattr(exc.__cause__, "name", None)).partition(".")[0]
        hint = Phrase("Install the package that this names.")
        if missing in _PACKAGES:
            hint = Phrase("Install it: pip install {package}", package=missing)
        problem = Phrase("{scheme}:// needs a package that is not installed: {reason}", scheme=scheme, reason=exc)
        raise RowError(shown(url), problem, hint=hint) from exc
    except Exception as exc:  # each driver has its own errors, and an unknown scheme is a ValueError
        raise RowError(shown(url), _reason(exc), hint="Check the address, and the options of the driver.") from exc
    return system, path


@contextlib.contextmanager
def _reading(url: str) -> Iterator[None]:
    """Make the errors of a driver RowErrors."""
    try:
        yield
    except FileNotFoundError as exc:
        raise RowError(shown(url), "no such file", hint="Check the address.") from exc
    except RowError:
        raise
    except Exception as exc:  # each driver has its own errors
        problem = Phrase("cannot read: {reason}", reason=_reason(exc))
        raise RowError(shown(url), problem, hint="Check the address, and your credentials.") from exc


def _reason(exc: Exception) -> str:
    """The first line of an error, without what a URL in it may keep secret."""
    return _SECRET.sub("", (str(exc).strip().splitlines() or [type(exc).__name__])[0])[:200]


def _beside(url: str, path: str, other: str) -> str:
    """The URL of another path of the file system that a URL is of."""
    bare = url.rstrip("/")
    return bare.removesuffix(path) + other if bare.endswith(path) else url.partition("://")[0] + "://" + other
