"""Which fields of a row the user and the assistant of a chat say: by the recipe, by their names, or by the rows.

    content, summary                -> the user says content, the assistant summary
    instruction, input, output      -> the user says instruction and input
    Question, RawLog, Answer        -> the user says RawLog and Question

Does not handle: rows that are chats already (``messages``, turns in a text).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from selfinstruct.errors import InputError
from selfinstruct.mining.questions import asking_paths
from selfinstruct.recipe import Recipe, Roles
from selfinstruct.records import Row
from selfinstruct.rows.leaves import Path

_CONTEXTS = ("context", "rawlog", "passage", "原文", "上下文")
_TASK_CONTEXTS = ("context", "上下文")
#: Names of the user's text, the text that it is about, its input, and the assistant's text; the first line that has
#: a user's and an assistant's text counts.
_NAMES = (
    (("instruction", "指令"), (), ("input", "输入", "輸入", *_TASK_CONTEXTS), ("output", "response", "输出", "輸出")),
    (("prompt", "提示"), (), (), ("completion", "response")),
    (("question", "query", "问题", "問題"), _CONTEXTS, (), ("answer", "response", "答案", "回答")),
    (("question", "问题", "問題"), (), (), ("summary", "概要", "摘要")),
    (("content", "内容", "內容"), (), (), ("summary", "概要", "摘要")),
)
_SYSTEMS = ("system", "系统")
_CHATS = {"messages", "conversations"}


def chat_roles(recipe: Recipe, rows: Sequence[Row] = ()) -> Roles | None:
    """Return the roles of the fields of a recipe, of which ``rows`` are examples; None where they are not clear."""
    if recipe.roles is not None:
        return recipe.roles
    if _CHATS & recipe.fields.keys():
        return None
    return roles_by_name(tuple(recipe.fields)) or _by_rules(recipe, rows)


@lru_cache(maxsize=256)
def roles_by_name(fields: tuple[str, ...]) -> Roles | None:
    """Return the roles of fields with well-known names, in any letter case; None for other fields."""
    named = {name.lower(): name for name in reversed(fields)}

    def first(names: Sequence[str]) -> str:
        return next((named[name] for name in names if name in named), "")

    for users, contexts, inputs, assistants in _NAMES:
        user, assistant = first(users), first(assistants)
        if user and assistant:
            named_roles = {"context": first(contexts), "input": first(inputs), "system": first(_SYSTEMS)}
            return Roles(user=user, assistant=assistant, **named_roles)
    return None


def roles_of_columns(columns: Mapping[str, str], fields: Sequence[str]) -> Roles:
    """Return the roles that ``columns`` names: role -> field. Raises InputError for unknown ones."""
    known = list(Roles.model_fields)
    for role, name in columns.items():
        if role not in known:
            raise InputError(
                "`columns`: unknown role {role!r}", hint="The roles are {known}.", role=role, known=", ".join(known)
            )
        if name not in fields:
            raise InputError(
                "`columns`: no field {name!r}", hint="The fields are {fields}.", name=name, fields=", ".join(fields)
            )
    if missing := [role for role in ("user", "assistant") if role not in columns]:
        raise InputError(
            "`columns`: no field for {missing}", hint="Name the fields of user and assistant.", missing=missing[0]
        )
    return Roles(**columns)


def _by_rules(recipe: Recipe, rows: Sequence[Row]) -> Roles | None:
    """The roles by the rules of the fields: an answer is marked, or taken from a context; a question asks."""
    texts = [
        name
        for name, field in recipe.fields.items()
        if field.type == "string"
        and not field.unique
        and not field.one_of
        # A drawn word of a story is no answer, and no question.
        and (field.source or name).partition(".")[0] not in recipe.attributes
    ]
    grounded = [name for name in texts if recipe.fields[name].appears_in in texts]
    answers = [name for name in texts if recipe.fields[name].answer] or grounded
    context = recipe.fields[answers[0]].appears_in or "" if answers else ""
    others = [name for name in texts if name not in answers[:1] and name != context]
    asking = _asking(others, rows)
    if answers and (asking or others):
        return Roles(user=(asking or others)[0], assistant=answers[0], context=context)
    if len(texts) == 2 == len(recipe.fields) and len(asking) == 1:
        return Roles(user=asking[0], assistant=next(name for name in texts if name != asking[0]))
    return None


def _asking(names: Sequence[str], rows: Sequence[Row]) -> list[str]:
    """The fields of ``names`` that ask a question in nearly all rows."""
    texts: list[dict[Path, str]] = [
        {(name,): row[name] for name in names if isinstance(row.get(name), str)} for row in rows
    ]
    asking = asking_paths(texts)
    return [name for name in names if (name,) in asking]
