"""Raw text is told from rows: logs and documents, in English and Chinese; tables and JSON stay rows."""

from __future__ import annotations

import gzip

import pytest

from selfinstruct.documents import raw_kind

LOG = """Nov 1 10:00:00 host sshd[12]: Accepted password for bob from 10.0.0.1 port 22 ssh2
Nov 1 10:00:03 host sshd[13]: Failed password for eve, a, b from 10.0.0.2 port 23 ssh2
Nov 1 10:00:09 host sshd[14]: Connection closed by 10.0.0.2
"""
COMMAS = "2024-01-01 10:00:00,120 INFO started\n2024-01-01 10:00:01,130 INFO stopped\n"
LOG_ZH = "2024-01-01 10:00:00 用户 张三 登录成功\n2024-01-01 10:01:00 用户 李四 登录失败，密码错误\n"
PROSE = "# Funds\n\nA fund is a pool of money, run by a manager.\n\n## Kinds\n\nOpen, closed, and mixed ones exist.\n"
ZH = "周易\n\n乾卦：元，亨，利，贞。\n\n坤卦：元，亨，利牝马之贞。\n"
ONE_LINE_EACH = "学而时习之，不亦说乎？\n有朋自远方来，不亦乐乎？\n人不知而不愠，不亦君子乎？\n"
FENCED = "# Use\n\n```\nrun a\nrun b\nrun c\nrun d\n```\n"


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("linux.log", LOG, "log"),
        ("linux.log.1", LOG, "log"),
        ("app.txt", LOG, "log"),
        ("app", LOG, "log"),
        ("app.log", COMMAS, "log"),
        ("app.log", LOG_ZH, "log"),
        ("app", LOG_ZH, "log"),
        ("a.md", PROSE, "document"),
        ("a.txt", PROSE, "document"),
        ("a", PROSE, "document"),
        ("yi.txt", ZH, "document"),
        ("yi.md", ZH, "document"),
        ("lunyu.md", ONE_LINE_EACH, "document"),
        ("use.txt", FENCED, "document"),
        ("page.html", "<html><body>Text</body></html>", "document"),
        ("a.pdf", "%PDF-1.7 ...", "document"),
        ("a.jsonl", "%PDF-1.7 ...", "document"),
    ],
)
def test_raw_text_is_recognised(name: str, text: str, kind: str) -> None:
    """Logs and documents are recognised in both languages, by content and by the ending of the name."""
    assert raw_kind(text.encode(), name) == kind
    if not name.endswith((".pdf", ".1")) and "PDF" not in text:
        assert raw_kind(gzip.compress(text.encode()), f"{name}.gz") == kind


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "text\nhello\nworld\n"),
        ("a.csv", LOG),
        ("a", "word\nx\ny\n"),
        ("a.txt", "id,text\n1,hello\n2,world\n"),
        ("a.txt", "id,text\n1,hello\n2\n3,x\n"),  # a table with a mistake, which is reported with its line
        ("a.log", "time,event\n1,start\n2,stop\n"),
        ("a.txt", '{"a": 1}\n{"a": 2}\n'),
        ("a.txt", '[{"a": 1}]'),
        ("a.txt", "问题,答案\n几点？,三点\n谁？,张三\n"),
        ("data.jsonl", "<html><body>Not found</body></html>"),
        ("a.txt", ""),
        ("a.txt", "PK\x05\x06"),
        ("a.bin", "\x00\x01\x00"),
    ],
)
def test_rows_and_what_is_neither_are_not_raw_text(name: str, text: str) -> None:
    """Tables and JSON are rows, also with a mistake; other content is refused by those that read rows."""
    assert raw_kind(text.encode(), name) is None
