"""Other users of this system, and files that are given to them."""

from __future__ import annotations

import os

import pytest

from core.errors import LevqorError

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file to another user")
# Users and groups that no system gives to anybody.
ANN, BOB, TEAM = 54321, 54322, 54330


def as_user(uid, do, *, group=None, extra_groups=()):
    """Do something as another user, who has no name; what it raised, or None.

    In a child that was root until then: another user may not be able to read this Python.
    """
    out, theirs = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.setgroups(extra_groups)
            os.setgid(uid if group is None else group)
            os.setuid(uid)
            do()
        except LevqorError as error:
            os.write(theirs, f"{error.message}\n{error.fix}".encode())
        except BaseException as error:  # noqa: BLE001 - the child must not go on as a test
            os.write(theirs, f"{error!r}\n".encode())
        finally:
            os._exit(0)
    os.close(theirs)
    with os.fdopen(out) as told:
        said = told.read()
    os.waitpid(child, 0)
    return tuple(said.split("\n", 1)) if said else None


def given(path, uid, gid, mode):
    os.chown(path, uid, gid)
    path.chmod(mode)


def refusal(do):
    with pytest.raises(LevqorError) as refused:
        do()
    return refused.value
