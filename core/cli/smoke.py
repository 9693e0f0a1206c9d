"""`levqor smoke`: do every configured action once, as a test send, and show that it arrived."""

from __future__ import annotations

import datetime as dt
import json
import platform
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core import __version__, wording
from core.cli import options, reports
from core.errors import InternalError, InvalidInput, LedgerError, LevqorError, NotConfigured
from core.home import write_private
from core.plain import plain_line
from core.reports import without_none

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from concurrent.futures import Future

    from core.cli.output import Output
    from core.cli.session import Session
    from core.engine import Settled
    from core.reports import Health

# One line of the terminal for what a sandbox service received.
SHOWN = 60


def smoke(
    ctx: typer.Context,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--evidence",
            metavar="DIR",
            file_okay=False,
            help="Also write connectors_smoke_YYYYMMDD.json there, with IDs and outcomes only.",
        ),
    ] = None,
    output: options.Output = None,
) -> None:
    """Send a test through every service that is set up."""
    session = options.session(ctx)
    out = session.out
    if not out.as_json:
        where = "the services as set up.\nThese are test sends; they use no quota."
        if session.in_sandbox:
            where = f"the sandbox at {session.sandbox.url}.\nNothing leaves this computer."
        out.line(f"Sending every action's sample to {where}", "bold")
        out.line()
    outcomes = _send(session)
    with out.waiting("checking the services"):
        report = reports.look(session.engine, None, live=True)
    body = _report(outcomes, report, sandbox=session.in_sandbox)
    if folder is not None:
        file = _write(folder, body)
        out.note(f"evidence: {file}")
    if session.in_sandbox:
        body["received"] = [
            {
                "service": request.upstream,
                "call": request.call,
                "shown": plain_line(" ".join(request.shown.split()), SHOWN),
            }
            for service in session.sandbox.services
            for request in service.writes
        ]
    session.answer(body, lambda: _draw_end(session, report, body))
    if body["skipped"] == len(outcomes):
        # Nothing sent is no success, and says so by its own status: 3 where nothing is set up.
        raise typer.Exit(outcomes[0][1].exit)
    if body["failed"]:
        raise typer.Exit(1)


def _send(session: Session) -> list[tuple[str, Settled | LevqorError]]:
    """Send all samples side by side; print how each ended, or why it was skipped, in order."""
    out, outcomes = session.out, []
    started = [(action_id, _start(session, action_id)) for action_id in session.engine.action_ids()]
    for action_id, begun in started:
        outcome: Settled | LevqorError
        if isinstance(begun, LevqorError):
            outcome = begun
        else:
            with out.waiting(f"{action_id}: waiting for the answer"):
                outcome = begun.result()
        outcomes.append((action_id, outcome))
        if not out.as_json:
            _draw(out, action_id, outcome)
    return outcomes


def _start(session: Session, action_id: str) -> Future[Settled] | LevqorError:
    try:
        accepted = session.engine.accept(action_id, {}, session.caller, test=True)
    except (LedgerError, InternalError):
        raise
    except LevqorError as error:
        return error
    return session.engine.start(accepted)


def _draw(out: Output, action_id: str, outcome: Settled | LevqorError) -> None:
    if isinstance(outcome, LevqorError):
        # What to set, and where to get it, is under Health below: once is enough.
        absent = isinstance(outcome, NotConfigured)
        why = "Not set up." if absent else " ".join(filter(None, (outcome.message, outcome.fix)))
        good, style, text = None, "dim", f"Skipped. {why}"
    else:
        good = outcome.error is None
        style = "green" if good else "red"
        text = f"{outcome.ms:>5.0f} ms  " + wording.settled(outcome).replace("\n", "\n    ")
    out.line(f"{out.mark(good)} {action_id:<15} {text}", style)


def _draw_end(session: Session, report: Health, body: dict[str, Any]) -> None:
    out = session.out
    out.line()
    reports.draw(out, report)
    if session.in_sandbox:
        out.line()
        out.line("What the sandbox received", "bold")
        rows = [(each["service"], each["call"], each["shown"]) for each in body["received"]]
        seen = "what a person would see"
        out.table(("service", "call", seen), rows, drop=("call",), folds=seen)
    out.line()
    counts = f"{body['sent']} sent, {body['failed']} failed, {body['skipped']} skipped."
    out.line(counts, "bold red" if body["failed"] else "bold green")
    if not report.configured:
        out.line("Next: see how to set one up: levqor doctor. Try all: levqor --sandbox smoke")
    if session.in_sandbox:
        out.line("Next: set your own services up with: levqor init")


def _result(action_id: str, outcome: Settled | LevqorError) -> dict[str, Any]:
    if isinstance(outcome, LevqorError):
        kept = {"error": outcome.code, "reason": outcome.reason, "message": outcome.message}
        return without_none({"action": action_id, "outcome": "skipped", **kept})
    error = outcome.error
    return without_none(
        {
            "action": action_id,
            "outcome": outcome.outcome,
            **({"reason": error.reason, "message": error.message} if error else outcome.body()),
            "run": outcome.run,
            "ms": round(outcome.ms, 1),
            "attempts": outcome.attempts,
        }
    )


def _report(
    outcomes: Sequence[tuple[str, Settled | LevqorError]], report: Health, *, sandbox: bool
) -> dict[str, Any]:
    """Put a smoke run into one document, what was skipped last; ids are masked already."""
    last = sorted(outcomes, key=lambda each: isinstance(each[1], LevqorError))
    settled = [outcome for _, outcome in outcomes if not isinstance(outcome, LevqorError)]
    failed = sum(outcome.error is not None for outcome in settled)
    return {
        "at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "levqor": __version__,
        "python": platform.python_version(),
        "sandbox": sandbox,
        "sent": len(settled) - failed,
        "failed": failed,
        "skipped": len(outcomes) - len(settled),
        "results": [_result(*each) for each in last],
        "health": {
            name: without_none(
                {key: detail.body()[key] for key in ("verdict", "latency_ms", "since")}
            )
            for name, detail in report.detail.items()
        },
    }


def _write(folder: Path, document: Mapping[str, Any]) -> Path:
    """Write today's file, in one step; an earlier one of the same day gives way."""
    day = document["at"][:10].replace("-", "")
    file = folder / f"connectors_smoke_{day}.json"
    try:
        write_private(file, f"{json.dumps(document, indent=2)}\n".encode())
    except OSError as error:
        raise InvalidInput(
            message=f"{file} cannot be written: {error.strerror}.",
            fix="Choose a folder you may write to: --evidence DIR",
        ) from None
    return file
