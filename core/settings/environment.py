"""What the environment of this process says of the network, for every HTTP client there is."""

from __future__ import annotations

import os

from core.network import Network, drop_key_log


def network() -> Network:
    """Read the proxies and certificates of this process's environment, as they are now."""
    return Network(os.environ)


def ready_for_tls() -> str | None:
    """Take out what would keep any TLS context from being made; a sentence where there was some.

    Called before a library is imported that makes one at once.
    """
    return drop_key_log(os.environ)
