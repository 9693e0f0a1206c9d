"""JSON schemas of what comes in and goes out, and one example of every error."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, get_args

from bot.web.authentication import HOW_TO_GET_ONE
from bot.web.body import TooSlow
from bot.web.limits import MAX_INTEGER, MAX_NAMES
from core import errors as e
from core import wording

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from core.contract import Action

RUN_EXAMPLE = "k7m2q9xw4t"
NO_RUN_FIX = "Check its id; the runs of others need a token made with --admin."

# A contract strips a text and refuses what nobody can type: control characters, line breaks
# inside a field of one line, unseen marks in a name. Blanks alone are no text.
_BLANK = r"\t\n\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_LONG = r"\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f"
_LINE = r"\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028\u2029"
# Unicode's category Cf, as far as every reader of this can name it: without its `u` flag an
# ECMAScript expression knows no character beyond these, and a class that holds one is no
# expression at all. The contract refuses those as well.
_UNSEEN = (
    r"\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb"
)


def contract_schema(action: Action, default: Callable[[str], str | None]) -> dict[str, Any]:
    """Return the schema of an action's body: what a contract takes, exactly.

    `default` tells a setting's value; a field that a setting fills in is not required.
    """
    schema: dict[str, Any] = _resolved(action.input.model_json_schema(), {})
    for spec in action.input.fields():
        given = schema["properties"][spec.name]
        for name in [name for name in given if name.startswith("x-")]:
            del given[name]
        refused = _LONG if spec.long or spec.kind != "text" else _LINE
        _typeable(given, refused + _UNSEEN if spec.address else refused)
        filled = spec.setting is not None and default(spec.setting) is not None
        if filled:
            schema["required"] = [one for one in schema.get("required", ()) if one != spec.name]
        if filled or not spec.required:
            schema["properties"][spec.name] = _or_null(given)
    if not schema.get("required"):
        schema.pop("required", None)
    return schema


def _or_null(given: dict[str, Any]) -> dict[str, Any]:
    if "anyOf" in given:
        return given
    words: dict[str, Any] = {
        name: given.pop(name) for name in ("title", "description", "examples") if name in given
    }
    return {"anyOf": [given, {"type": "null"}], **words}


def _resolved(node: Any, definitions: Mapping[str, Any]) -> Any:
    """Put definitions where they are referred to; none of ours refers to itself."""
    if isinstance(node, list):
        return [_resolved(one, definitions) for one in node]
    if not isinstance(node, dict):
        return node
    definitions = node.get("$defs", definitions)
    if "$ref" in node:
        return _resolved(definitions[node["$ref"].rpartition("/")[2]], definitions)
    return {name: _resolved(one, definitions) for name, one in node.items() if name != "$defs"}


def _typeable(node: dict[str, Any], refused: str) -> None:
    """Say of every text, number and object below what a contract and the body reader take."""
    shape = node.pop("pattern", None) if "anyOf" in node else None
    for one in node.get("anyOf", ()):
        if shape and one.get("type") == "string":
            one["pattern"] = shape
        _typeable(one, refused)
    if node.get("type") == "string" and "pattern" not in node:
        some = rf"[^{refused}{_BLANK}]" if node.get("minLength") else ""
        node["pattern"] = rf"^[^{refused}]*{some}[^{refused}]*$"
    if node.get("type") in ("integer", "number") and "exclusiveMinimum" not in node:
        node.setdefault("minimum", -MAX_INTEGER)
        node.setdefault("maximum", MAX_INTEGER)
    if node.get("type") == "array" and isinstance(node.get("items"), dict):
        _typeable(node["items"], _LONG)
    if node.get("type") == "object" and "properties" not in node:
        node["maxProperties"] = min(node.get("maxProperties", MAX_NAMES), MAX_NAMES)


def action_errors(connector: str, action_id: str) -> list[e.LevqorError]:
    """One example of every way a run can fail, in the order in which it is checked."""
    midnight = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
    fault = e.Fault("text", "is missing")
    return [
        *PLAIN_ERRORS[:1],
        e.Forbidden(f"http:ops may not use {action_id}."),
        e.NotFound("There is no such action.", fix=f"Did you mean {action_id}?"),
        e.MethodNotAllowed(),
        e.InvalidInput([fault]),
        TooSlow(),
        e.TooLarge([e.Fault("body", "must be at most 262144 bytes")]),
        e.WrongMediaType([e.Fault("content-type", "must be application/json")]),
        e.InProgress(run=RUN_EXAMPLE, retry_after=5),
        e.IdempotencyMismatch(run=RUN_EXAMPLE),
        e.NotConfigured(fix="Set the settings that are named."),
        e.QuotaSpent(
            f"Free plan: 1 {connector} call/day. Upgrade for unlimited.",
            upgrade="/pricing",
            resets_at=midnight,
            fix="An admin can lift it: levqor plan set http:ops pro",
        ),
        e.Refused("refused", run=RUN_EXAMPLE),
        e.NotSent("unreachable", run=RUN_EXAMPLE, retry_after=30),
        e.Unknown("no_answer", run=RUN_EXAMPLE),
        e.Busy(run=RUN_EXAMPLE, retry_after=30),
        e.LedgerError(),
        e.InternalError(run=RUN_EXAMPLE),
    ]


PLAIN_ERRORS: list[e.LevqorError] = [
    e.Unauthorized(fix=HOW_TO_GET_ONE),
    e.Forbidden("Web pages from that origin may not call Levqor.", reason="foreign_origin"),
    e.MethodNotAllowed(),
    e.LedgerError(),
    e.InternalError(),
]
READING_ERRORS: list[e.LevqorError] = [
    *PLAIN_ERRORS[:2],
    e.InvalidInput([e.Fault("days", "must be a whole number from 1 to 366")]),
    *PLAIN_ERRORS[2:],
]
RUN_ERRORS: list[e.LevqorError] = [
    *PLAIN_ERRORS[:2],
    e.NotFound("There is no such run of yours.", fix=NO_RUN_FIX),
    *PLAIN_ERRORS[2:],
]

_TEXT = {"type": "string"}
_FLAG = {"type": "boolean"}
_COUNT = {"type": "integer", "minimum": 0}
_NUMBER = {"type": "number", "minimum": 0}
# Not `const`: openapi-python-client 0.29 writes code that cannot be read for a constant true.
_DOUBT = {"type": "boolean", "description": "It may have been done; absent where it was not."}
_MOMENT = {"type": "string", "format": "date-time"}
_OUTCOMES = list(get_args(e.Outcome))


def _codes() -> list[str]:
    found, left = {e.LevqorError.code}, [e.LevqorError]
    while left:
        for kind in left.pop().__subclasses__():
            found.add(kind.code)
            left.append(kind)
    return sorted(found)


def _object(required: Mapping[str, Any], optional: Mapping[str, Any] | None = None) -> Any:
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
    }


def _each(value: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": value}


COMPONENTS: dict[str, Any] = {
    "Receipt": _object(
        {"status": {**_TEXT, "examples": ["sent", "created", "appended"]}, "run": _TEXT},
        {
            "id": {**_TEXT, "description": "The upstream's own id, masked."},
            "updated": {**_COUNT, "description": "Rows."},
        },
    ),
    "Error": _object(
        {"error": {**_TEXT, "enum": _codes()}, "message": _TEXT},
        {
            "reason": {**_TEXT, "description": "What exactly, as one word that does not change."},
            "fix": {**_TEXT, "description": "What a person must do now."},
            "details": {"type": "array", "items": _object({"field": _TEXT, "message": _TEXT})},
            "run": _TEXT,
            "outcome": {**_TEXT, "enum": _OUTCOMES[1:]},
            "in_doubt": _DOUBT,
            "retry_after": {**_COUNT, "description": "Seconds."},
            "upgrade": {**_TEXT, "description": "Where to get the pro plan."},
            "resets_at": {**_MOMENT, "description": "When the quota is given anew."},
        },
    ),
    "Health": _object(
        {
            "status": _TEXT,
            "connectors": _each(_FLAG),
            "configured": _COUNT,
            "total": _COUNT,
        },
        {
            "detail": _each({"type": "object", "description": "Verdict, since when, what to do."}),
            "inbound": {**_each(_TEXT), "description": "How each way in is doing, in words."},
        },
    )
    | {"additionalProperties": True},
    "Usage": _object(
        {
            "days": _COUNT,
            "usage": {
                "type": "array",
                "items": _object(
                    {
                        "connector": _TEXT,
                        "day": {**_TEXT, "format": "date"},
                        **dict.fromkeys(_OUTCOMES, _COUNT),
                    },
                    {"p50_ms": _NUMBER, "p95_ms": _NUMBER},
                ),
            },
            "caller": _TEXT,
            "plan": {**_TEXT, "enum": ["free", "pro"]},
            "quota": {
                "type": "array",
                "items": _object(
                    {"action": _TEXT, "used": _COUNT, "resets_at": _MOMENT},
                    {"limit": {**_COUNT, "description": "Absent where there is none."}},
                ),
            },
        }
    ),
    "Run": _object(
        {
            "run": _TEXT,
            "action": _TEXT,
            "connector": _TEXT,
            "caller": _TEXT,
            "surface": _TEXT,
            "test": _FLAG,
            "state": {**_TEXT, "enum": list(wording.STATES)},
            "attempts": _COUNT,
            "at": _MOMENT,
        },
        {
            "in_doubt": _DOUBT,
            "error": _TEXT,
            "reason": _TEXT,
            "receipt": {"type": "object"},
            "ms": _NUMBER,
            "settled_at": _MOMENT,
        },
    ),
    "Uptime": _object(
        {
            "status": _TEXT,
            "version": _TEXT,
            "started_at": _MOMENT,
            "uptime_seconds": _NUMBER,
            "inbound": _each(
                _object({"ok": _FLAG, "verdict": _TEXT, "since": _MOMENT}, {"fix": _TEXT})
            ),
        }
    ),
    "Document": {"type": "object"},
}
