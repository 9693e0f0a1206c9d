"""A request checked by its contract and by the settings of the account it goes to."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from core.engine.validation import from_settings, naming_settings, validate
from core.errors import InvalidInput, LevqorError, NotConfigured
from core.settings.names import renamed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.contract import Action, Config, Connector, Contract
    from core.ledger import TargetRecord
    from core.settings import Settings


@dataclass(frozen=True)
class CheckedRequest:
    """A request that may become a run; `config` is None only where `refuse` says why.

    `origin` is field to setting, where a setting filled in what was left out; `names` is setting
    to setting where the account's are called otherwise. `target` is the one that was named.

    `refuse` waits: a request whose key has a run gets that run's answer all the same.
    """

    connector: Connector
    action: Action
    given: Contract = field(repr=False)
    config: Config | None = field(repr=False)
    refuse: NotConfigured | None
    origin: Mapping[str, str] = field(default_factory=dict)
    account: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    target: TargetRecord | None = None


def check(
    settings: Settings,
    connector: Connector,
    action: Action,
    values: Mapping[str, Any],
    account: str | None,
    *,
    test: bool = False,
) -> CheckedRequest:
    """Check values by the contract and an account's settings; raises InvalidInput, Forbidden."""
    names = settings.names(connector, account) if account else {}
    default = partial(settings.default, account=account)
    origin = from_settings(action.input, values, default)
    try:
        given = validate(action.input, values, default)
    except InvalidInput as error:
        if {fault.field for fault in error.faults} <= set(origin.values()):
            # Nothing of the input is wrong: a broken setting is told as that, with its fix.
            settings.config(connector, account)
        raise renamed(error, names) from None
    config, refuse = None, None
    try:
        config = settings.config(connector, account)
        if action.check:
            action.check(given, config, test)
    except NotConfigured as error:
        refuse = renamed(error, names)
    except LevqorError as error:
        raise naming_settings(error, origin, names) from None
    return CheckedRequest(connector, action, given, config, refuse, origin, account, names)
