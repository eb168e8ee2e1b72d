"""Does training on grown rows help? Readers are trained with and without them and asked about rows held out.

roles          which field asks, which one answers     separation     rows that would give the test away
conditions     what each reader is trained on          digit_swapping the baseline that any script gives
shuffling      wrong answers, as a control             templates      questions like none in training
statistics     intervals and paired differences        measure        the trainings
evaluation     the result
"""

from selfinstruct.analysis.evaluate.evaluation import Evaluation, Gain, Interval, Outcome, Scores
from selfinstruct.analysis.evaluate.measure import EvaluationData, Settings, measure
from selfinstruct.analysis.evaluate.roles import Roles, infer_roles

__all__ = [
    "Evaluation",
    "EvaluationData",
    "Gain",
    "Interval",
    "Outcome",
    "Roles",
    "Scores",
    "Settings",
    "infer_roles",
    "measure",
]
