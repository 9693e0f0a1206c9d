"""Imitations of the upstreams on loopback, with the vendors' real rules and refusals.

Imported only when asked for. A test or a newcomer starts all of them at once:

    with Sandbox() as sandbox:
        settings = sandbox.settings()
        sandbox.slack.next(Answer(404, "no_service"))
"""

from core.sandbox.answers import Answer, Delay, Drip, DropAfter, DropBefore, Hang, Huge, Scripted
from core.sandbox.server import SERVICES, Sandbox
from core.sandbox.service import Received, SandboxService
from core.sandbox.serving import exports, serve

__all__ = [
    "SERVICES",
    "Answer",
    "Delay",
    "Drip",
    "DropAfter",
    "DropBefore",
    "Hang",
    "Huge",
    "Received",
    "Sandbox",
    "SandboxService",
    "Scripted",
    "exports",
    "serve",
]
