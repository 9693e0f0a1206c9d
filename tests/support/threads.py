"""A machine that gives no more threads, as a container that has used up its share."""

import contextlib
import threading

# More than any address space has room for.
_STACK_BYTES = 1 << 45


@contextlib.contextmanager
def no_more_threads():
    """Let no thread of this process be started until the block ends."""
    before = threading.stack_size(_STACK_BYTES)
    try:
        yield
    finally:
        threading.stack_size(before)
