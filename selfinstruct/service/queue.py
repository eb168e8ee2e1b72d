"""Which waiting run starts next: fair between users, first come first served within one.

Does not handle: starting it (``jobs``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from selfinstruct.service.store import Job


def next_job(waiting: Sequence[Job], running: Sequence[str], turns: Mapping[str, int]) -> Job | None:
    """The waiting job to start next, or None.

    ``waiting`` are in the order of asking, ``running`` are the users of the runs that grow, one each, and ``turns`` is
    the number of the last turn of each user. It is the turn of the user with the fewest running, then of the one whose
    last turn was the longest ago; nobody waits behind all runs of another user.
    """
    users = list(dict.fromkeys(job.user for job in waiting))
    if not users:
        return None
    user = min(users, key=lambda user: (running.count(user), turns.get(user, -1), users.index(user)))
    return next(job for job in waiting if job.user == user)


def order(waiting: Sequence[Job], running: Sequence[str], turns: Mapping[str, int]) -> list[str]:
    """The runs that wait, in the order in which they would start if each ended at once."""
    left, taken, positions = list(waiting), dict(turns), []
    turn = max(taken.values(), default=0)
    while (job := next_job(left, running, taken)) is not None:
        turn += 1
        taken[job.user] = turn
        left.remove(job)
        positions.append(job.run)
    return positions
