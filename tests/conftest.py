"""Settings shared by every test."""

import os

from hypothesis import settings

# No deadline: the cores are shared. In CI the examples are fixed, so that a red run is red for everyone.
settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")

# Inside GitHub Actions the output of `check` is annotations; tests say so themselves where they mean it.
os.environ.pop("GITHUB_ACTIONS", None)
