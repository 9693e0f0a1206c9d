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
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import TypeVar, cast

from core.callers import Caller
from core.contract import Config, Connector, Interface, Problem, Setting, nearest
from core.errors import NotConfigured
from core.home import check, find, stamp
from core.interfaces import declared
from core.masking import Redactor
from core.settings.app import AppSettings, fits, is_local
from core.settings.names import account_settings, accounts, in_force, in_names, of_account, sections
from core.settings.problems import malformed, missing, refuse
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
        known = {s.name: s for _, each in sections(connectors, self.interfaces) for s in each}
        self._services = {s.name for each in connectors for s in each.config.settings()}
        self._reading = Reading(known, self._services, self._environ, self.home)
        if sandbox_urls is not None:
            self._enter_sandbox(sandbox_urls)
        self._configs: dict[tuple[str, str | None], Config] = {}
        self._own: dict[type[Config], Config] = {}
        self._own_problems = self._read_own()
        if not tolerant:
            refuse(self._own_problems)

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

    def accounts(self, connector: Connector) -> tuple[str, ...]:
        """Return the further accounts of which anything is set, sorted; the first has no name."""
        return accounts(self._present(), {s.name for s in connector.config.settings()})

    def config(self, connector: Connector, account: str | None = None) -> Config:
        """Return an account's settings; raises NotConfigured naming what is missing.

        An account has no value of another one's, the first one's included.
        """
        config = self._configs.get((connector.name, account))
        if config is None:
            title, known = connector.account_title(account), self.accounts(connector)
            near = nearest(account, known) if account and account not in known else None
            hint = f"Did you mean the account {near}?" if near else None
            problems = self._config_problems(connector, account)
            refuse(problems, f"{title} is not set up.", hint=hint)
            config = connector.config.model_validate(self._values(connector, account))
            self._configs[connector.name, account] = config
        return config

    def configured(self, connector: Connector, account: str | None = None) -> bool:
        """Tell whether everything that an account requires is set and well-formed."""
        try:
            self.config(connector, account)
        except NotConfigured:
            return False
        return True

    def of(self, kind: type[C]) -> C:
        """Return an interface's own settings."""
        if kind not in self._own:
            self._own[kind] = kind.model_validate({})
        return cast("C", self._own[kind])

    def value(self, name: str) -> str | None:
        """Return what a setting is set to, well-formed or not."""
        return self._reading.values.get(name)

    def name_for(self, name: str, account: str | None = None) -> str:
        """Return the name of the setting that an account reads where the first reads `name`."""
        return in_force(name, account, self._present()) if account else name

    def names(self, connector: Connector, account: str | None = None) -> dict[str, str]:
        """Return by which name an account reads each of a connector's settings."""
        return {s.name: self.name_for(s.name, account) for s in connector.config.settings()}

    def default(self, name: str, account: str | None = None) -> str | None:
        """Return a setting's value for an account, else the default it was declared with."""
        own = self.name_for(name, account)
        value = self._reading.values.get(own)
        if value is not None or own in self._reading.faults:
            return value
        setting = self._reading.declared.get(name)
        return setting.default if setting else None

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
        """Return all settings there are, the connectors' first, each once, accounts' at last."""
        return tuple(self._reading.declared.values())

    def setting(self, name: str) -> Setting | None:
        """Look a setting up, one that an account has or might have too."""
        known = self._reading.declared
        services = {each: known[each] for each in self._services}
        return known.get(name) or next(account_settings([name], services), None)

    def _present(self) -> AbstractSet[str]:
        return self._reading.values.keys() | self._reading.faults.keys()

    def _values(self, connector: Connector, account: str | None) -> dict[str, str]:
        """What an account reads, by the names that the first one's settings have."""
        names, values = self.names(connector, account), self._reading.values
        return {name: values[own] for name, own in names.items() if own in values}

    def _enter_sandbox(self, urls: Mapping[str, str]) -> None:
        """Forget where real services are and who we are there; each account moves as well."""
        moved = [(c, account) for c in self._connectors for account in self.accounts(c)]
        secrets = {s.name for i in self.interfaces for s in i.settings.settings() if s.secret}
        real = {name for name in self._services if not name.startswith("LEVQOR_")}
        real |= secrets | {"LEVQOR_DATABASE_URL"}
        self._reading.drop([name for name in self._present() if name.partition("__")[0] in real])
        self._reading.values.update(urls)
        for connector, account in moved:
            names = [s.name for s in connector.config.settings() if s.name in urls]
            self._reading.values.update({of_account(name, account): urls[name] for name in names})

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
            for account in (None, *self.accounts(connector)):
                problems += self._config_problems(connector, account)
        broken = {problem.setting for problem in problems if problem.fatal}
        odd = [problem for problem in self._odd_shapes() if problem.setting not in broken]
        return list(dict.fromkeys([*problems, *odd, *self._without_effect()]))

    def _read_own(self) -> list[Problem]:
        """Set what is Levqor's and its interfaces' own; return what stops a start."""
        values = self._reading.values
        faults = self._reading.faults.items()
        problems = [p for name, p in faults if name.partition("__")[0] not in self._services]
        kinds: list[type[Config]] = [*(each.settings for each in self.interfaces), AppSettings]
        for kind in kinds:
            if not any(each.name in values for each in kind.settings()):
                continue  # its defaults are right
            wrong = malformed(kind, values)
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

    def _config_problems(self, connector: Connector, account: str | None) -> list[Problem]:
        present, faults = self._present(), self._reading.faults
        settings = {setting.name: setting for setting in connector.config.settings()}
        names = self.names(connector, account)
        problems = {name: faults[name] for name in names.values() if name in faults}
        strange = account and account.lower() not in self.accounts(connector)
        for setting in settings.values():
            name = names[setting.name]
            # Of an account that nobody named, the declared defaults are not enough.
            if name not in present and (setting.required or (strange and not problems)):
                problems[name] = missing(setting, name)
        for base, said in malformed(connector.config, self._values(connector, account)).items():
            name, what = names.get(base, base), in_names(said, names)
            where = settings[base].where if base in settings else "its settings do not fit together"
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
