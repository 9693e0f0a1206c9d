"""HTTP: the actions as an API, health, usage, metrics; and what chat platforms post to.

Programs, the remote tray, Prometheus and webhooks talk to it. Who asks is told by a
bearer token, else by an address of this machine (see authentication.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.declaration import SurfaceSpec
from bot.web.settings import HttpSettings

if TYPE_CHECKING:
    from bot.declaration import Startup
    from bot.runtime import Surface


def build(startup: Startup) -> Surface | None:
    """Make the surface unless HTTP is off; raises NotConfigured where a platform posts to it."""
    from bot.web.surface import make

    return make(startup)


SURFACE = SurfaceSpec(name="http", title="HTTP", build=build, settings=HttpSettings)
