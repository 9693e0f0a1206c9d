"""`levqor sandbox` as a child of the tray: it ends when its parent does, however that dies.

With TEMPORARY first, its home goes with it: a parent that was killed cannot take it away.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading

TEMPORARY = "--temporary-home"


def _follow_parent() -> None:
    # The parent never writes: this returns when its end of the pipe is closed.
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


def _main() -> int:
    from core.cli import main

    temporary = TEMPORARY in sys.argv
    if temporary:
        sys.argv.remove(TEMPORARY)
    threading.Thread(target=_follow_parent, daemon=True).start()
    try:
        return main()
    finally:
        if temporary:
            shutil.rmtree(sys.argv[sys.argv.index("--home") + 1], ignore_errors=True)


if __name__ == "__main__":
    sys.exit(_main())
