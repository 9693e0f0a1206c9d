"""What was typed, put into the fields of a contract."""

import re
from typing import Any

from core.contract import TARGET, Contract, FieldSpec, folded, nearest, with_newlines
from core.errors import Fault, InvalidInput
from core.grammar.jsons import MAX_NAMES, json_object
from core.grammar.tables import rows_or_json
from core.grammar.words import (
    EQUALS,
    Names,
    around,
    bare,
    item,
    pair_within,
    shown,
    unclosed,
    visible,
    whole_quoted,
)


def value(spec: FieldSpec, text: str, *, pure: bool = False) -> Any:
    """Turn the text typed for one field into its value; raises ValueError.

    A text stays as it is. Rows are lines of cells or a JSON list, a mapping is lines of
    `name=value` or a JSON object. `pure` text is never JSON.
    """
    if spec.kind == "rows":
        return rows_or_json(text, numbers=spec.typed_cells, pure=pure)
    if spec.kind == "mapping":
        return _mapping(spec, text)
    return text


def _mapping(spec: FieldSpec, text: str, *, bare: bool = True) -> dict[str, Any]:
    """Read a JSON object or lines of `name=value`, if `bare` one of text; raises ValueError."""
    if visible(text).startswith("{"):
        try:
            return json_object(text)
        except ValueError as problem:
            raise ValueError(f"{problem} (what begins with {{ is read as JSON)") from None
    values: dict[str, Any] = {}
    written: dict[str, str] = {}
    # Not str.splitlines(): a text may hold a U+2028.
    for line in filter(None, map(str.strip, with_newlines(text).split("\n"))):
        name, inner = _line(spec, line, bare=bare)
        if earlier := written.get(folded(name)):
            which = "" if earlier == name else f", as {shown(earlier)} and as {shown(name)}"
            each = f": {shown(line)} is a line without name=" if inner == line else ""
            raise ValueError(f"names {shown(name)} twice{which}{each}")
        written[folded(name)] = name
        values[name] = inner
    return values


def _line(spec: FieldSpec, line: str, *, bare: bool) -> tuple[str, str]:
    key = spec.takes_text if isinstance(spec.takes_text, str) else ""
    pair = item(line, Names(frozenset({folded(key)}), free=True))
    if pair is not None:
        name, inner = pair[0], pair[1].strip()
        whole = whole_quoted(inner)
        if whole is None and inner.startswith('"'):
            raise ValueError(f"{shown(name)} {unclosed(name)}")
        looks = pair_within(inner) if whole is None else None
        if looks and looks[0][0] not in EQUALS and not inner.startswith(looks[0]):
            own = shown(name)
            raise ValueError(
                f"{own} is followed by {shown(looks[0])}: write each name=value on a line of its"
                f' own, or the value in quotes: {own}="…"'
            )
        return name, inner if whole is None else whole
    if not bare or not key:
        raise ValueError("must be lines of name=value, or a JSON object")
    if looks := pair_within(line):
        raise ValueError(in_text(line, *looks, key, "on a line of its own"))
    return key, line


def in_text(text: str, word: str, name: str, key: str, where: str = "before the text") -> str:
    """Say how to write a text in which a word looks like `name=value`."""
    name = bare(name)
    own = shown(bare(re.split(f"[{EQUALS}]", word)[0]) or name or "name")
    names = [shown(name)] if name and len(name) <= _LONGEST_NAME and '"' not in name else []
    either = " or ".join(f"{meant}=…" for meant in dict.fromkeys([*names, own]))
    return (
        f"holds {shown(word)}, which looks like a value with a name: write {either} {where},"
        f" or {key}={around(text)} if all of it is text"
    )


def _twice(earlier: str, name: str) -> str:
    if earlier == name:
        return "is given twice"
    return f"is given twice, as {shown(earlier)} and as {shown(name)}: which is meant?"


# What stands before an `=` and is longer was not meant as a name.
_LONGEST_NAME = 40


class Inputs:
    """The values of one input and everything that is wrong with them."""

    def __init__(self, contract: type[Contract]) -> None:
        self._specs = {spec.name: spec for spec in contract.fields()}
        self._by_name = {folded(name): spec for name, spec in self._specs.items()}
        self._mapping = contract.mapping()
        self._free = next((s for s in self._specs.values() if s.takes_text), None)
        own = {*self._by_name, folded(self.text_name or ""), TARGET}
        self.names = Names(frozenset(own), free=self._mapping is not None)
        self._values: dict[str, Any] = {}
        self._written: dict[str, str] = {}
        self._keys: dict[str, str] = {}
        self._faults: list[Fault] = []
        self._meant: set[str] = set()
        self._pairs = 0

    @property
    def takes_rows(self) -> bool:
        """Whether the free text is rows, where a tab may come first."""
        return self._free is not None and self._free.kind == "rows"

    @property
    def text_name(self) -> str | None:
        """The name under which the free text can be given, if there is any."""
        return self._free.text_name if self._free else None

    def named(self, name: str, typed: str, *, trouble: str | None = None) -> None:
        """Take a `name=value`; raises InvalidInput once there are too many."""
        self._pairs += 1
        if self._pairs > MAX_NAMES:
            self._fault(name, f"is one too many: at most {MAX_NAMES} name=value")
            raise InvalidInput(self._faults)
        spec = self._by_name.get(folded(name))
        if trouble:
            self._meant.add(self._mapping.name if self._mapping and not spec else "")
            self._fault(spec.name if spec else name, trouble)
        elif folded(name) == TARGET:
            self._target(name, typed)
        elif spec:
            self._take(spec, typed, name)
        elif self._mapping:
            self._merge(self._mapping, {name: typed})
        else:
            near = nearest(name, [*self._specs, TARGET])
            self._meant.add(near or "")
            hint = f"did you mean {near}?" if near else f"fields are {', '.join(self._specs)}"
            if self._free:
                hint += f' (to send it as text, write {self._free.name}="…")'
            self._fault(name, f"is not a field here; {hint}")

    def text(self, typed: str, *, pure: bool = False) -> None:
        """Take the free text; what is `pure` is never JSON."""
        spec = self._free
        if spec is None:
            self._fault("text", "has no place here: write name=value")
        elif isinstance(spec.takes_text, str):
            if earlier := self._keys.get(folded(spec.takes_text)):
                self._fault(earlier, _and_in_words(earlier))
            else:
                self._merge(spec, {spec.takes_text: typed})
        elif spec.name in self._values:
            self._fault(spec.name, _and_in_words(spec.name))
        else:
            self._take(spec, typed, spec.name, pure=pure)

    def words(self, typed: str, instead: str = "") -> bool:
        """Whether words can be the text; `instead` is a further way to write what looks named."""
        looks = pair_within(typed) if self._mapping else None
        if looks is None:
            return True
        key = self.text_name or "text"
        self._fault(key, in_text(typed, *looks, key) + instead)
        return False

    def values(self) -> dict[str, Any]:
        """Return the values; raises InvalidInput with every fault, missing fields too."""
        self.refuse()
        return self._values

    def refuse(self, *, text_follows: bool = False) -> None:
        """Raise InvalidInput with every fault there is so far, missing fields too."""
        if self._faults:
            mentioned = {*self._meant, *(fault.field for fault in self._faults)}
            if self._free and (text_follows or self.text_name in mentioned):
                mentioned.add(self._free.name)
            for name, spec in self._specs.items():
                filled = spec.setting or (spec.destination and TARGET in self._values)
                if spec.required and not filled and name not in {*self._values, *mentioned}:
                    self._fault(name, "is required")
            raise InvalidInput(self._faults)

    def _target(self, name: str, typed: str) -> None:
        if TARGET in self._values:
            self._fault(TARGET, "is given twice")
        elif self._mapping and name != TARGET:
            # Somebody's own name may differ from ours by a capital alone.
            own = f'{self._mapping.name}="{shown(name)}=…"'
            what = f"may be a target or a name of your own: write {TARGET}=…, or {own}"
            self._fault(name, what)
        else:
            self._values[TARGET] = typed

    def _take(self, spec: FieldSpec, typed: str, name: str, *, pure: bool = False) -> None:
        try:
            mapping = spec.kind == "mapping"
            made = _mapping(spec, typed, bare=False) if mapping else value(spec, typed, pure=pure)
        except ValueError as problem:
            self._fault(spec.name, str(problem))
            return
        if mapping:
            self._merge(spec, made)
        elif spec.name in self._values:
            self._fault(spec.name, _twice(self._written[folded(name)], name))
        else:
            self._values[spec.name] = made
            self._written[folded(name)] = name

    def _merge(self, spec: FieldSpec, given: dict[str, Any]) -> None:
        kept = self._values.setdefault(spec.name, {})
        for name, inner in given.items():
            if earlier := self._keys.get(folded(name)):
                self._fault(name, _twice(earlier, name))
            else:
                kept[name] = inner
                self._keys[folded(name)] = name

    def _fault(self, field: str, message: str) -> None:
        self._faults.append(Fault(field, message))


def _and_in_words(name: str) -> str:
    return f'is given twice, as {name}=… and as other words: write {name}="…" for all of it'
