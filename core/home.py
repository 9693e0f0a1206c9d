"""The home folder: which one it is, and that nobody but its user and root can change it.

It holds `levqor.db`, `.env`, `levqor.key` and `logs/`: whoever can write one of them decides
who may do what. So a folder that was only stood in is never a home by itself, and a file is
trusted by what was opened, not by its name.
"""

import contextlib
import errno
import os
import stat
import sys
import tempfile
import unicodedata
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from shlex import quote

import platformdirs

from core.callers import os_user
from core.errors import LedgerError, NotConfigured

Stamp = tuple[int, int] | None

DATABASE = "levqor.db"
# What a bot leaves whose database is in PostgreSQL: nothing then begins on a levqor.db here.
SHARED = "levqor.postgresql"
# What a move that has not ended leaves in both folders; it names the other one.
MOVING = "levqor.moving"
# None of these exist on Windows, which has no such files either.
_READ = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)  # a named pipe would keep us waiting for its writer
    | getattr(os, "O_CLOEXEC", 0)
)


def find(named: Path | None, environ: Mapping[str, str]) -> Path:
    """Return the home: the one named, else LEVQOR_HOME, else a folder in the user's data.

    Links are followed here, once. Raises NotConfigured where no folder can be meant, and
    where the current folder holds a database that would be left behind in silence.
    """
    given = named or environ.get("LEVQOR_HOME", "").strip()
    if given:
        return _whole(Path(given))
    usual = default()
    with contextlib.suppress(OSError):
        here = Path.cwd()
        if os.path.lexists(here / DATABASE) and here.resolve() != usual:
            raise _bad_home(
                f"This folder ({here}) holds a {DATABASE}, and no home folder is named.",
                "To use it as the home: --home . (or LEVQOR_HOME). To move it to"
                f" {usual}: levqor home move",
            )
    return usual


def temporary(stack: ExitStack) -> Path:
    """Make a folder that ends with `stack`; raises LedgerError where there is no room for one."""
    try:
        made = tempfile.TemporaryDirectory(prefix="levqor-", ignore_cleanup_errors=True)
    except OSError as problem:
        raise LedgerError(
            f"There is no folder for what is temporary ({problem.strerror}).",
            fix="Name one that you may write to in TMPDIR.",
        ) from None
    return Path(stack.enter_context(made)).resolve()


def default() -> Path:
    """The home where none is named; raises NotConfigured where the system knows no place."""
    try:
        usual = platformdirs.user_data_path("levqor", appauthor=False)
    except RuntimeError:
        # A user without a name and without HOME; earlier platformdirs give a relative path.
        usual = Path()
    if not usual.is_absolute():
        raise _bad_home(
            "The system names no data folder for this user.",
            "Name a home folder by its whole path, in LEVQOR_HOME or after --home.",
        )
    return _whole(usual)


def check(home: Path) -> None:
    """Raise NotConfigured where others can change a home; one that is not there may be made."""
    try:
        state = home.lstat()
    except OSError:
        return
    if not stat.S_ISDIR(state.st_mode):
        raise _bad_home(f"The home {home} is not a folder.", "Name a folder: --home DIR.")
    trust(home, state, "The home folder")
    mark = moving(home)
    if mark:
        way, other = mark
        source, target = (home, other) if way == "to" else (other, home)
        raise _bad_home(
            f"The move of this home {way} {other} was interrupted; nothing is lost.",
            f"Finish it: levqor --home {quote(str(target))} home move --from {quote(str(source))}",
        )


def moving(home: Path) -> tuple[str, Path] | None:
    """Where a move that has not ended goes `to`, or comes `from`."""
    try:
        way, _, other = (home / MOVING).read_text("utf-8").rstrip("\n").partition(" ")
    except OSError:
        return None
    return way, Path(other)


def trust(path: Path, state: os.stat_result, what: str) -> None:
    """Raise NotConfigured where somebody but this user and root can change what was opened."""
    own(path, state, what)
    if sys.platform == "win32":  # pragma: no cover - only Windows runs it
        return
    quoted = quote(str(path))
    sudo = "" if state.st_uid == os.geteuid() else "sudo "
    if state.st_mode & stat.S_IWOTH:
        fix = f"Run: {sudo}chmod go-w {quoted}"
        if state.st_mode & stat.S_ISVTX:
            fix = f"Choose a folder inside it: {quoted}/levqor"
        raise _bad_home(f"Everybody on this machine can write to {_lower(what)} {path}.", fix)
    if state.st_mode & stat.S_IWGRP and not _private(state.st_gid, state.st_uid):
        raise _bad_home(
            f"The group {_group(state.st_gid)} can write to {_lower(what)} {path}.",
            f"Run: {sudo}chmod g-w {quoted}",
        )


def own(path: Path, state: os.stat_result, what: str) -> None:
    """Raise NotConfigured where something belongs neither to this user nor to root."""
    if sys.platform == "win32":  # pragma: no cover - only Windows runs it
        from core.windows import owned

        if owned(path):
            return
        who, take = "another user", f'takeown /f "{path}"'
    else:
        if state.st_uid in (0, os.geteuid()):
            return
        who = f"another user ({os_user(state.st_uid)})"
        take = f"sudo chown -R $(id -un) {quote(str(path))}"
    raise _bad_home(
        f"{what} {path} belongs to {who}.",
        "Choose one of your own, run Levqor as that user, or take it over once you know what is"
        f" in it: {take}",
    )


def open_trusted(file: Path, what: str) -> int:
    """Open a file to read it, never through a link; raises OSError, or as `trust` does."""
    refuse_link(file, what)
    handle = os.open(file, _READ)
    try:
        state = os.fstat(handle)
        if stat.S_ISDIR(state.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))  # noqa: TRY301
        if not stat.S_ISREG(state.st_mode):
            raise _bad_home(f"{what} {file} is not a file.", "Move it away.")  # noqa: TRY301
        trust(file, state, what)
    except BaseException:
        os.close(handle)
        raise
    return handle


def read_trusted(file: Path, what: str) -> bytes:
    """What such a file holds."""
    with os.fdopen(open_trusted(file, what), "rb") as opened:
        return opened.read()


def stamp(file: Path) -> Stamp:
    """Tell one state of a file from another; None where there is none."""
    try:
        state = file.stat()
    except OSError:
        return None
    return state.st_mtime_ns, state.st_size


def write_private(file: Path, content: bytes) -> None:
    """Write a file whole or not at all, for its owner's eyes only; raises OSError."""
    # It may be the home, which nobody else may write to, whatever the umask says.
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, part = tempfile.mkstemp(dir=file.parent, prefix=file.name)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(content)
        Path(part).replace(file)
    except OSError:
        Path(part).unlink(missing_ok=True)
        raise


def refuse_link(path: Path, what: str) -> None:
    """Raise NotConfigured where a name in the home is a link to somewhere else."""
    if path.is_symlink():
        quoted = quote(str(path))
        raise _bad_home(
            f"{what} {path} is a link, and in its home Levqor follows none.",
            f"Put the thing itself there: cp -rL {quoted} {quoted}.new && rm {quoted}"
            f" && mv {quoted}.new {quoted}",
        )


def _whole(home: Path) -> Path:
    if any(unicodedata.category(char) in ("Cc", "Zl", "Zp") for char in str(home)):
        # It would break lines: of the autostart entry, and of what is told to a person.
        raise _bad_home(
            "The home folder's name holds a line break or another control character.",
            "Rename the folder, or name another one.",
        )
    fix = "Write the folder's whole path, in LEVQOR_HOME or after --home."
    try:
        home = home.expanduser()
    except RuntimeError:
        raise _bad_home(
            f"The home folder {home} begins with the name of a user whom this machine lacks.", fix
        ) from None
    try:
        return home.resolve()
    except (OSError, RuntimeError):
        # Links that lead to one another, or a current folder that is gone.
        raise _bad_home(f"The home folder {home} cannot be found.", fix) from None


def _bad_home(what: str, fix: str) -> NotConfigured:
    return NotConfigured(what, fix=fix, settings=["LEVQOR_HOME"])


def _lower(what: str) -> str:
    return what[:1].lower() + what[1:] if what.startswith(("The ", "A ")) else what


if sys.platform != "win32":  # pragma: no branch - Windows goes on without
    import grp
    import pwd

    def _private(gid: int, owner: int) -> bool:
        """Whether a group that may write holds nobody but the owner, root or this user.

        A user's own group has the user's name, or number, and no other member: so it is with
        umask 002 on most Linux systems. A group without a name in which this process is was
        given to it by whoever started it: Kubernetes' fsGroup on a root-owned volume.
        """
        try:
            group = grp.getgrgid(gid)
        except KeyError:
            return gid in (os.getegid(), *os.getgroups())
        return any(_is_own(group, uid) for uid in {owner, os.geteuid()})

    def _is_own(group: grp.struct_group, uid: int) -> bool:
        try:
            name, first = pwd.getpwuid(uid).pw_name, pwd.getpwuid(uid).pw_gid
        except KeyError:
            name, first = "", os.getegid()
        same_number = group.gr_gid == uid == first
        if (group.gr_name != name and not same_number) or set(group.gr_mem) - {name}:
            return False
        # Some systems put accounts of their own into root's group; they are root's.
        return group.gr_gid == 0 or not any(
            user.pw_gid == group.gr_gid and user.pw_uid != uid for user in pwd.getpwall()
        )

    def _group(gid: int) -> str:
        try:
            return grp.getgrgid(gid).gr_name
        except KeyError:
            return str(gid)
