"""The command line: arguments -> ``api`` -> ``render``, and the exit code that each ending has.

    0 done · 1 a gate failed · 2 usage, recipe or input · 3 endpoint or disk · 4 stopped short, everything kept
    70 a fault of this program (EX_SOFTWARE of sysexits.h) · 130 interrupted · 141 whoever read us has gone

Data and JSON go to stdout, all else to stderr. Only ``typer`` is imported on the way to ``--help``: a command
imports what it needs when it is called.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from typing import Annotated, cast

import typer

from selfinstruct.cli.check import check
from selfinstruct.cli.console import print_error
from selfinstruct.cli.dedup import dedup
from selfinstruct.cli.export import export
from selfinstruct.cli.init import init
from selfinstruct.cli.interrupts import INTERRUPTED, handle_sigterm
from selfinstruct.cli.recipes import recipes
from selfinstruct.cli.recover import recover
from selfinstruct.cli.rejudge import rejudge
from selfinstruct.cli.report import report
from selfinstruct.cli.run import run
from selfinstruct.cli.show import show
from selfinstruct.errors import SelfInstructError, StorageError

__all__ = ["main"]

_HELP = "Grow a handful of seed rows into a large, balanced, verified data set."
FAULT, BROKEN_PIPE = 70, 141
#: What typer raises for a command line that it cannot read; it has no name of its own there.
_UsageError = cast("type[Exception]", typer.BadParameter.__mro__[1])


def application() -> typer.Typer:
    """The commands, in the order of their help."""
    app = typer.Typer(
        name="selfinstruct",
        epilog="selfinstruct COMMAND --help says more of a command.",
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    app.callback(help=_HELP)(_options)
    app.command("run", short_help="Grow seeds to a quota in every category.")(run)
    app.command("init", short_help="Write the recipe that seeds suggest.")(init)
    app.add_typer(recipes(), name="recipes", short_help="List the built-in recipes.")
    app.command("check", short_help="Check the rows of a file, as a gate.")(check)
    app.command("dedup", short_help="Drop the near-duplicates of a file.")(dedup)
    app.command("show", short_help="Show where a row came from, or why one was rejected.")(show)
    app.command("report", short_help="Write the files of a run anew from its journal.")(report)
    app.command("export", short_help="Write the rows of a run for others to read.")(export)
    app.command("recover", short_help="Save what can be read of a damaged journal.")(recover)
    app.command("rejudge", short_help="Judge a run's recorded replies again.")(rejudge)
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line (by default the process's own) and give its exit code; never raises."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # Rows may hold what the terminal's encoding, or any encoding, cannot.
            stream.reconfigure(errors="backslashreplace")
    try:
        with handle_sigterm():
            code = _call(list(sys.argv[1:] if arguments is None else arguments))
            sys.stdout.flush()
    except SelfInstructError as error:
        print_error(*error.spelled(_option_names()))
        return error.exit_code
    except KeyboardInterrupt:
        print_error("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        _abandon_stdout()
        return BROKEN_PIPE
    except Exception as error:  # noqa: BLE001 - the last one to hear of a fault tells it, with all that helps to mend it
        return _fault(error)
    return code


def _option_names() -> dict[str, str]:
    """The option of each parameter that a command has, for errors, which name parameters: rows -> --rows."""
    names: dict[str, str] = {}
    waiting = [typer.main.get_command(application())]
    while waiting:
        command = waiting.pop()
        waiting += getattr(command, "commands", {}).values()
        for parameter in command.params:
            if option := next((each for each in parameter.opts if each.startswith("--")), None):
                names[str(parameter.name)] = option
    return names


def _abandon_stdout() -> None:
    """Let what is left for stdout go: Python flushes it once more at its end, and that must not fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fault(error: Exception) -> int:
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        _abandon_stdout()
        print_error(f"cannot write: {error.strerror}", "Make room on the disk, then run the same command again.")
        return StorageError.exit_code
    import traceback

    traceback.print_exception(error)
    print_error(
        f"a fault of the program itself: {type(error).__name__}: {error}",
        "Please report it with the lines above and the command. What a run has grown is kept.",
    )
    return FAULT


def _call(arguments: list[str]) -> int:
    command = typer.main.get_command(application())
    try:
        with command.make_context("selfinstruct", arguments) as context:
            code = command.invoke(context)
    except typer.Exit as ending:
        return int(ending.exit_code)
    except _UsageError as error:
        return _usage(error)
    return code if isinstance(code, int) else 0


def _usage(error: BaseException) -> int:
    """Tell what is wrong with the command line; where nothing was given, the help is what to tell."""
    context = getattr(error, "ctx", None)
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    if context is not None and message == context.get_help():
        print(message, file=sys.stderr)
    else:
        print_error(message, f"{context.command_path} --help lists what it takes." if context is not None else "")
    return 2


def _show_version(asked: bool) -> None:
    if asked:
        from selfinstruct._version import __version__

        print(f"selfinstruct {__version__}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    """The options that stand before a command; its help is the application's."""
