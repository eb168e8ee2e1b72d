"""``selfinstruct export``: write the rows of a run in a format that other tools read."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from selfinstruct.cli.columns import parse_columns
from selfinstruct.cli.console import console
from selfinstruct.cli.shares import parse_shares
from selfinstruct.messages import _, translated


class Format(StrEnum):
    """Output formats for rows."""

    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"
    MESSAGES = "messages"
    ALPACA = "alpaca"
    SHAREGPT = "sharegpt"
    CHATML = "chatml"
    LLAMA_FACTORY = "llama-factory"
    AXOLOTL = "axolotl"
    PROMPT_COMPLETION = "prompt-completion"
    CONVERSATIONAL = "conversational"
    TEXT = "text"
    PREFERENCE = "preference"
    SQUAD = "squad"
    SQUAD_FLAT = "squad-flat"
    TRIPLETS = "triplets"
    LABEL_STUDIO = "label-studio"


def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run directory.")],
    format: Annotated[Format, typer.Option(metavar="FORMAT", help="Output format, see above.")] = Format.JSONL,
    out: Annotated[
        str | None,
        typer.Option("--out", "-o", metavar="PATH", help="Output file, or folder with a final / [default: stdout]."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file or folder.")] = False,
    columns: Annotated[
        str | None,
        typer.Option(metavar="ROLE=FIELD,...", help="Fields of the format's roles [default: inferred], see above."),
    ] = None,
    with_seeds: Annotated[bool, typer.Option("--with-seeds", help="Include the seed rows, first.")] = False,
    best: Annotated[
        int | None, typer.Option(metavar="N", help="Keep N grown rows, those that together cover the most.")
    ] = None,
    mix: Annotated[
        str | None, typer.Option(metavar="FILE", help="Real rows to add, with the fields of the run.")
    ] = None,
    ratio: Annotated[
        float | None, typer.Option(metavar="X", help="Share of real rows; 0.5 is as many as grown [default: all].")
    ] = None,
    mark: Annotated[
        str | None, typer.Option(metavar="NAME", help="Add a field with the origin: synthetic, seed or real.")
    ] = None,
    split: Annotated[
        str | None, typer.Option(metavar="SHARES", help="Shares of train, validation and test, such as 0.8,0.1,0.1.")
    ] = None,
    split_by: Annotated[
        str, typer.Option(metavar="context|template|category|FIELD", help="What a split must keep on one side.")
    ] = "context",
    max_rouge_l: Annotated[
        float | None,
        typer.Option(metavar="X", help="ROUGE-L F1 of near-duplicates, for --split and --mix [default: the run's]."),
    ] = None,
    shuffle: Annotated[bool, typer.Option("--shuffle", help="Random order, with rows of one subject apart.")] = False,
    seed: Annotated[int, typer.Option(metavar="N", help="Random seed of --shuffle, --split and --mix.")] = 0,
    keep_formulas: Annotated[
        bool, typer.Option("--keep-formulas", help="CSV: write cells that look like formulas unchanged.")
    ] = False,
    bom: Annotated[bool, typer.Option("--bom", help="CSV: begin with a byte order mark, for spreadsheets.")] = False,
    push_to_hub: Annotated[
        str | None,
        typer.Option(metavar="OWNER/NAME", help="Upload to the Hugging Face Hub; its token is read from HF_TOKEN."),
    ] = None,
    public: Annotated[bool, typer.Option("--public", help="Make a new data set of --push-to-hub public.")] = False,
) -> int:
    """Write the accepted rows of a run, finished or in progress, with unchanged values.

    Formats of rows as they are: jsonl, csv, parquet. Of chats: messages, alpaca, sharegpt, chatml, llama-factory,
    axolotl, and TRL's prompt-completion and conversational. Others: text, preference, triplets (embeddings), squad,
    squad-flat, label-studio.

    In chats, the user and the assistant say the fields that --columns or [roles] in the recipe names, or that their
    names suggest: question and answer, content and summary; instruction, input and output. The roles of chats are user,
    assistant, context, input and system; of squad: user, context, assistant; of preference: prompt, chosen, rejected;
    of triplets: query, positive, negatives; of text: text.

    A split keeps near-duplicates, and rows about the same context, on one side.

    A folder has the data, a data-set card, the files that training tools read, and a manifest with checksums.

    In CSV, a cell that a spreadsheet would read as a formula gets a leading apostrophe, and a note says how many.
    """
    from selfinstruct import api
    from selfinstruct.errors import spell_options
    from selfinstruct.render.exported import split_text
    from selfinstruct.render.text import counted, printable

    to = sys.stdout.buffer if out is None and push_to_hub is None else out
    done = api.export(
        run,
        to,
        format=format.value,
        columns=parse_columns(columns),
        with_seeds=with_seeds,
        best=best,
        mix=mix,
        ratio=ratio,
        mark=mark,
        split=parse_shares(split),
        split_by=split_by,
        max_rouge_l=max_rouge_l,
        shuffle=shuffle,
        seed=seed,
        keep_formulas=keep_formulas,
        bom=bom,
        force=force,
        push_to_hub=push_to_hub,
        public=public,
    )
    sys.stdout.flush()
    screen = console()
    where = printable(out or done.url) or _("stdout")
    screen.print(_("wrote {rows} to {file}", rows=counted(done.rows, "row"), file=where), soft_wrap=True)
    if out and done.url:
        screen.print(_("pushed to {url}", url=printable(done.url)), soft_wrap=True)
    if len(done.files) > 1:
        screen.print(split_text({each.split or "": each.rows or 0 for each in done.files}), soft_wrap=True)
    if done.note:
        options = {"keep_formulas": "--keep-formulas", "format": "--format", "best": "--best"}
        screen.print(spell_options(translated(done.note), options), soft_wrap=True)
    return 0
