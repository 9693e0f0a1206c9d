"""`levqor doctor`: what is missing or wrong, where to get it, which line to put where."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from core import __version__
from core.cli import options
from core.plain import counted
from core.reports import without_none

if TYPE_CHECKING:
    from core.cli.diagnostics import Diagnosis
    from core.cli.session import Session

TITLES = {
    "machine": "This computer",
    "settings": "Settings",
    "services": "Services, checked just now",
}
STYLES = {True: "green", False: "red", None: ""}


def doctor(
    ctx: typer.Context, service: options.Service = None, output: options.Output = None
) -> None:
    """Check this computer, the settings and every service, and say how to fix what is wrong."""
    from core.cli import diagnostics

    session = options.reading(ctx)
    session.tolerant = True
    with session.out.waiting("checking everything"):
        diagnosis = diagnostics.diagnose(session, service)
    body = {
        "ok": not diagnosis.wrong,
        "home": str(session.settings.home),
        "levqor": __version__,
        "findings": [without_none(asdict(finding)) for finding in diagnosis.findings],
    }
    session.out.answer(body, lambda: _draw(session, diagnosis))
    if diagnosis.wrong:
        raise typer.Exit(1)


def _draw(session: Session, diagnosis: Diagnosis) -> None:
    out, wrong = session.out, diagnosis.wrong
    verdict = f"{counted(wrong, 'problem')} to fix." if wrong else "Nothing is wrong."
    style = "bold red" if wrong else "bold green"
    out.line(f"{diagnosis.summary} {verdict}", style)
    out.line(f"Levqor {__version__}, home {session.settings.home}")
    for group, title in TITLES.items():
        findings = [finding for finding in diagnosis.findings if finding.group == group]
        if findings:
            out.line()
            out.line(title, "bold")
        for finding in findings:
            out.line(f"{out.mark(finding.good)} {finding.what}", STYLES[finding.good])
            if finding.fix:
                out.line(f"    {finding.fix}")
            if finding.line:
                out.line(f"    Write it like this in {finding.place}:")
                out.line(f"    {finding.line}")
    out.line()
    out.line(verdict, style)
