"""Errors for a server that cannot be reached: they name the address and how to start a server, not the model."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from selfinstruct.backends.openai.connection_error import from_exception
from selfinstruct.cli import main

ROOT = Path(__file__).parents[3]
LOGQA = ROOT / "seeds" / "logqa.jsonl"


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that is reserved, so that nobody else listens on it, and refuses connections."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        yield reserved.getsockname()[1]


def run(capfd: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """The exit code and the error of ``selfinstruct run`` with these arguments."""
    capfd.readouterr()
    code = main(["run", str(LOGQA), "--rows", "4", *arguments])
    return code, " ".join(capfd.readouterr().err.split())


@pytest.mark.parametrize("named", [["--model", "gemma3:4b"], []])
def test_a_refused_connection_is_about_the_server(
    named: list[str],
    closed_port: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """With a model or without one, the hint names the address and --base-url, never --model; nothing is written."""
    monkeypatch.chdir(tmp_path)
    code, error = run(capfd, "--base-url", f"http://127.0.0.1:{closed_port}/v1", *named)
    assert code == 3
    assert f"http://127.0.0.1:{closed_port}/v1: cannot connect: connection refused" in error
    assert f"Check that a server is running at http://127.0.0.1:{closed_port} (docs/models.md" in error
    assert "or correct --base-url." in error
    assert "--model" not in error
    assert not list(tmp_path.iterdir())


def test_an_address_from_the_environment_is_named(
    closed_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Without --base-url, the default address of OPENAI_BASE_URL is the one that the error names."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{closed_port}/v1")
    for arguments in (["--backend", "openai"], ["--model", "m"]):
        code, error = run(capfd, *arguments)
        assert code == 3
        assert f"Check that a server is running at http://127.0.0.1:{closed_port} " in error
        assert "--model" not in error


@pytest.mark.parametrize(
    ("base_url", "words"),
    [
        ("http://127.0.0.1:8000/v1", "start one with `vllm serve MODEL`"),
        ("http://localhost:11434/v1", "start one with `ollama serve`"),
        ("http://10.0.0.7:8080/v1", "start one with `llama-server -m FILE --port 8080`"),
        ("http://127.0.0.1:1234/v1", "start one with `lms server start`"),
        ("http://127.0.0.1:9999/v1", "docs/models.md describes how to start one"),
        ("https://llm.example/v1", "running at https://llm.example (docs/models.md"),
        ("https://api.openai.com/v1", 'Check the network, or call another server: `base_url="http://'),
    ],
)
def test_the_hint_suits_the_address(base_url: str, words: str) -> None:
    """The port of a common local server gets its start command; OpenAI's own address gets the other choice."""
    key = aiohttp.client_reqrep.ConnectionKey("host", 1, False, True, None, None, None)
    error = from_exception(aiohttp.ClientConnectorError(key, OSError(111, "Connection refused")), base_url)
    assert (error.reason, error.message) == ("unreachable", f"{base_url}: cannot connect: connection refused")
    assert words in error.hint
    assert "model`" not in error.hint
