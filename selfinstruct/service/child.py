"""The process of one task: it gets its task on standard input and answers in lines of JSON.

    {"task": "preview", "language": "en", "memory_bytes": 8589934592, "names": {...}, "folder": "...",
     "spec": {...}}
    -> {"snapshot": {...}} ... then {"result": {...}} or {"error": {...}}

Its environment has no secrets but the key of the endpoint that a run calls. When its standard input ends, it interrupts
itself as Ctrl-C does: a service that is killed leaves nothing behind that writes for ever.

Does not handle: several tasks; what a task does, which is a module of its own, named here.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import threading
from collections.abc import Awaitable, Callable, Mapping
from importlib import import_module
from typing import Any, TypeAlias

from selfinstruct.errors import SelfInstructError
from selfinstruct.messages import LANGUAGES, Phrase, speaking, translated
from selfinstruct.platform_support import interrupt_main_thread, limit_memory

#: Sends one message to the service.
Say: TypeAlias = Callable[[Mapping[str, Any]], None]
#: The tasks by name: "module:function"; a function gets the spec and ``Say``, and returns the result.
TASKS: Mapping[str, str] = {
    "preview": "selfinstruct.service.previewing:preview",
    "run": "selfinstruct.service.growing:grow",
    **{
        name: f"selfinstruct.service.tasks:{name}"
        for name in ("check", "compare", "dedup", "evaluate", "export", "rejudge", "report", "settle")
    },
}
#: Seconds for an orderly end after an interruption; then the process exits, and loses derived files alone.
_PATIENCE = 5.5


def main() -> None:
    """Do the task that standard input names."""
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what anything prints is no message
    sending = threading.Lock()

    def say(message: Mapping[str, Any]) -> None:
        """Send a message; the service may have gone."""
        line = json.dumps(message).encode() + b"\n"
        with sending, contextlib.suppress(BrokenPipeError):
            out.write(line)

    import_module("selfinstruct.service.previewing")  # takes a second, which a spare child waits for in advance
    line = sys.stdin.buffer.readline()
    if not line.endswith(b"\n"):
        return
    order = json.loads(line)
    os.chdir(order["folder"])
    limit_memory(order["memory_bytes"])
    threading.Thread(target=_watch_stdin, daemon=True).start()
    names: Mapping[str, str] = order["names"]
    try:
        with speaking(order["language"]):
            say({"result": _do(order["task"], order["spec"], say)})
    except SelfInstructError as error:
        say({"error": error_message(error, names)})
    except KeyboardInterrupt:
        say({"interrupted": True})
    except Exception as error:  # noqa: BLE001 - the service reports it; its text may contain rows
        from selfinstruct.service.logs import frames

        say({"internal": {"kind": type(error).__name__, "frames": frames(error)}})


def _do(task: str, spec: Mapping[str, Any], say: Say) -> Any:
    module, _, function = TASKS[task].partition(":")
    result = getattr(import_module(module), function)(spec, say)
    if isinstance(result, Awaitable):
        return asyncio.run(_wait(result))
    return result


async def _wait(result: Awaitable[Any]) -> Any:
    return await result


def _watch_stdin() -> None:
    """Interrupt this process when the service closes its standard input, or has gone."""
    while os.read(sys.stdin.fileno(), 1 << 12):
        pass
    timer = threading.Timer(_PATIENCE, os._exit, [130])
    timer.daemon = True
    timer.start()
    interrupt_main_thread()


def error_message(error: SelfInstructError, names: Mapping[str, str]) -> dict[str, Any]:
    """An error for the service: its kind, its message and its hint in every language, and where it is."""
    where = getattr(error, "where", None)
    return {
        "kind": next(each.__name__ for each in type(error).__mro__ if each.__module__ == "selfinstruct.errors"),
        "message": in_all_languages(error.message, names),
        "hint": in_all_languages(error.hint, names),
        "where": None if where is None else _renamed(str(where), names),
        "faults": [_fault(each, names) for each in getattr(error, "problems", ())],
    }


def _fault(fault: tuple[int | None, Phrase, Phrase], names: Mapping[str, str]) -> dict[str, Any]:
    line, message, hint = fault
    return {"line": line, "message": in_all_languages(message, names), "hint": in_all_languages(hint, names)}


def in_all_languages(text: str, names: Mapping[str, str]) -> dict[str, str]:
    """A message in every language; paths of the service are replaced by the ``names`` that its users know."""
    said = {}
    for language in LANGUAGES:
        with speaking(language):
            said[language] = _renamed(translated(text), names)
    return said


def _renamed(text: str, names: Mapping[str, str]) -> str:
    for path, name in names.items():
        text = text.replace(path, name)
    return text


if __name__ == "__main__":
    main()
