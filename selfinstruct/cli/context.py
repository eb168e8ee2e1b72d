"""``selfinstruct context``: what this tool is and how to use it, for an assistant to read in one go."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from selfinstruct.cli.console import print_data
from selfinstruct.cli.export import Format
from selfinstruct.messages import speaking

if TYPE_CHECKING:
    from selfinstruct.render.context import CommandHelp


def context(
    page: typer.Context,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of Markdown.")] = False,
) -> int:
    """Print what this tool is and how to use it, for an assistant: about 2,000 tokens, always in English.

    Commands with their important options, worked examples, exit codes, the files of a run, recipe keys, and reasons.
    """
    from json import dumps

    from selfinstruct import api
    from selfinstruct.cli import application
    from selfinstruct.cli.exit_codes import EXIT_CODES
    from selfinstruct.render.context import context as context_of
    from selfinstruct.render.context import context_json, context_markdown

    with speaking("en"):
        group = typer.main.get_command(application())
        known = context_of(_commands(group, page.parent), EXIT_CODES, api.schema_names())
        if json:
            print_data(dumps(context_json(known), ensure_ascii=False) + "\n")
        else:
            print_data(context_markdown(known))
    return 0


def _commands(group: Any, top: Any) -> Iterator[CommandHelp]:
    from selfinstruct.render.context import CommandHelp

    for name, command in group.commands.items():
        shown = command.make_context(name, [], top, resilient_parsing=True)
        pieces = [each for each in command.collect_usage_pieces(shown) if each != "[OPTIONS]"]
        arguments = [re.sub(r"\{(.*)\}.*", r"\1", each) for each in pieces]  # {RUN} is required, [RUN] is not
        options = {}
        for each in command.params:
            if each.param_type_name == "option":
                spelled, meaning = each.get_help_record(shown)
                option, _, value = spelled[spelled.index("--") :].partition(" ")
                # The help of export lists its formats above the options.
                value = "|".join(Format) if value == "FORMAT" else value.strip("[]<>")
                options[option] = (value, " ".join(meaning.split()))
        yield CommandHelp(name, " ".join([name, *arguments]), command.get_short_help_str(200), options)
