"""Where settings are read: the environment, `.env` in the home, a secret's own file."""

import io
import os
import re
import stat
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from core.contract import BYTE_ORDER_MARK, Problem, Setting, base_url, utf8
from core.errors import NotConfigured
from core.home import Stamp, default, find, open_trusted, read_trusted, stamp
from core.network import Network, drop_key_log
from core.settings.names import account_settings, unknown


@dataclass(frozen=True)
class _File:
    """A setting's own file: `of` is what names it, and `names` says so in a sentence."""

    of: str
    names: str
    path: Path


class Reading:
    """What was read: values by name, what kept a setting from having one, what to know of one.

    `stamps` tell in which state each file was.
    """

    def __init__(
        self,
        declared: Mapping[str, Setting],
        services: AbstractSet[str],
        environ: Mapping[str, str],
        home: Path,
    ) -> None:
        """Read the declared settings: the environment first, then `.env` in the home.

        `services` names those that may be there once more for each further account; what is
        there of them is in `declared` afterwards.
        """
        self.values: dict[str, str] = {}
        self.faults: dict[str, Problem] = {}
        self.notes: list[Problem] = []
        self.stamps: dict[Path, Stamp] = {}
        self._environ, self._home = environ, home
        self._env_file = self._read_env_file(home / ".env")
        places = (self._environ, self._credentials(), self._env_file)
        names = sorted({name for place in places for name in place})
        bases = {name: declared[name] for name in services}
        further = {each.name: each for each in account_settings(names, bases)}
        self.declared = {**declared, **further}
        for setting in self.declared.values():
            self._read_setting(setting)
        self.notes += unknown(places, self.declared, services)

    def drop(self, names: Iterable[str]) -> None:
        """Forget settings as if they were not set."""
        for name in names:
            self.values.pop(name, None)
            self.faults.pop(name, None)

    def _fault(self, name: str, what: str, fix: str) -> None:
        """Say why a setting has no value."""
        self.faults[name] = Problem(name, what, fix, fatal=True)

    def _note(self, name: str, what: str, fix: str) -> None:
        """Say what a person should know of a setting that works."""
        self.notes.append(Problem(name, what, fix))

    def _read_setting(self, setting: Setting) -> None:
        name = setting.name
        if setting.env_only and tidy(self._env_file.get(name)):
            what = f"{name} in .env is ignored: it is read from the environment only."
            self._note(name, what, f"Take {name} out of .env.")
        for place in (self._environ,) if setting.env_only else (self._environ, self._env_file):
            if setting.restricts and _set_to_nothing(name, place):
                what = f"{name} is set to nothing, which restricts nothing."
                fix = f"Write what it should restrict to, or take {name} out"
                self._fault(name, what, f"{fix}: then there is no limit.")
                return
            value = tidy(place.get(name))
            file = self._file_of(name, place) if setting.in_files else None
            if value and file and file.of == f"{name}_FILE":
                what = f"{name} and {file.of} are both set; the file is not read."
                self._note(name, what, f"Keep one of the two for {name}.")
            if value is None and file:
                value = self._read_file(name, file)
                if value is None:
                    return
            if value is not None:
                self._keep(setting, value)
                return

    def _credentials(self) -> list[str]:
        """The names of the credentials that systemd hands over; systemd.exec(5), LoadCredential."""
        folder = Path(self._environ.get("CREDENTIALS_DIRECTORY", ""))
        with suppress(OSError, ValueError):
            return [file.name for file in folder.iterdir()] if folder.is_absolute() else []
        return []

    def _file_of(self, name: str, place: Mapping[str, str]) -> _File | None:
        """The file that a place names: NAME_FILE, else one of systemd's credentials."""
        if pointer := tidy(place.get(f"{name}_FILE")):
            return _File(f"{name}_FILE", f"{name}_FILE names", Path(pointer))
        folder = self._environ.get("CREDENTIALS_DIRECTORY", "") if place is self._environ else ""
        path = Path(folder) / name
        if path.is_absolute() and os.path.lexists(path):
            return _File(f"the credential {name}", f"The credential {name} is", path)
        return None

    def _keep(self, setting: Setting, value: str) -> None:
        if setting.env_only and setting.name.endswith("_URL") and setting.default:
            try:
                base_url(value)
            except ValueError as fault:
                fix = f"Correct {setting.name} in the environment, or take it out for"
                self._fault(setting.name, f"{setting.name} {fault}.", f"{fix} {setting.default}.")
                return
        self.values[setting.name] = value

    def _read_file(self, name: str, file: _File) -> str | None:
        fix = f"Put the value into that file, or correct {file.of}."
        try:
            path = self._home / file.path.expanduser()
            self.stamps[path] = stamp(path)
            # Kubernetes and systemd link to theirs: it is what is read that has to be trusted.
            data = read_trusted(path.resolve(), f"The file of {file.of}")
        except NotConfigured as strange:
            what, fix = strange.message, strange.fix or fix
        except OSError as problem:
            what = f"{file.names} a file that cannot be read: {problem.strerror}."
        except (RuntimeError, ValueError):
            # The ~ of a user whom nobody knows, or a character no path can have.
            what = f"{file.names} no file that there can be."
        else:
            try:
                if value := utf8(data).strip():
                    return value
                what = f"{file.names} an empty file."
            except ValueError as problem:
                what = f"{file.names} a file that {problem}."
        self._fault(name, what, fix)
        return None

    def _read_env_file(self, file: Path) -> dict[str, str]:
        self.stamps[file] = stamp(file)
        try:
            handle = open_trusted(file, "The settings file")
            with os.fdopen(handle, "rb") as opened:
                mode = stat.S_IMODE(os.fstat(handle).st_mode)
                # A mark before a later line comes of joining two files.
                text = utf8(opened.read()).replace(BYTE_ORDER_MARK, "")
        except FileNotFoundError:
            return {}
        except NotConfigured as strange:
            what, fix = strange.message, strange.fix or ""
        except OSError as problem:
            # Going on without it could drop LEVQOR_ALLOW and allow everybody.
            what = f"The settings file {file} cannot be read: {problem.strerror}."
            fix = "Make it a file its user can read."
        except ValueError as problem:
            what, fix = f"The settings file {file} {problem}.", "Save it as UTF-8."
        else:
            if os.name == "posix" and mode & 0o077:
                what = "Other users of this machine can read .env and the secrets in it."
                self._note(".env", what, f"Run: chmod 600 {quote(str(file))}")
            return self._parse_env(text)
        self._fault(".env", what, fix)
        return {}

    def _parse_env(self, text: str) -> dict[str, str]:
        from dotenv.parser import parse_stream

        values: dict[str, str] = {}
        for line in parse_stream(io.StringIO(text)):
            number = line.original.line
            if line.error and ".env" not in self.faults:
                fix = "Write it as NAME=value, the value in quotes if it holds quotes or a #."
                self._fault(".env", f"Line {number} of .env cannot be read.", fix)
            elif line.key and line.key in values:
                what = f"{line.key} is in .env twice; the last one, on line {number}, counts."
                self._note(line.key, what, f"Keep one line for {line.key}.")
            if line.key and not line.error:
                values[line.key] = line.value or ""
        return values


def _set_to_nothing(name: str, place: Mapping[str, str]) -> bool:
    """Whether a setting that restricts is there and restricts nothing."""
    written = [place[key] for key in (name, f"{name}_FILE") if key in place]
    return any(not re.sub(r"[\s,;\"']", "", text) for text in written)


def tidy(value: str | None) -> str | None:
    """Strip white space and the quotes that `docker --env-file` leaves; empty is absent."""
    text = (value or "").replace(BYTE_ORDER_MARK, "").strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        text = text[1:-1].strip()
    return text or None


def network() -> Network:
    """Read the proxies and certificates of this process's environment, as they are now."""
    return Network(os.environ)


def ready_for_tls() -> str | None:
    """Take out what would keep any TLS context from being made; a sentence where there was some.

    Called before a library is imported that makes one at once.
    """
    return drop_key_log(os.environ)


def home_to_be(named: Path | None) -> Path:
    """Where the home is to be, whatever the current folder holds; for a move."""
    if named or os.environ.get("LEVQOR_HOME", "").strip():
        return find(named, os.environ)
    return default()
