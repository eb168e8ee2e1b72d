"""selfinstruct grows a handful of seed rows into a large, balanced, verified data set."""

__version__ = "0.1.0"
