"""Compose new questions, with answers, about lines of text, without a model.

    lines -> templates -> slots and clauses of a line -> wordings -> questions -> an even draw

Does not handle: varying the questions of seed rows (see ``selfinstruct.mining``), or questions whose answer is not a
piece of the line. Rules that turn statements into questions go back to Heilman and Smith
("Good Question! Statistical Ranking for Question Generation", NAACL 2010); nothing is ranked here: a doubtful question
is not asked.
"""

from selfinstruct.asking.asker import Asker
from selfinstruct.asking.drawing import draw
from selfinstruct.asking.question import Question
from selfinstruct.asking.style import Style

__all__ = ["Asker", "Question", "Style", "draw"]
