"""The home's random key: what its keyed hashes are made with."""

import contextlib
import hmac
import os
import secrets
from pathlib import Path

from core.errors import LedgerError, NotConfigured
from core.home import check, read_trusted

KEY = "levqor.key"
KEY_BYTES = 32


def key_file(home: Path, named: str | None = None) -> Path:
    """Return where the home's key is: `levqor.key` in it, or the file that is named."""
    return Path(named).expanduser() if named else home / KEY


def home_key(home: Path, named: str | None = None) -> bytes:
    """Read the home's random key: `levqor.key`, made on first use, or a file `named` elsewhere.

    However many processes come at once, all get the same 32 bytes. Raises LedgerError
    where the file cannot be read, written, is not a key or not this user's alone.
    """
    file = key_file(home, named)
    try:
        try:
            # Kubernetes links to a secret's file: it is what is read that has to be trusted.
            key = read_trusted(file.resolve() if named else file, "The key")
        except FileNotFoundError:
            if named:
                raise
            home.mkdir(mode=0o700, parents=True, exist_ok=True)
            check(home)
            key = _make_key(file)
    except NotConfigured as strange:
        raise LedgerError(strange.message, fix=strange.fix, reason="home_untrusted") from None
    except OSError as problem:
        raise LedgerError(
            f"The key {file} cannot be read or written: {problem.strerror}.",
            fix="Make the folder writable for the user that runs Levqor.",
        ) from None
    if len(key) != KEY_BYTES:
        raise LedgerError(
            f"The key {file} is damaged: it must hold {KEY_BYTES} bytes.",
            fix="Put it back from a backup, or move it away and start again for a new one.",
        )
    return key


def key_check(home: Path, named: str | None = None, *, make: bool = True) -> str | None:
    """Tell one key from another, without showing it; None where there is none to `make`."""
    if named is None and not make and not (home / KEY).exists():
        return None
    return hmac.new(home_key(home, named), b"levqor", "sha256").hexdigest()[:16]


def _make_key(file: Path) -> bytes:
    fresh = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(secrets.token_bytes(KEY_BYTES))
            out.flush()
            os.fsync(handle)
        # A link, unlike a rename, never replaces: whoever comes second takes the first's key.
        with contextlib.suppress(FileExistsError):
            os.link(fresh, file)
    finally:
        fresh.unlink()
    return read_trusted(file, "The key")
