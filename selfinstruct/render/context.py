"""What an assistant has to know to use the command line at once: ``selfinstruct context``, as Markdown and as JSON.

Everything that the code knows (commands, options, recipe keys, reasons) is taken from it. The rest is stated here: what
the tool is for, when to use a command, which options matter, and three worked examples.

Does not handle: reading the commands, which only ``cli`` may import.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from selfinstruct._version import __version__
from selfinstruct.analysis.gate.reasons import REASONS as FINDINGS
from selfinstruct.checks import REASONS
from selfinstruct.recipe.table_names import named_tables
from selfinstruct.render.summary import MEANINGS


class CommandHelp(NamedTuple):
    """A command as its help says: name, usage, what it does, and the value and the help of each option."""

    name: str
    usage: str
    does: str
    options: Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Command:
    """One command.

    ``name`` and ``usage`` are what to type, ``does`` says what it does, ``when`` in which case. ``options`` has the
    important ones with their help.
    """

    name: str
    usage: str
    does: str
    when: str
    options: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RecipeTable:
    """One table of a recipe: its ``heading``, what it is ``about``, and its ``keys``."""

    heading: str
    about: str
    keys: Sequence[str]


@dataclass(frozen=True, slots=True)
class Example:
    """A task, what it is ``about``, and the ``lines`` to type."""

    about: str
    lines: Sequence[str]


@dataclass(frozen=True, slots=True)
class Context:
    """What an assistant has to know to use this tool.

    ``version`` is that of the program. ``about`` has sentences about the tool as a whole. ``examples`` are worked
    command lines, ``commands`` all commands. ``exit_codes`` has the meaning of each code, ``files`` what is in a run
    directory, ``recipe`` the tables of a recipe. ``rejections`` has the reasons why candidates are rejected and
    rows reported, ``findings`` those of ``check`` alone. ``schemas`` are the names for ``selfinstruct schema NAME``.
    """

    version: str
    about: Sequence[str]
    examples: Sequence[Example]
    commands: Sequence[Command]
    exit_codes: Mapping[str, str]
    files: Mapping[str, str]
    recipe: Sequence[RecipeTable]
    rejections: Mapping[str, str]
    findings: Mapping[str, str]
    schemas: Sequence[str]


_ABOUT = (
    "selfinstruct grows a few seed rows (JSON Lines, JSON, CSV, Parquet; any field names) into a large, balanced data "
    "set, and checks row files. Rules, categories and thresholds are inferred from the seeds, or written in a recipe.",
    "Without a model, the embedded imitator varies the values of the seeds: offline, free, deterministic. With --model "
    "or --base-url, any OpenAI-compatible endpoint writes the rows; its key is in OPENAI_API_KEY, never in a recipe.",
    "Candidates that fail a check are kept with the reason: rejections are normal, too few rows are not (exit code 4).",
    "No command asks questions. Data and JSON go to stdout, all else to stderr; - reads stdin.",
)
_EXAMPLES = (
    Example(
        "Grow seeds, look at the result, export it for training",
        (
            "selfinstruct run seeds.jsonl --rows 500 --out outputs/mine --json > summary.json",
            "selfinstruct export outputs/mine --format messages --split 0.9,0.1 --out data/",
        ),
    ),
    Example(
        "Gate a seed file in CI: commit recipe.toml and baseline.json, then repeat the last line",
        (
            "selfinstruct init seeds.jsonl --out recipe.toml",
            "selfinstruct check seeds.jsonl --recipe recipe.toml --baseline baseline.json --update-baseline",
            "selfinstruct check seeds.jsonl --recipe recipe.toml --baseline baseline.json --format json",
        ),
    ),
    Example(
        "Why were rows rejected? Counts by reason; one candidate (x1 is the first); what another recipe would change",
        (
            "selfinstruct report outputs/mine --json",
            "selfinstruct show outputs/mine x1",
            "selfinstruct rejudge outputs/mine --recipe edited.toml --json",
        ),
    ),
)
#: When to use a command, where its short help does not say so, and its most important options.
_COMMANDS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "run": (
        "The same command resumes a run, and grows it with more --rows. If a model costs money, --dry-run first.",
        ("--rows", "--per-category", "--out", "--passages", "--model", "--base-url", "--budget", "--dry-run", "--json"),
    ),
    "init": ("To edit the rules, or to commit them for check.", ("--out",)),
    "recipes": ("They cover documents, steps, judges: recipes show NAME, then init --recipe NAME.", ()),
    "probe": ("", ("--model", "--base-url", "--questions", "--json")),
    "check": ("", ("--recipe", "--against", "--baseline", "--update-baseline", "--waivers", "--format")),
    "dedup": ("", ("--max-rouge-l", "--fields", "--out", "--dropped", "--json")),
    "show": ("12 is a row, s3 a seed, x17 a rejected candidate.", ()),
    "verify": ("", ("--json",)),
    "report": ("Also of a run that was killed.", ("--json",)),
    "evaluate": ("", ("--holdout", "--json")),
    "export": ("", ("--format", "--out", "--split", "--best", "--columns", "--with-seeds")),
    "recover": ("", ("--out",)),
    "rejudge": ("To try a changed recipe.", ("--recipe", "--out", "--json")),
    "context": ("", ("--json",)),
}
#: Options that their name does not explain.
_EXPLAINED = ("--passages", "--against", "--baseline", "--update-baseline", "--waivers", "--best")
_FILES = {
    "rows.jsonl": "the accepted rows, without the seeds",
    "summary.json": "accepted, rejected and failed by reason, categories, cost, stopped",
    "report.html": "the report for people",
    "README.md": "the data-set card",
    "croissant.json": "the same for programs",
    "recipe.toml": "the recipe as it was run",
    "holdout.jsonl": "seeds that were held out",
    "run.sqlite": "the journal, from which all others are derived",
}


def context(commands: Iterable[CommandHelp], exit_codes: Mapping[int, str], schemas: Iterable[str]) -> Context:
    """Return what an assistant has to know.

    ``schemas`` are the names of formats. Raises KeyError if an important option is none of its command.
    """
    return Context(
        version=__version__,
        about=_ABOUT,
        examples=_EXAMPLES,
        commands=[_command(each) for each in commands],
        exit_codes={str(code): meaning for code, meaning in exit_codes.items()},
        files=_FILES,
        recipe=list(_recipe_tables()),
        rejections={reason: str(MEANINGS[reason]) for reason in REASONS},
        findings={reason: str(meaning) for reason, (_, meaning) in FINDINGS.items() if reason not in REASONS},
        schemas=list(schemas),
    )


def _command(given: CommandHelp) -> Command:
    when, important = _COMMANDS.get(given.name, ("", ()))
    chosen = {" ".join(filter(None, (each, given.options[each][0]))): given.options[each][1] for each in important}
    return Command(given.name, given.usage, given.does, when, chosen)


def _recipe_tables() -> Iterator[RecipeTable]:
    for heading, model in named_tables():
        doc = " ".join((inspect.getdoc(model) or "").split("\n\n")[0].replace("``", "`").split())
        about = re.split(r"[.;] |\.$", re.sub(r"^`[^`]+`: ", "", doc))[0]
        if not heading.startswith("[[rules]]."):  # as in [fields.NAME]
            yield RecipeTable(heading, about, list(model.model_fields))


def context_json(known: Context) -> dict[str, Any]:
    """Return the object that ``context --json`` prints."""
    return asdict(known)


def context_markdown(known: Context) -> str:
    """Return the most important part of it as one page of Markdown, of about 2,000 tokens."""
    parts = [f"# selfinstruct {known.version}", *known.about]
    parts += [f"## {each.about}\n" + "\n".join(f"    {line}" for line in each.lines) for each in known.examples]
    parts.append("## Commands (COMMAND --help has all options)\n" + "\n".join(map(_command_line, known.commands)))
    parts.append("## Exit codes\n" + _listed(known.exit_codes))
    parts.append("## Files of a run directory\n" + _listed(known.files))
    parts.append("## Recipe tables and keys (TOML)\n" + "\n".join(_recipe_lines(known.recipe)))
    parts.append("## Reasons of rejections and findings\n" + _listed(known.rejections))
    parts.append("Of check alone:\n" + _listed(known.findings))
    parts.append(f"JSON Schemas, selfinstruct schema NAME: {', '.join(known.schemas)}.")
    return "\n\n".join(parts) + "\n"


def _command_line(command: Command) -> str:
    """A command with its important options, those that need it with their help."""
    lines = [" ".join(filter(None, (f"- {command.usage}: {command.does}", command.when)))]
    explained = {name: help for name, help in command.options.items() if name.split()[0] in _EXPLAINED}
    if named := [name for name in command.options if name not in explained]:
        lines.append(f"  {', '.join(named)}")
    lines += [f"  {name}: {meaning}" for name, meaning in explained.items()]
    return "\n".join(lines)


def _recipe_lines(tables: Sequence[RecipeTable]) -> Iterator[str]:
    """A line for each table; those at the top level have their own, and the constraints of fields are listed once."""
    known: set[str] = set()
    headed = {re.sub(r"[\[\]]|\.NAME", "", table.heading) for table in tables} | {"model"}
    for table in tables:
        keys = [key for key in table.keys if key not in (headed if not table.heading else known)]
        if table.heading == "[[rules]]":
            keys.append("the constraints of a field")
        elif table.heading:
            keys = list(table.keys)
        if table.heading == "[fields.NAME]":
            known.update(keys)
        # The table around a nested one says what that is about.
        about = "" if "." in table.heading.replace(".NAME", "") else " " + re.split(", | \\(|: ", table.about)[0]
        yield f"{table.heading or 'top level'}{about}: {', '.join(keys)}"


def _listed(meanings: Mapping[str, str]) -> str:
    return "\n".join(f"{name}: {meaning}" for name, meaning in meanings.items())
