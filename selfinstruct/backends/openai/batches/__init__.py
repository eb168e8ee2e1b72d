"""Batch jobs: many requests in one file, answered within a day, at about half the price.

    requests of a round -> files -> jobs -> polls -> output and error files -> replies

The protocol is OpenAI's (``/files`` and ``/batches``), which many providers have, or Together's variant of it.
``backend`` is the Backend, ``round`` leads from requests to outcomes, ``client`` is the calls, ``input_file`` and
``output`` are the lines of both directions, ``job`` is a job's state, ``open_jobs`` what the journal knows of it.

Does not handle: which requests a round has (``growth``), or reading rows out of a reply.
"""

from selfinstruct.backends.openai.batches.backend import BatchBackend
from selfinstruct.backends.openai.batches.open_jobs import open_jobs

__all__ = ["BatchBackend", "open_jobs"]
