"""A headless Chromium that is told where to go, and tells what it asked for on the way."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp

from tests.support.waiting import wait_for

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--remote-debugging-port=0",
)  # fmt: skip


class Page:
    """One tab. `asked` are the addresses it asked for, `faults` what its scripts complained of."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.asked: list[str] = []
        self.faults: list[str] = []
        self._socket = socket
        self._numbers = itertools.count(1)
        self._loaded = False

    async def call(self, method: str, **params: Any) -> Any:
        """Do one thing of the DevTools protocol."""
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": params})
        while (said := await self._next()).get("id") != number:
            pass
        assert "error" not in said, said
        return said["result"]

    async def visit(self, url: str) -> None:
        """Open an address and wait until everything on it was loaded."""
        self._loaded = False
        await self.call("Page.navigate", url=url)
        await self.loaded()

    async def loaded(self) -> None:
        """Wait until a page was loaded that was not there when something was last done."""
        while not self._loaded:
            await self._next()
        self._loaded = False

    async def value(self, script: str) -> Any:
        """What a script gives, a promise's outcome included."""
        said = await self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        return said["result"].get("value")

    async def close(self) -> None:
        """Have the browser end: killed, it would leave a folder among the temporary ones."""
        await self._socket.send_json({"id": next(self._numbers), "method": "Browser.close"})

    async def _next(self) -> dict[str, Any]:
        said = json.loads((await self._socket.receive(timeout=60)).data)
        params = said.get("params", {})
        if said.get("method") == "Page.loadEventFired":
            self._loaded = True
        elif said.get("method") == "Network.requestWillBeSent":
            self.asked.append(params["request"]["url"])
        elif said.get("method") == "Runtime.exceptionThrown":
            self.faults.append(params["exceptionDetails"]["text"])
        elif said.get("method") == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.faults.append(params["entry"]["text"])
        return said


@contextlib.asynccontextmanager
async def browsing(folder: Path) -> AsyncIterator[Page]:
    """Start a browser whose profile is in a folder, and end it."""
    program = shutil.which("chromium")
    assert program is not None
    browser = await asyncio.create_subprocess_exec(
        program, *FLAGS, f"--user-data-dir={folder}", "about:blank",
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        port = folder / "DevToolsActivePort"
        await asyncio.to_thread(wait_for, lambda: port.exists() and port.read_text().strip(), 60)
        base = f"http://127.0.0.1:{port.read_text().split()[0]}"
        async with aiohttp.ClientSession() as session:
            async with session.get(f"{base}/json") as answer:
                tabs = [tab for tab in await answer.json() if tab["type"] == "page"]
            async with session.ws_connect(tabs[0]["webSocketDebuggerUrl"], max_msg_size=0) as ws:
                page = Page(ws)
                for domain in ("Page", "Network", "Runtime", "Log"):
                    await page.call(f"{domain}.enable")
                yield page
                await page.close()
                await asyncio.wait_for(browser.wait(), 60)
    finally:
        if browser.returncode is None:
            browser.kill()
            await browser.wait()
