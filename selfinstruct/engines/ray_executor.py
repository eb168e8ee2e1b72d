"""Tasks on the machines of a Ray cluster (the extra ``ray``), or on the processors of this one.

Ray only decides where a task runs, and runs it again when its process or its machine is lost. Nothing of it is
imported unless this module is.

Does not handle: authentication. A cluster that is named by its address is as safe as its operator made it; Ray is made
for trusted networks. The one that is started here listens on ports of this machine, so it gets a token of its own,
without which no process can use it.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import secrets
import socket
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from selfinstruct.engines.executor import Result
from selfinstruct.errors import InputError, SelfInstructError, StorageError

#: How often a task is tried again after its process or its machine was lost.
RETRIES = 16
_AHEAD = 3  # tasks that wait for each worker, so that none is idle
_PATIENCE = 10.0  # seconds
_OBJECT_STORE = 100_000_000  # bytes: tasks pass nothing but their arguments


class RayExecutor:
    """Runs calls on the cluster that this process is connected to."""

    def __init__(self, ray: Any, cpus: float = 1.0) -> None:
        """``ray`` is the package, initialized; ``cpus`` are the processors that a task takes."""
        self._ray = ray
        self._cpus = cpus
        self._running: dict[Any, int] = {}
        self._remote: dict[Callable[..., Any], Any] = {}

    @property
    def workers(self) -> int:
        """The processors of the cluster, which may grow."""
        return max(1, int(self._ray.cluster_resources().get("CPU", 1)))

    def run(self, task: Callable[..., Result], calls: Sequence[tuple[Any, ...]]) -> Iterator[Result]:
        """Yield the results in the order of ``calls``; an error of a task is raised as it is.

        Raises StorageError if a task lost its process or its machine too often.
        """
        ray = self._ray
        remote = self._remote.get(task)
        if remote is None:
            remote = self._remote[task] = ray.remote(num_cpus=self._cpus, max_retries=RETRIES)(task)
        at_once = math.ceil(_AHEAD * self.workers / self._cpus)
        running = self._running = {}
        done: dict[int, Any] = {}
        sent = 0
        try:
            for at in range(len(calls)):
                while at not in done:
                    while sent < len(calls) and len(running) < at_once:
                        running[remote.remote(*calls[sent])] = sent
                        sent += 1
                    for reference in ray.wait(list(running), num_returns=1)[0]:
                        done[running.pop(reference)] = reference
                yield result_of(ray, done.pop(at), task.__name__)
        finally:
            self.stop()

    def stop(self) -> None:
        """Cancel the calls that are running, also from another thread; then ``run`` raises StorageError."""
        for reference in list(self._running):
            self._ray.cancel(reference)


def result_of(ray: Any, reference: Any, name: str) -> Any:
    """The result of a call of ``name``; an error of its own as it is, StorageError if it lost its process too often."""
    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as exc:
        cause = exc.cause
        if isinstance(cause, SelfInstructError):
            raise cause from exc
        raise
    except ray.exceptions.RayError as exc:
        raise StorageError(
            "Ray lost the processes that ran {name}: {problem}",
            hint="Look for the reason in the logs of Ray, such as too little memory; then run the same command again.",
            name=name,
            problem=(str(exc).splitlines() or [type(exc).__name__])[0],
        ) from exc


@contextlib.contextmanager
def ray_executor(address: str | None = None, *, cpus: float = 1.0) -> Iterator[RayExecutor]:
    """Yield an executor on the cluster at ``address``, or on one of this machine, which is stopped at the end.

    Each task takes ``cpus`` processors. Without an address, a cluster that this process is connected to already is
    used, and left as it is.

    Raises InputError if Ray is not installed, or no cluster answers at the address.
    """
    with ray_cluster(address) as ray:
        yield RayExecutor(ray, cpus)


@contextlib.contextmanager
def ray_cluster(address: str | None = None) -> Iterator[Any]:
    """Yield the package ray, connected as ``ray_executor`` says. Raises as that does."""
    with contextlib.ExitStack() as stack:
        if address is None and "RAY_AUTH_MODE" not in os.environ:
            os.environ["RAY_AUTH_MODE"], os.environ["RAY_AUTH_TOKEN"] = "token", _token()
            stack.callback(_forget, "RAY_AUTH_MODE", "RAY_AUTH_TOKEN")
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        try:
            import ray
        except ImportError as exc:
            raise InputError(
                '`engine="ray"` needs the package ray, which is not installed',
                hint="Install it: pip install 'selfinstruct[ray]'",
            ) from exc
        if not ray.is_initialized():
            if address is not None:
                _reach(address)
            try:
                ray.init(log_to_driver=False, logging_level=logging.ERROR, **_cluster(address, stack))
            except (ConnectionError, ValueError, RuntimeError) as exc:
                raise InputError(
                    "Ray does not start: {problem}",
                    hint="Check the address, the token (RAY_AUTH_MODE, RAY_AUTH_TOKEN) if the cluster wants one, and "
                    "that all machines have the same versions of Ray and Python.",
                    problem=(str(exc).splitlines() or [type(exc).__name__])[0],
                ) from exc
            stack.callback(ray.shutdown)
        yield ray


@cache
def _token() -> str:
    """The token of all clusters that this process starts, one after another: Ray reads it once for each process."""
    return secrets.token_hex(32)


def _reach(address: str) -> None:
    """Refuse an address that nothing listens at: Ray would try for many minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdigit():  # a name that Ray resolves, such as "auto"
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), _PATIENCE).close()
    except (OSError, OverflowError) as exc:
        raise InputError(
            "`ray_address`: no Ray cluster answers at {address}: {problem}",
            hint="Start one, and name the address that it prints: ray start --head",
            address=address,
            problem=exc,
        ) from exc


def _cluster(address: str | None, stack: contextlib.ExitStack) -> dict[str, Any]:
    """The options of an existing cluster, or of one of this machine, with a directory for its sockets and logs."""
    if address is not None:
        return {"address": address}
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="selfinstruct-ray-", ignore_cleanup_errors=True))
    return {
        "address": "local",  # or Ray would join a cluster that it finds on this machine, or in RAY_ADDRESS
        "num_cpus": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "include_dashboard": False,
        "object_store_memory": _OBJECT_STORE,
        "_node_ip_address": "127.0.0.1",
        "_temp_dir": str(Path(folder).resolve()),
    }


def _forget(*names: str) -> None:
    for name in names:
        os.environ.pop(name, None)
