"""The parts of a running service, which its handlers share."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from aiohttp import web

from selfinstruct.service.catalogue import Catalogue
from selfinstruct.service.settings import Settings


@dataclass
class Service:
    """The parts of a service; ``draining`` is set when it is about to end and accepts no more work."""

    settings: Settings
    catalogue: Catalogue
    log: logging.Logger
    draining: bool = field(default=False)


#: Where an application has its service.
SERVICE = web.AppKey("service", Service)
