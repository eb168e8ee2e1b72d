"""Uploads an exported folder to the Hugging Face Hub, by huggingface_hub (the extra ``hub``).

The token is read from HF_TOKEN alone, and no message contains it, or what the hub answers beside its status. A
repository that does not exist is created, private unless asked otherwise. A push is one commit, which replaces the
data files.
"""

from __future__ import annotations

import os
from pathlib import Path

from selfinstruct._version import __version__
from selfinstruct.errors import EndpointError, InputError

_TOKEN = "HF_TOKEN"
_REFUSED = (401, 403)


def require_hub() -> str:
    """Return the token. Raises InputError if it is not set, or huggingface_hub is not installed."""
    try:
        import huggingface_hub  # noqa: F401 - is it there?
    except ImportError as exc:
        raise InputError(
            "`push_to_hub`: needs huggingface_hub, which is not installed",
            hint="Install it: pip install 'selfinstruct[hub]'",
        ) from exc
    if not (token := os.environ.get(_TOKEN, "").strip()):
        raise InputError(
            "`push_to_hub`: no token in {variable}",
            hint="Set {variable} to a token that may write: https://huggingface.co/settings/tokens",
            variable=_TOKEN,
        )
    return token


def push_folder(folder: Path, repository: str, *, public: bool) -> str:
    """Upload all files of a folder as the data set ``repository`` (owner/name), and return its address.

    Raises InputError if the name is invalid or a requirement is missing, EndpointError if the hub refuses or fails.
    """
    token = require_hub()
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()
    # Read again: huggingface_hub reads the variable when it is imported.
    hub = HfApi(
        endpoint=os.environ.get("HF_ENDPOINT") or None,
        token=token,
        library_name="selfinstruct",
        library_version=__version__,
    )
    try:
        hub.create_repo(repository, repo_type="dataset", private=not public, exist_ok=True)
        hub.upload_folder(
            repo_id=repository,
            repo_type="dataset",
            folder_path=folder,
            commit_message="Export by selfinstruct",
            delete_patterns=["data/*"],
        )
    except HFValidationError as exc:
        raise InputError(
            "`push_to_hub`: not the name of a repository: {name!r}", hint="Name it owner/name.", name=repository
        ) from exc
    except HfHubHTTPError as exc:
        raise _refused(repository, exc.response.status_code) from None
    except Exception as exc:
        if isinstance(exc, OSError) or type(exc).__module__.startswith(("httpx", "httpcore")):
            raise EndpointError(
                "{endpoint}: cannot be reached: {problem}",
                hint="Check the network, and HF_ENDPOINT if it is set; then run the same command again.",
                endpoint=hub.endpoint,
                problem=type(exc).__name__,
            ) from None
        raise
    return f"{hub.endpoint}/datasets/{repository}"


def _refused(repository: str, status: int) -> EndpointError:
    if status in _REFUSED:
        return EndpointError(
            "{repository}: the hub refused the token in {variable} (status {status})",
            hint="Use a token that may write to this repository.",
            repository=repository,
            variable=_TOKEN,
            status=status,
        )
    return EndpointError(
        "{repository}: the hub answered with status {status}",
        hint="Run the same command again later.",
        repository=repository,
        status=status,
    )
