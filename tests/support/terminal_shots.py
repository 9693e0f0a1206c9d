"""Pictures of terminals for the README: the real program on a real pseudo-terminal."""

import html
import io
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from tests.support.cli import on_terminal

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "docs" / "images"
WIDTH = 100
# ANSI's colours on a dark ground, bright enough to read.
THEME = TerminalTheme(
    (24, 26, 33),
    (214, 217, 224),
    [(60, 64, 75), (240, 113, 120), (120, 200, 130), (232, 190, 100),
     (110, 165, 240), (200, 140, 230), (100, 200, 205), (214, 217, 224)],
    [(130, 136, 150), (255, 140, 145), (150, 225, 160), (250, 215, 130),
     (140, 190, 255), (220, 170, 250), (130, 225, 230), (255, 255, 255)],
)  # fmt: skip
PAGE = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; background: rgb(24, 26, 33); color: rgb(214, 217, 224); padding: 18px 22px }}
pre {{ margin: 0; font: 15px/1.45 'DejaVu Sans Mono', monospace }}
.typed {{ color: rgb(140, 190, 255) }}
</style><pre><span class="typed">$ {typed}</span>
{said}</pre>"""
CHROMIUM = (
    "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars",
)  # fmt: skip


def picture(name, typed, said):
    """Draw what was typed and what the terminal showed."""
    console = Console(record=True, width=WIDTH, file=io.StringIO())
    console.print(Text.from_ansi(said), soft_wrap=True)
    body = console.export_html(theme=THEME, inline_styles=True, code_format="{code}")
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        page.write_text(PAGE.format(typed=html.escape(typed), said=body))
        height = 60 + 22 * (said.count("\n") + 2)
        subprocess.run(
            [*CHROMIUM, f"--window-size=960,{height}", f"--user-data-dir={folder}/profile",
             f"--screenshot={IMAGES / name}", page.as_uri()],
            check=True, capture_output=True, timeout=60,
        )  # fmt: skip


def main():
    """Fire the samples at the sandbox, and draw it."""
    said = on_terminal("--sandbox", "smoke").out
    said = re.sub(r"\r", "", said).strip("\n")
    picture("smoke.png", "levqor --sandbox smoke", said)
    return 0


if __name__ == "__main__":
    sys.exit(main())
