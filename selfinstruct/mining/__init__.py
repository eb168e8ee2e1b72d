"""What varies in a set of rows, and which values may replace it.

    text -> entities and words -> text and row templates -> generators -> a new text

Does not handle: judging the new rows (see `selfinstruct.checks`), or rows that only a model can write.
"""

from selfinstruct.mining.polarity import labels_follow_polarity
from selfinstruct.mining.row_template import RowTemplate, row_template
from selfinstruct.mining.sentences import Prose, compose_text, shared_endings, split_prose
from selfinstruct.mining.text_template import MinedTemplates, TextTemplate, mine_templates, split_words
from selfinstruct.mining.value_statistics import ValueStatistics

__all__ = [
    "MinedTemplates",
    "Prose",
    "RowTemplate",
    "TextTemplate",
    "ValueStatistics",
    "compose_text",
    "labels_follow_polarity",
    "mine_templates",
    "row_template",
    "shared_endings",
    "split_prose",
    "split_words",
]
