"""Makes the pictures of docs/guides/tray.md from the real program: `make shots`.

Run with `window`, it is the tray's own window, which shows the states named on its input.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFont
from Xlib.display import Display

from tests.support import tray_states as known
from tests.support.bot import Program
from tests.support.desktop import PANEL, SIZE, Desktop, until
from tests.support.sandbox import Sandbox
from tests.support.tray_program import REVOKED, Tray, desktop
from tray.menu import menu
from tray.state import Preferences
from tray.summary import COLOURS, IconState

ROOT = Path(__file__).parents[2]
OUT = ROOT / "docs" / "images"
WALL = "#c9d6e2"
INK = "#22303c"
PAUSED = Preferences(paused_until=known.NOW + 60)
STATES = {
    IconState.OK: known.state(known.CHALK),
    IconState.ATTENTION: known.state(known.HINT),
    IconState.BROKEN: known.state(known.BAD),
    IconState.EMPTY: known.state(known.OFF),
    IconState.CHECKING: known.state(),
    IconState.PAUSED: known.state(
        known.CHALK, preferences=Preferences(paused_until=known.NOW + 60)
    ),
    IconState.OFFLINE: known.state(fault=known.fault()),
}
CAPTIONS = {
    IconState.OK: "all well",
    IconState.ATTENTION: "needs attention",
    IconState.BROKEN: "failing",
    IconState.EMPTY: "nothing set up",
    IconState.CHECKING: "checking",
    IconState.PAUSED: "paused",
    IconState.OFFLINE: "no connection",
}


def main() -> None:
    """Make every picture anew."""
    with tempfile.TemporaryDirectory() as name, Sandbox() as sandbox:
        folder = Path(name)
        bars = [icons(folder / style, dark=style == "dark") for style in ("light", "dark")]
        _sheet(bars).save(OUT / "tray-icons.png", optimize=True)
        story(folder / "story", sandbox)


def icons(folder: Path, *, dark: bool) -> dict[IconState, Image.Image]:
    """The icon of each state, as a real panel shows it."""
    found = {}
    with desktop(folder, None, "appindicator") as desk:
        desk.dark = dark
        desk.start_host("xfce4-panel")
        child = desk.start(sys.executable, __file__, "window", log="window", stdin=subprocess.PIPE)
        for face in STATES:
            child.stdin.write(f"{face}\n".encode())
            child.stdin.flush()
            x, y = until(f"{face} is shown", lambda face=face: desk.icon(COLOURS[face]))
            found[face] = desk.screenshot().crop((x - 15, y - 14, x + 15, y + 14))
        child.stdin.close()
    return found


def story(folder: Path, sandbox: Sandbox) -> None:
    """The open menu and a message, after a token was revoked."""
    with desktop(folder, "xfce4-panel", "appindicator") as desk:
        _paint_wall(desk)
        desk.env |= sandbox.settings()
        tray = Tray(desk, "--home", str(folder / "home"))
        tray.open_menu(IconState.OK)
        desk.click("✓ Slack", "Send test…")
        until("the answer is told", desk.shown)
        time.sleep(0.5)
        _bubble(desk).save(OUT / "tray-test.png", optimize=True)
        desk.messages()
        sandbox.notion.always(REVOKED)
        tray.shows(IconState.BROKEN)
        until("the trouble is told", desk.shown)
        time.sleep(0.5)
        _bubble(desk).save(OUT / "tray-message.png", optimize=True)
        desk.messages()
        tray.open_menu(IconState.BROKEN)
        _page(desk, folder / "home")
        with Program(folder / "home", sandbox.settings()) as bot:
            bot.until("listening on")
            tray.open_menu(IconState.BROKEN)
            until("the bot is seen", lambda: desk.row("Recent runs"))
            # A panel's menu that grew is not where its rows are looked for.
            desk.close_menu()
            desk.messages()
            tray.open_menu(IconState.BROKEN)
            desk.hover("Recent runs")
            until("the test is listed", lambda: desk.row("slack.send (test)"))
            time.sleep(0.5)
            desk.screenshot().crop((20, 120, *SIZE)).save(OUT / "tray-runs.png", optimize=True)
            desk.close_menu()
            tray.open_menu(IconState.BROKEN)
            desk.hover("✗ Notion")
            until("the way out is offered", lambda: desk.row("How to fix"))
            time.sleep(0.5)
            desk.screenshot().crop((20, 120, *SIZE)).save(OUT / "tray-menu.png", optimize=True)


def _page(desk: Desktop, home: Path) -> None:
    """The page behind How to fix, in a real browser."""
    opened = desk.folder / "opened"
    desk.click("✗ Notion", "How to fix")
    pages = Path(desk.env["HOME"], ".local/state/levqor")
    page = until("the page is written", lambda: next(pages.glob("*.html"), None))
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        sys.stdout.write("no browser here: tray-page.png is left as it is\n")
        return
    # This run's own temporary folder says nothing to a reader.
    neutral = str(Path("/home", "ann", "levqor"))
    page.write_text(page.read_text("utf-8").replace(str(home), neutral), "utf-8")
    picture = opened.with_suffix(".png")
    desk.out(
        browser, "--headless", "--no-sandbox", "--hide-scrollbars", "--window-size=820,900",
        f"--screenshot={picture}", page.as_uri(),
    )  # fmt: skip
    with Image.open(picture) as image:
        page_only = image.convert("RGB")
        blank = Image.new("RGB", page_only.size, page_only.getpixel((0, 0)))
        foot = ImageChops.difference(page_only, blank).getbbox()[3]
        page_only.crop((0, 0, 820, foot + 40)).save(OUT / "tray-page.png", optimize=True)


def _paint_wall(desk: Desktop) -> None:
    display = Display(desk.env["DISPLAY"])
    root = display.screen().root
    root.change_attributes(background_pixel=int(WALL[1:], 16))
    root.clear_area(0, 0, *SIZE)
    display.sync()
    display.close()


def _bubble(desk: Desktop) -> Image.Image:
    """The message on the screen, and a little of the wall around it."""
    upper = desk.screenshot().crop((0, 0, SIZE[0], SIZE[1] - PANEL))
    box = ImageChops.difference(upper, Image.new("RGB", upper.size, WALL)).getbbox()
    return upper.crop((box[0] - 16, box[1] - 16, box[2] + 16, box[3] + 16))


def _sheet(bars: list[dict[IconState, Image.Image]]) -> Image.Image:
    """The icons side by side, on a light and on a dark bar, twice their size."""
    wide, tall = 132, 84
    sheet = Image.new("RGB", (wide * len(STATES), tall * len(bars) + 36), "white")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.truetype("DejaVuSans.ttf", 13)
    for line, bar in enumerate(bars):
        for column, (face, image) in enumerate(bar.items()):
            twice = image.resize((image.width * 2, image.height * 2), Image.Resampling.NEAREST)
            back = Image.new("RGB", (wide, tall), image.getpixel((1, 14)))
            back.paste(twice, ((wide - twice.width) // 2, (tall - twice.height) // 2))
            sheet.paste(back, (column * wide, line * tall))
            if line == 0:
                at = (column * wide + wide // 2, tall * len(bars) + 18)
                draw.text(at, CAPTIONS[face], fill=INK, font=font, anchor="mm")
    return sheet


def _window() -> None:
    from tray.backend import window

    with tempfile.TemporaryDirectory() as name:
        shown = window(menu(STATES[IconState.OK]), Path(name), lambda _: None)

        def follow() -> None:
            for line in sys.stdin:
                shown.show(menu(STATES[IconState(line.strip())]))
            shown.stop()

        shown.run(threading.Thread(target=follow, daemon=True).start)


if __name__ == "__main__":
    if sys.argv[1:] == ["window"]:
        _window()
    else:
        main()
