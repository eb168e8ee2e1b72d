"""Verbalized sampling: a model states the probability of each row of a reply, and writes unlikely ones too.

Asked for one row, or for several, an aligned model tends to write the most typical ones; asked for rows with their
probabilities, from the tails of the distribution as well, it writes more varied ones (Zhang et al. 2025, "Verbalized
Sampling: How to Mitigate Mode Collapse and Unlock LLM Diversity", arXiv:2510.01171). The limit of 0.10 is theirs.

The words go to models: a change changes their replies.
"""

from __future__ import annotations

from selfinstruct.recipe import PROBABILITY, Language
from selfinstruct.records import Row

_RULES: dict[Language, str] = {
    "en": "Sample the rows at random from all that fit, including the tails of the distribution: most of them have a "
    f'"{PROBABILITY}" below 0.10. This last key of each row in the reply is your estimate, from 0 to 1, of how likely '
    "you are to write the row; the examples do not have it.",
    "zh": "从所有符合要求的内容中随机抽样，包括分布的尾部："
    f'大多数行的 "{PROBABILITY}" 应低于 0.10。输出中每行的最后一个键 "{PROBABILITY}" '
    "是你估计自己写出这一行的概率（0 到 1）；示例中没有这个键。",
}


def sampling_rule(language: Language) -> str:
    """The sentence that asks for rows with their probabilities."""
    return _RULES[language]


def without_probability(row: Row) -> Row:
    """Return a row of a reply without the probability that the model stated, if it did."""
    return {key: value for key, value in row.items() if key.strip().casefold() != PROBABILITY}
