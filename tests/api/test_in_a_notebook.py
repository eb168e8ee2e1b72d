"""A real notebook: the cells run in a kernel, and what it displays is HTML."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]


def execute(cells: list[str], folder: Path) -> list[list[Any]]:
    """Run the cells of a new notebook in a kernel; return the outputs of each cell."""
    new_cell, new_notebook = nbformat.v4.new_code_cell, nbformat.v4.new_notebook
    book = new_notebook(cells=[new_cell(cell) for cell in cells])  # type: ignore[no-untyped-call]
    client = NotebookClient(
        book,
        timeout=120,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        store_widget_state=False,
    )
    client.execute()
    return [cell["outputs"] for cell in book["cells"]]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the notebook libraries
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_run_and_findings_are_shown_as_html(tmp_path: Path) -> None:
    """``run`` works though the kernel's loop is running, clears its progress, and its results are tables."""
    setup, run, check, frame = execute(
        [
            f"import sys; sys.path.insert(0, {str(ROOT)!r})\nimport selfinstruct",
            f"run = selfinstruct.run({str(ROOT / 'seeds/logqa.jsonl')!r}, rows=40, out='grown')\nrun",
            "rows = list(run.rows()); rows[1] = {**rows[1], 'Answer': '<script>x</script>'}\nselfinstruct.check(rows)",
            "awaited = await selfinstruct.run_async(rows[2:20], rows=10, out='again')\nprint(awaited.summary.accepted)",
        ],
        tmp_path,
    )
    assert setup == []
    progress, result = run
    assert progress["output_type"] == "display_data" and "<" not in progress["data"]["text/html"]
    assert "40 rows in" in result["data"]["text/html"] and "<th>RawLog</th>" in result["data"]["text/html"]
    (found,) = check
    html = found["data"]["text/html"]
    assert "ungrounded" in html and "<script>" not in html and "&lt;script&gt;" in html
    assert "10" in frame[-1]["text"]
