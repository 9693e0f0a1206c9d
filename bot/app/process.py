"""The life of the process: open, start every surface, wait, stop in order."""

import asyncio
import contextlib
import errno
import gc
import logging
import resource
import signal
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any

from bot.alerts import Alerts
from bot.checks import ServiceChecks
from bot.declaration import Options, Startup
from bot.runtime import GRACE, Bot, End, Surface, step
from bot.surfaces import SURFACES
from core import wording
from core.backoff import backoffs
from core.engine import Engine
from core.errors import LevqorError, NotConfigured, Unwritten
from core.logs import quiet_libraries
from core.settings import Settings

# A surface's own step of stopping, a platform's goodbye included.
STEP = 5.0
# How long the last answers may take, once every run has settled.
LAST_ANSWERS = 4.0
# How soon an edited settings file is noticed, and how often a broken one is complained of.
SETTINGS_SECONDS = 2.0
BROKEN_SECONDS = 60.0
PRUNE_SECONDS = 86400.0
# Whatever has ended since is told from the runs themselves.
HISTORY_SECONDS = 600.0
# macOS begins with 256, most Linux systems with 1024, and both let a process ask for more.
FILES = 4096

log = logging.getLogger("levqor.bot")


async def run(settings: Settings, options: Options) -> int:
    """Run every surface until a signal, the console's end or a failure; the exit status."""
    raise_file_limit()
    return await live(await asyncio.to_thread(Engine.open, settings), options)


async def live(engine: Engine, options: Options) -> int:
    """Run every surface on an open engine, which is closed at the end."""
    bot, settings = Bot(engine), engine.settings
    await asyncio.to_thread(engine.announce)
    if not (settings.sandbox or options.no_http):
        # HTTP's tokens are those of this home alone.
        bot.print_status(f"home: {settings.home}")
    listen_to_signals(bot)
    report_exhaustion(bot)
    surfaces: list[Surface] = []
    try:
        surfaces = configured(bot, options)
    except LevqorError as error:
        bot.fail(error)
    if not gc.isenabled():
        # Not among what there is by now: it stays, and requests would wait for each look.
        gc.freeze()
        gc.enable()
    end = await serve(bot, surfaces)
    if end.line:
        bot.print_status(end.line)
    return end.status


async def serve(bot: Bot, surfaces: Sequence[Surface], *, grace: float = GRACE) -> End:
    """Start the surfaces side by side, wait for a reason to end, stop in order."""
    ledger = bot.engine.ledger
    try:
        if not bot.ending:
            for surface in surfaces:
                bot.spawn(start(bot, surface), name=f"start {surface.name}")
            bot.spawn(follow_settings(bot), name="settings")
            # Delete what is older than LEVQOR_KEEP_DAYS; settle what other processes of this
            # home left when they died.
            bot.spawn(every(PRUNE_SECONDS, lambda: prune(bot), bot), name="prune")
            bot.spawn(every(HISTORY_SECONDS, lambda: keep_history(bot), bot), name="history")
            bot.spawn(ServiceChecks(bot).run(), name="checks")
            bot.spawn(Alerts(bot).run(), name="alerts")
            look = every(ledger.store.look_seconds, ledger.recover, bot)
            bot.spawn(look, name="recover")
        end = await asyncio.shield(bot.ended)
    finally:
        unwritten = await shutdown(bot, surfaces, grace)
    return end if end.status or unwritten is None else End(unwritten.exit)


def configured(bot: Bot, options: Options) -> list[Surface]:
    """Make every surface that is set up, in the list's order."""
    surfaces: list[Surface] = []
    for spec in SURFACES:
        surface = spec.build(Startup(bot.settings, options, tuple(surfaces)))
        if surface is not None:
            surfaces.append(surface)
    guides = {spec.name: f"{spec.title}: {spec.guide}" for spec in SURFACES if spec.guide}
    chats = guides.keys() & {surface.name for surface in surfaces}
    if not (chats or options.console or bot.settings.sandbox):
        bot.print_status(f"No chat is set up. To begin with {', with '.join(guides.values())}")
    if not surfaces:
        raise NotConfigured(
            "There is nothing to serve: no chat is set up, and HTTP is off.",
            fix="Start levqor-bot without --no-http, or with --console.",
        )
    return surfaces


async def start(bot: Bot, surface: Surface) -> None:
    """Start one surface. Its own mistake is health's to show, and it is tried again.

    What only a person can set right ends the process: it would stay so.
    """
    for wait in backoffs():
        try:
            await surface.start(bot)
        except NotConfigured as error:
            bot.fail(error)
            return
        except Exception as error:  # noqa: BLE001 - it must not take the others along
            # Its text may hold anything.
            log.error("%s did not start: %s", surface.name, type(error).__name__)  # noqa: TRY400
            await bot.verdicts.stumbled(surface.name, error)
            await step_each([surface.stop()])
            await asyncio.sleep(wait)
        else:
            await bot.verdicts.recovered(surface.name)
            return


async def follow_settings(bot: Bot) -> None:
    """Take up an edited `.env`: connectors, plans of who may, everything but the surfaces' own."""
    clock = asyncio.get_running_loop().time
    told, quiet_until = "", 0.0
    while True:
        await asyncio.sleep(SETTINGS_SECONDS)
        with step():
            try:
                changed = await bot.call(bot.engine.refresh)
            except LevqorError as error:
                broken = wording.in_one_line(error)
                # The file is looked at all the while: a corrected one is taken at once.
                if broken != told or clock() >= quiet_until:
                    bot.print_status(f"Settings are broken; the old ones stay in force: {broken}")
                    told, quiet_until = broken, clock() + BROKEN_SECONDS
                continue
            told = ""
            if changed:
                quiet_libraries(bot.settings.redactor(), bot.settings.loggers())
                with contextlib.suppress(LevqorError):  # what other bots see of it can wait
                    await bot.call(bot.engine.announce)
                bot.print_status(
                    "Settings were read again."
                    " A change to a chat's own settings or to LEVQOR_HTTP needs a restart."
                )


async def every(seconds: float, work: Callable[[], object], bot: Bot) -> None:
    """Do the ledger's housekeeping, now and from time to time."""
    while True:
        with step():
            await bot.call(work)
        await asyncio.sleep(seconds)


def prune(bot: Bot) -> None:
    """Delete what is older than LEVQOR_KEEP_DAYS and LEVQOR_AUDIT_DAYS, unless another bot does."""
    if bot.engine.ledger.lease("prune", PRUNE_SECONDS / 2):
        app = bot.settings.app
        bot.engine.ledger.prune(app.keep_days, app.audit_days)


def keep_history(bot: Bot) -> None:
    """Count the runs of the hours that closed, unless another bot does."""
    if bot.engine.ledger.lease("history", HISTORY_SECONDS * 2):
        bot.engine.ledger.roll_up()


async def shutdown(bot: Bot, surfaces: Sequence[Surface], grace: float) -> Unwritten | None:
    """Take nothing new, let what is out settle, then let go; what could not be written."""
    bot.end()
    until = asyncio.get_running_loop().time() + grace
    # Answers go out while this waits: the event loop stays free. Not through `bot.call`,
    # whose threads may all be waiting for a ledger that somebody holds.
    draining = asyncio.create_task(asyncio.to_thread(bot.engine.drain, grace))
    await step_each(surface.pause() for surface in surfaces)
    await draining
    await bot.wait_replied(max(until - asyncio.get_running_loop().time(), LAST_ANSWERS))
    await step_each(surface.stop() for surface in surfaces)
    unwritten = await asyncio.to_thread(bot.engine.unwritten, STEP)
    if unwritten is not None:
        bot.print_status(wording.in_one_line(unwritten))
    await asyncio.to_thread(bot.engine.close, 0.0)
    await bot.finish()
    return unwritten


async def step_each(steps: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Take a step of every surface; one that fails or hangs does not keep the others."""
    jobs = [asyncio.create_task(step) for step in steps]
    if jobs:
        _, slow = await asyncio.wait(jobs, timeout=STEP)
        for job in slow:
            job.cancel()
        for failed in await asyncio.gather(*jobs, return_exceptions=True):
            if isinstance(failed, Exception):
                log.error("A surface did not stop cleanly: %s", type(failed).__name__)


def listen_to_signals(bot: Bot) -> None:
    """End in order on SIGTERM, SIGINT, and when the terminal goes away."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        # Whoever started this with nohup wants it to outlive the terminal.
        if signal.getsignal(number) is not signal.SIG_IGN:
            loop.add_signal_handler(number, bot.end)


def raise_file_limit() -> None:
    """Let the process have `FILES` files open, or as many as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def report_exhaustion(bot: Bot) -> None:
    """Say once a minute that no file descriptor is left for one more connection.

    asyncio says so for every place in the backlog, every second and with a traceback
    (python/cpython#151615): 34 MB within twenty seconds.
    """
    quiet_until = 0.0

    def tell(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        nonlocal quiet_until
        fault = context.get("exception")
        if not isinstance(fault, OSError) or fault.errno not in (errno.EMFILE, errno.ENFILE):
            loop.default_exception_handler(context)
        elif loop.time() >= quiet_until:
            quiet_until = loop.time() + BROKEN_SECONDS
            bot.print_status("Too many files are open for one more connection. Raise `ulimit -n`.")

    asyncio.get_running_loop().set_exception_handler(tell)
