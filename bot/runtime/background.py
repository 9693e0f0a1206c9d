"""Background jobs, which go on whatever one of their steps does."""

import asyncio
import contextlib
import logging
from collections.abc import Iterator

from core.errors import LevqorError

log = logging.getLogger("levqor.bot")


@contextlib.contextmanager
def step() -> Iterator[None]:
    """One step of a job: its error is logged by kind, and the next one is done.

    A ledger in trouble is told elsewhere.
    """
    try:
        yield
    except LevqorError:
        pass
    except Exception as error:  # noqa: BLE001 - a mistake in one must not end all that follow
        job = asyncio.current_task()
        name = job.get_name() if job else "unnamed"
        log.error("A background job (%s) stumbled: %s", name, type(error).__name__)  # noqa: TRY400
