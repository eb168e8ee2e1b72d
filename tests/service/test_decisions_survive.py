"""A person's decisions while the service is killed: every acknowledged one counts, once."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfinstruct import api
from selfinstruct.journal import History
from tests.service.test_process import serving

pytestmark = pytest.mark.slow


async def test_acknowledged_decisions_survive_the_kill_of_the_service_and_its_run(tmp_path: Path) -> None:
    """After kill -9 in the middle of a review of a growing run, its quota is met again without the rejected rows."""
    root, made = tmp_path / "outputs", []
    async with serving(root) as service:
        source = {"recipe": "logqa", "rows": 3000}
        run = (await service.call("POST", "/v1/runs", json={"source": source}))["id"]
        await service.until(run, accepted=200)
        for number in range(1, 41):
            body = {"row": str(number), "action": "reject", "reason": f"reason {number}"}
            made.append((await service.call("POST", f"/v1/runs/{run}/decisions", json=body))["id"])
        service.process.kill()
        await service.process.wait()
    async with serving(root) as service:
        found = await service.until(run, states=("done", "failed", "short"))
        assert (found["state"], found["accepted"]) == ("done", 3000)
        assert found["decisions"] == {"accepted": 0, "rejected": 40, "edited": 0}
        export = await service.session.get(f"{service.address}/v1/runs/{run}/export")
        assert await export.read() == (root / run / "rows.jsonl").read_bytes()
    with History.open(root / run) as history:
        assert [decision.key for decision in history.decisions.log] == made
        gone = {row.line for row in history.rows() if row.number <= 40}
        assert not gone & {row.line for row in history.final_rows()}
    assert api.rejudge(root / run).identical
