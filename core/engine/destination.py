"""Where a request goes: to a target, where its own fields say, or where the settings say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.contract import TARGET, folded, nearest
from core.errors import Fault, InvalidInput
from core.grammar import column_hint

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from core.contract import Action, Contract
    from core.ledger import TargetRecord


def parted(values: Mapping[str, Any]) -> tuple[str | None, dict[str, Any]]:
    """The name of the target that values hold, and the other values; raises InvalidInput."""
    if not isinstance(values.get(TARGET, ""), str | None):
        raise InvalidInput([Fault(TARGET, "must be text")])
    return named(values), {name: value for name, value in values.items() if name != TARGET}


def named(values: Mapping[str, Any]) -> str | None:
    """The name of the target that values hold, if they hold one."""
    name = values.get(TARGET)
    return folded(name) if isinstance(name, str) else None


def directions(contract: type[Contract], values: Mapping[str, Any]) -> frozenset[str]:
    """The fields by which values say themselves where it goes."""
    return frozenset(name for name in contract.destinations() if values.get(name) is not None)


def filled(
    action: Action, values: Mapping[str, Any], target: TargetRecord | None, *, test: bool
) -> Mapping[str, Any]:
    """The values with a target's own; raises InvalidInput where one of its fields is given too.

    A test send's values are the action's sample.
    """
    if test and values:
        # With input of its own a test send would be a way around the quota.
        what = "must be empty, or a target alone: a test send uses the action's own sample"
        raise InvalidInput([Fault("input", what)])
    if target is None:
        return action.sample if test else values
    if beside := directions(action.input, values) & target.fields.keys():
        what = f"is filled in by the target {target.name}: give one of the two"
        raise InvalidInput([Fault(name, what) for name in sorted(beside)])
    return {**(action.sample if test else values), **target.fields}


def no_target(
    name: str,
    action_id: str,
    contract: type[Contract],
    usable: Sequence[TargetRecord],
) -> InvalidInput:
    """Make the refusal of a name that is no target of an action; `usable` are somebody's."""
    fitting = [target.name for target in usable if target.action == action_id]
    other = next((target.action for target in usable if target.name == name), None)
    if other is not None:
        what = f"is a target for {other}, not for {action_id}"
    elif near := nearest(name, fitting):
        what = f"is no target here; did you mean {near}?"
    else:
        what = "is no target here"
    if fitting:
        fix = f"Targets for {action_id}: {', '.join(fitting)}."
    else:
        fix = f"There is none for {action_id} that you may use. See: levqor target list"
    if column := column_hint(contract):
        fix = f"{fix.removesuffix('.')}. {column}"
    return InvalidInput([Fault(TARGET, what)], fix=fix)
