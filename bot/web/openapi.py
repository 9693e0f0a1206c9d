"""The API's own description: contracts, examples and every error, from where they are declared."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fastapi.openapi.utils import get_openapi

from bot.web import schemas
from bot.web.idempotency import HEADER, PATTERN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fastapi import FastAPI

    from core.contract import Action, Connector
    from core.errors import LevqorError

_INTRO = """\
Five vetted actions over HTTP. Send `Authorization: Bearer` with a token made by
`levqor token new LABEL`. On the machine itself none is needed, and the free plan applies, unless
a chat platform posts to this address or other machines reach it.
Every error has the same flat shape. `refused` and `not_sent` mean that nothing was done;
`unknown` (`in_doubt`) that it may have been: look before you send it again.
"""


@dataclass(frozen=True)
class Page:
    """What the description says of one address."""

    operation_id: str
    tag: str
    summary: str
    description: str
    responses: Mapping[int | str, Any]
    extra: Mapping[str, Any] = field(default_factory=dict)


def document(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document of an app's pages."""
    made = get_openapi(
        title="Levqor",
        version=app.version,
        description=_INTRO,
        routes=app.routes,
        license_info={"name": "MIT", "identifier": "MIT"},
        servers=[{"url": "/", "description": "Where this description comes from."}],
        tags=[
            {"name": "actions", "description": "What Levqor does."},
            {"name": "watching", "description": "How it is doing, and what it has done."},
        ],
    )
    made["security"] = [{"token": []}, {}]
    made["components"] = {
        "schemas": schemas.COMPONENTS,
        "securitySchemes": {
            "token": {
                "type": "http",
                "scheme": "bearer",
                "description": "Made by `levqor token new LABEL`.",
            }
        },
    }
    return made


def action_page(connector: Connector, action: Action, default: Callable[[str], str | None]) -> Page:
    """Describe an action's address from its contract, as these settings fill it in."""
    action_id = connector.action_id(action)
    example = {spec.name: spec.example for spec in action.input.fields() if spec.required}
    return Page(
        operation_id=action_id,
        tag="actions",
        summary=action.title,
        description=(
            "Runs the action and answers when it has ended. With `?test=1` and no body the "
            "action's own sample is sent: it is marked as a test, uses no quota and is allowed "
            "once a minute."
        ),
        responses={
            200: _answered(
                "It was done.", "Receipt", {"status": "sent", "run": schemas.RUN_EXAMPLE}, run=True
            ),
            **_refusals(schemas.action_errors(connector.name, action_id)),
        },
        extra={
            "parameters": [_TEST, _KEY],
            "requestBody": {
                "description": "May be left out of a test send, and of nothing else.",
                "content": {
                    "application/json": {
                        "schema": schemas.contract_schema(action, default),
                        "examples": {
                            "short": {"value": example},
                            "test": {"value": dict(action.sample)},
                        },
                    }
                },
            },
        },
    )


def _answered(
    what: str, component: str, example: Mapping[str, Any] | None = None, *, run: bool = False
) -> dict[str, Any]:
    media: dict[str, Any] = {"schema": {"$ref": f"#/components/schemas/{component}"}}
    if example:
        media["example"] = example
    said: dict[str, Any] = {"description": what, "content": {"application/json": media}}
    if run:
        said["headers"] = {"X-Run-Id": {"schema": {"type": "string"}, "description": "The run."}}
    return said


def _refusals(errors: Sequence[LevqorError]) -> dict[int | str, Any]:
    """Group errors by their HTTP status, each as an example in its own words."""
    found: dict[int | str, Any] = {}
    for error in errors:
        said = found.setdefault(error.http, _answered(error.message, "Error"))
        media = said["content"]["application/json"]
        name = error.reason or error.outcome or error.code
        media.setdefault("examples", {})[name] = {"value": error.body()}
        if error.retry_after is not None:
            said["headers"] = {
                "Retry-After": {
                    "schema": {"type": "integer", "minimum": 0},
                    "description": "Seconds after which another try may work.",
                }
            }
    return found


def _reading(what: str, component: str, errors: Sequence[LevqorError]) -> dict[int | str, Any]:
    return {200: _answered(what, component), **_refusals(errors)}


_KEY = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": (
        "Yours to choose, one for each message: the same key with the same body gives the first "
        "run's answer again and never sends twice."
    ),
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": PATTERN},
}

_TEST = {
    "name": "test",
    "in": "query",
    "required": False,
    "description": "1 for a test send; the body is then left out.",
    "schema": {"type": "string", "enum": ["0", "1"]},
}

HEALTH = Page(
    "health",
    "watching",
    "Which connectors are set up",
    "With `live=1` each connector that is set up is probed, at most once in 15 seconds whoever "
    "asks; `detail` and `inbound` are then added.",
    _reading("What is set up.", "Health", schemas.READING_ERRORS),
    {
        "parameters": [
            {
                "name": "live",
                "in": "query",
                "required": False,
                "description": "1 to probe.",
                "schema": {"type": "string", "enum": ["0", "1"]},
            }
        ]
    },
)

USAGE = Page(
    "usage",
    "watching",
    "Runs by connector and day, and your quota of today",
    "Days are UTC days, today included. Test sends are left out.",
    _reading("What was run.", "Usage", schemas.READING_ERRORS),
    {
        "parameters": [
            {
                "name": "days",
                "in": "query",
                "required": False,
                "description": "How many days.",
                "schema": {"type": "integer", "minimum": 1, "maximum": 366, "default": 7},
            }
        ]
    },
)

RUN = Page(
    "run",
    "watching",
    "How a run ended",
    "Your own runs; with a token made with `--admin`, any.",
    _reading("The run.", "Run", schemas.RUN_ERRORS),
    {
        "parameters": [
            {
                "name": "run",
                "in": "path",
                "required": True,
                "description": "The id every answer about a run holds.",
                "schema": {"type": "string", "minLength": 1, "maxLength": 64},
                "example": schemas.RUN_EXAMPLE,
            }
        ]
    },
)

UPTIME = Page(
    "uptime",
    "watching",
    "Since when Levqor runs",
    "Also the version, and how each way in is doing.",
    _reading("It runs.", "Uptime", schemas.PLAIN_ERRORS),
)

METRICS = Page(
    "metrics",
    "watching",
    "Numbers for Prometheus",
    "Runs, durations, quota refusals, queues, verdicts of probes and acknowledgements.",
    {
        200: {
            "description": "The metrics.",
            "content": {
                media: {"schema": {"type": "string"}}
                for media in ("text/plain", "application/openmetrics-text")
            },
        },
        **_refusals(schemas.PLAIN_ERRORS),
    },
)

OPENAPI = Page(
    "openapi",
    "watching",
    "This description",
    "OpenAPI 3.1.",
    _reading("The description.", "Document", schemas.PLAIN_ERRORS),
)
