"""Pushing to the hub, against a local server that speaks its HTTP API."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from selfinstruct import api
from selfinstruct.cli import main
from selfinstruct.errors import EndpointError, InputError

LOGQA = Path(__file__).parents[2] / "seeds" / "logqa.jsonl"
CANARY = "hf_canaryCANARYcanary"


class Hub(BaseHTTPRequestHandler):
    """One data set: its files, whether it is private, and the status to answer with instead."""

    files: dict[str, bytes]
    private: bool | None
    tokens: set[str]
    status: int

    def do_GET(self) -> None:
        """The tree and the state of the repository."""
        if "/tree/" in self.path:
            found = [
                {"type": "file", "path": path, "size": len(data), "oid": "0" * 40} for path, data in self.files.items()
            ]
            self._answer(found)
        else:
            self._answer({"id": "me/set", "sha": "0" * 40, "siblings": [{"rfilename": path} for path in self.files]})

    def do_POST(self) -> None:
        """Creation, the question how to upload, and the commit."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.tokens.add(self.headers.get("Authorization", ""))
        if self.status != 200:
            self._answer({"error": "no"}, self.status)
        elif self.path == "/api/repos/create":
            if type(self).private is None:
                asked = json.loads(body)
                type(self).private = asked.get("private") or asked.get("visibility") == "private"
            self._answer({"url": f"http://{self.headers['Host']}/datasets/me/set", "name": "me/set", "id": "1"})
        elif "/preupload/" in self.path:
            paths = [each["path"] for each in json.loads(body)["files"]]
            files = [{"path": path, "uploadMode": "regular", "shouldIgnore": False, "oid": None} for path in paths]
            self._answer({"files": files})
        elif "/commit/" in self.path:
            for line in map(json.loads, body.splitlines()):
                if line["key"] == "file":
                    self.files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
                elif line["key"] == "deletedFile":
                    del self.files[line["value"]["path"]]
            self._answer({"commitUrl": f"http://{self.headers['Host']}/datasets/me/set/commit/1", "commitOid": "1"})
        else:
            self._answer({"errors": [], "warnings": []})

    def _answer(self, value: Any, status: int = 200) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Silent."""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[type[Hub]]:
    """A hub without the data set, and the environment that leads there."""
    own = type("Own", (Hub,), {"files": {}, "private": None, "tokens": set(), "status": 200})
    server = ThreadingHTTPServer(("127.0.0.1", 0), own)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("HF_TOKEN", CANARY)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    # What the library read from the environment when another test imported it.
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    yield own
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of forty rows."""
    where = tmp_path_factory.mktemp("run") / "logqa"
    api.run(LOGQA, rows=40, out=where)
    return where


def test_a_push_uploads_the_folder_to_a_private_data_set(
    hub: type[Hub], run: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Data, card and manifest, byte for byte; a second push replaces the data; the token is shown nowhere."""
    out = tmp_path / "set"
    command = ["export", str(run), "--push-to-hub", "me/set", "--split", "0.8,0.1,0.1", "-o", str(out)]
    assert main(command) == 0
    local = {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert hub.files == local and hub.private is True and {"README.md", "manifest.json"} < local.keys()
    assert hub.tokens == {f"Bearer {CANARY}"}
    assert main(["export", str(run), "--push-to-hub", "me/set"]) == 0
    assert set(hub.files) == {"data/train.jsonl", "README.md", "manifest.json"} and hub.private is True
    said = "".join(capfd.readouterr())
    assert "pushed to http://127.0.0.1" in said and "/datasets/me/set" in said
    assert CANARY not in said and not any(CANARY.encode() in data for data in hub.files.values())


def test_a_public_data_set_is_asked_for(hub: type[Hub], run: Path) -> None:
    """Only then it is."""
    done = api.export(run, push_to_hub="me/set", public=True, format="messages")
    assert hub.private is False and done.url.endswith("/datasets/me/set") and done.rows == 40


@pytest.mark.parametrize(
    ("status", "words"), [(401, "refused the token"), (403, "refused the token"), (500, "status 500")]
)
def test_what_the_hub_refuses_is_an_error_without_the_token(
    status: int, words: str, hub: type[Hub], run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 3, as for other endpoints; the error names the status alone."""
    hub.status = status
    with pytest.raises(EndpointError, match=words) as caught:
        api.export(run, push_to_hub="me/set")
    assert CANARY not in f"{caught.value!r} {caught.value}" and caught.value.__suppress_context__
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(EndpointError, match="cannot be reached"):
        api.export(run, push_to_hub="me/set")


def test_what_a_push_needs_is_said_before_anything_is_written(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token, the package, a name; a push is the only way to do without a file."""
    monkeypatch.delenv("HF_TOKEN", raising=False)
    with pytest.raises(InputError, match="no token in HF_TOKEN"):
        api.export(run, tmp_path / "set", push_to_hub="me/set")
    monkeypatch.setenv("HF_TOKEN", CANARY)
    with pytest.raises(InputError, match="not the name of a repository"):
        api.export(run, push_to_hub="me/set/x y")
    with pytest.raises(InputError, match="nothing to write to"):
        api.export(run)
    with pytest.raises(InputError, match="nothing is pushed"):
        api.export(run, tmp_path / "set", public=True)
    monkeypatch.setitem(__import__("sys").modules, "huggingface_hub", None)
    with pytest.raises(InputError, match="needs huggingface_hub") as caught:
        api.export(run, tmp_path / "set", push_to_hub="me/set")
    assert "selfinstruct[hub]" in caught.value.hint and not (tmp_path / "set").exists()
