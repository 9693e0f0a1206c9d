"""What is told to whoever may use targets and must not learn where they lead."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from core.contract import TARGET, Receipt, folded
from core.engine import reasons
from core.errors import Fault, InvalidInput, LevqorError, NotConfigured, UpstreamError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.contract import Connector, Contract
    from core.engine.results import Settled

NOT_READY = "The target cannot be used now."
ASK = "Ask whoever runs Levqor to look at it: levqor target list --live"
UNFIT = "does not fit where the target leads"


def refusal(
    error: LevqorError, contract: type[Contract] | None, given: Mapping[str, Any]
) -> LevqorError:
    """Conceal where a target leads in why a request with these values is no run."""
    if isinstance(error, NotConfigured):
        return NotConfigured(NOT_READY, fix=ASK)
    if isinstance(error, InvalidInput) and contract is not None:
        own = {spec.name for spec in contract.fields() if not spec.destination}
        theirs = {*own, *given, TARGET, "input"}
        if not all(fault.field.partition(".")[0] in theirs for fault in error.faults):
            # What a setting or the target itself gives is wrong.
            return NotConfigured(NOT_READY, fix=ASK)
    return error


def settled(
    settled: Settled, connector: Connector | None, given: Contract | None = None
) -> Settled:
    """Conceal it in how a run ended; `given` is its input, as far as it is known."""
    receipt, error = settled.receipt, settled.error
    if receipt is not None:
        receipt = Receipt(receipt.status, updated=receipt.updated)
    if isinstance(error, UpstreamError):
        row = reasons.find(connector, error.reason or "")
        generic = row.error() if row else type(error)(error.reason or "")
        error = error.replace(message=generic.message, fix=generic.fix)
    elif isinstance(error, InvalidInput):
        fields = {fault.field: None for fault in error.faults}
        error = InvalidInput(
            [Fault(name, UNFIT) for name in dict.fromkeys(_spelled(f, given) for f in fields)],
            fix="Ask whoever runs Levqor what the target takes.",
        )
    return replace(settled, receipt=receipt, error=error)


def _spelled(field: str, given: Contract | None) -> str:
    """A field as its sender wrote it: a column has a name of its own."""
    name, _, key = field.partition(".")
    mapping = getattr(given, name, None)
    if key and isinstance(mapping, dict):
        own = next((each for each in mapping if folded(each) == folded(key)), None)
        return f"{name}.{own}" if own else name
    return name
