"""HTTP: the web console; the actions as an API, health, usage, metrics; and the platforms' posts.

Programs, the remote tray, Prometheus and webhooks talk to it. Who asks is told by a
bearer token, else by an address of this machine (see authentication.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.declaration import SurfaceSpec
from bot.web.settings import PAGES, HttpSettings, console_address
from core.errors import NotConfigured

if TYPE_CHECKING:
    from bot.declaration import Startup
    from bot.runtime import Surface


def build(startup: Startup) -> Surface | None:
    """Make the surface, listening where `--http` or else LEVQOR_HTTP says; None where it is off.

    Where nobody chose the address, no platform posts to it and there is another interface, a
    taken port is said and done without: another Levqor may run here.
    """
    hooks = [hook for surface in startup.before for hook in surface.hooks()]
    if startup.options.no_http:
        if hooks:
            raise NotConfigured(
                f"{hooks[0].path} is where the platform posts, but HTTP is off.",
                fix="Start levqor-bot without --no-http.",
            )
        return None
    from bot.web.surface import Web

    address = startup.options.http
    chosen = address or startup.settings.of(HttpSettings).address
    optional = (
        address is None and chosen == HttpSettings().address and not hooks and bool(startup.before)
    )
    return Web(chosen, hooks, optional=optional)


SURFACE = SurfaceSpec(
    name="http",
    title="HTTP",
    build=build,
    settings=HttpSettings,
    console=console_address,
    pages=PAGES,
)
