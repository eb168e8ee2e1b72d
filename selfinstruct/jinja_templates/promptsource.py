"""The ``templates.yaml`` of promptsource (Bach et al. 2022, arXiv:2202.01279), in which the public pool is written.

    templates:
      02ff2949-...: !Template
        name: Movie Expressed Sentiment
        jinja: '{{text}} Is this review positive? ||| {{ answer_choices[label] }}'
        answer_choices: No ||| Yes          # in early files a list
        metadata: !TemplateMetadata {...}   # not used, apart from a task_type of one's own

The file is parsed to nodes only: no tag constructs an object, and no alias or merge key is copied.

Does not handle: promptsource's truncation of long values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from selfinstruct.errors import RowError

if TYPE_CHECKING:
    from yaml import Node

#: What divides the input of a template from its target, and answer choices from each other.
SEPARATOR = "|||"
_TEMPLATE = "!Template"
_HINT = "Use a templates.yaml of promptsource, with templates, each of them a !Template with name and jinja."


@dataclass(frozen=True, slots=True)
class PoolTemplate:
    """One ``!Template``; ``jinja`` begins in ``line`` of the file, counted from 1."""

    name: str
    line: int
    jinja: str
    answer_choices: str
    task_type: str


def parse(text: str, name: str) -> list[PoolTemplate]:
    """Parse the text of a file, which messages call ``name``; raises RowError if it is not in the format."""
    import yaml

    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"{name}:{mark.line + 1}" if mark is not None else name
        raise RowError(where, "not YAML: {problem}", problem=error.problem, hint=_HINT) from error
    except yaml.YAMLError as error:
        problem = " ".join(str(error).split())[:200]
        raise RowError(name, "not YAML: {problem}", problem=problem, hint=_HINT) from error
    except RecursionError:
        raise RowError(name, "nested too deeply", hint=_HINT) from None
    if root is None:
        raise RowError(name, "the file is empty", hint=_HINT)
    templates = _members(root).get("templates")
    if templates is None or not (found := list(_members(templates).values())):
        raise RowError(f"{name}:{root.start_mark.line + 1}", "no templates", hint=_HINT)
    return [_parse_template(each, name) for each in found]


def _parse_template(node: Node, name: str) -> PoolTemplate:
    members = _members(node)
    where = f"{name}:{node.start_mark.line + 1}"
    if node.tag != _TEMPLATE or not members:
        raise RowError(where, "expected !Template with its keys, got {tag}", tag=node.tag[:60], hint=_HINT)
    for key in ("name", "jinja"):
        if not _text(members.get(key)).strip():
            raise RowError(where, "the template has no {key}", key=key, hint="Give it a {key}.")
    jinja, choices = members["jinja"], members.get("answer_choices")
    return PoolTemplate(
        name=_text(members["name"]).strip(),
        line=jinja.start_mark.line + 1,
        jinja=_text(jinja),
        answer_choices=f" {SEPARATOR} ".join(_items(choices)) or _text(choices),
        task_type=_text(members.get("task_type") or _members(members.get("metadata")).get("task_type")),
    )


def _members(node: Node | None) -> dict[str, Node]:
    """The values of a mapping by their keys; none for other nodes."""
    from yaml import MappingNode

    return {_text(key): value for key, value in node.value} if isinstance(node, MappingNode) else {}


def _items(node: Node | None) -> list[str]:
    """The texts of a sequence; none for other nodes."""
    from yaml import SequenceNode

    return [_text(item) for item in node.value] if isinstance(node, SequenceNode) else []


def _text(node: Node | None) -> str:
    """The text of a scalar; "" for null and for other nodes."""
    from yaml import ScalarNode

    return str(node.value) if isinstance(node, ScalarNode) and not node.tag.endswith(":null") else ""
