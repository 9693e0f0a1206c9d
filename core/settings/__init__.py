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
from typing import TYPE_CHECKING, TypeVar, cast

from pydantic import ValidationError

from core.contract import Config, Problem
from core.errors import NotConfigured
from core.grammar import nearest
from core.home import check, default, find
from core.interfaces import declared
from core.masking import Redactor
from core.settings.app import AppSettings
from core.settings.environment import network, ready_for_tls
from core.settings.faults import broken, missing, read_tolerantly
from core.settings.source import Reading, read, stamp
from core.settings.values import Address, fits, is_local

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from core.callers import Caller
    from core.contract import Connector, Interface, Setting

C = TypeVar("C", bound=Config)

__all__ = [
    "Address",
    "AppSettings",
    "Problem",
    "Settings",
    "home_to_be",
    "network",
    "ready_for_tls",
]


class Settings:
    """What is set, as read once; make a new one with `load` where `stale()`.

    `home` is the home folder, `own` what Levqor itself reads, `interfaces` where people can
    ask, `sandbox` whether sandbox services take the place of the real ones.
    """

    def __init__(
        self,
        home: Path,
        connectors: Sequence[Connector],
        interfaces: Sequence[Interface],
        found: Reading,
        *,
        sandbox: bool,
        tolerant: bool,
    ) -> None:
        self.home = home
        self.sandbox = sandbox
        self.interfaces = tuple(interfaces)
        self._connectors = tuple(connectors)
        self._found = found
        self._configs: dict[str, Config] = {}
        self._own: dict[type[Config], Config] = {}
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
        interfaces: Sequence[Interface] | None = None,
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
        if interfaces is None:
            interfaces = declared()
        environ = os.environ if environ is None else environ
        folder = find(home, environ)
        check(folder)
        found = read(_described(connectors, interfaces), environ, folder)
        if sandbox_urls is not None:
            _use_sandbox(found, sandbox_urls)
        sandbox = sandbox_urls is not None
        settings = cls(folder, connectors, interfaces, found, sandbox=sandbox, tolerant=tolerant)
        settings._again = partial(
            cls.load,
            folder,
            environ=environ,
            sandbox_urls=sandbox_urls,
            connectors=connectors,
            interfaces=interfaces,
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

    def of(self, kind: type[C]) -> C:
        """Return an interface's own settings."""
        return cast("C", self._own[kind])

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

    def redactor(self) -> Redactor:
        """Return what hides every secret, and whatever looks like a token."""
        shapes = [shape for one in self.interfaces for shape in one.token_shapes]
        return Redactor(self.secrets(), shapes)

    def loggers(self) -> tuple[str, ...]:
        """Return the loggers of interfaces that print what is private."""
        return tuple(name for one in self.interfaces for name in one.loggers)

    def described(self) -> tuple[Setting, ...]:
        """Return all settings there are, the connectors' first, each once."""
        return _described(self._connectors, self.interfaces)

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
        allow = self.app.allow
        return allow is None or any(one.covers(str(caller), action_id) for one in allow)

    def is_admin(self, caller: Caller | str) -> bool:
        """Tell whether LEVQOR_ADMINS names this caller."""
        return str(caller) in self.app.admins

    def _read_own(self) -> list[Problem]:
        """Set what is Levqor's and its interfaces' own; return what stops a start."""
        shared = {one.name for c in self._connectors for one in c.config.settings()}
        faults = [p for name, p in self._found.faults.items() if name not in shared]
        kinds: list[type[Config]] = [*(one.settings for one in self.interfaces), AppSettings]
        for kind in kinds:
            self._own[kind], wrong = read_tolerantly(kind, self._found.values)
            faults += wrong
        self.app = self.of(AppSettings)
        if any(one.setting in (".env", "LEVQOR_ALLOW") for one in faults):
            self.app = self.app.model_copy(update={"allow": ()})
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
        settings = connector.config.settings()
        found = [faults[one.name] for one in settings if one.name in faults]
        absent = [one for one in settings if one.required and one.name not in {*values, *faults}]
        found += [missing(one) for one in absent]
        told = {one.setting for one in found}
        try:
            connector.config.model_validate(values)
        except ValidationError as problem:
            where = {one.name: one.where for one in settings}
            for name, what in broken(problem):
                if name not in told:
                    fix = f"Correct {name}: {where.get(name, 'see .env.example')}."
                    found.append(Problem(name, f"{name} {what}.", fix, fatal=True))
        return found

    def _shapes(self) -> list[Problem]:
        found = []
        for one in self.described():
            value = self._found.values.get(one.name)
            if value and one.shape and not (re.fullmatch(one.shape, value) or is_local(value)):
                what = f"{one.name} has an unusual shape: it may be cut off, or another value."
                found.append(Problem(one.name, what, f"Compare it with its source: {one.where}."))
        return found

    def _lonely(self) -> list[Problem]:
        """Find settings that are well-formed and do nothing, or not what was meant."""
        found: list[Problem] = []
        for one in self.interfaces:
            if one.problems:
                found += one.problems(self.of(one.settings))
        known = [c.action_id(action) for c in self._connectors for action in c.actions]
        for pattern in dict.fromkeys(a for one in self.app.allow or () for a in one.actions):
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


def _described(
    connectors: Sequence[Connector], interfaces: Sequence[Interface]
) -> tuple[Setting, ...]:
    listed = [one for connector in connectors for one in connector.config.settings()]
    listed += [one for interface in interfaces for one in interface.settings.settings()]
    described: dict[str, Setting] = {}
    for one in [*listed, *AppSettings.settings()]:
        # A setting that two of them read is described once, in the connector's words.
        described.setdefault(one.name, one)
    return tuple(described.values())


def _use_sandbox(found: Reading, urls: Mapping[str, str]) -> None:
    """Leave of what was read only Levqor's own, and put the sandbox's values beside it."""
    for kept in (found.values, found.faults):
        for name in [one for one in kept if not one.startswith(("LEVQOR_", "ALLOWED_", "."))]:
            kept.pop(name)
    found.values.update(urls)
