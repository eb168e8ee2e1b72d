"""The command that starts a model server: words of an argument list, never given to a shell."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from selfinstruct.errors import InputError

#: Replaced by the port that the server is to listen on; other braces stay, such as those of JSON.
PORT = "{port}"


def parse_command(given: str | Sequence[str]) -> tuple[str, ...]:
    """The words of a command, split as a shell does where they are one string; nothing in it is expanded.

    Raises InputError for an empty command, quotes that are not closed, and one without ``{port}``.

    >>> parse_command("llama-server -m 'my model.gguf' --port {port}")
    ('llama-server', '-m', 'my model.gguf', '--port', '{port}')
    """
    try:
        words = tuple(shlex.split(given)) if isinstance(given, str) else tuple(given)
    except ValueError as exc:
        raise InputError(
            "`serve`: a quotation mark is not closed", hint="Quote the command as a shell would need it."
        ) from exc
    if not words:
        raise InputError("`serve`: the command is empty", hint="Name the program of a model server and its options.")
    if not any(PORT in word for word in words):
        raise InputError(
            "`serve`: the command does not say which port to listen on",
            hint="Write {port} where {program} takes the number of its port.",
            port=PORT,
            program=words[0],
        )
    return words


def with_port(command: Sequence[str], port: int) -> list[str]:
    """The command for this port.

    >>> with_port(["serve", "--port={port}", '{"a": 1}'], 8080)
    ['serve', '--port=8080', '{"a": 1}']
    """
    return [word.replace(PORT, str(port)) for word in command]
