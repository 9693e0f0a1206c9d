"""Who may do what, with which settings: looked at before a request becomes a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from core.contract import nearest
from core.engine.validation import from_settings, naming_settings, validate
from core.errors import Fault, Forbidden, InvalidInput, NotConfigured, NotFound, QuotaSpent

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from core.callers import Caller
    from core.contract import Action, Config, Connector, Contract
    from core.settings import Settings

    Actions = Mapping[str, tuple[Connector, Action]]  # by id, in menu order


@dataclass(frozen=True)
class CheckedRequest:
    """A request that may become a run; `config` is None only where `refuse` says why.

    `origin` is field to setting, where a setting filled in what was left out.

    `refuse` waits: a request whose key has a run gets that run's answer all the same.
    """

    connector: Connector
    action: Action
    given: Contract = field(repr=False)
    config: Config | None = field(repr=False)
    refuse: NotConfigured | None
    origin: Mapping[str, str] = field(default_factory=dict)


def admit(
    settings: Settings,
    actions: Actions,
    action_id: str,
    values: Mapping[str, Any],
    caller: Caller,
    *,
    test: bool,
) -> CheckedRequest:
    """Check a request; raises Forbidden, NotFound, InvalidInput."""
    connector, action = permitted(settings, actions, action_id, caller)
    if test:
        values = _sample(action, values)
    origin = from_settings(action.input, values, settings.default)
    try:
        given = validate(action.input, values, settings.default)
    except InvalidInput as error:
        if {fault.field for fault in error.faults} <= set(origin.values()):
            # Nothing of the input is wrong: a broken setting is told as that, with its fix.
            settings.config(connector)
        raise
    try:
        config = settings.config(connector)
    except NotConfigured as error:
        return CheckedRequest(connector, action, given, None, error, origin)
    if action.check:
        try:
            action.check(given, config, test)
        except NotConfigured as error:
            return CheckedRequest(connector, action, given, config, error, origin)
        except InvalidInput as error:
            raise naming_settings(error, origin) from None
    return CheckedRequest(connector, action, given, config, None, origin)


def permitted(
    settings: Settings, actions: Actions, action_id: str, caller: Caller
) -> tuple[Connector, Action]:
    """Look an action up for a caller; raises Forbidden, NotFound."""
    if not settings.may(caller, action_id):
        raise Forbidden(
            f"{caller} may not use this action.",
            fix="Ask whoever runs Levqor to add it to LEVQOR_ALLOW.",
        )
    return find_action(actions, action_id)


def find_action(actions: Actions, action_id: str) -> tuple[Connector, Action]:
    """Look an action up; raises NotFound with the nearest name."""
    if action_id in actions:
        return actions[action_id]
    near = nearest(action_id, actions)
    raise NotFound(
        "There is no such action.",
        fix=f"Did you mean {near}?" if near else f"The actions are {', '.join(actions)}.",
    )


def spent(
    settings: Settings, connector: Connector, caller: Caller, resets_at: dt.datetime | None
) -> QuotaSpent:
    """Make the refusal of a caller whose call of the day is used."""
    # An address is nobody in particular: whoever has it next would be on its plan.
    lift = (
        f"An admin can lift it: levqor plan set {caller} pro"
        if caller.known
        else "Ask an admin for a token, made with: levqor token new LABEL"
    )
    return QuotaSpent(
        f"Free plan: 1 {connector.name} call/day. Upgrade for unlimited.",
        upgrade=settings.app.upgrade_url,
        resets_at=resets_at,
        fix=lift,
    )


def _sample(action: Action, values: Mapping[str, Any]) -> Mapping[str, Any]:
    # With input of its own a test send would be a way around the quota.
    if values:
        raise InvalidInput(
            [Fault("input", "must be empty: a test send uses the action's own sample")]
        )
    return action.sample
