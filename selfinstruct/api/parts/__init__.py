"""One run that several workers grow: each its part of the quotas, in bounded rounds, with one pool of kept rows.

    rounds -> orders -> worker (one for each part, wherever the engine runs it) -> merge -> rounds ...

Every part is an ordinary run directory in ``parts/`` of the run. While they grow, the driver judges all new replies
again in the journal of the whole run, in a fixed order, so that the result is an ordinary run, too. What falls out
there is missing again, and handed out in the next round.

Does not handle: processes and machines (``selfinstruct.engines``); passages, and lists that a model writes.
"""
