"""What models and servers put around a reply: control tokens at its ends, and reasoning in front of it; pure.

Markers are known by their form and name rather than by a list of models: ``<|im_end|>``, ``</s>``, ``[/INST]``,
``<｜end▁of▁sentence｜>``; ``<think>``, ``◁think▷``, ``<seed:think>``, ``<|START_THINKING|>``, ``[THINK]``, harmony's
channels. The forms are those of the chat templates that models are published with.

Data may contain the same markers. ``kept`` are the names of those that the seed rows have (``marker_names``): they are
not removed from a text.

>>> strip_control_tokens("<s> [/INST] 28.0 </s><|im_end|>"), sorted(marker_names(["a<|im_end|>", "<think>b</think>"]))
('28.0', ['imend', 'think'])
"""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

#: The length of the text at each end of a reply in which control tokens are looked for, in characters.
_REACH = 400

_TOKEN = (
    r"<[|｜]/?[\w▁ .:-]{1,48}[|｜]>|<[|｜][A-Za-z_]{2,32}>|<[A-Za-z_]{2,32}[|｜]>"
    r"|</?(?:s|bos|eos|pad|unk|sep|cls|mask|eod|eot|eom|eoa|eoh|eop|bot|turn|(?:start|end|begin)_of_[a-z]{2,12})>"
    r"|<(?:unused|reserved|extra_id|extra_token|special)_?(?:token_?)?\d{1,4}>|<0x[0-9A-F]{2}>|<</?SYS>>"
    r"|\[/?(?:INST|SYS|EOS|BOS|SEP|CLS|PAD|UNK|MASK|EOT|EOM|gMASK|sMASK|SYSTEM_PROMPT|TOOL_CALLS|TOOL_RESULTS"
    r"|AVAILABLE_TOOLS)\]"
)
_ROLE = r"\s*(?:assistant|model|user|system)\b\s*[:：]?(?=\s|<|\Z)"
_ONE_TOKEN = re.compile(_TOKEN)
_TOKEN_IN_VALUE = re.compile(
    r"<[|｜][\w▁ -]{2,48}[|｜]>|</s>\s*\Z|<(?:start|end)_of_(?:turn|text|utterance)>|\[/?INST\]"
)
_SPEAKER = re.compile(_ROLE)
_TOKENS_ONLY = re.compile(rf"(?:\s*(?:{_TOKEN})(?:{_ROLE})?)*\s*")
_AT_START = re.compile(rf"(?:\s*(?:{_TOKEN})(?:{_ROLE})?)+\s*")
_AT_END = re.compile(rf"\s*(?:(?:{_TOKEN})(?:{_ROLE})?\s*)+\Z")
_MAY_END = re.compile(rf"[>\]](?:{_ROLE})?\s*\Z")
# The end of a turn, after which a model that does not stop goes on as the user.
_TURN_END = re.compile(
    r"<[|｜](?:im_end|eot_id|eom_id|endoftext|end_of_text|end▁of▁sentence|END_OF_TURN_TOKEN|eot|eos|end_of_turn)[|｜]>"
    r"|<end_of_turn>|<turn\|>|</s>(?=\s*(?:\[INST\]|<s>|<\|))"
)

# The opening or closing tag of anything; the groups are its name, "/" included.
_TAG = re.compile(
    r"<(/?[^\W\d][\w:.-]{0,40})(?:\s[^<>\n]{0,80})?>|<[|｜](/?[\w▁ -]{1,40})[|｜]>|◁(/?\w{1,40})▷|【(/?\w{1,20})】"
    r"|\[(/?[A-Z][A-Z_]{2,30})\]"
)
# Forms of their own: the channels of gpt-oss and Gemma, and reserved tokens of MedGemma.
_CHANNEL_OPENER = re.compile(r"<\|channel\|>\s*analysis|<\|channel>\s*thought|<unused94>thought")
_CHANNEL_CLOSER = re.compile(
    r"<\|channel\|>\s*(?!analysis)\w+[^<]{0,80}(?:<\|constrain\|>[^<]{0,40})?<\|message\|>|<channel\|>|<unused95>"
)
# Words without tokens: of gpt-oss where a server removes its tokens, and of Ollama. The first words begin the reply.
_BARE_OPENER = re.compile(r"\s*(?:(?:analysis|commentary)(?=[^a-z])|Thinking\.\.\.\n)")
_BARE_UNCLOSED = re.compile(r"\s*(?:analysis(?=[A-Z])|Thinking\.\.\.\n)")
_BARE_CLOSER = re.compile(r"assistantfinal|^\.\.\.done thinking\.", re.MULTILINE)
_HAS_TAG = re.compile(r"[<◁【]|\[/?[A-Z]")
_FIRST_OR_LAST = re.compile(r"\A(?:start|begin|end)(?:of)?(?=[a-z]{3})")
_REASONING_NAMES = """
    think thinking thought thoughts reasoning innerthought innerthoughts thinkingprocess reasoningprocess
    思考 思考过程 推理过程 思维链 思维过程
"""
_PRELUDE_NAMES = """
    analysis analyzing reflect reflection scratchpad cot chainofthought chainofthoughts monologue innermonologue
    deliberate deliberation rationale reason plan planning draft drafts brainstorm brainstorming selfcheck internal
    antthinking cotbudgetreflect 分析 草稿 推理 反思 思路 规划
"""
_WRAPPER_NAMES = """
    answer finalanswer final response finalresponse output result completion 答案 回答 最终答案 输出
"""
#: Names of reasoning wherever it stands.
_REASONING = frozenset(_REASONING_NAMES.split())
#: Names of what precedes an answer, if a pair of them stands in front of it.
_PRELUDES = frozenset(_PRELUDE_NAMES.split())
#: Names of what surrounds a whole answer.
_WRAPPERS = frozenset(_WRAPPER_NAMES.split())
_PROSE = re.compile(r"[^\W\d_]+[ ,.'’]+[^\W\d_]+[ ,.'’]+[^\W\d_]+|[\u3400-\u9fff][，、\u3400-\u9fff]{5}")

Span = tuple[int, int]


class _Tag(NamedTuple):
    name: str
    closes: bool
    start: int
    end: int


def strip_control_tokens(text: str, kept: Collection[str] = (), *, only_last: bool = False) -> str:
    """Return the text without the control tokens at its two ends, and without the names of speakers beside them.

    With ``only_last``, those at its beginning stay: they may be part of a channel. Where there are none, the text is
    unchanged, white space included.
    """
    head = None if only_last else _AT_START.match(text, 0, _REACH)
    start = head.end() if head and not _is_kept(head[0], kept) else 0
    if not _MAY_END.search(text, max(start, len(text) - _REACH)):
        return text[start:]
    tail = _AT_END.search(text, max(start, len(text) - _REACH))
    if tail is None or _is_kept(tail[0], kept) or _strikes_through(text[start : tail.start()], tail[0]):
        return text[start:]
    return text[start : tail.start()]


def answer_text(text: str, kept: Collection[str] = ()) -> str:
    """Return the text of a reply that is no JSON, without reasoning, control tokens and outer white space."""
    answer = strip_reasoning(strip_control_tokens(text, kept, only_last=True), kept)
    return first_turn(strip_control_tokens(answer, kept), kept).strip()


def first_turn(text: str, kept: Collection[str] = ()) -> str:
    """Return the text up to the end of its first turn, where the model goes on with another one."""
    for end in _TURN_END.finditer(text):
        if text[: end.start()].strip() and not _is_kept(end[0], kept) and not _is_quoted(text, *end.span()):
            return text[: end.start()].rstrip()
    return text


def strip_reasoning(text: str, kept: Collection[str] = ()) -> str:
    """Return the text after the last reasoning, up to reasoning that begins on a line of its own and never ends."""
    tags = [tag for tag in _tags(text) if tag.name not in kept]
    start = max((end for _, end in _closings(text, tags, kept)), default=0)
    while (end := _after_prelude(text, tags, start)) and text[end:].strip():
        start = end
    opened = (at for at in _openings(text, tags, start, kept) if not text[start:at].rpartition("\n")[2].strip())
    return _unwrapped(text[start : next(opened, len(text))], kept)


def answer_span(text: str, rows: Sequence[Span], kept: Collection[str] = (), *, is_cut: bool = False) -> Span:
    """Return the part of a reply that is no reasoning; ``rows`` are the places of its objects, in order.

    A marker in an object is data. Any pair of tags in front of rows is reasoning if there is prose between them.
    ``is_cut`` is whether the reply may have ended before its reasoning did.
    """
    tags = [tag for tag in _tags(text) if not _within(tag.start, rows)]
    unkept = [tag for tag in tags if tag.name not in kept]
    start = max((end for _, end in _closings(text, unkept, kept, rows)), default=0)
    if kept:
        start = max(start, _after_data_marker(text, _closings(text, tags, (), rows), rows))
    while end := _after_prelude(text, tags, start, rows, kept):
        start = end
    if is_cut and any(tag.name in _PRELUDES and _TOKENS_ONLY.fullmatch(text, start, tag.start) for tag in unkept):
        return start, start
    opened = (at for at in _openings(text, unkept, start, kept) if not _within(at, rows))
    return start, next(opened, len(text))


def marker_names(texts: Iterable[str]) -> frozenset[str]:
    """Return the names of the markers in these texts, which are then data."""
    names: set[str] = set()
    for text in texts:
        names.update({"bare"} if _BARE_CLOSER.search(text) else ())
        if not _HAS_TAG.search(text):
            continue
        names.update({"channel"} if _CHANNEL_OPENER.search(text) or _CHANNEL_CLOSER.search(text) else ())
        names.update(_token_name(token[0]) for token in _ONE_TOKEN.finditer(text))
        names.update(tag.name for tag in _tags(text) if tag.name in _REASONING | _PRELUDES | _WRAPPERS)
    return frozenset(names)


def control_token(text: str) -> str:
    """Return the first control token in a value, or ""; of forms that markup and logs have too, none is one."""
    found = _TOKEN_IN_VALUE.search(text)
    return found[0] if found else ""


def _closings(text: str, tags: Sequence[_Tag], kept: Collection[str], rows: Sequence[Span] = ()) -> list[Span]:
    """Return the places of the markers that end reasoning, in order."""
    found = [(tag.start, tag.end) for tag in tags if tag.closes and tag.name in _REASONING]
    if "channel" not in kept and "<" in text:
        found += [each.span() for each in _CHANNEL_CLOSER.finditer(text)]
    if "bare" not in kept and _BARE_OPENER.match(text):
        found += [each.span() for each in _BARE_CLOSER.finditer(text)]
    return sorted(each for each in found if not _within(each[0], rows))


def _after_data_marker(text: str, closings: Sequence[Span], rows: Sequence[Span]) -> int:
    """Return the end of the first of ``closings``, which may be data, or 0.

    It ends reasoning if rows follow it and no quote is open before it: then it is not in a string of an object that
    cannot be read.
    """
    for start, end in closings[:1]:
        number = bisect(rows, (start, 0)) - 1
        before = text[rows[number][1] if number >= 0 else 0 : start]
        if rows and rows[-1][0] >= end and (before.count('"') - before.count('\\"')) % 2 == 0:
            return end
    return 0


def _after_prelude(
    text: str, tags: Sequence[_Tag], start: int, rows: Sequence[Span] | None = None, kept: Collection[str] = ()
) -> int:
    """Return the end of a pair of tags that stands at ``start`` and only prepares the answer, or 0.

    Of a name that is ``kept``, only the first pair can be one.
    """
    at = start
    for number, tag in enumerate(tags):
        if tag.start < start:
            continue
        if _TOKENS_ONLY.fullmatch(text, at, tag.start) is None:
            return 0
        closers = [] if tag.closes else [each for each in tags[number + 1 :] if each.closes and each.name == tag.name]
        if closers and _is_prelude(text, tag, closers[-1], tags, rows):
            return closers[0 if tag.name in kept else -1].end
        if _ONE_TOKEN.fullmatch(text, tag.start, tag.end) is None:
            return 0
        speaker = _SPEAKER.match(text, tag.end)
        at = speaker.end() if speaker else tag.end
    return 0


def _is_prelude(text: str, opener: _Tag, closer: _Tag, tags: Sequence[_Tag], rows: Sequence[Span] | None) -> bool:
    """Whether a pair of tags is no part of the answer; without ``rows``, only its name decides."""
    if rows is None:
        return opener.name in _PRELUDES
    if not rows or rows[-1][0] < closer.end:
        return False
    if opener.name in _PRELUDES or opener.name in _REASONING:
        return True
    once = sum(tag.name == opener.name and not tag.closes for tag in tags) == 1
    return once and _has_prose(text, opener.end, closer.start, rows)


def _openings(text: str, tags: Sequence[_Tag], start: int, kept: Collection[str]) -> list[int]:
    """Return where reasoning begins after ``start`` that never ends."""
    at = [tag.start for tag in tags if not tag.closes and tag.name in _REASONING and tag.start >= start]
    if "channel" not in kept and "<" in text:
        at += [found.start() for found in _CHANNEL_OPENER.finditer(text, start)]
    if "bare" not in kept and _BARE_UNCLOSED.match(text, start):
        at.append(start)
    return sorted(at)


def _unwrapped(text: str, kept: Collection[str]) -> str:
    """Return the content of a tag that surrounds the whole text as its answer."""
    tags = [tag for tag in _tags(text) if tag.name in _WRAPPERS and tag.name not in kept]
    if len(tags) != 2 or tags[0].closes or not tags[1].closes or tags[0].name != tags[1].name:
        return text
    first, last = tags
    return text if text[: first.start].strip() or text[last.end :].strip() else text[first.end : last.start]


def _tags(text: str) -> Iterator[_Tag]:
    """Yield the tags in a text, but not those in backticks, which the text is about."""
    if not _HAS_TAG.search(text):
        return
    for found in _TAG.finditer(text):
        name = found[found.lastindex or 0]
        closes = name[:1] == "/" or bool(re.match(r"(?i:end)[_▁ ]", name))
        if not _is_quoted(text, *found.span()):
            yield _Tag(_tag_name(name), closes, *found.span())


def _tag_name(name: str) -> str:
    """Return a name without its namespace, beginning and separators."""
    bare = re.sub(r"[\W_▁]+", "", name.rpartition(":")[2].lower())
    return _FIRST_OR_LAST.sub("", bare) if name.count("_") + name.count("▁") + name.count(" ") else bare


def _token_name(token: str) -> str:
    return re.sub(r"[\W_▁]+", "", token).lower()


def _is_kept(tokens: str, kept: Collection[str]) -> bool:
    """Whether one of these tokens is data, or marks reasoning, whose end must not be lost."""
    names = {_token_name(token[0]) for token in _ONE_TOKEN.finditer(tokens)} if kept else ()
    return any(name in kept for name in names) or any(
        tag.name in _REASONING or tag.name in _PRELUDES for tag in _tags(tokens)
    )


def _strikes_through(text: str, tail: str) -> bool:
    """Whether the ``</s>`` after a text is HTML's: it has a beginning in the text."""
    return tail.lstrip().startswith("</s>") and text.count("<s>") > text.count("</s>")


def _is_quoted(text: str, start: int, end: int) -> bool:
    return text[start - 1 : start] == "`" and text[end : end + 1] == "`"


def _within(at: int, spans: Sequence[Span]) -> bool:
    number = bisect(spans, (at, 0)) - 1
    return number >= 0 and at < spans[number][1]


def _has_prose(text: str, start: int, stop: int, rows: Sequence[Span]) -> bool:
    """Whether there are words between two places, apart from the objects."""
    between = []
    for first, last in rows:
        if start <= first < stop:
            between.append(text[start:first])
            start = last
    return any(_PROSE.search(part) for part in (*between, text[start:stop]))
