"""`levqor init`: set services up by questions, each answer checked, and write them to `.env`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from core.cli import naming, options, people, service, tokens
from core.cli.answers import read
from core.cli.questions import Questions
from core.errors import InvalidInput, LevqorError
from core.people import pairable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from core.cli.session import Session

Flag = bool | None
# What a tray asks for: live checks, and test sends of whatever is set up.
TRAY_SCOPE = "*,live"


def init(
    ctx: typer.Context,
    services: Annotated[
        list[str] | None,
        typer.Argument(metavar="SERVICE", help="Set up these only, for example email notion."),
    ] = None,
    answers: Annotated[
        typer.FileBinaryRead | None,
        typer.Option(
            "--answers",
            metavar="FILE",
            help="Take the answers, as NAME=VALUE lines, from a file"
            " (- for standard input), and ask nothing.",
        ),
    ] = None,
    team: Annotated[
        Flag, typer.Option("--team/--no-team", help="No daily limit for anybody.")
    ] = None,
    send: Annotated[
        Flag, typer.Option("--test-send/--no-test-send", help="Send a test through each service.")
    ] = None,
    admin: Annotated[
        Flag, typer.Option("--admin/--no-admin", help="Add yourself as the first admin.")
    ] = None,
    name_targets: Annotated[
        Flag, typer.Option("--targets/--no-targets", help="Name targets from what was found.")
    ] = None,
    tray: Annotated[
        Flag, typer.Option("--tray-token/--no-tray-token", help="Make a token for a remote tray.")
    ] = None,
    run_bot: Annotated[
        Flag, typer.Option("--service/--no-service", help="Keep levqor-bot running from now on.")
    ] = None,
    account: Annotated[
        str | None,
        typer.Option(
            "--account",
            metavar="NAME",
            help="Set up a further account of each service, which has this name.",
        ),
    ] = None,
    output: options.Output = None,
) -> None:
    """Set services up, one question at a time; run it again to change one thing."""
    from core.settings.names import account_name

    session = options.session(ctx)
    session.tolerant = True
    if session.in_sandbox:
        fix = "Try it with: levqor --sandbox smoke"
        raise InvalidInput(message="The sandbox needs no set-up.", fix=fix)
    account = account and account_name(account)
    asks = answers is None and sys.stdin.isatty()
    given = read(answers, session.settings) if answers else {}
    ask = Questions(session, given, asks=asks, account=account)
    if answers is None and not ask.asks:
        raise InvalidInput(
            message="levqor init asks questions, and nobody is here to answer them.",
            fix="Run it in a terminal, or give it a file: levqor init email --answers FILE",
        )
    ask.begin()
    tried = {each.name: ask.set_up(each) for each in ask.chosen(services)}
    good = {name: works for name, works in tried.items() if works is not None}  # else skipped
    ask.team(flag=team)
    if account is None:
        naming.first_admin(session, ask, flag=admin)
    working = [each for each in options.connectors(None) if good.get(each.name)]
    naming.targets(session, ask, working, flag=name_targets)
    sent = _test_sends(session, ask, [name for name, works in good.items() if works], send)
    session.answer({"services": good, "sent": sent}, lambda: _end(session, good, account))
    if not session.out.as_json and account is None:
        _offer(ctx, ask, tray, run_bot)
    if not all(good.values()) or False in sent.values():
        raise typer.Exit(1)


def _test_sends(
    session: Session, ask: Questions, names: Sequence[str], flag: Flag
) -> dict[str, bool | None]:
    """Send each action's sample; which were sent, None for what needs a default first."""
    if not names or not ask.yes("Send a test through each service?", flag=flag, default=True):
        return {}
    sent: dict[str, bool | None] = {}
    engine, out = session.engine, session.out
    for connector in engine.connectors:
        for action in connector.actions if connector.name in names else ():
            action_id, who = connector.action_id(action), session.caller
            try:
                settled = engine.run(action_id, {}, who, test=True, account=ask.account)
            except LevqorError as error:
                out.line(f"{action_id}: {error.message} {error.fix or ''}", "yellow")
                sent[action_id] = None
            else:
                sent[action_id] = settled.error is None
                if not out.as_json:
                    out.settled(settled, session.settings)
    return sent


def _end(session: Session, good: dict[str, bool], account: str | None) -> None:
    from core.grammar import usage

    broken = [name for name, works in good.items() if not works]
    if broken:
        session.out.line(f"\nNot working yet: {', '.join(broken)}. Run levqor init again.", "red")
    works = [name for name, each in good.items() if each]
    if works:
        _, action = next(pair for pair in options.actions() if pair[0].name == works[0])
        action_id = f"{works[0]}.{action.name}"
        if account is not None:
            session.out.line("\nReady. An account is reached by a target; name one with:")
            session.out.copyable(f"  levqor target add {account} {action_id} --account {account}")
            return
        send = usage(f"levqor run {action_id}", action.input)
        session.out.line("\nReady. Send something with:")
        session.out.copyable(f"  {send}")
        session.out.line("To let people use it from a chat, start: levqor-bot")


def _offer(ctx: typer.Context, ask: Questions, tray: Flag, run_bot: Flag) -> None:
    """Offer what comes after; each is a command of its own as well."""
    session = options.session(ctx)
    offers: list[tuple[str, Flag, Callable[[], None]]] = [
        (
            "Make a token for a tray on another computer?",
            tray,
            lambda: tokens.new(ctx, "tray", only=TRAY_SCOPE),
        ),
        ("Keep levqor-bot running on this computer?", run_bot, lambda: service.install(ctx)),
    ]
    for interface in pairable().values():
        secrets = [each.name for each in interface.settings.settings() if each.secret]
        if any(map(session.settings.value, secrets)):
            question = f"Authorize your {interface.title} account to use the bot?"
            offers.append((question, None, lambda it=interface: people.show_code(session, it)))  # type: ignore[misc]
    for question, flag, do in offers:
        if ask.yes(question, flag=flag, default=False):
            try:
                do()
            except LevqorError as error:
                session.out.error(error)
