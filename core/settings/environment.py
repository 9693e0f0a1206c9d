"""What the environment of this process says of the network and of the home."""

import os
from pathlib import Path

from core.home import default, find
from core.network import Network, drop_key_log


def network() -> Network:
    """Read the proxies and certificates of this process's environment, as they are now."""
    return Network(os.environ)


def ready_for_tls() -> str | None:
    """Take out what would keep any TLS context from being made; a sentence where there was some.

    Called before a library is imported that makes one at once.
    """
    return drop_key_log(os.environ)


def home_to_be(named: Path | None) -> Path:
    """Where the home is to be, whatever the current folder holds; for a move."""
    if named or os.environ.get("LEVQOR_HOME", "").strip():
        return find(named, os.environ)
    return default()
