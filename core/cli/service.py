"""`levqor service`: levqor-bot as a service of this user, on the home that every command uses."""

import time

import typer

from core.cli import options, service_manager
from core.cli.service_manager import NAME, Manager
from core.cli.session import Session
from core.errors import InvalidInput, NotConfigured

# How long the bot may take until an interface of it says that it works.
START_SECONDS = 30.0
# What the bot has from its own command line, and what is another program's.
NOT_THE_BOT_S = ("LEVQOR_HOME", "LEVQOR_REMOTE_TOKEN")
# Without these it would use another database than the commands of this shell.
DATABASE = ("LEVQOR_DATABASE_URL", "LEVQOR_KEY_FILE")


def _manager(session: Session) -> Manager:
    if session.in_sandbox:
        raise InvalidInput(message="A sandbox cannot be a service.", fix="Leave --sandbox out.")
    return service_manager.manager(session.settings.home)


def install(ctx: typer.Context, output: options.Output = None) -> None:
    """Start levqor-bot now and whenever this machine starts; run it again to restart it."""
    session = options.session(ctx)
    manager = _manager(session)
    service_manager.run(manager.reach)
    _check_environment(session, manager)
    began = time.time()
    manager.begin()
    with session.out.waiting("starting levqor-bot"):
        _wait(session, manager, began)
    _report(session, manager)


def _check_environment(session: Session, manager: Manager) -> None:
    """Name what is set in this shell and not for the service.

    Raises NotConfigured where the bot would be on another database for that.
    """
    from core.settings import network

    settings, seen = session.settings, manager.variables
    only = {
        name: setting.env_only
        for setting in settings.described()
        for name in (setting.name, f"{setting.name}_FILE")
        if setting.name not in NOT_THE_BOT_S
    } | dict.fromkeys(network().names, True)
    missed = [name for name in only if settings.in_environment(name) and name not in seen]
    if kept := [name for name in missed if not only[name]]:
        session.out.note(
            f"The service does not see what is set in this shell: {', '.join(kept)}."
            f" Write it into {settings.home / '.env'} too, or run levqor init."
        )
    if missed := [name for name in missed if only[name]]:
        what = f"The service does not see what is set in this shell: {', '.join(missed)}."
        fix = (
            f"Write it into {service_manager.environment_file()} too, NAME=value on each line,"
            " and run levqor service install again."
        )
        if any(name.removesuffix("_FILE") in DATABASE for name in missed):
            raise NotConfigured(f"{what} It would use another database than you.", fix=fix)
        session.out.note(f"{what} {fix}")


def _wait(session: Session, manager: Manager, began: float) -> None:
    """Wait until an interface works; raises NotConfigured where the bot does not stay up."""
    from core.health import inbounds

    while time.time() < began + START_SECONDS:
        time.sleep(0.5)
        states = inbounds(session.ledger).values()
        if any(state.ok and state.since.timestamp() >= began for state in states):
            return
        if not manager.runs:
            break
    raise NotConfigured(
        "levqor-bot was installed as a service, but it does not work.",
        fix=f"See why: {manager.log}. Then fix it, and run this command again.",
    )


def status(ctx: typer.Context, output: options.Output = None) -> None:
    """Show whether levqor-bot is a service, and how its interfaces are doing."""
    session = options.reading(ctx)
    session.tolerant = True
    _report(session, _manager(session))


def _report(session: Session, manager: Manager) -> None:
    from core.health import inbounds
    from core.interfaces import called

    installed, lines = bool(manager.traces), []
    runs, begins = installed and manager.runs, manager.begins if installed else None
    state = {True: "runs", False: "is stopped", None: "cannot be asked about from here"}
    inbounds_now = inbounds(session.ledger).items() if runs else ()
    inbound = {name: each.words for name, each in inbounds_now}
    if not installed:
        lines.append(
            "levqor-bot is not a service of this user yet. To make it one: levqor service install"
        )
    else:
        lines.append(f"levqor-bot {state[runs]}; it starts {begins}.")
        lines += [f"    {called(name)}: {words}" for name, words in inbound.items()]
        if not manager.file.exists() or manager.file.read_text("utf-8") != manager.text:
            lines.append("It was installed for another home or program: levqor service install")
        lines.append(f"log: {manager.log}")
    body = {
        "installed": installed,
        "running": runs,
        "starts": begins,
        "file": str(manager.file),
        "home": str(session.settings.home),
        "inbound": inbound,
    }
    session.answer(body, "\n".join(lines))


def remove(ctx: typer.Context, output: options.Output = None) -> None:
    """Stop levqor-bot, and do not start it again; the home folder is not changed."""
    session = options.session(ctx)
    session.tolerant = True
    manager = _manager(session)
    installed = bool(manager.traces)
    shown = "levqor-bot was not a service."
    trouble = manager.end() if installed else None
    if installed:
        shown = "levqor-bot is not a service any more."
    if trouble:
        shown += (
            " If it runs now, it goes on until this machine is restarted, for nobody could be"
            f" asked to stop it: {trouble.message}"
            f" To stop it: pkill -u {service_manager.user()} -x {NAME}"
        )
    body = {"removed": installed, "stopped": trouble is None, "file": str(manager.file)}
    session.answer(body, shown)
