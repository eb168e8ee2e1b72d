"""The command line: arguments -> ``api`` -> ``render``, and exit codes.

    0 done · 1 a gate failed · 2 usage, recipe or input · 3 endpoint or disk · 4 stopped short of the quota, rows kept
    70 internal error (EX_SOFTWARE of sysexits.h) · 130 interrupted · 141 broken pipe

Data and JSON go to stdout, everything else to stderr. ``--help`` imports only ``typer``: each command imports what it
needs when it is called. Does not handle: any decision about rows, which is the library's (``api``).
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
from selfinstruct.cli.context import context
from selfinstruct.cli.dedup import dedup
from selfinstruct.cli.evaluate import evaluate
from selfinstruct.cli.export import export
from selfinstruct.cli.help import as_message, commands_of, speak
from selfinstruct.cli.init import init
from selfinstruct.cli.interrupts import INTERRUPTED, handle_sigterm
from selfinstruct.cli.mcp import mcp
from selfinstruct.cli.memory import leave_objects
from selfinstruct.cli.probe import probe
from selfinstruct.cli.recipes import recipes
from selfinstruct.cli.recover import recover
from selfinstruct.cli.rejudge import rejudge
from selfinstruct.cli.report import report
from selfinstruct.cli.run import run
from selfinstruct.cli.schema import schema
from selfinstruct.cli.serve import serve
from selfinstruct.cli.show import show
from selfinstruct.cli.streams import abandon, open_closed_streams
from selfinstruct.cli.verify import verify
from selfinstruct.errors import SelfInstructError, StorageError
from selfinstruct.messages import _, language_of, speaking, translated

__all__ = ["main"]

INTERNAL_ERROR, BROKEN_PIPE = 70, 141
#: What typer raises for an invalid command line; typer does not export it.
_UsageError = cast("type[Exception]", typer.BadParameter.__mro__[1])


def application() -> typer.Typer:
    """The commands, in the order of their help."""
    app = typer.Typer(
        name="selfinstruct",
        epilog="Run selfinstruct COMMAND --help for help on a command.",
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    app.callback(help="Grow a handful of seed rows into a large, balanced, verified data set.")(_options)
    app.command("run", short_help=_("Grow seed rows to a quota in every category."))(run)
    app.command("init", short_help=_("Infer a recipe from seed rows."))(init)
    app.add_typer(recipes(), name="recipes", short_help=_("List the built-in recipes."))
    app.command("probe", short_help=_("Ask a model what it knows already."))(probe)
    app.command("check", short_help=_("Check the rows of a file; exit 1 on errors."))(check)
    app.command("dedup", short_help=_("Remove near-duplicates from a file."))(dedup)
    app.command("show", short_help=_("Show where a row came from, or why it was rejected."))(show)
    app.command("verify", short_help=_("Audit a run by other means; exit 1 if a claim is false."))(verify)
    app.command("report", short_help=_("Rewrite the files of a run from its journal."))(report)
    app.command("evaluate", short_help=_("Measure whether training on the rows helps."))(evaluate)
    app.command("export", short_help=_("Write the rows of a run in another format."))(export)
    app.command("recover", short_help=_("Recover a run from a damaged journal."))(recover)
    app.command("rejudge", short_help=_("Check the recorded replies of a run again."))(rejudge)
    app.command("schema", short_help=_("Print the JSON Schema of a format."))(schema)
    app.command("serve", short_help=_("Serve a page to grow, review and download data sets."))(serve)
    app.command("mcp", short_help=_("Offer the service to an assistant, by MCP."))(mcp)
    app.command("context", short_help=_("Describe this tool for an assistant."))(context)
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line, by default the arguments of this process, and return its exit code; never raises."""
    open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # Rows may contain characters that the terminal's encoding, or any encoding, lacks.
            stream.reconfigure(errors="backslashreplace")
    with speaking(language_of(os.environ)):
        code = _answer(list(sys.argv[1:] if arguments is None else arguments))
    if arguments is None:
        leave_objects()
    return code


def _answer(arguments: list[str]) -> int:
    try:
        return _attempt(arguments)
    except BrokenPipeError:
        abandon(sys.stdout, sys.stderr)
        return BROKEN_PIPE


def _attempt(arguments: list[str]) -> int:
    """Run a command and print its error, if it has one; raises BrokenPipeError where nobody reads it."""
    try:
        with handle_sigterm():
            code = _call(arguments)
            sys.stdout.flush()
    except SelfInstructError as error:
        print_error(*error.spelled(_option_names()))
        return error.exit_code
    except KeyboardInterrupt:
        print_error(_("interrupted"))
        return INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - nothing above this handles it; the traceback is printed
        return _internal_error(error)
    return code


def _option_names() -> dict[str, str]:
    """The option of each parameter that a command has, for errors, which name parameters: rows -> --rows."""
    names: dict[str, str] = {}
    for command in commands_of(typer.main.get_command(application())):
        for parameter in command.params:
            if option := next((each for each in parameter.opts if each.startswith("--")), None):
                names[str(parameter.name)] = option
    return names


def _internal_error(error: Exception) -> int:
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        abandon(sys.stdout)
        print_error(
            _("cannot write: {problem}", problem=error.strerror),
            _("Free some disk space, then run the same command again."),
        )
        return StorageError.exit_code
    import traceback

    traceback.print_exception(error)
    print_error(
        _("internal error: {kind}: {problem}", kind=type(error).__name__, problem=error),
        _("This is a bug. Please report it with the lines above and the command. The rows of the run are kept."),
    )
    return INTERNAL_ERROR


def _call(arguments: list[str]) -> int:
    command = typer.main.get_command(application())
    speak(command)
    try:
        with command.make_context("selfinstruct", arguments) as context:
            code = command.invoke(context)
    except typer.Exit as ending:
        return int(ending.exit_code)
    except _UsageError as error:
        return _usage(error)
    return code if isinstance(code, int) else 0


def _usage(error: BaseException) -> int:
    """Print what is wrong with the command line; without any arguments, print the help."""
    context = getattr(error, "ctx", None)
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    if context is not None and message == context.get_help():
        print(message, file=sys.stderr)
    else:
        hint = _("Run {command} --help for usage.", command=context.command_path) if context is not None else ""
        print_error(translated(as_message(message)), hint)
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
    """Options before the command; the help of the application replaces this docstring."""
