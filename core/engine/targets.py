"""Making and changing targets: each is checked as what is sent to it would be."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from core.contract import listed, nearest
from core.engine.checking import check
from core.engine.validation import credential_digest
from core.errors import Fault, InvalidInput, LevqorError, NotConfigured, NotFound
from core.ledger import TargetRecord
from core.reports import Verdict
from core.roles import Role
from core.settings.names import account_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from core.callers import Caller
    from core.contract import Action, Connector, Lister
    from core.engine.engine import Engine

ONLY_A_SEND = "Only a send can tell."
NOT_CHANGED = "That cannot be where a target leads; nothing was changed."


@dataclass(frozen=True)
class TargetHealth:
    """Whether a target can be used, and what to do if not."""

    verdict: Verdict
    words: str = ""
    fix: str | None = None


def add(
    engine: Engine,
    name: str,
    action_id: str,
    values: Mapping[str, Any],
    account: str | None,
    *,
    by: Caller,
) -> TargetRecord:
    """Add a target; raises Forbidden, NotFound, InvalidInput, NotConfigured."""
    _may_change(engine, by)
    target = _made(engine, name, action_id, values, account)
    engine.ledger.target_add(name, action_id, target.account, target.fields, by=str(by))
    return target


def change(
    engine: Engine, name: str, values: Mapping[str, Any], account: str | None, *, by: Caller
) -> TargetRecord:
    """Have a target mean another destination; what is not given stays as it is."""
    _may_change(engine, by)
    old = existing(engine, name)
    if not values and account is None:
        raise InvalidInput([Fault("destination", "is missing: say what to change")], NOT_CHANGED)
    account = old.account if account is None else account
    target = _made(engine, name, old.action, {**old.fields, **values}, account)
    engine.ledger.target_set(name, target.account, target.fields, by=str(by))
    return target


def remove(engine: Engine, name: str, *, by: Caller) -> None:
    """Delete a target."""
    _may_change(engine, by)
    engine.ledger.target_remove(name, by=str(by))


def existing(engine: Engine, name: str) -> TargetRecord:
    """Look a target up; raises NotFound."""
    targets = {target.name: target for target in engine.ledger.targets()}
    if name not in targets:
        raise NotFound(f"There is no target {listed([name])}.", fix=_how_to_see(name, targets))
    return targets[name]


def look(engine: Engine, target: TargetRecord) -> TargetHealth:
    """Find out without sending whether a target can be used."""
    try:
        connector, action = engine.action(target.action)
        values = {**action.sample, **target.fields}
        checked = check(engine.settings, connector, action, values, target.account)
        if checked.config is None or checked.refuse is not None:
            raise checked.refuse or NotConfigured
        config, ask = checked.config, action.look
        if ask is None:
            return TargetHealth(Verdict.UNCHECKED, ONLY_A_SEND)
        found = engine.outbound.probe(
            connector.name,
            credential_digest(config),
            lambda http: ask(checked.given, config, http),
        )
    except LevqorError as error:
        return TargetHealth(Verdict.FAILING, error.message, error.fix)
    words = " ".join(found.notes)
    return TargetHealth(Verdict.UNCHECKED if words else Verdict.OK, words, found.fix)


def listers(connector: Connector, action: Action) -> dict[str, Lister]:
    """What can list the values of a destination's fields, by field."""
    keys = {spec.name: spec.setting or spec.name for spec in action.input.fields()}
    where = action.input.destinations()
    return {
        name: connector.choices[keys[name]] for name in where if keys[name] in connector.choices
    }


def choices(
    engine: Engine, action_id: str, account: str | None, *, seconds: float
) -> dict[str, Sequence[tuple[str, str]]]:
    """What the service has where a target may lead, by field: each value with its name.

    A field whose values cannot be listed, or not at the moment, is left out.
    """
    connector, action = engine.action(action_id)
    found: dict[str, Sequence[tuple[str, str]]] = {}
    for name, lister in listers(connector, action).items():
        try:
            config = engine.settings.config(connector, account)
            digest = credential_digest(config)
            found[name] = engine.outbound.probe(
                connector.name, digest, partial(lister, config), seconds=seconds
            )
        except LevqorError:
            continue
    return {name: listed for name, listed in found.items() if listed}


def _may_change(engine: Engine, by: Caller) -> None:
    engine.authorization.access(by).require(Role.ADMIN, "change targets")


def _made(
    engine: Engine, name: str, action_id: str, values: Mapping[str, Any], account: str | None
) -> TargetRecord:
    connector, action = engine.action(action_id)
    where = action.input.destinations()
    give = f"give {' or '.join([*(f'{each}=…' for each in where), 'an account'])}"
    if not values and account is None:
        raise InvalidInput([Fault("destination", f"is missing: {give}")], NOT_CHANGED)
    if wrong := [each for each in values if each not in where]:
        faults = [Fault(each, f"is no part of a destination: {give}") for each in wrong]
        raise InvalidInput(faults, NOT_CHANGED)
    try:
        account = account and account_name(account)
        checked = check(engine.settings, connector, action, {**action.sample, **values}, account)
    except InvalidInput as error:
        raise error.replace(message=NOT_CHANGED) from None
    if checked.refuse is not None:
        raise checked.refuse
    given = checked.given.model_dump(mode="json")
    return TargetRecord(name, action_id, account, {each: given[each] for each in values}, 0.0)


def _how_to_see(name: str, targets: Mapping[str, TargetRecord]) -> str:
    near = nearest(name, targets)
    return f"Did you mean {near}?" if near else "See them with: levqor target list"
