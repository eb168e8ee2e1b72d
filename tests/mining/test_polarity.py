"""Labels that follow praise and blame: which sentences may not be mixed, and which numbers stay."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfinstruct import api
from selfinstruct.mining.polarity import is_mixed, labels_follow_polarity, polarity
from selfinstruct.records import Row

SIGNS = [
    ("The food was good.", 1),
    ("The food was not good.", -1),
    ("I wouldn't recommend it.", -1),
    ("Not a bad choice.", 1),
    ("We had a table for two.", 0),
    ("服务员很热情。", 1),
    ("不满意。", -1),
    ("没有浪费时间。", 1),
    ("包裹周二送到。", 0),
]
ROWS: list[Row] = [
    {"text": text, "label": label}
    for label, texts in {
        "积极": [
            "一开始屏幕坏了，我很失望。客服第二天就换了新的。现在非常满意。",
            "等了很久才发货。不过东西质量很好。总体值得推荐。",
            "我给 5 星。菜很好吃。服务员也很热情。等了 5 分钟就上菜了。",
            "房间干净。早餐不错。住得很舒服。",
        ],
        "消极": [
            "外观很漂亮。可是用了两天就坏了。非常失望。",
            "客服态度很差。退货还要自己付运费。太坑了。",
            "我给 1 星。房间有异味。隔音也很差。等了 50 分钟才有人来。",
            "菜很难吃。服务也很慢。不会再来。",
        ],
    }.items()
    for text in texts
]


@pytest.mark.parametrize(("sentence", "sign"), SIGNS)
def test_a_negation_turns_praise_and_blame(sentence: str, sign: int) -> None:
    """In both languages."""
    assert polarity(sentence) == sign


def test_labels_that_follow_polarity_are_known_from_their_texts() -> None:
    """Labels of sentiment do; labels of topics, with as much praise under each, do not."""
    assert labels_follow_polarity(ROWS, "text")
    topics = [{**row, "label": "服务" if at % 2 else "质量"} for at, row in enumerate(ROWS)]
    assert not labels_follow_polarity(topics, "text")
    assert is_mixed(ROWS[0]["text"]) and not is_mixed(ROWS[3]["text"])


def test_no_swap_turns_a_label(tmp_path: Path) -> None:
    """Sentences of blame and praise stay together, in their order, and marks and waiting times as they are."""
    run = api.run(ROWS, out=tmp_path / "run", rows=40)
    rows = list(run.rows())
    assert len(rows) >= 8
    for row in rows:
        text, praised = row["text"], row["label"] == "积极"
        assert ("失望" in text) <= (not praised or "客服第二天就换了新的。现在" in text)
        assert ("不过东西质量" in text) <= ("等了很久才发货。不过东西质量很好。总体值得推荐" in text)
        assert ("可是" in text) <= text.startswith("外观很漂亮。可是用了两天就坏了。")
        assert ("给 5 星" in text or "5 分钟就" in text) <= praised and ("1 星" in text or "50 分钟才" in text) <= (
            not praised
        )
        for mark in ("星", "分钟"):
            assert (mark in text) <= any(f"{number} {mark}" in text for number in (1, 5, 50))
