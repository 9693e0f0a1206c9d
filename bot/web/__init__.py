"""HTTP: the actions as an API, health, usage, metrics; and what chat platforms post to.

Programs, the remote tray, Prometheus and webhooks talk to it. Who asks is told by a
bearer token, else by an address of this machine (see visitor.py).
"""

from bot.web.surface import Web, build

__all__ = ["Web", "build"]
