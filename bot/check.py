"""`levqor-bot check`: can people reach the bot? Tokens, scopes, webhooks, command names.

`levqor doctor` looks at the way out; this looks at the way in, and asks each platform.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import textwrap
from typing import TYPE_CHECKING

from bot.surfaces import SURFACES
from core import streams
from core.reports import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable

    from core.settings import Settings


def main(settings: Settings) -> int:
    """Print every finding; returns 1 where something is wrong."""
    findings = asyncio.run(look(settings))
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    streams.answer("\n".join(lines(findings, width)))
    return int(any(finding.good is False for finding in findings))


async def look(settings: Settings) -> list[Finding]:
    """Look at every interface, side by side."""
    checks = [spec.check(settings) for spec in SURFACES if spec.check]
    found = await asyncio.gather(*checks, return_exceptions=True)
    return [finding for each in found for finding in _read(each)]


def _read(found: list[Finding] | BaseException) -> list[Finding]:
    # What stops one check must not take the findings of the others along.
    if isinstance(found, Exception):
        what = f"A check made a mistake of its own ({type(found).__name__})."
        return [Finding(good=False, what=what, fix="Please report it.")]
    if isinstance(found, BaseException):
        raise found
    return found


def lines(findings: Iterable[Finding], width: int | None = None) -> list[str]:
    """Say each finding in a line, and what to do about it in another; broken at `width`."""
    marks = {True: "ok", False: "wrong", None: "note"}
    said = []
    for finding in findings:
        said.append(f"{marks[finding.good]:5}  {finding.what}")
        if finding.fix:
            said.append(f"       {finding.fix}")
    if width is None:
        return said
    return [
        part
        for line in said
        for part in textwrap.wrap(
            line,
            width,
            subsequent_indent=" " * 7,
            break_long_words=False,
            break_on_hyphens=False,
        )
    ]
