"""Every setting Levqor and its connectors read: environment first, then `.env` in the home.

A secret may also stand in a file of its own, named by `NAME_FILE`, or be one of systemd's
credentials. Where an upstream lives and where the home is are read from the environment only:
a strange folder's `.env` must not redirect tokens. An empty value counts as absent, but one
that was to restrict something is refused.
"""

from __future__ import annotations

import os
import re
from functools import partial
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from core.errors import NotConfigured
from core.grammar import nearest
from core.home import check, default, find
from core.settings.environment import network, ready_for_tls
from core.settings.own import Own
from core.settings.source import Problem, Reading, read, stamp
from core.settings.values import Address, fits, is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from core.callers import Caller
    from core.contract import Config, Connector, Setting

__all__ = [
    "Address",
    "Own",
    "Problem",
    "Settings",
    "home_to_be",
    "is_loopback",
    "network",
    "ready_for_tls",
]


class Settings:
    """What is set, as read once; make a new one with `load` where `stale()`.

    `home` is the home folder, `own` what Levqor itself reads, `sandbox` whether stand-ins
    take the place of the real services.
    """

    def __init__(
        self,
        home: Path,
        connectors: Sequence[Connector],
        found: Reading,
        *,
        sandbox: bool,
        tolerant: bool,
    ) -> None:
        self.home = home
        self.sandbox = sandbox
        self._connectors = tuple(connectors)
        self._found = found
        self._configs: dict[str, Config] = {}
        self._again: Callable[[], Settings] = lambda: self
        self._own_faults = self._read_own()
        if self._own_faults and not tolerant:
            raise NotConfigured(
                " ".join(one.what for one in self._own_faults),
                fix=" ".join(dict.fromkeys(one.fix for one in self._own_faults)),
                settings=[one.setting for one in self._own_faults],
            )

    @classmethod
    def load(
        cls,
        home: Path | None = None,
        *,
        environ: Mapping[str, str] | None = None,
        sandbox_urls: Mapping[str, str] | None = None,
        connectors: Sequence[Connector] | None = None,
        tolerant: bool = False,
    ) -> Settings:
        """Read the settings of a home; core.home says which one where none is named.

        With `sandbox_urls` nothing of the connectors' and chats' real settings is read;
        these values stand in. A bad setting of Levqor's own raises NotConfigured naming it;
        `tolerant` keeps it among `problems()` instead, and then nobody may do anything
        that LEVQOR_ALLOW might have forbidden.
        """
        if connectors is None:
            from core.connectors import CONNECTORS

            connectors = CONNECTORS
        environ = os.environ if environ is None else environ
        folder = find(home, environ)
        check(folder)
        found = read(_declared(connectors), environ, folder)
        if sandbox_urls is not None:
            _stand_in(found, sandbox_urls)
        settings = cls(
            folder, connectors, found, sandbox=sandbox_urls is not None, tolerant=tolerant
        )
        settings._again = partial(
            cls.load,
            folder,
            environ=environ,
            sandbox_urls=sandbox_urls,
            connectors=connectors,
            tolerant=tolerant,
        )
        return settings

    def again(self) -> Settings:
        """Read the same home's settings as they are now; raises as `load` does."""
        return self._again()

    def config(self, connector: Connector) -> Config:
        """Return a connector's settings; raises NotConfigured naming what is missing."""
        known = self._configs.get(connector.name)
        if known is None:
            known = self._configs[connector.name] = self._make_config(connector)
        return known

    def configured(self, connector: Connector) -> bool:
        """Tell whether everything a connector requires is set and well-formed."""
        try:
            self.config(connector)
        except NotConfigured:
            return False
        return True

    def default(self, name: str) -> str | None:
        """Return a setting's value, else the default it was declared with."""
        value = self._found.values.get(name)
        if value is not None or name in self._found.faults:
            return value
        return next((one.default for one in self.described() if one.name == name), None)

    def secrets(self) -> tuple[str, ...]:
        """Return every secret value, for redaction."""
        values = self._found.values
        hidden = (values.get(one.name) for one in self.described() if one.secret)
        return tuple(value for value in hidden if value)

    def described(self) -> tuple[Setting, ...]:
        """Return all settings there are, the connectors' first, each once."""
        return _declared(self._connectors)

    def problems(self) -> list[Problem]:
        """List what can be told without asking anybody; never a value."""
        found = [*self._own_faults, *self._found.faults.values(), *self._found.notes]
        for connector in self._connectors:
            found += self._config_problems(connector)
        broken = {one.setting for one in found if one.fatal}
        odd = [one for one in self._shapes() if one.setting not in broken]
        return list(dict.fromkeys([*found, *odd, *self._lonely()]))

    def stale(self) -> bool:
        """Tell whether `.env` or a secret's file changed since these were read."""
        return any(stamp(file) != seen for file, seen in self._found.stamps.items())

    def may(self, caller: Caller | str, action_id: str) -> bool:
        """Tell whether LEVQOR_ALLOW lets this caller do this action."""
        allow = self.own.allow
        return allow is None or any(one.covers(str(caller), action_id) for one in allow)

    def is_admin(self, caller: Caller | str) -> bool:
        """Tell whether LEVQOR_ADMINS names this caller."""
        return str(caller) in self.own.admins

    def _read_own(self) -> list[Problem]:
        """Set `own`; return what stops a start."""
        shared = {one.name for c in self._connectors for one in c.config.settings()}
        faults = [p for name, p in self._found.faults.items() if name not in shared]
        values: dict[str, Any] = dict(self._found.values)
        try:
            self.own = Own.model_validate(values)
        except ValidationError as problem:
            for name, what in _broken(problem):
                fix = f"Correct {name}, or take it out."
                faults.append(Problem(name, f"{name} {what}.", fix, fatal=True))
                values.pop(name)
            self.own = Own.model_validate(values)
        if any(one.setting in (".env", "LEVQOR_ALLOW") for one in faults):
            self.own = self.own.model_copy(update={"allow": ()})
        return faults

    def _make_config(self, connector: Connector) -> Config:
        faults = self._config_problems(connector)
        if faults:
            raise NotConfigured(
                " ".join([f"{connector.title} is not set up.", *(one.what for one in faults)]),
                fix=" ".join(one.fix for one in faults),
                settings=[one.setting for one in faults],
            )
        return connector.config.model_validate(self._found.values)

    def _config_problems(self, connector: Connector) -> list[Problem]:
        values, faults = self._found.values, self._found.faults
        declared = connector.config.settings()
        found = [faults[one.name] for one in declared if one.name in faults]
        missing = [one for one in declared if one.required and one.name not in {*values, *faults}]
        found += [_missing(one) for one in missing]
        told = {one.setting for one in found}
        try:
            connector.config.model_validate(values)
        except ValidationError as problem:
            where = {one.name: one.where for one in declared}
            for name, what in _broken(problem):
                if name not in told:
                    fix = f"Correct {name}: {where.get(name, 'see .env.example')}."
                    found.append(Problem(name, f"{name} {what}.", fix, fatal=True))
        return found

    def _shapes(self) -> list[Problem]:
        found = []
        for one in self.described():
            value = self._found.values.get(one.name)
            if value and one.shape and not re.fullmatch(one.shape, value):
                what = f"{one.name} has an unusual shape: it may be cut off, or another value."
                found.append(Problem(one.name, what, f"Compare it with its source: {one.where}."))
        return found

    def _lonely(self) -> list[Problem]:
        """Find settings that are well-formed and do nothing, or not what was meant."""
        found = []
        if self.own.telegram == "webhook" and not self.own.telegram_webhook_url:
            what = "LEVQOR_TELEGRAM=webhook needs TELEGRAM_WEBHOOK_URL, which is not set."
            fix = "Set TELEGRAM_WEBHOOK_URL to your public https address, or poll."
            found.append(Problem("TELEGRAM_WEBHOOK_URL", what, fix, fatal=True))
        known = [c.action_id(action) for c in self._connectors for action in c.actions]
        for pattern in dict.fromkeys(a for one in self.own.allow or () for a in one.actions):
            if not any(fits(pattern, action_id) for action_id in known):
                near = nearest(pattern, known)
                what = f"LEVQOR_ALLOW names {pattern}, which fits no action."
                fix = f"Did you mean {near}?" if near else f"Actions are: {', '.join(known)}."
                found.append(Problem("LEVQOR_ALLOW", what, fix))
        return found


def home_to_be(named: Path | None) -> Path:
    """Where the home is to be, whatever the current folder holds; for a move."""
    if named or os.environ.get("LEVQOR_HOME", "").strip():
        return find(named, os.environ)
    return default()


def _declared(connectors: Sequence[Connector]) -> tuple[Setting, ...]:
    listed = [one for connector in connectors for one in connector.config.settings()]
    described: dict[str, Setting] = {}
    for one in [*listed, *Own.settings()]:
        # A setting that two of them read is described once, in the connector's words.
        described.setdefault(one.name, one)
    return tuple(described.values())


def _stand_in(found: Reading, stand_ins: Mapping[str, str]) -> None:
    """Leave of what was read only Levqor's own, and put the stand-ins' values beside it."""
    for kept in (found.values, found.faults):
        for name in [one for one in kept if not one.startswith(("LEVQOR_", "ALLOWED_", "."))]:
            kept.pop(name)
    found.values.update(stand_ins)


def _missing(one: Setting) -> Problem:
    return Problem(
        one.name,
        f"{one.name} is missing ({_within(one.title)}).",
        f"Set {one.name} in the environment or in .env: {one.where}.",
        fatal=True,
    )


def _within(title: str) -> str:
    """A title inside a sentence: a name keeps its capital, an article does not."""
    return title[0].lower() + title[1:] if title.startswith(("A ", "An ", "The ")) else title


def _broken(problem: ValidationError) -> list[tuple[str, str]]:
    """Name each broken setting and say why, without its value."""
    found = []
    for one in problem.errors(include_url=False, include_input=False, include_context=False):
        what = one["msg"].removeprefix("Value error, ").rstrip(".")
        what = what.replace("Input should be", "must be")
        found.append((str(one["loc"][0]) if one["loc"] else "", what))
    return list({name: (name, what) for name, what in found}.values())
