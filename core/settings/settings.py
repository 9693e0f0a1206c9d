"""The settings of a home as they were read once: environment first, then `.env` in the home.

A secret may also be in a file of its own, named by `NAME_FILE`, or be one of systemd's
credentials. Where an upstream lives and where the home is are read from the environment only:
a strange folder's `.env` must not redirect tokens. An empty value counts as absent, but one
that was to restrict something is refused.
"""

from __future__ import annotations

import hmac
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar, cast

from pydantic import ValidationError

from core.callers import Caller
from core.contract import Config, Connector, Interface, Problem, Setting, nearest
from core.errors import NotConfigured
from core.home import check, find, stamp
from core.interfaces import declared
from core.masking import Redactor
from core.settings.app import AppSettings, fits, is_local
from core.settings.source import Reading

C = TypeVar("C", bound=Config)


class Settings:
    """What is set, as read once; make a new one with `again` where `stale()`.

    `home` is the home folder, `app` what Levqor itself reads, `interfaces` where people can
    ask, `sandbox` whether the sandbox takes the place of the real services.
    """

    def __init__(
        self,
        home: Path | None = None,
        *,
        environ: Mapping[str, str] | None = None,
        sandbox_urls: Mapping[str, str] | None = None,
        connectors: Sequence[Connector] | None = None,
        interfaces: Sequence[Interface] | None = None,
        tolerant: bool = False,
    ) -> None:
        """Read the settings of a home; core.home says which one where none is named.

        With `sandbox_urls` these values take the place of the connectors' settings and of the
        interfaces' secrets: a sandbox reads no real ones. A bad setting of Levqor's own
        raises NotConfigured naming it; `tolerant` keeps it among `problems()` instead, and
        then nobody may do anything that LEVQOR_ALLOW might have forbidden.
        """
        if connectors is None:
            from core.connectors import CONNECTORS

            connectors = CONNECTORS
        self._environ = os.environ if environ is None else environ
        self.home = find(home, self._environ)
        check(self.home)
        self.sandbox = sandbox_urls is not None
        self.interfaces = tuple(declared() if interfaces is None else interfaces)
        self._connectors, self._sandbox_urls, self._tolerant = connectors, sandbox_urls, tolerant
        self._reading = Reading(self.described(), self._environ, self.home)
        if sandbox_urls is not None:
            self._reading.drop(self._real_services())
            self._reading.values.update(sandbox_urls)
        self._configs: dict[str, Config] = {}
        self._own: dict[type[Config], Config] = {}
        self._own_problems = self._read_own()
        if not tolerant:
            _refuse(self._own_problems)

    def again(self) -> Settings:
        """Read the same home's settings as they are now; raises as the first reading does."""
        return Settings(
            self.home,
            environ=self._environ,
            sandbox_urls=self._sandbox_urls,
            connectors=self._connectors,
            interfaces=self.interfaces,
            tolerant=self._tolerant,
        )

    def drafted(self, values: Mapping[str, str]) -> Settings:
        """Read the same home's settings with other values in place of some; never raises."""
        environ = {**self._environ, **values}
        return Settings(self.home, environ=environ, interfaces=self.interfaces, tolerant=True)

    def in_environment(self, name: str) -> bool:
        """Tell whether a setting is in the environment, which comes before `.env`."""
        return bool(self._environ.get(name, "").strip())

    def stale(self) -> bool:
        """Tell whether `.env` or a secret's file changed since these were read."""
        return any(stamp(file) != seen for file, seen in self._reading.stamps.items())

    def config(self, connector: Connector) -> Config:
        """Return a connector's settings; raises NotConfigured naming what is missing."""
        config = self._configs.get(connector.name)
        if config is None:
            _refuse(self._config_problems(connector), f"{connector.title} is not set up.")
            config = connector.config.model_validate(self._reading.values)
            self._configs[connector.name] = config
        return config

    def configured(self, connector: Connector) -> bool:
        """Tell whether everything a connector requires is set and well-formed."""
        try:
            self.config(connector)
        except NotConfigured:
            return False
        return True

    def of(self, kind: type[C]) -> C:
        """Return an interface's own settings."""
        return cast("C", self._own[kind])

    def value(self, name: str) -> str | None:
        """Return what a setting is set to, well-formed or not."""
        return self._reading.values.get(name)

    def default(self, name: str) -> str | None:
        """Return a setting's value, else the default it was declared with."""
        value = self._reading.values.get(name)
        if value is not None or name in self._reading.faults:
            return value
        return next((setting.default for setting in self.described() if setting.name == name), None)

    @property
    def database_url(self) -> str | None:
        """Return the shared database's address; None where it is levqor.db in the home."""
        url = self.app.database_url
        return None if url is None else url.get_secret_value()

    def digests(self, key: bytes) -> dict[str, str]:
        """Return a keyed hash of each value that bots should share, to compare without showing."""
        names = sorted(each.name for each in self.described() if not each.env_only)
        return {
            name: hmac.new(key, f"{name}={value}".encode(), "sha256").hexdigest()[:8]
            for name in names
            if (value := self._reading.values.get(name)) is not None
        }

    def secrets(self) -> tuple[str, ...]:
        """Return every secret value, for redaction."""
        values = (self._reading.values.get(s.name) for s in self.described() if s.secret)
        return tuple(filter(None, values))

    def redactor(self) -> Redactor:
        """Return what hides every secret, and whatever looks like a token."""
        shapes = [shape for interface in self.interfaces for shape in interface.token_shapes]
        return Redactor(self.secrets(), shapes)

    def loggers(self) -> tuple[str, ...]:
        """Return the loggers of interfaces that print what is private."""
        return tuple(name for interface in self.interfaces for name in interface.loggers)

    def described(self) -> tuple[Setting, ...]:
        """Return all settings there are, the connectors' first, each once."""
        listed = sections(self._connectors, self.interfaces)
        return tuple(setting for _, settings in listed for setting in settings)

    def _real_services(self) -> set[str]:
        """Name what a sandbox must not read: where real services are, and who we are there."""
        connectors = {s.name for c in self._connectors for s in c.config.settings()}
        secrets = {s.name for i in self.interfaces for s in i.settings.settings() if s.secret}
        own = {"LEVQOR_DATABASE_URL"}
        return {name for name in connectors if not name.startswith("LEVQOR_")} | secrets | own

    def may(self, caller: Caller | str, action_id: str) -> bool:
        """Tell whether LEVQOR_ALLOW lets this caller do this action."""
        allow = self.app.allow
        return allow is None or any(permit.covers(str(caller), action_id) for permit in allow)

    def is_admin(self, caller: Caller | str) -> bool:
        """Tell whether LEVQOR_ADMINS names this caller."""
        return str(caller) in self.app.admins

    def problems(self) -> list[Problem]:
        """List what can be told without asking anybody; never a value."""
        problems = [*self._own_problems, *self._reading.faults.values(), *self._reading.notes]
        for connector in self._connectors:
            problems += self._config_problems(connector)
        broken = {problem.setting for problem in problems if problem.fatal}
        odd = [problem for problem in self._odd_shapes() if problem.setting not in broken]
        return list(dict.fromkeys([*problems, *odd, *self._without_effect()]))

    def _read_own(self) -> list[Problem]:
        """Set what is Levqor's and its interfaces' own; return what stops a start."""
        values = self._reading.values
        shared = {setting.name for c in self._connectors for setting in c.config.settings()}
        problems = [p for name, p in self._reading.faults.items() if name not in shared]
        kinds: list[type[Config]] = [*(each.settings for each in self.interfaces), AppSettings]
        for kind in kinds:
            wrong = _wrong(kind, values)
            problems += [
                Problem(name, f"{name} {what}.", f"Correct {name}, or take it out.", fatal=True)
                for name, what in wrong.items()
            ]
            # A broken one is read as if it were absent.
            self._own[kind] = kind.model_validate(
                {name: value for name, value in values.items() if name not in wrong}
            )
        self.app = self.of(AppSettings)
        if any(problem.setting in (".env", "LEVQOR_ALLOW") for problem in problems):
            self.app = self.app.model_copy(update={"allow": ()})
        return problems

    def _config_problems(self, connector: Connector) -> list[Problem]:
        values, faults = self._reading.values, self._reading.faults
        settings = {setting.name: setting for setting in connector.config.settings()}
        problems = {name: faults[name] for name in settings if name in faults}
        for name, setting in settings.items():
            if setting.required and name not in {*values, *faults}:
                problems[name] = _missing(setting)
        for name, what in _wrong(connector.config, values).items():
            where = settings[name].where if name in settings else "see .env.example"
            fault = Problem(name, f"{name} {what}.", f"Correct {name}: {where}.", fatal=True)
            problems.setdefault(name, fault)
        return list(problems.values())

    def _odd_shapes(self) -> Iterator[Problem]:
        for setting in self.described():
            name, shape = setting.name, setting.shape
            value = self._reading.values.get(name)
            if value and shape and not (re.fullmatch(shape, value) or is_local(value)):
                what = f"{name} has an unusual shape: it may be cut off, or the wrong value."
                yield Problem(name, what, f"Compare it with its source: {setting.where}.")

    def _without_effect(self) -> Iterator[Problem]:
        """Find settings that are well-formed and do nothing, or not what was meant."""
        for interface in self.interfaces:
            if interface.problems:
                yield from interface.problems(self.of(interface.settings))
        action_ids = [c.action_id(action) for c in self._connectors for action in c.actions]
        permits = self.app.allow or ()
        for pattern in dict.fromkeys(action for permit in permits for action in permit.actions):
            if not any(fits(pattern, action_id) for action_id in action_ids):
                near = nearest(pattern, action_ids)
                what = f"LEVQOR_ALLOW names {pattern}, which fits no action."
                fix = f"Did you mean {near}?" if near else f"Actions are: {', '.join(action_ids)}."
                yield Problem("LEVQOR_ALLOW", what, fix)


def sections(
    connectors: Sequence[Connector], interfaces: Sequence[Interface]
) -> Iterator[tuple[str, list[Setting]]]:
    """Every setting once: those of each connector, of each interface, then Levqor's own.

    One that two of them read is described once, in the first one's words.
    """
    seen: set[str] = set()
    for title, settings in [
        *((connector.title, connector.config.settings()) for connector in connectors),
        *((f"Interface: {each.title}", each.settings.settings()) for each in interfaces),
        ("Levqor itself", AppSettings.settings()),
    ]:
        new = [setting for setting in settings if setting.name not in seen]
        seen.update(setting.name for setting in new)
        if new:
            yield title, new


def _refuse(problems: Sequence[Problem], *first: str) -> None:
    if problems:
        raise NotConfigured(
            " ".join([*first, *(problem.what for problem in problems)]),
            fix=" ".join(dict.fromkeys(problem.fix for problem in problems)),
            settings=[problem.setting for problem in problems],
        )


def _missing(setting: Setting) -> Problem:
    title = setting.title
    if title.startswith(("A ", "An ", "The ")):
        title = title[0].lower() + title[1:]
    return Problem(
        setting.name,
        f"{setting.name} is missing ({title}).",
        f"Set {setting.name} in the environment or in .env. Where to get it: {setting.where}.",
        fatal=True,
    )


def _wrong(kind: type[Config], values: Mapping[str, str]) -> dict[str, str]:
    """Name each broken setting and say why, without its value."""
    try:
        kind.model_validate(values)
    except ValidationError as problem:
        wrong = {}
        for error in problem.errors(include_url=False, include_input=False, include_context=False):
            what = error["msg"].removeprefix("Value error, ").rstrip(".")
            name = str(error["loc"][0]) if error["loc"] else ""
            wrong[name] = what.replace("Input should be", "must be")
        return wrong
    return {}
