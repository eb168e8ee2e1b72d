"""The figures of a run's report, read from its journal, and the comparison of two runs; no rendering.

Does not handle: markup (``render.report``, ``render.comparison``).
"""

from selfinstruct.analysis.report.browsing import Browsed
from selfinstruct.analysis.report.comparison import Comparison, Line, compare
from selfinstruct.analysis.report.figures import Report, build_report
from selfinstruct.analysis.report.histogram import Histogram, Spread
from selfinstruct.analysis.report.shares import Shares
from selfinstruct.analysis.report.similarity import Similarity
from selfinstruct.analysis.report.wording import Wording, Words

__all__ = [
    "Browsed",
    "Comparison",
    "Histogram",
    "Line",
    "Report",
    "Shares",
    "Similarity",
    "Spread",
    "Wording",
    "Words",
    "build_report",
    "compare",
]
