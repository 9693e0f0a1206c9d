"""The command line: every command, in the order of the help page, and what goes before them."""

from collections.abc import Callable, Mapping
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from core import __version__
from core.callers import Local
from core.cli import options
from core.cli.help import HelpCommand, HelpGroup, RunCommand
from core.errors import Fault, InvalidInput

EVERYDAY, SET_UP, PEOPLE, KEEPING = (
    "Everyday commands", "Set-up commands", "People and tokens", "Database and home folder",
)  # fmt: skip
# Where each command is: only the one that a line names is imported.
COMMANDS: dict[str, dict[str, str]] = {
    EVERYDAY: {
        "run": "run.run",
        "health": "reports.health",
        "runs": "runs.runs",
        "why": "runs.why",
        "usage": "usage.usage",
        "bots": "reports.bots",
        "open": "console.open_console",
    },
    SET_UP: {
        "init": "init.init",
        "doctor": "doctor.doctor",
        "smoke": "smoke.smoke",
        "sandbox": "sandbox.sandbox",
    },
    PEOPLE: {
        "callers": "people.callers",
        "link": "person.link",
        "unpair": "people.unpair",
        "audit": "audit.audit",
    },
    KEEPING: {
        "backup": "storage.backup",
        "restore": "storage.restore",
        "prune": "storage.prune",
    },
}
GROUPS: tuple[tuple[str, str, str, dict[str, str]], ...] = (
    (
        PEOPLE,
        "people",
        "Say who is who on every interface, and what they may do.",
        {
            "list": "person.people_list",
            "add": "person.people_add",
            "set": "person.people_set",
            "link": "person.people_link",
            "unlink": "person.people_unlink",
            "remove": "person.people_remove",
        },
    ),
    (PEOPLE, "plan", "Set how much a person may send in a day.", {"set": "people.plan_set"}),
    (
        PEOPLE,
        "token",
        "Make, narrow, rotate and revoke tokens for HTTP.",
        {
            "new": "tokens.new",
            "list": "tokens.list_all",
            "set": "tokens.change",
            "rotate": "tokens.rotate",
            "revoke": "tokens.revoke",
        },
    ),
    (
        PEOPLE,
        "target",
        "Name destinations, for target=NAME in place of a channel, a chat or an address.",
        {
            "add": "targets.add",
            "list": "targets.show",
            "set": "targets.change",
            "remove": "targets.remove",
            "test": "targets.try_out",
        },
    ),
    (PEOPLE, "pair", "Pair a chat account: whoever sends the bot the code may use it.", {}),
    (
        SET_UP,
        "service",
        "Keep levqor-bot running on this machine.",
        {"install": "service.install", "status": "service.status", "remove": "service.remove"},
    ),
    (
        KEEPING,
        "home",
        "Move the home folder: database, settings, key and log.",
        {"move": "storage.move"},
    ),
)


def _people(ctx: typer.Context, output: options.Output = None) -> None:
    if ctx.invoked_subcommand is None:
        from core.cli import person

        person.people_list(ctx, output)


# What a group does where no command of its own is named.
BARE: dict[str, Callable[..., None]] = {"people": _people}


def _callback(place: str) -> Callable[..., None]:
    module, _, function = place.partition(".")
    callback: Callable[..., None] = getattr(import_module(f"core.cli.{module}"), function)
    return callback


def _command(title: str, name: str, place: str) -> Any:
    kind = RunCommand if name == "run" else HelpCommand
    alone = typer.Typer(add_completion=False, rich_markup_mode=None)
    alone.command(name, cls=kind, rich_help_panel=title)(_callback(place))
    return typer.main.get_command(alone)


def _group(title: str, name: str, summary: str, members: Mapping[str, str]) -> Any:
    kind = HelpGroup if members else import_module("core.cli.people").PairGroup
    group = typer.Typer(
        name=name,
        cls=kind,
        help=summary,
        add_completion=False,
        rich_markup_mode=None,
    )
    # With one command alone typer would leave its name out.
    group.callback(invoke_without_command=name in BARE)(BARE.get(name, lambda: None))
    for word, place in members.items():
        group.command(word, cls=HelpCommand)(_callback(place))
    made: Any = typer.main.get_command(group)
    made.rich_help_panel = title
    return made


_MAKERS: dict[str, Callable[[], Any]] = {
    name: cache(partial(_command, title, name, place))
    for title, places in COMMANDS.items()
    for name, place in places.items()
}
_MAKERS |= {group[1]: cache(partial(_group, *group)) for group in GROUPS}


class _Root(HelpGroup):
    """Every command, each made when it is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Name the commands, then the groups."""
        return [*_MAKERS, *super().list_commands(ctx)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Make a command."""
        make = _MAKERS.get(cmd_name)
        return make() if make else super().get_command(ctx, cmd_name)


app = typer.Typer(
    name="levqor",
    cls=_Root,
    help="Send messages, pages and table rows to your team's services, and see which of them work.",
    epilog="Try it without any account: levqor --sandbox smoke\n\n"
    "Help on one command: levqor COMMAND --help. Put --home and --sandbox before the command;"
    " --output and --test may also go after it.\n\n"
    "Exit status: 0 done, 1 failed or unknown, 2 wrong input, 3 not set up, 4 today's quota is"
    " used up, 5 not allowed, 6 busy, 7 a fault of Levqor, 8 done but the answer could not be"
    " printed, 9 done but the outcome could not be recorded, 130 Ctrl-C.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _version(value: bool) -> None:  # noqa: FBT001 - the seam is typer's
    if value:
        typer.echo(f"levqor {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def before(
    ctx: typer.Context,
    home: Annotated[
        Path | None,
        typer.Option(
            "--home",
            metavar="DIR",
            file_okay=False,
            help="The folder with levqor.db, logs and .env. Default: LEVQOR_HOME, or else"
            " Levqor's folder in your user data.",
        ),
    ] = None,
    sandbox: Annotated[
        bool,
        typer.Option(
            "--sandbox",
            help="Use the built-in sandbox services: no account, nothing leaves this machine.",
        ),
    ] = False,
    output: options.Output = None,
    test: options.Test = False,
    surface: Annotated[Local, typer.Option("--surface", hidden=True)] = Local.CLI,
    _version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Take what goes before the command; with no command, show the help."""
    session = options.session(ctx)
    if ctx.invoked_subcommand is None:
        if session.out.as_json or test:
            raise InvalidInput(message="A command is missing.", fix="See: levqor --help")
        typer.echo(ctx.get_help())
        session.home_given, session.tolerant = home, True
        if not any(map(session.settings.configured, options.connectors(None))):
            session.out.note("\nNothing is set up yet. To begin: levqor init")
        return
    if test and ctx.invoked_subcommand != "run":
        fault = Fault("--test", "is an option of run only: levqor run ACTION --test")
        raise InvalidInput([fault])
    session.home_given, session.in_sandbox, session.surface = home, sandbox, surface
    session.test = test
