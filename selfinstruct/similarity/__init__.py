"""Near and exact duplicates: the exact ROUGE-L index, its parts, and the reference that it is tested against.

Does not handle: the choice of the compared fields (see the recipe), or what is done with a duplicate.
"""

from selfinstruct.similarity.dedup import Verdict, deduplicate_texts
from selfinstruct.similarity.duplicates import (
    DuplicateIndex,
    answer_fields,
    is_open,
    question_fields,
    unique_field_names,
)
from selfinstruct.similarity.exact_index import NoveltyIndex
from selfinstruct.similarity.groups import Groups
from selfinstruct.similarity.row_index import RowIndex, compared_text

__all__ = [
    "DuplicateIndex",
    "Groups",
    "NoveltyIndex",
    "RowIndex",
    "Verdict",
    "answer_fields",
    "compared_text",
    "deduplicate_texts",
    "is_open",
    "question_fields",
    "unique_field_names",
]
