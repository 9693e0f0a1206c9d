"""Where settings are read: the environment, `.env` in the home, a secret's own file."""

from __future__ import annotations

import io
import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from dotenv.parser import parse_stream

from core.contract import BYTE_ORDER_MARK, Problem, base_url, utf8
from core.errors import NotConfigured
from core.grammar import nearest
from core.home import open_trusted, read_trusted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from core.contract import Setting

Stamp = tuple[int, int] | None


@dataclass
class Reading:
    """What was found: values by name, and what kept a setting from having one."""

    values: dict[str, str] = field(default_factory=dict, repr=False)
    faults: dict[str, Problem] = field(default_factory=dict)
    notes: list[Problem] = field(default_factory=list)
    stamps: dict[Path, Stamp] = field(default_factory=dict)


def read(declared: Iterable[Setting], environ: Mapping[str, str], home: Path) -> Reading:
    """Read the declared settings: the environment first, then `.env` in the home."""
    found = Reading()
    file = home / ".env"
    env_file = _read_env_file(file, found)
    known = {one.name: one for one in declared}
    for one in known.values():
        _read_one(one, environ, env_file, home, found)
    found.notes += _unknown(environ, env_file, known)
    return found


def stamp(file: Path) -> Stamp:
    """Tell one state of a file from another; None where there is none."""
    try:
        state = file.stat()
    except OSError:
        return None
    return state.st_mtime_ns, state.st_size


def _read_one(
    one: Setting, environ: Mapping[str, str], env_file: Mapping[str, str], home: Path, to: Reading
) -> None:
    if one.env_only and _tidy(env_file.get(one.name)):
        what = f"{one.name} in .env is ignored: it is read from the environment only."
        to.notes.append(Problem(one.name, what, f"Take {one.name} out of .env."))
    places = (environ,) if one.env_only else (environ, env_file)
    for place in places:
        if one.restricts and _set_to_nothing(one, place):
            to.faults[one.name] = _nothing(one)
            return
        value = _tidy(place.get(one.name))
        credentials = environ.get("CREDENTIALS_DIRECTORY") if place is environ else None
        file = _file(one, place, credentials) if one.in_files else None
        if value and file and file.of == f"{one.name}_FILE":
            what = f"{one.name} and {file.of} are both set; the file is not read."
            to.notes.append(Problem(one.name, what, f"Keep one of the two for {one.name}."))
        if value is None and file:
            value = _read_file(one.name, file, home, to)
            if value is None:
                return
        if value is not None:
            _keep(one, value, to)
            return


@dataclass(frozen=True)
class _File:
    """A setting's own file: `of` is what names it, and `names` says so in a sentence."""

    of: str
    names: str
    path: Path


def _file(one: Setting, place: Mapping[str, str], credentials: str | None) -> _File | None:
    """The file of a setting that a place names: NAME_FILE, else one of systemd's credentials."""
    pointer = _tidy(place.get(f"{one.name}_FILE"))
    if pointer:
        return _File(f"{one.name}_FILE", f"{one.name}_FILE names", Path(pointer))
    # systemd.exec(5), LoadCredential.
    path = Path(credentials or "") / one.name
    if path.is_absolute() and os.path.lexists(path):
        return _File(f"the credential {one.name}", f"The credential {one.name} is", path)
    return None


def _set_to_nothing(one: Setting, place: Mapping[str, str]) -> bool:
    """Whether a setting that restricts is there and restricts nothing."""
    written = [place[name] for name in (one.name, f"{one.name}_FILE") if name in place]
    return any(not re.sub(r"[\s,;\"']", "", text) for text in written)


def _nothing(one: Setting) -> Problem:
    what = f"{one.name} is set to nothing, which restricts nothing."
    fix = f"Write what it should restrict to, or take {one.name} out: then there is no limit."
    return Problem(one.name, what, fix, fatal=True)


def _keep(one: Setting, value: str, to: Reading) -> None:
    if one.env_only and one.name.endswith("_URL"):
        try:
            base_url(value)
        except ValueError as fault:
            what = f"{one.name} {fault}."
            fix = f"Correct {one.name} in the environment, or take it out for {one.default}."
            to.faults[one.name] = Problem(one.name, what, fix, fatal=True)
            return
    to.values[one.name] = value


def _tidy(value: str | None) -> str | None:
    """Strip white space and the quotes that `docker --env-file` leaves; empty is absent."""
    text = (value or "").replace(BYTE_ORDER_MARK, "").strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        text = text[1:-1].strip()
    return text or None


def _read_file(name: str, file: _File, home: Path, to: Reading) -> str | None:
    fix = f"Put the value into that file, or correct {file.of}."
    try:
        path = home / file.path.expanduser()
        to.stamps[path] = stamp(path)
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
            value = utf8(data).strip()
        except ValueError as problem:
            what = f"{file.names} a file that {problem}."
        else:
            if value:
                return value
            what = f"{file.names} an empty file."
    to.faults[name] = Problem(name, what, fix, fatal=True)
    return None


def _read_env_file(file: Path, to: Reading) -> dict[str, str]:
    to.stamps[file] = stamp(file)
    try:
        handle = open_trusted(file, "The settings file")
        with os.fdopen(handle, "rb") as opened:
            mode = stat.S_IMODE(os.fstat(handle).st_mode)
            # A mark before a later line comes of joining two files.
            text = utf8(opened.read()).replace(BYTE_ORDER_MARK, "")
    except FileNotFoundError:
        return {}
    except NotConfigured as strange:
        to.faults[".env"] = Problem(".env", strange.message, strange.fix or "", fatal=True)
        return {}
    except OSError as problem:
        # Going on without it could drop LEVQOR_ALLOW and let everybody in.
        what = f"The settings file {file} cannot be read: {problem.strerror}."
        to.faults[".env"] = Problem(".env", what, "Make it a file its user can read.", fatal=True)
        return {}
    except ValueError as problem:
        what = f"The settings file {file} {problem}."
        to.faults[".env"] = Problem(".env", what, "Save it as UTF-8.", fatal=True)
        return {}
    if os.name == "posix" and mode & 0o077:
        what = "Other users of this machine can read .env and the secrets in it."
        to.notes.append(Problem(".env", what, f"Run: chmod 600 '{file}'"))
    return _parse_env(text, to)


def _parse_env(text: str, to: Reading) -> dict[str, str]:
    values: dict[str, str] = {}
    for line in parse_stream(io.StringIO(text)):
        number = line.original.line
        if line.error:
            what = f"Line {number} of .env cannot be read."
            fix = "Write it as NAME=value, the value in quotes if it holds quotes or a #."
            to.faults.setdefault(".env", Problem(".env", what, fix, fatal=True))
        elif line.key and line.key in values:
            what = f"{line.key} stands twice in .env; the last one, on line {number}, counts."
            to.notes.append(Problem(line.key, what, f"Keep one line for {line.key}."))
        if line.key and not line.error:
            values[line.key] = line.value or ""
    return values


def _unknown(
    environ: Mapping[str, str], env_file: Mapping[str, str], known: Mapping[str, Setting]
) -> list[Problem]:
    names = {*known, *(f"{name}_FILE" for name, one in known.items() if one.in_files)}
    found = []
    for name in sorted({*environ, *env_file} - names):
        near = nearest(name, names, closeness=0.8)
        ours = re.match(r"LEVQOR_", name, re.IGNORECASE)
        if ours or (near and name in env_file):
            fix = f"Did you mean {near}?" if near else "See .env.example for the names."
            found.append(Problem(name, f"Levqor knows no setting {name}; it is ignored.", fix))
    return found
