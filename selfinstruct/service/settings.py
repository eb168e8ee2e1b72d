"""The settings of a service: where its runs are, who may use it, its limits, and the endpoints that runs may call.

They come from the options of ``selfinstruct serve`` and, optionally, a TOML file of the operator:

    hosts = ["selfinstruct.example.org"]            # beside those of the address that the service listens on
    origins = ["https://selfinstruct.example.org"]
    [users]
    anna = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"   # SHA-256 of her token
    [limits]
    running = 4
    [endpoints.local]
    base_url = "http://127.0.0.1:8000/v1"
    key = "LOCAL_API_KEY"                           # the environment variable that contains the key
    models = ["qwen3-8b"]

Does not handle: reading keys, which only the process of a run gets.
"""

from __future__ import annotations

import hashlib
import secrets
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from selfinstruct.errors import InputError
from selfinstruct.messages import Phrase
from selfinstruct.recipe import Price

#: The directory of the service's own files, in that of its runs.
OWN_DIRECTORY = ".service"
#: The user of a service without ``[users]``.
ONLY_USER = "owner"
_TOKEN_BYTES = 32

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Variable = Annotated[str, StringConstraints(pattern=r"^[A-Z_][A-Z0-9_]*$")]
HttpUrl = Annotated[str, StringConstraints(pattern=r"^https?://[^\s/?#@]+(/[^\s?#]*)?$")]
HostName = Annotated[str, StringConstraints(pattern=r"^[^\s/@?#]+$", to_lower=True)]
Origin = Annotated[str, StringConstraints(pattern=r"^https?://[^\s/@?#]+$", to_lower=True)]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class Table(BaseModel):
    """A table of the configuration: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Limits(Table):
    """What the service accepts.

    ``upload_bytes`` is the largest upload, ``rows`` the most rows of a run, ``jobs`` the most runs that wait, and
    ``running`` the most that grow at once. ``disk_bytes`` is what runs and uploads may take together;
    ``memory_bytes`` is what the process of one run may take.
    """

    upload_bytes: int = Field(default=100 * 2**20, ge=1)
    rows: int = Field(default=1_000_000, ge=1)
    jobs: int = Field(default=100, ge=1)
    running: int = Field(default=2, ge=1)
    disk_bytes: int = Field(default=50 * 2**30, ge=1)
    memory_bytes: int = Field(default=8 * 2**30, ge=2**28)


class Endpoint(Table):
    """An endpoint that runs may call: its ``base_url``, and the environment variable ``key`` that has its key.

    ``models`` are those that may be used; None allows all. ``price`` is that of a million tokens.
    """

    base_url: HttpUrl
    key: Variable | None = None
    models: Annotated[list[str], Field(min_length=1)] | None = None
    price: Price | None = None


class Configuration(Table):
    """The operator's TOML file."""

    hosts: list[HostName] = []
    origins: list[Origin] = []
    users: dict[Name, Digest] = {}
    limits: Limits = Limits()
    endpoints: dict[Name, Endpoint] = {}


class Settings(Table):
    """All settings of a service.

    ``root`` is the directory whose subdirectories are runs. ``hosts`` and ``origins`` are the exact values of these
    headers that are accepted. ``users`` has the SHA-256 digest of each user's token.
    """

    root: Path
    port: int
    hosts: frozenset[str]
    origins: frozenset[str]
    users: Mapping[str, str]
    limits: Limits = Limits()
    endpoints: Mapping[str, Endpoint] = {}

    @property
    def own(self) -> Path:
        """The directory of the service's own files."""
        return self.root / OWN_DIRECTORY


def digest_of(token: str) -> str:
    """The form in which tokens are kept."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def new_token() -> str:
    """A token that cannot be guessed."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def read_configuration(path: Path | None, environment: Mapping[str, str]) -> Configuration:
    """Read the operator's file, if there is one. Raises InputError for an invalid one, or a key that is not set."""
    if path is None:
        return Configuration()
    try:
        with path.open("rb") as file:
            data: dict[str, Any] = tomllib.load(file)
    except OSError as error:
        raise InputError("{path}: cannot read: {strerror}", path=path, strerror=error.strerror) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError("{path}: not valid TOML: {error}", path=path, error=error) from error
    try:
        configuration = Configuration.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(map(str, first["loc"]))
        problem = Phrase("unknown key") if first["type"] == "extra_forbidden" else Phrase(first["msg"])
        hint = Phrase("See docs/how-to/run-the-service.md for the keys.")
    else:
        missing = [
            (name, each.key)
            for name, each in configuration.endpoints.items()
            if each.key and not environment.get(each.key)
        ]
        if not missing:
            return configuration
        key = f"endpoints.{missing[0][0]}.key"
        problem = Phrase("the environment variable {name} is not set", name=missing[0][1])
        hint = Phrase("Set it to the endpoint's API key, or leave out the key.")
    # Raised outside the except block, so that no traceback contains the rejected values.
    raise InputError("{path}: {key}: {problem}", hint=hint, path=path, key=key, problem=problem)


def make_settings(root: Path, host: str, port: int, token: str | None, configuration: Configuration) -> Settings:
    """The settings of a service on an address; ``token`` is that of its only user, if no users are configured."""
    hosts = {*_own_hosts(host, port), *configuration.hosts}
    users = dict(configuration.users)
    if token is not None:
        users[ONLY_USER] = digest_of(token)
    return Settings(
        root=root.absolute(),
        port=port,
        hosts=frozenset(hosts),
        origins=frozenset({*(f"http://{each}" for each in _own_hosts(host, port)), *configuration.origins}),
        users=users,
        limits=configuration.limits,
        endpoints=configuration.endpoints,
    )


def _own_hosts(host: str, port: int) -> list[str]:
    """The values of Host by which browsers of this machine reach the service."""
    names = ["127.0.0.1", "localhost", "[::1]"]
    written = f"[{host}]" if ":" in host else host
    if host not in ("0.0.0.0", "::"):  # these are no names of a host
        names.append(written.lower())
    return [
        each
        for name in dict.fromkeys(names)
        for each in ([f"{name}:{port}", name] if port == 80 else [f"{name}:{port}"])
    ]
