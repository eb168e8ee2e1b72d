"""The scripted service answers as the real one does: what the browser tests show can be seen with a real service."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("playwright")

from selfinstruct.service.app import ROUTES
from tests.service.scripted import STATES, ScriptedService

_QUERY: dict[str, str] = {}
_BODY = {"row": "1", "action": "edit", "values": {"a": "b"}}


def test_every_scripted_answer_has_the_shape_of_the_real_one() -> None:
    """Each answer is valid for the model of its route, in every state of the run."""
    for state in STATES:
        service = ScriptedService(["a text", "another"], state=state)
        for method, pattern, answer in service.answers():
            path = pattern.replace("([^/]+)", "12").replace("[^/]+", "run-1")
            real = [each for each in ROUTES if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", each.path), path)]
            route = next(each for each in real if each.method == method)
            assert route.answer is not None
            found = answer(_QUERY, _BODY, *(["12"] if "(" in pattern else []))
            route.answer.model_validate(found)
