"""Shipped doubles: a fault-injecting OpenAI-compatible server, the scripted author of its replies, a failing disk.

By hand: ``python -m selfinstruct.testing --fault mixed --rate 0.3``.
"""

from selfinstruct.testing.author import Author, ScriptedAuthor, Shares
from selfinstruct.testing.behaviour import Behaviour, Billed, Ledger
from selfinstruct.testing.catalogue import FAULTS, mixed
from selfinstruct.testing.disk import Disk, Fault
from selfinstruct.testing.process import server_process
from selfinstruct.testing.server import FaultServer

__all__ = [
    "FAULTS",
    "Author",
    "Behaviour",
    "Billed",
    "Disk",
    "Fault",
    "FaultServer",
    "Ledger",
    "ScriptedAuthor",
    "Shares",
    "mixed",
    "server_process",
]
