"""A form's fields: which must be filled in, and what an answer's text gives."""

from collections.abc import Callable, Mapping
from typing import Any

from core.contract import Contract, FieldSpec
from core.engine.validation import validate
from core.errors import Fault, InvalidInput
from core.grammar import value, written


def is_required(spec: FieldSpec, default: Callable[[str], str | None]) -> bool:
    """Whether the field must be answered: it has no default."""
    if spec.setting is None:
        return spec.required
    return spec.default is None and default(spec.setting) is None


def example(spec: FieldSpec) -> str:
    """A short example of an answer; empty where the field has none."""
    if spec.kind == "rows" and spec.example:
        return written(spec.example[:1], numbers=spec.typed_cells)
    if spec.kind == "mapping" and spec.example:
        return next(f"{name}={inner}" for name, inner in spec.example.items())
    return "" if spec.example is None else str(spec.example)


def parse_answer(
    contract: type[Contract],
    spec: FieldSpec,
    text: str,
    others: Mapping[str, Any],
    default: Callable[[str], str | None],
) -> Any:
    """Turn an answer into its field's value; raises InvalidInput with what is wrong with it."""
    try:
        parsed = value(spec, text)
        validate(contract, {**others, spec.name: parsed}, default)
    except ValueError as problem:
        raise InvalidInput([Fault(spec.name, str(problem))]) from None
    except InvalidInput as problem:
        wrong = [fault for fault in problem.faults if fault.field.split(".")[0] == spec.name]
        if wrong:
            raise InvalidInput(wrong) from None
    return parsed
