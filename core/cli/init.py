"""`levqor init`: set services up by questions, each answer checked, and write them to `.env`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from core.cli import options, people, service, tokens
from core.cli.questions import Questions
from core.errors import InvalidInput, LevqorError

if TYPE_CHECKING:
    from collections.abc import Callable

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
        typer.FileText | None,
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
    tray: Annotated[
        Flag, typer.Option("--tray-token/--no-tray-token", help="Make a token for a remote tray.")
    ] = None,
    run_bot: Annotated[
        Flag, typer.Option("--service/--no-service", help="Keep levqor-bot running from now on.")
    ] = None,
    output: options.Output = None,
) -> None:
    """Set services up, one question at a time; run it again to change one thing."""
    session = options.session(ctx)
    session.tolerant = True
    if session.in_sandbox:
        fix = "Try it with: levqor --sandbox smoke"
        raise InvalidInput(message="The sandbox needs no set-up.", fix=fix)
    ask = Questions(session, _read(answers), asks=answers is None and sys.stdin.isatty())
    if answers is None and not ask.asks:
        raise InvalidInput(
            message="levqor init asks questions, and nobody is here to answer them.",
            fix="Run it in a terminal, or give it a file: levqor init email --answers FILE",
        )
    ask.begin()
    tried = {each.name: ask.set_up(each) for each in ask.chosen(services)}
    good = {name: works for name, works in tried.items() if works is not None}  # else skipped
    ask.team(flag=team)
    sent = ask.test_sends([name for name, works in good.items() if works], flag=send)
    session.answer({"services": good, "sent": sent}, lambda: _end(session, good))
    if not session.out.as_json:
        _offer(ctx, ask, tray, run_bot)
    if not all(good.values()) or False in sent.values():
        raise typer.Exit(1)


def _read(answers: typer.FileText | None) -> dict[str, str]:
    from dotenv import dotenv_values

    read = dotenv_values(stream=answers, interpolate=False) if answers else {}
    return {name: value or "" for name, value in read.items()}


def _end(session: Session, good: dict[str, bool]) -> None:
    from core.grammar import usage

    broken = [name for name, works in good.items() if not works]
    if broken:
        session.out.line(f"\nNot working yet: {', '.join(broken)}. Run levqor init again.", "red")
    works = [name for name, each in good.items() if each]
    if works:
        _, action = next(pair for pair in options.actions() if pair[0].name == works[0])
        send = usage(f"levqor run {works[0]}.{action.name}", action.input)
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
    for interface in people.pairable().values():
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
