"""``dedup --engine ray`` on a cluster of two nodes: the same bytes, whoever is killed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from benchmarks import streams
from selfinstruct import api
from selfinstruct.engines import ray_executor as module
from selfinstruct.errors import InputError

_TOKEN = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0123456789abcdef" * 4, "RAY_USAGE_STATS_ENABLED": "0"}


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A cluster of two nodes of one processor, on this machine, that nobody without its token can use."""
    for name, value in _TOKEN.items():
        monkeypatch.setenv(name, value)
    from ray.cluster_utils import Cluster

    node = {"num_cpus": 1, "object_store_memory": 100_000_000, "include_dashboard": False}
    nodes: Any = Cluster(initialize_head=True, head_node_args=node)
    try:
        nodes.add_node(num_cpus=1, object_store_memory=100_000_000)
        yield nodes
    finally:
        nodes.shutdown()


def workers_of(cluster: Any) -> list[int]:
    """The processes that run tasks on the cluster."""
    raylets = {node.all_processes["raylet"][0].process.pid for node in cluster.list_all_nodes()}
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended
            parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            name = (path / "cmdline").read_bytes().rstrip(b"\0")
            if parent in raylets and name.startswith(b"ray::") and not name.endswith(b"Agent"):
                found.append(int(path.name))
    return found


def wait_for(event: Callable[[], object], process: subprocess.Popen[bytes]) -> None:
    """Wait until something has happened, while a process runs."""
    end = time.monotonic() + 120
    while not event():
        assert process.poll() is None, "the command ended before"
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_killed_workers_and_a_killed_command_change_nothing(cluster: Any, tmp_path: Path) -> None:
    """A worker of each node is killed, then the command; run again, it writes what one process writes."""
    shards, texts = tmp_path / "shards", streams.logs(Random(1), 0.8, lambda: 6000)
    shards.mkdir()
    for shard in range(6):
        (shards / f"{shard}.txt").write_text("".join(f"{next(texts)}\n" for _ in range(1000)))
    api.dedup(shards, max_rouge_l=0.8, out=tmp_path / "kept", dropped=tmp_path / "dropped")
    ours, ours_dropped = tmp_path / "kept.ray", tmp_path / "dropped.ray"
    command = [sys.executable, "-m", "selfinstruct", "dedup", str(shards)]
    command += ["--out", str(ours), "--dropped", str(ours_dropped)]
    command += ["--max-rouge-l", "0.8", "--engine", "ray", "--ray-address", cluster.address]
    work = tmp_path / "kept.ray.work"
    with subprocess.Popen(command) as first:
        wait_for(lambda: (work / "rows").exists(), first)
        doomed = workers_of(cluster)
        for worker in doomed:
            os.kill(worker, signal.SIGKILL)
        wait_for(lambda: (work / "pairs-0000").exists(), first)
        first.kill()
    assert doomed
    assert not ours.exists()
    assert work.exists()
    assert subprocess.run(command, check=False).returncode == 0
    assert ours.read_bytes() == (tmp_path / "kept").read_bytes()
    assert ours_dropped.read_bytes() == (tmp_path / "dropped").read_bytes()
    assert not work.exists()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_check_survives_its_workers_and_its_command(cluster: Any, tmp_path: Path) -> None:
    """A worker of each node is killed, then the command; run again, it prints what one process prints."""
    shards, texts, draw = tmp_path / "shards", streams.logs(Random(1), 0.8, lambda: 6000), Random(2)
    shards.mkdir()
    for shard in range(6):
        rows = [{"text": next(texts), "label": draw.choice(["a", "b", "Ab "])} for _ in range(1000)]
        rows[5], rows[7] = rows[4], {**rows[6], "text": f"{rows[6]['text']} write to jo.smith@corp-mail.com"}
        (shards / f"{shard}.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    command = [sys.executable, "-m", "selfinstruct", "check", str(shards), "--format", "sarif"]
    local = subprocess.run(command, check=False, capture_output=True)
    assert local.returncode == 1
    command += ["--engine", "ray", "--ray-address", cluster.address]
    work = tmp_path / "shards.work"
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as first:
        wait_for(lambda: (work / "corpus-000" / "described").exists(), first)
        doomed = workers_of(cluster)
        for worker in doomed:
            os.kill(worker, signal.SIGKILL)
        wait_for(lambda: (work / "corpus-000" / "examined-000").exists(), first)
        first.kill()
    assert doomed
    ours = subprocess.run(command, check=False, capture_output=True)
    assert (ours.returncode, ours.stdout) == (1, local.stdout)
    assert not work.exists()


def test_an_address_without_a_cluster_is_refused_at_once() -> None:
    """Ray itself would try for many minutes."""
    with pytest.raises(InputError, match=r"no Ray cluster answers at 127\.0\.0\.1:1"):
        module._reach("127.0.0.1:1")
    module._reach("auto")  # a name that Ray resolves


def test_a_cluster_of_its_own_is_started_beside_others() -> None:
    """Ray by itself would join the cluster of somebody else on this machine, and refuse the options."""
    with contextlib.ExitStack() as stack:
        assert module._cluster(None, stack)["address"] == "local"
    assert module._cluster("10.0.0.5:6379", contextlib.ExitStack()) == {"address": "10.0.0.5:6379"}


def test_a_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The error says what to install; it comes before anything is read or written."""
    monkeypatch.setitem(sys.modules, "ray", None)
    (tmp_path / "rows").write_text("a b c\n")
    with pytest.raises(InputError) as raised:
        api.dedup(tmp_path / "rows", out=tmp_path / "out", engine="ray")
    assert raised.value.hint == "Install it: pip install 'selfinstruct[ray]'"
    assert [each.name for each in tmp_path.iterdir()] == ["rows"]
    assert "RAY_AUTH_TOKEN" not in os.environ


def test_no_work_directory_for_stdin_or_without_an_output(tmp_path: Path) -> None:
    """Checkpoints need a place, and workers need files."""
    with pytest.raises(InputError, match="reads files only"):
        api.dedup("-", out=tmp_path / "out", engine="ray")
    with pytest.raises(InputError, match="no directory for its checkpoints"):
        api.dedup(tmp_path / "rows", engine="ray")
