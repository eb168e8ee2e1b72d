"""Draw the pictures of README.md: python docs/make_pictures.py (needs Debian's chromium; a font with Chinese helps).

    docs/images/run.svg      the terminal: what `selfinstruct run seeds/logqa.jsonl --rows 1000` prints
    docs/images/report.png   the top of the report that it writes
    docs/images/page.png     the page of `selfinstruct serve` after seeds/logqa.jsonl was dropped on it

All come from a real run in a temporary directory; nothing is drawn by hand.
"""

from __future__ import annotations

import contextlib
import json
import os
import pty
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from PIL import Image
from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parent.parent
IMAGES = Path(__file__).parent / "images"
COLUMNS, LINES = 96, 60
COMMAND = ("run", "seeds/logqa.jsonl", "--rows", "1000")


def terminal_output(folder: Path) -> str:
    """What the command writes to a terminal, as the terminal shows it at the end (progress lines are overwritten)."""
    command = [sys.executable, "-m", "selfinstruct", *COMMAND]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": str(COLUMNS), "LINES": str(LINES)}
    environment |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    environment.pop("NO_COLOR", None)
    main, side = pty.openpty()
    process = subprocess.Popen(command, cwd=folder, env=environment, stdin=side, stdout=side, stderr=side)
    os.close(side)
    data = b""
    while True:
        try:
            chunk = os.read(main, 65536)
        except OSError:  # the other side is closed
            break
        if not chunk:
            break
        data += chunk
    os.close(main)
    if process.wait():
        raise SystemExit(f"the command failed:\n{data.decode(errors='replace')}")
    return _settled(data.decode())


def _settled(text: str) -> str:
    """The lines that stay: those of the live display are erased by the cursor movements that follow them."""
    lines: list[str] = []
    for piece in text.replace("\r\n", "\n").split("\n"):
        while "\x1b[1A" in piece:  # up one line
            piece = piece.replace("\x1b[1A", "", 1)
            if lines:
                lines.pop()
        lines.append(piece.rpartition("\r")[2].replace("\x1b[2K", "").replace("\x1b[?25l", "").replace("\x1b[?25h", ""))
    return "\n".join(lines)


def draw_terminal(text: str, path: Path) -> None:
    """The prompt, the command and its output as an SVG."""
    console = Console(record=True, width=COLUMNS, file=Path(os.devnull).open("w"), force_terminal=True)  # noqa: SIM115
    console.print(Text("$ ", "green") + Text(f"selfinstruct {' '.join(COMMAND)}", "bold"))
    console.print(Text.from_ansi(text.strip("\n")))
    svg = console.export_svg(title="selfinstruct", unique_id="run")
    # The picture is shown by others' pages: no font is fetched from elsewhere.
    start, end = svg.index("@font-face"), svg.rindex("}", 0, svg.index(".run-matrix"))
    path.write_text(svg[:start] + svg[end + 1 :].lstrip(), encoding="utf-8")


def draw_address(address: str, path: Path, size: str = "1100,1060") -> None:
    """The top of a page as a PNG of 128 colours."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("chromium not found; install it: apt-get install chromium")
    with tempfile.TemporaryDirectory() as folder:
        shot = Path(folder) / "shot.png"
        options = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            f"--window-size={size}",
            "--virtual-time-budget=5000",
        ]
        options += [f"--user-data-dir={folder}/profile", f"--screenshot={shot}"]
        subprocess.run([chromium, *options, address], check=True, capture_output=True, timeout=120)
        with Image.open(shot) as image:
            image.convert("RGB").quantize(128).save(path, optimize=True)


def draw_page(folder: Path, path: Path) -> None:
    """The preview of a seed file that was uploaded to a service of its own."""
    token, port = "a-token-for-one-picture-of-the-page-alone", 8753
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "selfinstruct", "serve", "served", "--port", str(port)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "SELFINSTRUCT_TOKEN": token}
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as server:
        try:
            for _ in range(100):
                time.sleep(0.1)
                with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}/healthz"):
                    break
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/octet-stream"}
            seeds = (ROOT / "seeds" / "logqa.jsonl").read_bytes()
            upload = urllib.request.Request(f"{address}/v1/files?name=logqa.jsonl", seeds, headers, method="POST")
            with urllib.request.urlopen(upload) as answer:
                file = json.load(answer)["id"]
            draw_address(f"{address}/?token={token}#/new/{file}", path, "1180,930")
        finally:
            server.terminate()


def main() -> None:
    """Run the command once and draw the pictures."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder)
        (where / "seeds").symlink_to(ROOT / "seeds")
        draw_terminal(terminal_output(where), IMAGES / "run.svg")
        draw_address((where / "outputs" / "logqa" / "report.html").as_uri(), IMAGES / "report.png")
        draw_page(where, IMAGES / "page.png")
    for path in sorted(IMAGES.iterdir()):
        print(f"{path.relative_to(ROOT)}  {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
