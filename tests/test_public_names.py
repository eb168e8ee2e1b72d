"""The names that people import, and how quickly they come."""

from __future__ import annotations

import subprocess
import sys

import selfinstruct

NAMES = ["Run", "__version__", "check", "check_async", "errors", "run", "run_async"]


def test_the_public_names_are_these() -> None:
    """The package exports exactly these names, each of which can be had."""
    assert sorted(selfinstruct.__all__) == NAMES == dir(selfinstruct)
    assert all(getattr(selfinstruct, name) is not None for name in NAMES)


def test_the_names_are_those_of_the_api() -> None:
    """A name is the object that the api has, so that types and identity hold."""
    from selfinstruct import api

    assert all(getattr(selfinstruct, name) is getattr(api, name) for name in NAMES if hasattr(api, name))


def test_an_unknown_name_is_an_attribute_error() -> None:
    """What is not exported is not there, and says so as Python does."""
    try:
        selfinstruct.nonsense  # noqa: B018 - looking it up is the test
    except AttributeError as error:
        assert "nonsense" in str(error)
    else:
        raise AssertionError("there is no such name")


def test_importing_the_package_imports_none_of_its_parts() -> None:
    """``import selfinstruct`` loads the errors and nothing else of the package, nor any dependency."""
    script = "import sys, selfinstruct; print(sorted(n for n in sys.modules if n.startswith('selfinstruct')))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['selfinstruct', 'selfinstruct._version', 'selfinstruct.errors']"
