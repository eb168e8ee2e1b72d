"""The exports of the backend packages, and the cost of importing them."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest


@pytest.mark.parametrize("name", ["selfinstruct.backends", "selfinstruct.backends.openai", "selfinstruct.testing"])
def test_every_export_exists(name: str) -> None:
    """Each name in ``__all__`` is an attribute of its package, and the list is sorted."""
    package = importlib.import_module(name)
    assert all(hasattr(package, each) for each in package.__all__)
    assert package.__all__ == sorted(package.__all__, key=lambda each: (not each.isupper(), each))


def test_importing_the_backends_imports_no_network_library() -> None:
    """Runs without a model need neither openai nor aiohttp, which take most of a second to import."""
    code = "import sys, selfinstruct.backends; print({'openai', 'aiohttp'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
