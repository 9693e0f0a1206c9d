"""Targets: names for destinations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.cli import options
from core.cli.people import body
from core.cli.reports import ago
from core.cli.run import complete_action, finish
from core.reports import BROKEN, Verdict
from core.wording import VERDICTS

if TYPE_CHECKING:
    from core.cli.session import Session
    from core.engine.targets import TargetHealth
    from core.ledger import TargetRecord


def _complete_target(ctx: typer.Context, incomplete: str) -> list[str]:
    return [name for name in options.target_names(ctx) if name.startswith(incomplete)]


Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME", autocompletion=_complete_target, help="Its name in: levqor target list"
    ),
]
Where = Annotated[
    list[str] | None,
    typer.Argument(metavar="FIELD=VALUE", help="Where it leads, as levqor run takes it."),
]
Account = Annotated[
    str | None,
    typer.Option(
        "--account",
        metavar="NAME",
        autocompletion=options.complete_account,
        help="The service's account, if it has several (NAME__ACCOUNT).",
    ),
]


def add(
    ctx: typer.Context,
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="A short name: small letters, digits and dashes."),
    ],
    action: Annotated[
        str,
        typer.Argument(metavar="ACTION", autocompletion=complete_action, help="What goes there."),
    ],
    where: Where = None,
    account: Account = None,
    output: options.Output = None,
) -> None:
    """Name a destination, for target=NAME in place of its fields."""
    from core.engine import targets

    session = options.session(ctx)
    values = _values(session, action, where)
    target = targets.add(session.engine, name, action, values, account, by=session.caller)
    _answer(session, target, "is a target now")


def change(
    ctx: typer.Context,
    name: Name,
    where: Where = None,
    account: Account = None,
    output: options.Output = None,
) -> None:
    """Have a target lead elsewhere; what is not named stays as it is."""
    from core.engine import targets

    session = options.session(ctx)
    values = _values(session, targets.existing(session.engine, name).action, where)
    target = targets.change(session.engine, name, values, account, by=session.caller)
    _answer(session, target, "leads elsewhere now")


def remove(ctx: typer.Context, name: Name, output: options.Output = None) -> None:
    """Delete a target; what names it is refused from now on."""
    from core.engine import targets

    session = options.session(ctx)
    targets.remove(session.engine, name, by=session.caller)
    session.answer({"name": name, "removed": True}, f"{name} is no target any more.")


def try_out(ctx: typer.Context, name: Name, output: options.Output = None) -> None:
    """Send the action's own sample to a target; one a minute, it uses no quota."""
    from core.contract import TARGET
    from core.engine import targets

    session = options.session(ctx)
    target = targets.existing(session.engine, name)
    given = {TARGET: target.name}
    finish(session, session.engine.accept(target.action, given, session.caller, test=True))


def show(
    ctx: typer.Context,
    live: Annotated[
        bool, typer.Option("--live", help="Look at each now, without sending anything.")
    ] = False,
    output: options.Output = None,
) -> None:
    """List the targets: what goes where, and with --live whether it can be used."""
    session = options.reading(ctx)
    records = session.engine.ledger.targets()
    health = _look(session, records) if live else {}

    def draw() -> None:
        cells = [
            (each.name, each.action, each.account or "", _where(each), ago(each.changed_at))
            for each in records
        ]
        session.out.table(
            ("target", "action", "account", "destination", "changed", *(["health"] * live)),
            [(*row, *_cell(health.get(row[0]))) for row in cells],
            empty="There are no targets. Make one: levqor target add NAME ACTION FIELD=VALUE",
            drop=("changed", "account"),
        )
        for name, found in health.items():
            if found.words:
                session.out.line(f"{name}: {found.words}")
            if found.fix:
                session.out.line(f"    What to do: {found.fix}")

    shown = [{**body(each), **_health_body(health.get(each.name))} for each in records]
    session.answer({"targets": shown}, draw)
    if any(found.verdict in BROKEN for found in health.values()):
        raise typer.Exit(1)


def _look(session: Session, records: list[TargetRecord]) -> dict[str, TargetHealth]:
    from concurrent.futures import ThreadPoolExecutor

    from core.engine import targets

    with session.out.waiting("looking at the targets"), ThreadPoolExecutor(8) as pool:
        found = pool.map(lambda each: targets.look(session.engine, each), records)
        return {each.name: health for each, health in zip(records, found, strict=True)}


def _cell(found: TargetHealth | None) -> tuple[str, ...]:
    if found is None:
        return ()
    return (VERDICTS[found.verdict].cell if found.verdict != Verdict.UNCHECKED else "not known",)


def _health_body(found: TargetHealth | None) -> dict[str, Any]:
    return {name: it for name, it in vars(found).items() if it} if found else {}


def _values(session: Session, action: str, where: list[str] | None) -> dict[str, Any]:
    from core import grammar

    contract = session.engine.action(action)[1].input
    return grammar.parse_items(where or [], contract)


def _answer(session: Session, target: TargetRecord, what: str) -> None:
    shown = body(target)
    del shown["changed_at"]
    account = f" ({target.account})" if target.account else ""
    words = f"{target.name} {what}: {target.action}{account} {_where(target)}".rstrip()
    session.answer(shown, f"{words}. Try it: levqor target test {target.name}")


def _where(target: TargetRecord) -> str:
    return " ".join(f"{name}={value}" for name, value in target.fields.items())
