"""`levqor audit`: who changed which person, role, plan, token or target."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.audit import changed
from core.cli import options
from core.cli.reports import ago
from core.errors import Fault, InvalidInput
from core.plain import counted
from core.reports import iso

if TYPE_CHECKING:
    from core.ledger import AuditRecord

LAST = 50
STDOUT = "-"


def audit(
    ctx: typer.Context,
    since: Annotated[
        str | None,
        typer.Option(
            "--since", metavar="TIME", help="Not older than 30d, 36h, 90m, or a date: 2026-11-01."
        ),
    ] = None,
    last: Annotated[
        int | None,
        typer.Option(
            "--last", min=1, max=100000, metavar="N", help=f"How many changes (default: {LAST})."
        ),
    ] = None,
    export: Annotated[
        str | None,
        typer.Option(
            "--export",
            metavar="FILE|-",
            help="Write all of them, oldest first, as JSON lines to a new file, or print them.",
        ),
    ] = None,
    output: options.Output = None,
) -> None:
    """Show who changed people, roles, plans, tokens and pairings, latest first."""
    session = options.reading(ctx)
    if export == STDOUT and session.out.as_json:
        fault = Fault("--export", "- prints JSON lines, and --output json one document")
        raise InvalidInput([fault], fix="Leave one of them out.")
    begin = 0.0 if since is None else _moment(since, session.ledger.now())
    rows = session.ledger.audit(last or (None if export else LAST), begin)
    bodies = [_body(row) for row in rows]
    if export is not None:
        lines = [json.dumps(each, ensure_ascii=False) for each in reversed(bodies)]
        _export(export, "".join(f"{line}\n" for line in lines))
        if export != STDOUT:
            file = str(Path(export).absolute())
            shown = f"{counted(len(rows), 'change')} written to {file}."
            session.answer({"file": file, "changes": len(rows)}, shown)
        return
    session.answer(
        {"changes": bodies},
        lambda: session.out.table(
            ("when", "who", "what", "of", "change"),
            [
                (ago(row.at), row.who, row.what, row.subject, changed(row.before, row.after))
                for row in rows
            ],
            empty="Nothing was changed yet." if since is None else "Nothing was changed since.",
            drop=("when", "who", "change"),
            folds="change",
        ),
    )


def _body(row: AuditRecord) -> dict[str, Any]:
    return {
        "at": iso(row.at),
        "who": row.who,
        "what": row.what,
        "subject": row.subject,
        "before": row.before,
        "after": row.after,
    }


def _moment(text: str, now: float) -> float:
    from core.run_filter import moment

    try:
        return moment(text, now)
    except ValueError as error:
        raise InvalidInput([Fault("--since", str(error))]) from None


def _export(where: str, text: str) -> None:
    if where == STDOUT:
        sys.stdout.buffer.write(text.encode())
        sys.stdout.flush()
        return
    try:
        made = os.open(where, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(made, "w", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        fault = Fault("--export", "must name a file that does not exist yet")
        raise InvalidInput([fault]) from None
    except OSError as error:
        raise InvalidInput([Fault("--export", f"cannot be written: {error.strerror}")]) from None
