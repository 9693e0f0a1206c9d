"""What a program needs, beside an environment of its own, so that `make proof` counts its lines."""

from __future__ import annotations

import os

_NAME = "COVERAGE_PROCESS_CONFIG"


def measured() -> dict[str, str]:
    """What has a program's lines counted; nothing where this process's are not."""
    return {_NAME: os.environ[_NAME]} if _NAME in os.environ else {}
