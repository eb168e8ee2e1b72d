"""Lists that the model writes once: values of attributes and templates, kept in the run directory to be edited."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path

from selfinstruct.backends.model_pool import ModelPool
from selfinstruct.errors import EndpointError
from selfinstruct.files import write_whole
from selfinstruct.growth.prompt_inputs import PromptInputs, expansion_templates, list_entries
from selfinstruct.journal import Journal
from selfinstruct.preparation.prepare import Prepared
from selfinstruct.prompts.prompt import step_messages
from selfinstruct.recipe import Attribute, Expand, Recipe
from selfinstruct.recipe.namings import known_names
from selfinstruct.recipe.placeholders import names_in
from selfinstruct.records import Batch, Failure, Message, Request
from selfinstruct.replies import strip_reasoning

#: The folder of the lists in a run directory.
FOLDER = "lists"
_TRIES = 3
# What models put before the lines of a list: numbers, bullets, quotes.
_BULLET = re.compile(r"^\s*(?:[-*\u2022\u00b7]\s+|\(?\d{1,3}\s*[.):\uff0e\u3001\uff09]\s*)?")
_QUOTED = re.compile(r"^([\"'\u201c\u300c])(.*)([\"'\u201d\u300d])$")


async def write_lists(prepared: Prepared, journal: Journal, authors: ModelPool, where: Path, seed: int) -> None:
    """Have the model write the lists that the recipe has a prompt for and the run has not got; read the others.

    Each is a call of its own, journaled like any other. Raises EndpointError where no list can be read from the
    replies, and InputError where a list in the run directory cannot be used.
    """
    for name, owner in _wanted(prepared.recipe):
        file = where / FOLDER / f"{name}.txt"
        if not file.exists():
            known = {*known_names(prepared.recipe), *prepared.recipe.fields}
            said = await _written(owner, name, known, journal, authors, seed)
            file.parent.mkdir(exist_ok=True)
            write_whole(file, "".join(f"{line}\n" for line in said).encode())
    read_lists(prepared.inputs, prepared.recipe, where)


def read_lists(materials: PromptInputs, recipe: Recipe, where: Path) -> PromptInputs:
    """``materials`` with the lists that are in the run directory. Raises InputError for one that cannot be used."""
    for name, owner in _wanted(recipe):
        file = where / FOLDER / f"{name}.txt"
        if not file.exists():
            continue
        found = list_entries(file.read_text(encoding="utf-8-sig"), str(file))
        if isinstance(owner, Expand):
            materials.templates[name] = expansion_templates(found, owner)
        else:
            materials.lists[name] = found
    return materials


def list_messages(owner: Attribute | Expand) -> tuple[Message, ...]:
    """The prompt for a list."""
    return step_messages("", owner.prompt, {"size": owner.size}, None)


def read_list(text: str) -> list[str]:
    """The entries of a list that a model wrote, one a line, without numbers, bullets and quotes; each once."""
    found: dict[str, None] = {}
    for line in strip_reasoning(text).splitlines():
        entry = _BULLET.sub("", line, count=1).strip().rstrip(",").strip()
        quoted = _QUOTED.match(entry)
        entry = quoted[2].strip() if quoted else entry
        # Headings, fences and the words around a list are no entries of it.
        if entry and not entry.startswith(("```", "#")) and entry not in "[]{}" and not entry.endswith((":", "\uff1a")):
            found[entry] = None
    return list(found)


def _wanted(recipe: Recipe) -> Iterator[tuple[str, Attribute | Expand]]:
    """What the model is to write, by name."""
    for name, attribute in recipe.attributes.items():
        if attribute.prompt:
            yield name, attribute
    for expand in recipe.expand:
        if expand.prompt:
            yield expand.name, expand


async def _written(
    owner: Attribute | Expand,
    name: str,
    known: Collection[str],
    journal: Journal,
    authors: ModelPool,
    seed: int,
) -> list[str]:
    """What the model writes, or what it wrote before the run was interrupted."""
    step = f"{FOLDER}/{name}"
    for recorded in journal.history.replies():
        if recorded.step == step and (said := _usable(recorded.reply.text, owner, known)):
            return said
    problem = ""
    for _ in range(_TRIES):
        batch = Batch(journal.history.state().last_batch + 1, "", 0, 0, ())
        journal.add_batch(batch)
        outcome = await authors.complete(Request(batch, step, list_messages(owner), (), seed))
        if isinstance(outcome, Failure):
            journal.add_failure(batch.number, step, outcome)
            journal.commit()
            problem = outcome.message
            if outcome.end is not None:
                raise outcome.end
            continue
        call = journal.add_reply(batch.number, step, outcome)
        journal.commit()
        said = _usable(outcome.text, owner, known)
        if said:
            journal.judge(call, [])
            journal.commit()
            return said
        problem = f"no list can be read from the reply; it begins {outcome.text.strip()[:200]!r}"
        journal.fail(call, "malformed", problem)
        journal.commit()
    raise EndpointError(
        f"the list {name}: {problem}",
        hint=f"Write it yourself, one entry a line, as {FOLDER}/{name}.txt in the run directory, or run again.",
    )


def _usable(text: str, owner: Attribute | Expand, known: Collection[str]) -> list[str]:
    """The entries of a reply; of templates, those that name a place, and none that is nowhere."""
    said = read_list(text)
    if isinstance(owner, Expand):
        named = {line: [name.partition(".")[0] for name in names_in(line)] for line in said}
        said = [line for line, names in named.items() if names and all(name in known for name in names)]
    return said[: owner.size]
