"""`levqor-bot check`: can people reach the bot? Tokens, scopes, webhooks, command names.

`levqor doctor` looks at the services; this looks at the interfaces, and asks each platform.
"""

import asyncio
import shutil
import sys
import textwrap
from collections.abc import Iterable

from bot.declaration import SurfaceSpec
from bot.surfaces import SURFACES
from core import streams
from core.reports import Finding
from core.settings import Settings


def main(settings: Settings) -> int:
    """Print every finding; returns 1 where something is wrong."""
    findings = asyncio.run(look(settings))
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    streams.print_answer("\n".join(lines(findings, width)))
    return int(any(finding.good is False for finding in findings))


async def look(settings: Settings) -> list[Finding]:
    """Look at every interface, side by side."""
    groups = await asyncio.gather(*(_look_at(spec, settings) for spec in SURFACES))
    return [finding for group in groups for finding in group]


async def _look_at(spec: SurfaceSpec, settings: Settings) -> list[Finding]:
    try:
        return await spec.check(settings) if spec.check else []
    except Exception as error:  # noqa: BLE001 - it must not take the others' findings along
        what = f"A check made a mistake of its own ({type(error).__name__})."
        return [Finding(good=False, what=what, fix="Please report it.")]


def lines(findings: Iterable[Finding], width: int | None = None) -> list[str]:
    """Say each finding in a line, and what to do about it in another; broken at `width`."""
    marks = {True: "ok", False: "wrong", None: "note"}
    wrapper = textwrap.TextWrapper(
        width or sys.maxsize,
        subsequent_indent=" " * 7,
        break_long_words=False,
        break_on_hyphens=False,
    )
    shown = []
    for finding in findings:
        shown += wrapper.wrap(f"{marks[finding.good]:5}  {finding.what}")
        shown += wrapper.wrap(f"{'':5}  {finding.fix}") if finding.fix else []
    return shown
