"""Strings that try to be markup, code or something else than they look like."""

from __future__ import annotations

import random

_PIECES = (
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "</textarea></title></style></pre></details>",
    '"><img src=x onerror=alert(1)>',
    '<img src="http://127.0.0.1:9/x.png">',
    "<svg onload=alert(1)>",
    "<iframe src=javascript:alert(1)></iframe>",
    '<link rel=stylesheet href="//127.0.0.1:9/x.css">',
    "<meta http-equiv=refresh content='0;url=http://127.0.0.1:9/'>",
    "<style>@import 'http://127.0.0.1:9/';*{background:url(http://127.0.0.1:9/)}</style>",
    "javascript:alert(1)",
    "' onmouseover='alert(1)",
    "{{ 7 * 7 }}{% include 'report.html' %}${alert(1)}",
    "__proto__",
    "constructor",
    "\\u003cscript\\u003e",
    "]]>",
    "\x1b[31m",
    "\u202e",
    "\u2028",
    "\ud800",
    "\x00",
    "日志",
)


def hostile(count: int) -> list[str]:
    """So many such strings, the same ones each time, each of them different."""
    draw = random.Random(7)
    return [f"{''.join(draw.choices(_PIECES, k=draw.randint(1, 5)))} {n}" for n in range(count)]
