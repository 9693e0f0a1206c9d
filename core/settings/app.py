"""Levqor's own settings: who may do what, how long runs are kept; and what their texts mean."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import BeforeValidator, ConfigDict, SecretStr

from core.callers import LABEL, Caller
from core.contract import BaseUrl, Config, Secret, setting
from core.network import loopback


@dataclass(frozen=True)
class Address:
    """Where to listen; `str()` gives `host:port`, an IPv6 host in brackets."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read `HOST:PORT`; raises ValueError saying what is wrong."""
        host, colon, port = text.strip().rpartition(":")
        bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
        fits = colon and re.fullmatch(r"[0-9]{1,5}", port) and int(port) <= 65535
        if not fits or not _is_host(bare) or (":" in bare and bare == host):
            raise ValueError("must be HOST:PORT with a port up to 65535, e.g. 127.0.0.1:8787")
        return cls(bare, int(port))


def _is_host(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        label = r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)"
        return bool(re.fullmatch(rf"{label}(\.{label})*\.?", text))
    return True


def is_local(address: str) -> bool:
    """Tell whether a text is the address of something on this machine, a sandbox for one."""
    try:
        return loopback(urlsplit(address).hostname)
    except ValueError:
        return False


def database_url(text: str) -> str:
    """Check a PostgreSQL address; raises ValueError in words that do not hold it.

    A server on another machine is reached by TLS that checks its name: its password and who is
    on which plan travel there.
    """
    shape = "must be postgresql://USER:PASSWORD@HOST/NAME"
    try:
        parts = urlsplit(text)
        options = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    except ValueError:
        raise ValueError(
            f"{shape}; write @ : / ? # in the password as %40 %3A %2F %3F %23"
        ) from None
    if parts.scheme not in ("postgresql", "postgres") or not text.isprintable() or parts.fragment:
        raise ValueError(shape)
    hosts = [part.rpartition("@")[2] for part in parts.netloc.split(",")]
    named = options.get("host") or options.get("hostaddr")
    names = named.split(",") if named else [_host_of(host) for host in hosts]
    near = all(not name or name.startswith(("/", "@")) or loopback(name) for name in names)
    if not near and options.get("sslmode", "verify-full") != "verify-full":
        raise ValueError(
            "must not lower sslmode: a server on another machine is reached with verify-full; "
            "a socket's folder (?host=/run/postgresql) and this machine need no TLS"
        )
    return text


def _host_of(place: str) -> str:
    return unquote(
        place[1 : place.index("]")] if place.startswith("[") else place.partition(":")[0]
    )


def path(text: str) -> str:
    """Accept a file's path."""
    if not text.isprintable():
        raise ValueError("must be a file's path, without line breaks or other invisible characters")
    return text


def days(text: str) -> int:
    """Read a number of days, 1 to 36500."""
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= 36500:
        raise ValueError("must be a whole number of days from 1 to 36500")
    return int(text)


def minutes(text: str) -> int:
    """Read a number of minutes, 0 to 60."""
    if not re.fullmatch(r"[0-9]{1,2}", text) or int(text) > 60:
        raise ValueError("must be a whole number of minutes from 0 to 60")
    return int(text)


def upgrade_url(text: str) -> str:
    """Accept a path on this host or a web address."""
    if not re.fullmatch(r"(/|https?://)[\x21-\x7e]*", text):
        raise ValueError("must be a path such as /pricing or a web address")
    return text


def callers(text: str) -> frozenset[str]:
    """Read a comma-separated list of callers."""
    if "*" in text:
        raise ValueError("must name each caller in full, e.g. slack:T1:U123 (no *)")
    try:
        return frozenset(str(Caller.parse(item)) for item in items(text))
    except ValueError:
        raise ValueError("must be callers with commas between, e.g. telegram:42") from None


@dataclass(frozen=True)
class Permit:
    """Callers that fit `caller` may do the actions that fit one of `actions`."""

    caller: str
    actions: tuple[str, ...]

    def covers(self, caller: str, action_id: str) -> bool:
        """Compare letter by letter; only `*` stands for anything."""
        return fits(self.caller, caller) and any(fits(action, action_id) for action in self.actions)


def fits(pattern: str, text: str) -> bool:
    """Tell whether the whole text fits a pattern in which `*` stands for anything."""
    return bool(re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text, re.DOTALL))


def permits(text: str) -> tuple[Permit, ...]:
    """Read `CALLER=ACTION[,ACTION…]` entries with `;` or line breaks between."""
    permits = []
    for number, entry in enumerate(filter(None, map(str.strip, re.split(r"[;\n]", text))), 1):
        caller, equals, actions = map(str.strip, entry.rpartition("="))
        listed = items(actions)
        named = ":" in caller or "*" in caller
        if not equals or not named or not listed or re.search(r"\s", caller):
            raise ValueError(
                f"entry {number} must be CALLER=ACTION,ACTION with ';' between entries, "
                "e.g. slack:T1:*=slack.*"
            )
        permits.append(Permit(caller, listed))
    if not permits:
        raise ValueError("must hold at least one CALLER=ACTION entry")
    return tuple(permits)


def items(text: str) -> tuple[str, ...]:
    """The parts between commas, without white space."""
    return tuple(filter(None, map(str.strip, text.split(","))))


def targets(text: str) -> tuple[str, ...]:
    """Read the names of targets."""
    if not all(map(LABEL.fullmatch, names := items(text))):
        raise ValueError("must be targets' names with commas between, e.g. ops,ops-mail")
    return names


# Pydantic turns a plain function's ValueError into the fault of that one setting.
_Days = Annotated[int, BeforeValidator(days)]
_Minutes = Annotated[int, BeforeValidator(minutes)]
_Upgrade = Annotated[str, BeforeValidator(upgrade_url)]
_Callers = Annotated[frozenset[str], BeforeValidator(callers)]
_Targets = Annotated[tuple[str, ...], BeforeValidator(targets)]
_Path = Annotated[str, BeforeValidator(path)]
_DatabaseUrl = Annotated[SecretStr, BeforeValidator(database_url)]
_Permits = Annotated[tuple[Permit, ...], BeforeValidator(permits)]


class AppSettings(Config):
    """What Levqor itself reads; `allow` is None where everyone may do everything."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    home: str | None = setting(
        "LEVQOR_HOME",
        "Levqor's home folder",
        "holds levqor.db, the logs and .env; a folder in your data folder unless set, as"
        " levqor doctor shows it",
        env_only=True,
        example="~/levqor",
    )
    upgrade_url: _Upgrade = setting(
        "LEVQOR_UPGRADE_URL",
        "Where a used-up free plan points to",
        "a path or a web address",
        default="/pricing",
    )
    default_plan: Literal["free", "pro"] = setting(
        "LEVQOR_DEFAULT_PLAN",
        "The plan of everybody without a plan of their own",
        "free or pro; HTTP callers without a token are always on the free one",
        default="free",
    )
    default_role: Literal["none", "viewer", "sender"] = setting(
        "LEVQOR_DEFAULT_ROLE",
        "The role of everybody in a chat whom nobody has added",
        "sender, viewer (sees health and their own runs) or none; levqor people set changes it"
        " for one person",
        default="sender",
    )
    allow: _Permits | None = setting(
        "LEVQOR_ALLOW",
        "Who may do what",
        "CALLER=ACTION,ACTION with ; between entries and * for anything; unset means everyone"
        " may do everything",
        example="slack:T1:*=slack.*;telegram:42=*",
        restricts=True,
    )
    admins: _Callers = setting(
        "LEVQOR_ADMINS",
        "Callers who are admins, unless levqor people says otherwise",
        "with commas between; /whoami shows each person their own",
        default="",
        example="slack:T1:U123,telegram:42",
    )
    keep_days: _Days = setting(
        "LEVQOR_KEEP_DAYS",
        "How many days runs are kept",
        "1 to 36500",
        default="90",
    )
    audit_days: _Days = setting(
        "LEVQOR_AUDIT_DAYS",
        "How many days levqor audit goes back",
        "1 to 36500",
        default="400",
    )
    check_minutes: _Minutes = setting(
        "LEVQOR_CHECK_MINUTES",
        "How often the bot checks each service that is set up",
        "in minutes, 0 to 60; 0 is never",
        default="5",
    )
    alerts: _Targets = setting(
        "LEVQOR_ALERTS",
        "Where the bot reports what broke",
        "targets in order, with commas between; the first whose service works is used",
        default="",
        example="ops,ops-mail",
    )
    database_url: _DatabaseUrl | None = setting(
        "LEVQOR_DATABASE_URL",
        "The PostgreSQL database that several bots share",
        "postgresql://USER:PASSWORD@HOST/NAME; unset, the database is levqor.db in the home",
        env_only=True,
        example="postgresql://levqor@db.example.com/levqor",
    )
    key_file: _Path | None = setting(
        "LEVQOR_KEY_FILE",
        "The file of the key that all bots on one database share",
        "a copy of levqor.key from the first bot's home; unset, it is levqor.key in the home",
        env_only=True,
        example="/run/secrets/levqor.key",
    )
    sandbox_page: BaseUrl | None = setting(
        "LEVQOR_SANDBOX_PAGE",
        "The sandbox's page, which receipts link to",
        "levqor sandbox prints it",
        env_only=True,
        example="http://127.0.0.1:8788",
    )
    remote_token: Secret | None = setting(
        "LEVQOR_REMOTE_TOKEN",
        "The tray's token for a remote Levqor",
        "levqor token new tray --only '*,live,open', on the remote machine",
        env_only=True,
    )
