"""The page in Chromium, before a real service: review by keys, a million rows, from a dropped file to a download."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from selfinstruct import api

_CHROMIUM = shutil.which("chromium")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(_CHROMIUM is None, reason="needs chromium")]

ROOT = Path(__file__).parent.parent.parent
TOKEN = "a-token-that-only-this-test-knows-of-it"
_DROP = """([text, name]) => {
  const data = new DataTransfer();
  data.items.add(new File([text], name));
  const drop = new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true });
  document.querySelector('.drop').dispatchEvent(drop);
}"""


class Served(NamedTuple):
    """A service that is running, and the directory of its runs."""

    address: str
    runs: Path

    def get(self, path: str) -> Any:
        """The JSON at a path of the API."""
        request = urllib.request.Request(f"{self.address}/v1{path}", headers={"Authorization": f"Bearer {TOKEN}"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A service with one run of a million rows, most of them written by SQL alone."""
    folder = tmp_path_factory.mktemp("served")
    api.run(ROOT / "seeds" / "logqa.jsonl", rows=200, out=folder / "runs" / "million")
    with sqlite3.connect(folder / "runs" / "million" / "run.sqlite") as journal:
        journal.execute(
            "WITH RECURSIVE n(i) AS (SELECT 201 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000) "
            "INSERT INTO rows SELECT i, r.call, i, r.category, r.row, r.spans "
            "FROM n JOIN rows r ON r.number = 1 + i % 200"
        )
    journal.close()
    environment = {**os.environ, "SELFINSTRUCT_TOKEN": TOKEN, "SELFINSTRUCT_LANG": "en", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "selfinstruct", "serve", "runs", "--port", "0"]
    log = folder / "log"
    with log.open("w") as said, subprocess.Popen(command, cwd=folder, env=environment, stderr=said) as process:
        try:
            while not (link := re.search(r"^Open (\S+)/\?token=", log.read_text(encoding="utf-8"), re.MULTILINE)):
                assert process.poll() is None, log.read_text(encoding="utf-8")
                time.sleep(0.05)
            yield Served(link[1], folder / "runs")
        finally:
            process.terminate()
            process.wait(timeout=20)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests."""
    with sync_playwright() as play:
        made = play.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox"])
        yield made
        made.close()


@pytest.fixture
def page(browser: Browser, served: Served) -> Iterator[Page]:
    """The page, opened by the link that the service prints; its own code raises nothing."""
    errors: list[str] = []
    made = browser.new_page(base_url=served.address)
    made.set_default_timeout(30_000)
    made.on("pageerror", lambda error: errors.append(str(error)))
    made.goto(f"/?token={TOKEN}")
    made.wait_for_selector(".drop")
    yield made
    made.close()
    assert errors == []


def test_twenty_rows_are_reviewed_by_keys_alone(page: Page, served: Served) -> None:
    """Each key shows the next row at once; the service keeps every judgement, also over a reload."""
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_selector(".growth")
    run = page.url.split("/")[-1]
    before = served.get(f"/runs/{run}")["decisions"]
    page.keyboard.press("g")
    page.keyboard.press("v")
    title = page.locator(".review-card h2")
    expect(title).to_be_visible()
    longest = 0.0
    for at in range(20):
        shown = title.inner_text()
        began = time.perf_counter()
        for key in ("r", "1") if at % 5 == 4 else ("a",):
            page.keyboard.press(key)
        assert title.inner_text() != shown, "the next row was not there"
        longest = max(longest, time.perf_counter() - began)
    expect(page.locator(".review-progress")).not_to_contain_text("Saving", timeout=20_000)
    after = served.get(f"/runs/{run}")["decisions"]
    assert (after["accepted"] - before["accepted"], after["rejected"] - before["rejected"]) == (16, 4)
    page.reload()
    expect(page.locator(".review-progress")).to_contain_text(f"{sum(after.values())} of 100")
    rejected = served.get(f"/runs/{run}/rows?decision=reject")["rows"]
    assert {each["decision"]["reason"] for each in rejected} == {"wrong answer"}
    assert longest < 2  # a few hundredths of a second on an idle machine


def test_a_million_rows_are_shown_quickly_and_in_few_bytes(page: Page, browser: Browser, served: Served) -> None:
    """The first paint of a cold browser, the first rows, and everything that was sent."""
    context = browser.new_context(base_url=served.address)
    context.add_cookies(page.context.cookies())  # type: ignore[arg-type]
    cold = context.new_page()
    sent: list[float] = []
    session = context.new_cdp_session(cold)
    session.send("Network.enable")
    session.on("Network.loadingFinished", lambda event: sent.append(event["encodedDataLength"]))
    cold.goto("/#/runs/million/rows")
    expect(cold.locator("#row-5")).to_contain_text("6")
    paint = cold.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    assert sum(sent) < 150_000
    assert paint < 2_000  # under 0.2 s on an idle machine
    cold.focus(".v-list")
    cold.keyboard.press("End")
    expect(cold.locator("#row-999999")).to_contain_text("1,000,000")
    context.close()


def test_a_stranger_gets_from_a_dropped_file_to_a_download(page: Page, served: Served) -> None:
    """Drop, preview, change a quota, start, watch, look at a row, download: the file has what was asked for."""
    page.evaluate(_DROP, [(ROOT / "seeds" / "logqa.jsonl").read_text(encoding="utf-8"), "logqa.jsonl"])
    expect(page.locator(".preview-head")).to_contain_text("10 seed rows", timeout=30_000)
    expect(page.locator(".preview-main")).to_contain_text("numbers and ids must occur in RawLog")
    page.fill("#size", "40")
    expect(page.locator("input[data-quota]").first).to_have_value("10")
    page.locator("input[data-quota]").first.fill("14")
    expect(page.locator("#size")).to_have_value("44")
    page.click(".recipe-box > summary")
    good = page.input_value(".editor textarea")
    assert "rows = 44" in good
    page.fill(".editor textarea", good.replace("max_chars", "max_char", 1))
    expect(page.locator(".line-problems")).to_contain_text("max_chars", timeout=30_000)
    line = good[: good.index("max_chars")].count("\n") + 1
    expect(page.locator(".gutter .bad")).to_have_text(str(line))
    page.fill(".editor textarea", good)
    start = page.get_by_role("button", name="Start the run")
    expect(start).to_be_enabled(timeout=30_000)
    start.click()
    expect(page.locator(".outcome")).to_contain_text("Every quota is met", timeout=60_000)
    run = served.get(f"/runs/{page.url.split('/')[-1]}")
    assert sorted(each["accepted"] for each in run["categories"]) == [10, 10, 10, 14]
    page.locator(".tabs a", has_text="Rows").click()
    page.locator("#row-2").click()
    expect(page.locator("dialog")).to_contain_text("Shown in the prompt")
    page.keyboard.press("Escape")
    page.locator(".tabs a", has_text="Download").click()
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download as jsonl").click()
    rows = [json.loads(each) for each in waiting.value.path().read_text(encoding="utf-8").splitlines()]
    assert len(rows) == 44 and all(row["Answer"] in row["RawLog"] for row in rows)
