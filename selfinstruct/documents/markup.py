"""Converts HTML to text with minimal Markdown: paragraphs, # headings, - items, ``` code.

    <h2>Tides</h2><p>High water at&nbsp;<b>06:12</b>.</p>   ->   ## Tides

                                                                High water at 06:12.

Drops scripts, styles, navigation, footers, forms, embedded objects, and elements with attributes that hide them.

Does not handle: style sheets and scripts that hide or write text, table cells that span several columns.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser


def _words(names: str) -> frozenset[str]:
    return frozenset(names.split())


_DROPPED = _words(
    "head script style noscript template nav footer form button select textarea svg math canvas object iframe audio "
    "video dialog"
)
_VOID = _words("area base br col embed hr img input link meta param source track wbr")
_BLOCKS = _words(
    "address article aside blockquote body caption center dd details div dl dt fieldset figcaption figure h1 h2 h3 h4 "
    "h5 h6 header hgroup hr html legend main ol p pre section summary table tbody tfoot thead ul"
)
_LINES = frozenset(["li", "tr", "dt", "dd"])
_CELLS = frozenset(["td", "th"])
# Python's parser (3.11.7, 3.12.1, 3.13.0) takes quadratic time for tags that are never closed: 6 s for 24 kB of "<a ".
# So it receives complete tags only. The quantifiers are possessive: this is linear.
_MARKUP = re.compile(
    r"<(script|style)\b[^<>]*+>.*?(?:</\1\b[^<>]*+>|\Z)"  # including its content
    r"|<!--.*?(?:-->|\Z)|<[!?][^>]*+>?"  # comments and declarations
    r"|(?P<tag></?[a-z](?:[^<>\"']++|\"[^\"]*+\"|'[^']*+')*+>)"
    r"|<",
    re.IGNORECASE | re.DOTALL,
)
_HEADING = re.compile("h[1-6]")
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_SPACES = re.compile(r"\s+")
# The maximum depth of open elements, far more than a valid document has.
_MAX_OPEN = 512


def html_text(source: str) -> str:
    """Return the text of an HTML document, with entities decoded and white space collapsed except in ``pre``."""
    reader = _Reader()
    reader.feed(_MARKUP.sub(_keep_complete_tag, source))
    reader.close()
    return reader.text()


def _keep_complete_tag(mark: re.Match[str]) -> str:
    return mark["tag"] or ("&lt;" if mark[0] == "<" else "")


class _Reader(HTMLParser):
    """Collects text; a break is added only when text follows it."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.open_tags: list[str] = []  # the names of the open elements
        self.dropped_depth = 0  # the depth of the outermost dropped element; 0 if there is none
        self.pre_depth = 0
        self.marker = ""  # of an item or a heading without text so far
        self.gap = ""  # the separator before the next text: "", " ", "\n" or "\n\n"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _VOID:
            if not self.dropped_depth and tag in ("br", "hr"):
                self.break_lines(1 if tag == "br" else 2)
            return
        if tag == "body":
            self.dropped_depth = 0  # elements left open in the head
        if len(self.open_tags) < _MAX_OPEN:
            self.open_tags.append(tag)
            if not self.dropped_depth and (tag in _DROPPED or _is_hidden(dict(attrs))):
                self.dropped_depth = len(self.open_tags)
        if self.dropped_depth:
            return
        self.begin(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.open_tags:
            return
        while self.open_tags:
            closed = self.open_tags.pop()
            if not self.dropped_depth:
                self.end(closed)
            elif len(self.open_tags) < self.dropped_depth:
                self.dropped_depth = 0
            if closed == tag:
                break

    def handle_data(self, data: str) -> None:
        if self.dropped_depth or not data:
            return
        if self.pre_depth:
            self.append(data)
            return
        words = _SPACES.sub(" ", data)
        if words.startswith(" "):
            self.gap = self.gap or " "
        if words.strip():
            self.append(words.strip())
            self.gap = " " if words.endswith(" ") else ""

    def append(self, text: str) -> None:
        if self.parts:
            self.parts.append(self.gap)
        self.parts.append(self.marker + text)
        self.gap = self.marker = ""

    def break_lines(self, lines: int) -> None:
        if self.marker:
            return
        self.gap = max(self.gap, "\n" * lines, key=lambda gap: gap.count("\n"))

    def begin(self, tag: str) -> None:
        if tag in _LINES or tag in _BLOCKS:
            self.break_lines(1 if tag in _LINES or self.in_item() else 2)
        if tag == "li":
            self.marker = "- "
        elif tag in _CELLS and self.parts and "\n" not in self.gap:
            self.gap = " | "
        elif _HEADING.fullmatch(tag):
            self.marker = "#" * int(tag[1]) + " "
        elif tag == "pre":
            self.pre_depth += 1
            self.append("```\n")

    def end(self, tag: str) -> None:
        if tag == "pre" and self.pre_depth:
            self.pre_depth -= 1
            self.append("" if self.parts[-1].endswith("\n") else "\n")
            self.append("```")
        if tag in _LINES or tag in _BLOCKS:
            self.marker = "" if tag == "li" or _HEADING.fullmatch(tag) else self.marker
            self.break_lines(1 if tag in _LINES or self.in_item() else 2)

    def in_item(self) -> bool:
        """Whether a list item is open; blocks inside one are lines, not paragraphs."""
        return "li" in self.open_tags

    def text(self) -> str:
        return "".join(self.parts).strip()


def _is_hidden(attributes: dict[str, str | None]) -> bool:
    return (
        "hidden" in attributes
        or attributes.get("aria-hidden") == "true"
        or attributes.get("role") == "navigation"
        or _HIDDEN_STYLE.search(attributes.get("style") or "") is not None
    )
