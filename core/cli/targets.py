"""Targets: names for destinations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.cli import options
from core.cli.people import body
from core.cli.reports import ago
from core.cli.run import complete_action, finish

if TYPE_CHECKING:
    from core.cli.session import Session
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


def show(ctx: typer.Context, output: options.Output = None) -> None:
    """List the targets: what goes where."""
    session = options.reading(ctx)
    records = session.ledger.targets()
    session.answer(
        {"targets": [*map(body, records)]},
        lambda: session.out.table(
            ("target", "action", "account", "destination", "changed"),
            [
                (each.name, each.action, each.account or "", _where(each), ago(each.changed_at))
                for each in records
            ],
            empty="There are no targets. Make one: levqor target add NAME ACTION FIELD=VALUE",
            drop=("changed", "account"),
        ),
    )


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
