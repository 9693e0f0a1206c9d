"""`levqor sandbox` as a child of the tray: it ends when its parent does, however that dies."""

from __future__ import annotations

import os
import signal
import sys
import threading

from core.cli import main


def _follow_parent() -> None:
    # The parent never writes: this returns when its end of the pipe is closed.
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    threading.Thread(target=_follow_parent, daemon=True).start()
    sys.exit(main())
