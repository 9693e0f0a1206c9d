"""Every interface, in the order in which they are made and listed."""

from bot import console, slack, telegram, web
from bot.declaration import SurfaceSpec

SURFACES: tuple[SurfaceSpec, ...] = (
    slack.SURFACE,
    telegram.SURFACE,
    console.SURFACE,
    web.SURFACE,  # last: it serves what the platforms of the others post
)
