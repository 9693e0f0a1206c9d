"""From typed values to a checked input, with every fault said in plain words."""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import SecretStr, ValidationError

from core.contract import TARGET, Config, Contract, nearest
from core.errors import Fault, InvalidInput
from core.plain import counted
from core.settings.names import E, renamed

_WORDS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "missing": lambda _: "is required",
    "string_too_short": lambda c: _at_least(c["min_length"], "character"),
    "string_too_long": lambda c: f"is too long: at most {counted(c['max_length'], 'character')}",
    "too_short": lambda c: _at_least(c["min_length"], "entry"),
    "too_long": lambda c: f"has too many entries: at most {c['max_length']}",
    "string_type": lambda _: "must be text",
    "float_type": lambda _: "must be a number",
    "bool_type": lambda _: "must be true or false",
    "list_type": lambda _: "must be a list",
    "dict_type": lambda _: "must be an object",
    "mapping_type": lambda _: "must be an object",
    "none_required": lambda _: "must be empty",
    "finite_number": lambda _: "must be a finite number",
    "string_unicode": lambda _: "holds characters that are not text",
    "value_error": lambda c: str(c["error"]),
}


def _at_least(least: int, what: str) -> str:
    if least == 1:
        return "must not be empty"
    plural = "entries" if what == "entry" else None
    return f"is too short: at least {counted(least, what, plural)}"


def validate(
    contract: type[Contract], values: Mapping[str, Any], default: Callable[[str], str | None]
) -> Contract:
    """Fill in what settings give and validate; raises InvalidInput with every fault."""
    origin = from_settings(contract, values, default)
    filled = {**values, **{name: default(setting) for name, setting in origin.items()}}
    try:
        return contract.model_validate(filled)
    except ValidationError as error:
        raise naming_settings(InvalidInput(_faults(error, contract)), origin, {}) from None


def from_settings(
    contract: type[Contract], values: Mapping[str, Any], default: Callable[[str], str | None]
) -> dict[str, str]:
    """Field to setting, for the fields that are left out and filled in by a setting."""
    return {
        spec.name: spec.setting
        for spec in contract.fields()
        if spec.setting and values.get(spec.name) is None and default(spec.setting) is not None
    }


def naming_settings(error: E, origin: Mapping[str, str], names: Mapping[str, str]) -> E:
    """Return an error that names settings: where a field's value came from one, and an account's.

    `names` is setting to setting, where an account's are called otherwise.
    """
    if isinstance(error, InvalidInput) and any(fault.field in origin for fault in error.faults):
        faults = tuple(Fault(origin.get(f.field, f.field), f.message) for f in error.faults)
        error = error.replace(faults=faults)
    return renamed(error, names)


def _faults(error: ValidationError, contract: type[Contract]) -> list[Fault]:
    names = [spec.name for spec in contract.fields()]
    faults: dict[str, Fault] = {}
    for item in error.errors(include_url=False, include_input=False):
        name = _path(item["loc"], names)
        if item["type"] == "extra_forbidden":
            fault = Fault(name, _unknown(name, names))
        else:
            words = _WORDS.get(item["type"])
            message = words(item.get("ctx", {})) if words else "is not valid"
            listed = item["type"] in ("list_type", "dict_type", "mapping_type")
            fault = Fault(name, message + (_example(contract, item["loc"]) if listed else ""))
        # A union reports each of its branches; the first one speaks for the field.
        faults.setdefault(name, fault)
    return list(faults.values())


def _example(contract: type[Contract], loc: tuple[int | str, ...]) -> str:
    """Show the shape of a list or an object where something else was given."""
    field, *places = loc
    shape = next((spec.example for spec in contract.fields() if spec.name == field), None)
    for _ in places:
        shape = shape[0] if isinstance(shape, list) else None
    return f", such as {json.dumps(shape, ensure_ascii=False)}" if shape else ""


def _path(loc: tuple[int | str, ...], names: list[str]) -> str:
    # Only places a person wrote, not pydantic's names for the branches of a union; and a
    # name that came from outside is shortened, it may be anything.
    parts = [str(loc[0])[:40]] if loc else ["input"]
    if parts[0] in names:
        parts += [str(part + 1) for part in loc[1:] if isinstance(part, int)]
    return ".".join(parts)


def _unknown(name: str, names: list[str]) -> str:
    near = nearest(name, [*names, TARGET])
    if near:
        return f"is not a field here; did you mean {near}?"
    return f"is not a field here; the fields are {', '.join(names)}"


def credential_digest(config: Config) -> bytes:
    """A digest of what a connector signs in with; waits are shared by those who share it."""
    values = [
        value.get_secret_value() if isinstance(value, SecretStr) else value
        for value in config.__dict__.values()
    ]
    return hashlib.sha256(repr(values).encode()).digest()


def fingerprint(key: bytes, action_id: str, given: Contract, account: str | None = None) -> bytes:
    """An HMAC that says whether two inputs are the same, and nothing else about them.

    Where they go counts: what a target filled in, and the account; not the target's name.
    """
    same = [action_id, given.model_dump(mode="json"), *filter(None, [account])]
    text = _IN_ORDER.encode(same)
    return hmac.digest(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256)


_IN_ORDER = json.JSONEncoder(sort_keys=True)
