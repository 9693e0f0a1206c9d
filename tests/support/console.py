"""A web console with something on every page, and a browser that walks through it."""

from __future__ import annotations

import base64
import contextlib
import time
from typing import TYPE_CHECKING, Any

from bot.web.pages.pages import Console
from core.callers import Caller
from core.engine import Engine
from core.ledger.listing import RunFilter
from core.settings import Settings
from tests.support.browser import Page, browsing
from tests.support.journal import finish
from tests.support.web import Served, served

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence
    from pathlib import Path

    from core.ledger import Ledger
    from tests.support.sandbox import Sandbox

DAY = 86_400.0
# Who signs in: a person of each role that sees anything.
ROLES = {"admin": "cli:ann", "sender": "slack:T01:U02", "viewer": "telegram:42"}
CHANNEL = "C0123456789"
OUTCOMES = ("sent", "refused", "not_sent", "unknown")
# A page for every address with a name in it.
NAMED = {
    "/sign-in/*": ("old",),  # and one that is not used yet
    "/runs/*": (),  # a run of each outcome
    "/services/*": ("slack", "notion", "sheets", "telegram", "email"),
    "/send/*": (
        "slack.send", "notion.create", "sheets.append", "telegram.send", "email.send",
    ),
    "/people/*": ("ann", "http:ci"),
    "/tokens/*": ("ci",),
    "/targets/*": ("ops",),
}  # fmt: skip


@contextlib.contextmanager
def console(home: Path, sandbox: Sandbox) -> Iterator[Served]:
    """A bot whose services are stand-ins, one of them with a wrong key; a past to look at."""
    environ = {**sandbox.settings(), "LEVQOR_DEFAULT_PLAN": "pro", "NOTION_API_KEY": "ntn_no"}
    with Engine.open(Settings(home, environ=environ)) as engine:
        fill(engine)
        with served(engine) as web:
            yield web


def fill(engine: Engine) -> None:
    """People, targets, tokens, runs of every outcome, and 90 days of checks."""
    ledger, now = engine.ledger, time.time()
    ledger.person_add("ann", [ROLES["admin"]], by="cli:root", title="Ann Example", role="admin")
    ledger.person_add("bo", [ROLES["sender"]], by="cli:ann", title="Bo Example", role="sender")
    ledger.person_add("cy", [ROLES["viewer"]], by="cli:ann", role="viewer")
    ledger.target_add("ops", "slack.send", None, {"channel": CHANNEL}, by="cli:ann")
    ledger.token_new("ci", by="cli:ann")
    for number in range(6):
        engine.run("slack.send", {"text": f"hello {number}"}, Caller("cli", "ann"))
    engine.run(
        "email.send", {"to": "a@example.com", "subject": "Hi", "text": "Hi"}, Caller("cli", "ann")
    )
    for hours, outcome in enumerate((*OUTCOMES, *["sent"] * 20) * 2):
        caller = list(ROLES.values())[hours % 3]
        at, surface = now - 3600 * (1 + hours), caller.partition(":")[0]
        finish(
            ledger,
            outcome,
            at=at,
            caller=caller,
            surface=surface,
            action="notion.create",
            connector="notion",
        )
    _checks(ledger, "slack", failing=(20, 21))
    _checks(ledger, "notion", failing=range(88, 90))


def _checks(ledger: Ledger, connector: str, failing: Sequence[int]) -> None:
    """Checks of the last 90 days, all day long."""
    today = time.time() // DAY * DAY
    rows = [
        {
            "connector": connector,
            "start": today - DAY * (90 - day),
            "verdict": "failing" if day in failing else "ok",
            "seconds": DAY,
        }
        for day in range(90)
    ]
    sql = "INSERT INTO checks VALUES (:connector, :start, :verdict, :seconds)"
    ledger.store.write(lambda db: [db.execute(sql, row) for row in rows])


def paths(web: Served) -> dict[str, Any]:
    """Every page there is to look at: its address, and the role it is for."""
    found: dict[str, Any] = {}
    ledger = web.bot.engine.ledger
    for route in Console(web.bot, None, None, 0).routes:  # type: ignore[arg-type]
        if route.method != "GET":
            continue
        if not route.path.endswith("/*"):
            found[route.path] = route.role
            continue
        names = NAMED[route.path]
        if route.path == "/runs/*":
            names = tuple(
                {run.state: run.run for run in ledger.run_page(200, RunFilter()).runs}.values()
            )
        elif route.path == "/sign-in/*":
            names = (*names, ledger.sign_in_code("cli:dee")[0])
        found |= {f"{route.path[:-1]}{name}": route.role for name in names}
    return found


class Walk:
    """Somebody with a browser."""

    def __init__(self, web: Served, page: Page) -> None:
        self.web, self.page = web, page

    async def look(self, *, width: int = 1280, dark: bool = False) -> None:
        """Make the window so wide, light or dark."""
        await self.page.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=900, deviceScaleFactor=1, mobile=width < 500,
        )  # fmt: skip
        # A picture has no place for a bar.
        await self.page.call("Emulation.setScrollbarsHidden", hidden=True)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.page.call("Emulation.setEmulatedMedia", features=[scheme])

    async def visit(self, path: str) -> int:
        """Open a page; gives its status."""
        await self.page.visit(self.web.url + path)
        return int(
            await self.page.value("performance.getEntriesByType('navigation')[0].responseStatus")
        )

    async def click(self, selector: str) -> None:
        """Press what a selector names, with the mouse, and wait for the page it leads to."""
        found = await self.page.value(
            f"(() => {{ const it = document.querySelector({selector!r}); it.scrollIntoView(); "
            "const box = it.getBoundingClientRect(); "
            "return [box.x + box.width / 2, box.y + box.height / 2] })()"
        )
        mouse = {"x": found[0], "y": found[1], "button": "left", "clickCount": 1}
        await self.page.call("Input.dispatchMouseEvent", type="mousePressed", **mouse)
        await self.page.call("Input.dispatchMouseEvent", type="mouseReleased", **mouse)
        await self.page.loaded()

    async def write(self, name: str, text: str) -> None:
        """Type into a field."""
        await self.page.value(f"document.getElementsByName({name!r})[0].focus()")
        await self.page.call("Input.insertText", text=text)

    async def press(self, key: str) -> None:
        """Press a key."""
        for kind in ("keyDown", "keyUp"):
            await self.page.call("Input.dispatchKeyEvent", type=kind, key=key, code=key)

    async def sign_in(self, caller: str) -> None:
        """Follow a one-time link and press its button."""
        code, _ = self.web.bot.engine.ledger.sign_in_code(caller)
        await self.visit(f"/sign-in/{code}")
        await self.click("form button")

    async def words(self) -> str:
        """What there is to read."""
        return str(await self.page.value("document.body.innerText"))

    async def picture(self) -> bytes:
        """A picture of the whole page; a PNG."""
        size = (await self.page.call("Page.getLayoutMetrics"))["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        shot = await self.page.call(
            "Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip
        )
        return base64.b64decode(shot["data"])


@contextlib.asynccontextmanager
async def walking(web: Served, profile: Path) -> AsyncIterator[Walk]:
    """A browser for somebody who walks through a console."""
    async with browsing(profile) as page:
        yield Walk(web, page)
