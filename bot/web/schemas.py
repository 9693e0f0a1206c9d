"""JSON schemas of what comes in and goes out, and one example of every error."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from pydantic import TypeAdapter

from bot.web.body import TooSlow
from core import errors as e
from core import reports
from core.callers import LABEL
from core.contract import TARGET, Action
from core.engine.access import HOW_TO_GET_ONE
from core.grammar.jsons import MAX_INTEGER, MAX_NAMES
from core.run_filter import SINCE

REFERENCE = "#/components/schemas/{model}"
RUN_EXAMPLE = "k7m2q9xw4t"

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
        if given.get("default") is None:
            given.pop("default", None)
        refused = _LONG if spec.long or spec.kind != "text" else _LINE
        _typeable(given, refused + _UNSEEN if spec.address else refused)
        filled = spec.setting is not None and default(spec.setting) is not None
        if filled:
            schema["required"] = [name for name in schema.get("required", ()) if name != spec.name]
        if filled or not spec.required:
            schema["properties"][spec.name] = _or_null(given)
    if where := action.input.destinations():
        _add_target(schema, where)
    if not schema.get("required"):
        schema.pop("required", None)
    return schema


def _add_target(schema: dict[str, Any], where: Sequence[str]) -> None:
    """Describe what a target is given by; which there are is nobody's business here."""
    schema["properties"][TARGET] = _or_null(
        {
            "type": "string",
            "pattern": f"^{LABEL.pattern}$",
            "title": "Target",
            "description": f"A target's name: it fills in {', '.join(where)}, which must then be "
            "left out. With `?test=1` it may be given alone.",
        }
    )
    required = schema.get("required", [])
    schema["required"] = [name for name in required if name not in where]
    if needed := [name for name in required if name in where]:
        named = {"required": [TARGET], "properties": {TARGET: {"type": "string"}}}
        schema["anyOf"] = [{"required": needed}, named]


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
        return [_resolved(each, definitions) for each in node]
    if not isinstance(node, dict):
        return node
    definitions = node.get("$defs", definitions)
    if "$ref" in node:
        return _resolved(definitions[node["$ref"].rpartition("/")[2]], definitions)
    return {name: _resolved(each, definitions) for name, each in node.items() if name != "$defs"}


def _typeable(node: dict[str, Any], refused: str) -> None:
    """Say of every text, number and object below what a contract and the body reader take."""
    shape = node.pop("pattern", None) if "anyOf" in node else None
    for choice in node.get("anyOf", ()):
        if shape and choice.get("type") == "string":
            choice["pattern"] = shape
        _typeable(choice, refused)
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
    return [
        PLAIN_ERRORS[0],
        e.Forbidden(f"http:ops may not use {action_id}."),
        e.NotFound("There is no such action.", fix=f"Did you mean {action_id}?"),
        e.MethodNotAllowed(),
        e.InvalidInput([e.Fault("text", "is missing")]),
        TooSlow(),
        e.TooLarge([e.Fault("body", "must be at most 262144 bytes")]),
        e.WrongMediaType([e.Fault("content-type", "must be application/json")]),
        e.InProgress(run=RUN_EXAMPLE, retry_after=5),
        e.IdempotencyMismatch(run=RUN_EXAMPLE),
        e.NotConfigured(fix="Set the settings that are named."),
        e.QuotaSpent(
            f"Free plan: 1 {connector} call/day. Upgrade for unlimited.",
            upgrade="/pricing",
            resets_at=dt.datetime(2026, 1, 2, tzinfo=dt.UTC),
            fix="An admin can lift it: levqor plan set http:ops pro",
        ),
        e.Throttled(retry_after=900),
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
    e.Forbidden("The token ops may not read metrics.", reason="scope"),
    e.MethodNotAllowed(),
    e.LedgerError(),
    e.InternalError(),
]
WRONG_QUERY = e.InvalidInput([e.Fault("days", "must be a whole number from 1 to 366")])
NO_RUN = e.NotFound(
    "There is no such run of yours.",
    fix="Check its ID; the runs of others need a token made with --admin.",
)

NO_CONSOLE = [
    e.InvalidInput([e.Fault("page", "must be a page of the console, for example /runs")]),
    e.Forbidden(
        "The web console is shown on this machine, and elsewhere by https alone.",
        reason="console_not_public",
    ),
]

WRONG_FILTER = e.InvalidInput(
    [
        e.Fault("since", f"must be {SINCE}"),
        e.Fault("query", "holds a name that is not known here; did you mean person?"),
    ],
    "These runs cannot be listed.",
)


def components() -> dict[str, Any]:
    """Every shape an answer has, by its name, from the types that answers are made of."""
    kinds = (
        reports.Receipt,
        reports.Health,
        reports.Usage,
        reports.Run,
        reports.RunPage,
        reports.Uptime,
        reports.Status,
        reports.SignInLink,
    )
    _, described = TypeAdapter.json_schemas(
        [(kind, "serialization", TypeAdapter(kind)) for kind in (*kinds, e.ErrorBody)],
        ref_template=REFERENCE,
    )
    components = {name: _tidied(schema) for name, schema in described["$defs"].items()}
    # Without `live=1` the summary alone is answered.
    components["Health"]["required"] = [each.name for each in fields(reports.HealthSummary)]
    components["Error"] = error = components.pop("ErrorBody")
    error["properties"]["error"]["enum"] = _codes()
    error["properties"]["outcome"]["enum"].remove("sent")
    return {**components, "Document": {"type": "object"}}


def _tidied(node: Any) -> Any:
    """Say what pydantic does not: a field is left out and never null, no number is below 0."""
    if isinstance(node, list):
        return [_tidied(each) for each in node]
    if not isinstance(node, dict):
        return node
    tidy = {
        name: _tidied(value)
        for name, value in node.items()
        # A property may be called `title` too.
        if name != "default" and not (name == "title" and isinstance(value, str))
    }
    if "default" in node:
        kind, _ = tidy.pop("anyOf")
        tidy = {**kind, **tidy}
    if tidy.get("type") in ("integer", "number"):
        tidy["minimum"] = 0
    if "properties" in tidy:
        tidy["additionalProperties"] = False
    return tidy


def _codes() -> list[str]:
    kinds = [e.LevqorError]
    for kind in kinds:
        kinds += kind.__subclasses__()
    return sorted({kind.code for kind in kinds})
