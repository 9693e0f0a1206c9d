"""Peers that are no dependency of Levqor's: each in an environment of its own, made once."""

import subprocess
import sys
import venv

from platformdirs import user_cache_path

from tests.bench.measured import Skipped

FOLDER = user_cache_path("levqor-bench")
INSTALL_SECONDS = 300


def python(name, *requirements):
    """The interpreter of an environment that has these packages; raises Skipped."""
    folder = FOLDER / f"{name}-{sys.version_info[0]}.{sys.version_info[1]}"
    program, ready = folder / "bin" / "python", folder / "ready"
    if not ready.exists() or ready.read_text() != " ".join(requirements):
        venv.create(folder, with_pip=True, clear=True)
        pip = [program, "-m", "pip", "install", "--quiet", *requirements]
        try:
            done = subprocess.run(
                pip, check=False, capture_output=True, text=True, timeout=INSTALL_SECONDS
            )
        except subprocess.TimeoutExpired:
            raise Skipped(f"{name} was not installed within {INSTALL_SECONDS} s") from None
        if done.returncode:
            raise Skipped(f"{name} cannot be installed here: pip ended with {done.returncode}")
        ready.write_text(" ".join(requirements))
    return program
