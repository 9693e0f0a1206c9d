"""Programs from npm that `make test` has installed beside Python's."""

import os
import sys
from pathlib import Path

import pytest

FOLDER = Path(sys.prefix) / "npm" / "node_modules"


def package(name: str) -> Path:
    """The folder of a package; skips the test where it is missing, but never in CI."""
    found = FOLDER / name
    if not found.is_dir():
        if os.environ.get("CI"):
            pytest.fail(f"{name} is missing: make system test installs it")
        pytest.skip(f"{name} from npm is not here: make test installs it where npm is")
    return found
