"""`levqor doctor`: what is missing or wrong, where to get it, which line to put where."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from core import __version__
from core.cli import options
from core.counted import counted
from core.reports import known

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.cli.output import Output
    from core.cli.session import Session
    from core.reports import Finding

TITLES = {
    "machine": "This machine",
    "settings": "Settings",
    "services": "Services, asked just now",
}
STYLES = {True: "green", False: "red", None: ""}


def register(app: typer.Typer) -> None:
    """Add `doctor` to the command line."""
    app.command()(doctor)


def doctor(ctx: typer.Context, output: options.Output = options.Format.TEXT) -> None:
    """Check machine, settings and services; say how to mend each."""
    from core.cli import checkup
    from core.connectors import CONNECTORS

    asked = options.reading(ctx)
    asked.tolerant = True
    with asked.out.waiting("looking at everything"):
        findings = checkup.look(asked.settings, CONNECTORS, asked.folder)
    wrong = sum(finding.good is False for finding in findings)
    body = {
        "ok": not wrong,
        "home": str(asked.settings.home),
        "levqor": __version__,
        "findings": [known(asdict(finding)) for finding in findings],
    }
    asked.out.answer(body, lambda: _draw(asked, findings, wrong))
    if wrong:
        raise typer.Exit(1)


def _draw(asked: Session, findings: Sequence[Finding], wrong: int) -> None:
    out = asked.out
    out.line(f"Levqor {__version__}, home {asked.settings.home}")
    for group, title in TITLES.items():
        within = [finding for finding in findings if finding.group == group]
        if within:
            out.line()
            out.line(title, "bold")
        for finding in within:
            _draw_one(out, finding)
    out.line()
    if wrong:
        out.line(f"{counted(wrong, 'problem')} to fix.", "bold red")
    else:
        out.line("Nothing is wrong.", "bold green")


def _draw_one(out: Output, finding: Finding) -> None:
    out.line(f"{out.mark(finding.good)} {finding.what}", STYLES[finding.good])
    if finding.fix:
        out.line(f"    {finding.fix}")
    if finding.line:
        out.line(f"    The line, in {finding.place}:")
        out.line(f"    {finding.line}")
