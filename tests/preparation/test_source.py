"""The source of a run: raw text is refused with the command that reads it, and that command works."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from selfinstruct.api import plan
from selfinstruct.errors import InputError, RowError
from selfinstruct.preparation.source import model_command

LOGS = {
    "linux.log": "Nov 1 sshd[1]: Accepted password for bob from 10.0.0.1 port 22\n"
    "Nov 2 sshd[2]: Failed password for eve, a, b from 10.0.0.9 port 23\n",
    "系统.log": "2024-01-01 10:00:00 用户 张三 登录成功\n2024-01-01 10:01:00 用户 李四 登录失败\n",
}
DOCUMENTS = {
    "a b.md": "# Funds\n\nA fund is a pool of money, run by a manager.\n\nIts kinds are open, closed, and mixed.\n",
    "论语.txt": "学而第一\n\n学而时习之，不亦说乎？\n\n为政第二\n\n为政以德，譬如北辰。\n",
}


@pytest.mark.parametrize("name", LOGS)
def test_a_log_is_refused_with_the_command_that_reads_it(name: str, tmp_path: Path) -> None:
    """The message says that it is a log, not what is wrong with it as a table; the command in the hint works."""
    (tmp_path / name).write_text(LOGS[name])
    with pytest.raises(RowError, match=f"{name}: a log, not rows") as caught:
        plan(tmp_path / name)
    *_, option, file = shlex.split(caught.value.hint)
    assert option == "--passages"
    assert len(plan(passages=[file]).inputs.passages) == 2


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_refused_with_the_command_that_reads_it(name: str, tmp_path: Path) -> None:
    """The command in the hint writes about the file in place of the recipe's own documents."""
    (tmp_path / name).write_text(DOCUMENTS[name])
    with pytest.raises(RowError, match=f"{name}: a document, not rows") as caught:
        plan(tmp_path / name)
    words = shlex.split(caught.value.hint)
    assert words[words.index("run") + 1] == "document-qa"
    file = words[words.index("--passages") + 1]
    prepared = plan("document-qa", passages=[file], model="m", base_url="http://127.0.0.1:9/v1")
    assert {each["document"] for each in prepared.inputs.passages} == {file}


def test_a_test_set_cannot_be_kept_out_of_documents(tmp_path: Path) -> None:
    """What has no effect is refused."""
    (tmp_path / "a.md").write_text(DOCUMENTS["a b.md"])
    with pytest.raises(InputError, match="`against` has no effect"):
        plan(
            "document-qa", passages=[tmp_path / "a.md"], against=[tmp_path / "a.md"], model="m", base_url="http://x/v1"
        )


def test_the_command_for_a_model_reads_the_file_in_its_encoding() -> None:
    """Copied as it is, the command of a hint works."""
    assert " a.jsonl --encoding big5 --base-url " in model_command("a.jsonl", "big5")
    assert "--encoding" not in model_command("a.jsonl")
