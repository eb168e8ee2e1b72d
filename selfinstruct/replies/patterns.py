"""Patterns of JSON in the text of a reply, with the deviations that ``walk`` and ``reader`` understand."""

from __future__ import annotations

import re

from selfinstruct.replies.reader import BLANK_OR_COMMENT

# JSON's own punctuation and its full-width forms, which models write in Chinese and Japanese.
SEPARATORS = re.compile(r"[\s,;\]}\ufeff，；、］｝]*+")
_KEYS = r'"([^"\\\n]{1,80}+)"|\'([^\'\\\n]{1,80}+)\'|[“”„‘’＂「]([^“”„‘’＂「」\\\n]{1,80}+)[“”’＂」]|([^\W\d]\w{0,63}+)'
_CUT_KEY = r"""["'“”„‘’＂「][^"“”＂」\n]{0,80}\Z"""
# The brace of an object (not one in prose), its first key, and the bracket at the beginning of its value.
_OBJECT_START_PATTERN = (
    rf"[{{｛]{BLANK_OR_COMMENT}(?:(?:{_KEYS}){BLANK_OR_COMMENT}"
    rf"(?:[:：]{BLANK_OR_COMMENT}([\[{{［｛])?|\Z)|{_CUT_KEY}|\Z)"
)
OBJECT_START = re.compile(_OBJECT_START_PATTERN)
# A string that contains JSON, perhaps in a fence: rows that were encoded twice.
_STRING_PATTERN = r'"(?=(?:\s|\\[nrt])*+(?:```\w*+(?:\s|\\[nrt])*+)?[\[{])'
STRING_OF_JSON = re.compile(_STRING_PATTERN)
VALUE_START = re.compile(rf"{_OBJECT_START_PATTERN}|[\[［](?=\s*[\[{{［｛])|{_STRING_PATTERN}")
WRAPPER = re.compile(r'[{｛]\s*+["“”＂]([^"“”＂\\\n]{1,80}+)["“”＂]\s*+[:：]\s*+(?=[\[［])')
LIST_START = re.compile(r"[\[［](?=\s*+[\[{［｛])")
AFTER_REPAIRED = re.compile(r"[ \t,;\]}，；、］｝]*+(?:\r?\n|\Z|[{｛]|```|//|\#|/\*|<[|｜]|</[\w:]{1,20}>\s*+(?:\Z|<))")
# Text allowed directly after a row: brackets, then a blank, a full stop or markup; after a comma, a value.
AFTER_ROW = re.compile(r"[\]}］｝]*+(?:[\s;)<`*|；]|\.\s|//|\Z|[,，、]++(?:[\s{\[\]}\"'/｛［］｝“＂「]|\Z)|[{\[｛［])")
# Separates a row from an invalid value after it; without it both may be parts of one string.
SEPARATED = re.compile(r"[,\n，、]")
CUT_STRING = re.compile(r'"[^"}\]]*+')
BEFORE_MEMBER = re.compile(r"[\[,［，]")
AFTER_MEMBER = re.compile(r"\s*+[,\]，］]")
JSON_IN_TEXT = re.compile(r"\s*+(?:```\w*+\s*+)?[\[{]")
CUT_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{0,3})?\Z")
ESCAPES = re.compile(r"\\.", re.DOTALL)
# Quotes other than straight double ones, by the quote that ends a string; excludes apostrophes within a word.
OTHER_QUOTES = {
    **dict.fromkeys("“”", re.compile("[“”„]")),
    "＂": re.compile("＂"),
    "」": re.compile("[「」]"),
    **dict.fromkeys("'’", re.compile(r"(?<!\w)['‘’]|['‘’](?!\w)")),
}
