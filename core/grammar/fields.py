"""What was typed, put into the fields of a contract."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from core.contract import nearest
from core.errors import Fault, InvalidInput
from core.grammar.jsons import read_json
from core.grammar.tables import rows
from core.grammar.words import item

if TYPE_CHECKING:
    from core.contract import Contract, FieldSpec


def value(spec: FieldSpec, text: str) -> Any:
    """Turn the text typed for one field into its value; raises ValueError.

    A text stays as it is. Rows are lines of cells or a JSON list of lists, a mapping is
    lines of `name=value` or a JSON object.
    """
    if spec.kind == "rows":
        return _json_rows(text) or rows(text)
    if spec.kind == "mapping":
        return _mapping(spec, text)
    return text


def _json_rows(text: str) -> list[Any] | None:
    if not text.lstrip().startswith("[["):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, list) else None


def _mapping(spec: FieldSpec, text: str) -> dict[str, Any]:
    if text.lstrip().startswith("{"):
        try:
            return read_json(text)
        except InvalidInput as problem:
            fault = problem.faults[0]
            what = fault.message if fault.field == "json" else f"{fault.field} {fault.message}"
            raise ValueError(what) from None
    found: dict[str, Any] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        pair = item(line, spaced=True)
        if pair is None and isinstance(spec.takes_text, str):
            pair = (spec.takes_text, line)
        if pair is None:
            raise ValueError("must be lines of name=value, or a JSON object")
        name, inner = pair
        if name in found:
            raise ValueError(f"names {name} twice")
        found[name] = inner.strip()
    return found


# Far above what any contract takes; without it a hostile line costs quadratic time.
_MOST_PAIRS = 100


class Collected:
    """The values of one input and everything that is wrong with them."""

    def __init__(self, contract: type[Contract]) -> None:
        self._specs = {spec.name: spec for spec in contract.fields()}
        self.mapping = next((s for s in self._specs.values() if s.kind == "mapping"), None)
        self._free = next((s for s in self._specs.values() if s.takes_text), None)
        self._values: dict[str, Any] = {}
        self._faults: list[Fault] = []
        self._meant: set[str] = set()
        self._pairs = 0

    def named(self, name: str, typed: str, *, unclosed: bool = False) -> None:
        """Take a `name=value`; raises InvalidInput once there are too many."""
        self._pairs += 1
        if self._pairs > _MOST_PAIRS:
            self._fault(name, f"is one too many: at most {_MOST_PAIRS} name=value")
            raise InvalidInput(self._faults)
        if unclosed:
            self._fault(name, 'has an opening " and no closing one')
        elif name in self._specs:
            self._take(self._specs[name], typed)
        elif self.mapping:
            self._merge(self.mapping, {name: typed})
        else:
            near = nearest(name, self._specs)
            self._meant.add(near or "")
            hint = f"did you mean {near}?" if near else f"fields are {', '.join(self._specs)}"
            if self._free:
                hint += f" (text that begins so goes in {self._free.name}=…, in quotes)"
            self._fault(name, f"is not a field here; {hint}")

    def text(self, typed: str) -> None:
        """Take the free text."""
        spec = self._free
        if spec is None:
            self._fault("text", "has no place here: write name=value")
        elif isinstance(spec.takes_text, str):
            self._merge(spec, {spec.takes_text: typed})
        elif spec.name in self._values:
            what = f"is given twice, as {spec.name}=… and as the words after it: use quotes"
            self._fault(spec.name, what)
        else:
            self._take(spec, typed)

    def values(self) -> dict[str, Any]:
        """Return the values; raises InvalidInput with every fault, missing fields too."""
        if self._faults:
            said = {*self._meant, *(fault.field for fault in self._faults)}
            for name, spec in self._specs.items():
                if spec.required and not spec.setting and name not in {*self._values, *said}:
                    self._fault(name, "is required")
            raise InvalidInput(self._faults)
        return self._values

    def _take(self, spec: FieldSpec, typed: str) -> None:
        try:
            found = value(spec, typed)
        except ValueError as problem:
            self._fault(spec.name, str(problem))
            return
        if spec.kind == "mapping":
            self._merge(spec, found)
        elif spec.name in self._values:
            self._fault(spec.name, "is given twice")
        else:
            self._values[spec.name] = found

    def _merge(self, spec: FieldSpec, found: dict[str, Any]) -> None:
        kept = self._values.setdefault(spec.name, {})
        for name, inner in found.items():
            if name in kept:
                self._fault(name, "is given twice")
            else:
                kept[name] = inner

    def _fault(self, field: str, message: str) -> None:
        self._faults.append(Fault(field, message))
