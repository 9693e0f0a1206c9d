"""Which settings there are, those of a service's further accounts, and what was nearly right.

`SLACK_WEBHOOK_URL__ACME` is SLACK_WEBHOOK_URL of Slack's account acme. What begins with LEVQOR_
is Levqor's own: it holds for each account that has none of its own.
"""

import re
from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from core.contract import Connector, Interface, Problem, Setting, nearest
from core.errors import Fault, InvalidInput, LevqorError, NotConfigured
from core.settings.app import AppSettings

E = TypeVar("E", bound=LevqorError)

_OF_ACCOUNT = re.compile(r"([A-Z][A-Z0-9_]*?)__([A-Z][A-Z0-9]*)(_FILE)?")
_CLOSE = 0.8


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


def account_name(text: str) -> str:
    """Read an account's name; raises InvalidInput."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]*", text) or text.upper() == "FILE":
        raise InvalidInput([Fault("account", "must be letters and digits, a letter first")])
    return text.lower()


def of_account(name: str, account: str | None) -> str:
    """The name that a service's setting has for an account; None is the service's first."""
    return f"{name}__{account.upper()}" if account else name


def in_force(name: str, account: str | None, present: Container[str] = ()) -> str:
    """The name of what an account reads for a setting: its own, and never another account's."""
    own = of_account(name, account)
    return name if name.startswith("LEVQOR_") and own not in present else own


def account_settings(names: Iterable[str], services: Mapping[str, Setting]) -> Iterator[Setting]:
    """The settings of further accounts that names are of; `services` are what services read."""
    for name in names:
        found = _OF_ACCOUNT.fullmatch(name)
        base = services.get(found[1]) if found else None
        if found and base and found[2] != "FILE" and (base.in_files or not found[3]):
            yield replace(base, name=of_account(base.name, found[2]))


def accounts(names: Iterable[str], services: Container[str]) -> tuple[str, ...]:
    """The accounts that names of settings are of, sorted."""
    parts = (name.partition("__") for name in names)
    return tuple(sorted({own.lower() for base, _, own in parts if own and base in services}))


def in_names(text: str, names: Mapping[str, str]) -> str:
    """Write a text with other names of settings in place of some; `_FILE` stays at the end."""
    if not names:
        return text
    listed = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
    return re.sub(rf"\b(?:{listed})(?=_FILE\b|\b)", lambda found: names[found[0]], text)


def renamed(error: E, names: Mapping[str, str]) -> E:
    """Make an error anew with other names of settings in place of some."""
    if not names:
        return error
    more: dict[str, Any] = {}
    if isinstance(error, NotConfigured):
        more["settings"] = tuple(names.get(name, name) for name in error.settings)
    if isinstance(error, InvalidInput):
        more["faults"] = tuple(
            Fault(names.get(each.field, each.field), in_names(each.message, names))
            for each in error.faults
        )
    message, fix = in_names(error.message, names), error.fix and in_names(error.fix, names)
    return error.replace(message=message, fix=fix, **more)


def unknown(
    places: Sequence[Collection[str]], known: Mapping[str, Setting], services: Container[str]
) -> Iterator[Problem]:
    """Tell which names are no settings, and what was meant; the last place is `.env`.

    The environment holds names of everybody's: there only what must be ours is told.
    """
    names = {*known, *(f"{name}_FILE" for name, setting in known.items() if setting.in_files)}
    for name in sorted({name for place in places for name in place} - names):
        base, meant = _nearly_of_account(name, known, services)
        if base and not meant:
            what = f"{name} is ignored: {base} is one for all accounts."
            yield Problem(name, what, f"Take {name} out, or write {base}.")
            continue
        ours = meant or re.match(r"LEVQOR_", name, re.IGNORECASE)
        if not ours and name not in places[-1]:
            continue
        if (near := meant or nearest(name, names, closeness=_CLOSE)) or ours:
            fix = f"Did you mean {near}?" if near else "Correct its name, or take it out."
            yield Problem(name, f"Levqor knows no setting {name}; it is ignored.", fix)


def _nearly_of_account(
    name: str, known: Mapping[str, Setting], services: Container[str]
) -> tuple[str | None, str | None]:
    """The setting to which a name adds an account, and how that is written where it can be.

    Letters may be small, underscores too few or too many, `_FILE` in the wrong place.
    """
    upper, firsts = name.upper(), [each for each in known if "__" not in each]
    base = max((each for each in firsts if upper.startswith(f"{each}_")), key=len, default=None)
    rest = upper.removeprefix(base or "")
    if base is None:
        head, _, rest = upper.partition("__")
        base = nearest(head, firsts, closeness=_CLOSE) if rest else None
    elif "__" not in rest and (base not in services or nearest(rest, ["_FILE"], closeness=_CLOSE)):
        return None, None
    if base is None:
        return None, None
    parts = re.findall(r"[A-Z0-9]+", rest)
    file = "_FILE" if "FILE" in parts and known[base].in_files else ""
    account = "".join(part for part in parts if part != "FILE").lstrip("0123456789")
    if account and base not in services:
        return base, None
    return base, f"{of_account(base, account or None)}{file}"
