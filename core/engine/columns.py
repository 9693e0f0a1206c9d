"""The columns a form may ask for: what a destination takes, as its service has it now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.contract import TARGET
from core.engine.validation import credential_digest
from core.errors import LevqorError
from core.settings.names import renamed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.callers import Caller
    from core.contract import Columns
    from core.engine.engine import Engine


def columns(
    engine: Engine,
    action_id: str,
    values: Mapping[str, Any],
    caller: Caller,
    *,
    seconds: float,
    fresh: bool = False,
) -> Columns | None:
    """Read the columns of where these values go; None where there are none to be shown.

    Whoever may use targets alone must not learn what is there. Raises what would refuse a run to
    that place, and what the service says in place of an answer.
    """
    connector, action = engine.action(action_id)
    ask, where = action.columns, action.input.destinations()
    if ask is None:
        return None
    given = {name: value for name, value in values.items() if name in (TARGET, *where)}
    sample = {name: value for name, value in action.sample.items() if name not in where}
    gate = engine.authorization.gate(action_id, {**sample, **given}, caller)
    gate(engine.ledger.standing(str(caller)))
    if gate.conceals:
        return None
    checked = engine.authorization.admit(gate, test=False, keyed=False)
    config = checked.config
    assert config is not None  # noqa: S101 - it was refused otherwise
    try:
        return engine.outbound.probe(
            connector.name,
            credential_digest(config),
            lambda http: ask(checked.given, config, http, fresh),
            seconds=seconds,
        )
    except LevqorError as error:
        raise renamed(error, checked.names) from None
