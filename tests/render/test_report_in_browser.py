"""The report in Chromium: hostile rows run no script and make no request, and rows can be browsed."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from selfinstruct import api
from selfinstruct.analysis.report import build_report
from selfinstruct.analysis.report.browsing import Browsed
from selfinstruct.analysis.report.shares import field_shares
from selfinstruct.analysis.report.wording import wording
from selfinstruct.analysis.summary import summarise
from selfinstruct.journal import GrownRow, History, RecordedReply
from selfinstruct.records import Batch, Reply
from selfinstruct.render.report import report_page
from tests.hostile import hostile

_CHROMIUM = shutil.which("chromium")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(_CHROMIUM is None, reason="needs chromium")]


@pytest.fixture(scope="module")
def page_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a run in which 500 rows, and everything that names or explains them, are hostile."""
    where = tmp_path_factory.mktemp("hostile")
    texts = hostile(500)
    prepared = api.plan("seeds/logqa.jsonl", rows=20)
    api.run("seeds/logqa.jsonl", prepared=prepared, out=where / "run")
    with History.open(where / "run") as history:
        report = build_report(history, prepared, summarise(history, prepared))
    rows = [{texts[n - 1]: text, "text": text} for n, text in enumerate(texts)]
    grown = [GrownRow(n + 1, n + 1, 0, texts[-n], json.dumps(row), "{}") for n, row in enumerate(rows)]
    replies = {
        n + 1: RecordedReply(n + 1, Batch(n + 1, text, 1, 0, (1,), {text: text}), text, Reply(text, text))
        for n, text in enumerate(texts)
    }
    field = texts[0]
    values = [{field: text} for text in texts[:30] * 4]
    shown = replace(
        report,
        browsed=Browsed(tuple(grown), replies, {1: rows[0]}, {}),
        rows=grown[:10],
        wording={field: wording(field, values, values)},
        shares={field: field_shares(field, values, values)},
        summary=replace(report.summary, notes=texts[:50], name=texts[1]),
    )
    path = where / "report.html"
    path.write_text(report_page(shown, prepared, texts[2]), encoding="utf-8")
    return path


def test_hostile_rows_run_nothing_and_request_nothing(page_path: Path) -> None:
    """All 500 rows are shown with their origins; no alert, no violation of the policy, no request, no element."""
    from playwright.sync_api import sync_playwright

    requests: list[str] = []
    problems: list[str] = []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.add_init_script(
            "window.ran = 0; window.alert = () => { window.ran += 1; };"
            "window.refused = 0; document.addEventListener('securitypolicyviolation', () => { window.refused += 1; });"
        )
        page.on("request", lambda request: requests.append(request.url))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("dialog", lambda dialog: problems.append(dialog.message))
        page.goto(page_path.as_uri())
        page.evaluate("while (!document.getElementById('more').hidden) document.getElementById('more').click()")
        page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
        page.wait_for_function("document.querySelectorAll('.origin dl').length === 500")
        assert page.locator("#rows article").count() == 500
        tags = page.evaluate("[...new Set([...document.querySelectorAll('#rows *')].map((each) => each.localName))]")
        assert set(tags) <= {"article", "header", "dl", "dt", "dd", "details", "summary", "pre", "mark", "p"}
        assert page.evaluate("document.querySelectorAll('img, iframe, link, a, object, form, base').length") == 0
        assert page.evaluate("document.scripts.length") == 2
        assert page.evaluate("[window.ran, window.refused]") == [0, 0]
        assert page.locator("#rows article").nth(7).locator("dd").first.inner_text().endswith(" 7")

        page.fill("#search", "ONLOAD link")
        found = page.locator("#rows article").all_inner_texts()
        assert found and all("onload" in text and "link" in text for text in found)
        page.fill("#search", "no such text anywhere")
        assert page.inner_text("#rows-status") == "No row matches."
        browser.close()
    assert requests == [page_path.as_uri()] and problems == []
