"""Imitations of the services on loopback, with the vendors' real rules and refusals.

Imported only when asked for. `with Sandbox() as sandbox` runs all of them at once, and
`sandbox.settings()` leads every connector there.
"""

from core.sandbox.server import SERVICES, Sandbox, exports
from core.sandbox.service import Received, SandboxService

__all__ = ["SERVICES", "Received", "Sandbox", "SandboxService", "exports"]
