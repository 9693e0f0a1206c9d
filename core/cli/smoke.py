"""`levqor smoke`: fire every configured action's sample, and show that it arrived."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.cli import evidence, options
from core.cli.health import draw as draw_health
from core.errors import InternalError, LedgerError, LevqorError, NotConfigured

if TYPE_CHECKING:
    from concurrent.futures import Future

    from core.cli.output import Output
    from core.cli.session import Session
    from core.engine import Settled
    from core.reports import Health
    from core.sandbox import Received

# One line of the terminal for what a sandbox service received.
SHOWN = 60


def register(app: typer.Typer) -> None:
    """Add `smoke` to the command line."""
    app.command()(smoke)


def smoke(
    ctx: typer.Context,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--evidence",
            metavar="DIR",
            file_okay=False,
            help="Also write connectors_smoke_YYYYMMDD.json there: no secret, no payload.",
        ),
    ] = None,
    output: options.Output = options.Format.TEXT,
) -> None:
    """Fire the sample of every connector that is set up, as test sends."""
    asked = options.session(ctx)
    out = asked.out
    _say_where(asked)
    sent, skipped = _fire(asked)
    with out.waiting("asking every service how it is"):
        report = asked.health.report(live=True)
    body = evidence.body(sent, skipped, report, sandbox=asked.in_sandbox)
    if folder is not None:
        file = evidence.write(folder, body)
        out.note(f"evidence: {file}")
    if asked.in_sandbox:
        body["received"] = [_received(one) for one in _writes(asked)]
    out.answer(body, lambda: _draw_end(asked, report, body))
    asked.say_home()
    if not sent:
        # Nothing fired is no success, and says so by its own status: 3 where nothing is set up.
        raise typer.Exit(skipped[0][1].exit)
    if body["failed"]:
        raise typer.Exit(1)


def _say_where(asked: Session) -> None:
    if asked.in_sandbox:
        where = f"the sandbox at {asked.sandbox.url}.\nNothing leaves this machine."
    else:
        where = "the services as set up.\nThese are test sends; they use no quota."
    if not asked.out.as_json:
        asked.out.line(f"Firing every action's sample at {where}", "bold")
        asked.out.line()


def _fire(asked: Session) -> tuple[list[tuple[str, Settled]], list[tuple[str, LevqorError]]]:
    """Send all samples side by side; print each ending in the actions' own order."""
    engine, out = asked.engine, asked.out
    started: list[tuple[str, Future[Settled] | LevqorError]] = []
    for action_id in engine.action_ids():
        try:
            accepted = engine.accept(action_id, {}, asked.caller, test=True)
        except (LedgerError, InternalError):
            raise
        except LevqorError as error:
            started.append((action_id, error))
        else:
            started.append((action_id, engine.start(accepted)))
    sent: list[tuple[str, Settled]] = []
    skipped: list[tuple[str, LevqorError]] = []
    for action_id, outcome in started:
        if isinstance(outcome, LevqorError):
            skipped.append((action_id, outcome))
            _draw_skipped(out, action_id, outcome)
            continue
        with out.waiting(f"{action_id}: waiting for the answer"):
            sent.append((action_id, outcome.result()))
        _draw_sent(out, *sent[-1])
    return sent, skipped


def _draw_sent(out: Output, action_id: str, settled: Settled) -> None:
    from core import wording

    if not out.as_json:
        good = settled.error is None
        told = wording.settled(settled).replace("\n", "\n    ")
        begin = f"{out.mark(good)} {action_id:<15} {settled.ms:>5.0f} ms"
        out.line(f"{begin}  {told}", "green" if good else "red")


def _draw_skipped(out: Output, action_id: str, error: LevqorError) -> None:
    if not out.as_json:
        # What to set, and where to get it, stands under Health below: once is enough.
        absent = isinstance(error, NotConfigured)
        told = "Not set up." if absent else " ".join(filter(None, (error.message, error.fix)))
        out.line(f"{out.mark(None)} {action_id:<15} Skipped. {told}", "dim")


def _draw_end(asked: Session, report: Health, body: dict[str, Any]) -> None:
    out = asked.out
    out.line()
    out.line("Health", "bold")
    draw_health(out, report)
    if asked.in_sandbox:
        out.line()
        out.line("What the sandbox received", "bold")
        rows = [(one["service"], one["call"], one["shown"]) for one in body["received"]]
        seen = "what a person would see"
        out.table(("service", "call", seen), rows, drop=("call",), folds=seen)
    out.line()
    told = f"{body['sent']} sent, {body['failed']} failed, {body['skipped']} skipped."
    out.line(told, "bold red" if body["failed"] else "bold green")
    if not report.configured:
        out.line("Next: set one up with levqor doctor, or try all: levqor --sandbox smoke")
    if asked.in_sandbox:
        out.line("Next: put your own services into .env (see .env.example), then: levqor doctor")


def _writes(asked: Session) -> list[Received]:
    return [one for service in asked.sandbox.services for one in service.writes]


def _received(request: Received) -> dict[str, str]:
    shown = " ".join(request.shown.split())
    if len(shown) > SHOWN:
        shown = shown[: SHOWN - 1] + "…"
    return {"service": request.upstream, "call": request.call, "shown": shown}
