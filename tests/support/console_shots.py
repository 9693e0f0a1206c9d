"""Pictures of the web console for the README and its guide: the real pages in a real browser."""

import asyncio
import sys
import tempfile
from pathlib import Path

from tests.support.console import ROLES, console, walking
from tests.support.sandbox import Sandbox

IMAGES = Path(__file__).parents[2] / "docs" / "images"


async def pictures(web, folder):
    """Look at the overview, and at a form with its preview."""
    async with walking(web, folder) as ann:
        await ann.look(width=1100)
        await ann.sign_in(ROLES["admin"])
        await ann.click("form[action='/check'] button")
        keep("console-overview.png", await ann.picture())
        await ann.look(width=720)
        await ann.visit("/send/slack.send")
        await ann.write("text", "Deployed version 42 to production")
        await ann.click("button[value='preview']")
        keep("console-send.png", await ann.picture())


def keep(name, shot):
    """Write a picture of the manual."""
    (IMAGES / name).write_bytes(shot)


def main():
    """Make every picture anew."""
    with tempfile.TemporaryDirectory() as name, Sandbox() as sandbox:
        home, profile = Path(name, "home"), Path(name, "profile")
        home.mkdir(mode=0o700)
        with console(home, sandbox) as web:
            asyncio.run(pictures(web, profile))
    return 0


if __name__ == "__main__":
    sys.exit(main())
