"""A clock that is wrong: of a program, from its start on or from one moment to the next."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

# Only the time of day: how long things take is measured by other clocks.
_CLOCK = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
static volatile long *wrong_by;
__attribute__((constructor)) static void start(void) {
    int file = open(getenv("SKEW"), O_RDONLY | O_CLOEXEC);
    void *seconds = mmap(0, sizeof(long), PROT_READ, MAP_SHARED, file, 0);
    if (seconds != MAP_FAILED) wrong_by = seconds;
    close(file);
}
int clock_gettime(clockid_t clock, struct timespec *t) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int failed = real(clock, t);
    if (!failed && wrong_by && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        t->tv_sec += *wrong_by;
    return failed;
}
int gettimeofday(struct timeval *restrict t, void *restrict zone) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    t->tv_sec = now.tv_sec, t->tv_usec = now.tv_nsec / 1000;
    return 0;
}
time_t time(time_t *t) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (t) *t = now.tv_sec;
    return now.tv_sec;
}
"""


class Clock:
    """The clock of the programs that are started with `environ`; `set` makes it jump."""

    def __init__(self, folder: Path, seconds: int = 0) -> None:
        """Make it; libfaketime would make `sleep` fail."""
        self._library = folder / "clock.so"
        if not self._library.exists():
            line = ["gcc", "-shared", "-fPIC", "-x", "c", "-", "-o", str(self._library), "-ldl"]
            subprocess.run(line, input=_CLOCK.encode(), check=True)
        number, name = tempfile.mkstemp(prefix="clock-", dir=folder)
        os.fchmod(number, 0o644)  # a database is another user's
        os.close(number)
        self._file = Path(name)
        self.set(seconds)
        self.environ = {"LD_PRELOAD": str(self._library), "SKEW": str(self._file)}

    @classmethod
    def shared(cls, file: Path) -> Clock:
        """The clock that a program was started with."""
        clock = cls.__new__(cls)
        clock._file = file
        clock.seconds = int.from_bytes(file.read_bytes(), "little", signed=True)
        return clock

    def set(self, seconds: int) -> None:
        """Be wrong by so much from now on."""
        self.seconds = seconds
        # In place: those who look have the file in their memory.
        with self._file.open("r+b") as file:
            file.write(seconds.to_bytes(8, "little", signed=True))
