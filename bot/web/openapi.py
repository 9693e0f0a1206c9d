"""The API's own description: contracts, examples and every error, from where they are declared."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from bot.web import schemas
from bot.web.body import KEY_HEADER, KEY_PATTERN
from bot.web.router import Route
from core import __version__
from core.contract import Action, Connector
from core.engine import Engine
from core.errors import LedgerError, LevqorError, MethodNotAllowed, Stopping
from core.interfaces import titles
from core.ledger.listing import PLACE
from core.run_filter import NOT_YOUR_RUNS, OUTCOMES, SINCE
from core.signing_in import PAGE
from core.spans import SPAN

_INTRO = """\
Vetted actions over HTTP. Send `Authorization: Bearer` with a token made by
`levqor token new LABEL`; this page describes what yours may do. On the machine itself none is
needed, and the free plan applies, unless a chat platform posts to this address or other machines
reach it.
Every error has the same flat shape. `refused` and `not_sent` mean that nothing was done;
`unknown` (`in_doubt`) that it may have been: look before you send it again.
"""
_YES_OR_NO = {"type": "string", "enum": ["0", "1"]}
_DAYS = {"type": "integer", "minimum": 1, "maximum": 366, "default": 7}
_RUNS = {"type": "integer", "minimum": 1, "maximum": 200, "default": 20}
_PLACE = {"type": "string", "pattern": f"^{PLACE.pattern}$"}
_KEY = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": KEY_PATTERN}
_PAGE = {"type": "string", "pattern": f"^(?:{PAGE.pattern})$"}
_RUN_ID = {"type": "string", "minLength": 1, "maxLength": 64}


def document(engine: Engine, routes: Iterable[Route]) -> dict[str, Any]:
    """Return the OpenAPI document of an engine's addresses."""
    pages = {page["operationId"]: page for page in _pages(engine)}
    token = {
        "type": "http",
        "scheme": "bearer",
        "description": "Made by `levqor token new LABEL`.",
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Levqor",
            "version": __version__,
            "description": _INTRO,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/", "description": "Where this description comes from."}],
        "tags": [
            {"name": "actions", "description": "What Levqor does."},
            {"name": "watching", "description": "How it is doing, and what it has done."},
        ],
        "security": [{"token": []}, {}],
        "paths": {each.path: {each.method.lower(): pages[each.operation]} for each in routes},
        "components": {"schemas": schemas.components(), "securitySchemes": {"token": token}},
    }


def _pages(engine: Engine) -> Iterator[dict[str, Any]]:
    for connector in engine.connectors:
        for action in connector.actions:
            yield action_page(connector, action, engine.settings.default)
    yield runs_page(engine.connectors, [*titles()])
    yield from (HEALTH, USAGE, RUN, UPTIME, SIGN_IN, READY, LIVE, METRICS, OPENAPI)


def action_page(
    connector: Connector, action: Action, default: Callable[[str], str | None]
) -> dict[str, Any]:
    """Describe an action's address from its contract, as these settings fill it in."""
    action_id = connector.action_id(action)
    example = {spec.name: spec.example for spec in action.input.fields() if spec.required}
    body = {
        "schema": schemas.contract_schema(action, default),
        "examples": {"short": {"value": example}, "test": {"value": dict(action.sample)}},
    }
    receipt = _json("It was done.", "Receipt")
    receipt["content"]["application/json"]["example"] = {
        "status": "sent",
        "run": schemas.RUN_EXAMPLE,
    }
    receipt["headers"] = {"X-Run-Id": {"schema": {"type": "string"}, "description": "The run."}}
    return _page(
        action_id,
        action.title,
        "Runs the action and answers when it has ended. With `?test=1` and no body, or "
        "a target alone, the action's own sample is sent: it is marked as a test, uses no quota "
        "and is allowed once a minute.",
        receipt,
        schemas.action_errors(connector.name, action_id),
        tag="actions",
        parameters=[
            _parameter("test", "1 for a test send; the body is then left out.", _YES_OR_NO),
            _parameter(
                KEY_HEADER,
                "Yours to choose, one for each message: the same key with the same body gives the "
                "first run's answer again and never sends twice.",
                _KEY,
                where="header",
            ),
        ],
        requestBody={
            "description": "May be left out of a test send, or hold a target alone there; of "
            "nothing else.",
            "content": {"application/json": body},
        },
    )


def _page(
    operation_id: str,
    summary: str,
    description: str,
    answered: dict[str, Any],
    errors: Iterable[LevqorError] = schemas.PLAIN_ERRORS,
    *,
    tag: str = "watching",
    **extra: Any,
) -> dict[str, Any]:
    """Describe one address."""
    return {
        "tags": [tag],
        "summary": summary,
        "description": description,
        "operationId": operation_id,
        "responses": {"200": answered, **_errors(errors)},
        **extra,
    }


def _parameter(
    name: str, description: str, schema: dict[str, Any], *, where: str = "query", **more: Any
) -> dict[str, Any]:
    return {
        "name": name,
        "in": where,
        "required": where == "path",
        "description": description,
        "schema": schema,
        **more,
    }


def _json(description: str, component: str) -> dict[str, Any]:
    media = {"schema": {"$ref": schemas.REFERENCE.format(model=component)}}
    return {"description": description, "content": {"application/json": media}}


def _errors(errors: Iterable[LevqorError]) -> dict[str, Any]:
    """Group errors by their HTTP status, each as an example in its own words."""
    responses: dict[str, Any] = {}
    for error in errors:
        response = responses.setdefault(str(error.http), _json(error.message, "Error"))
        media = response["content"]["application/json"]
        name = error.reason or error.outcome or error.code
        media.setdefault("examples", {})[name] = {"value": error.body()}
        if error.retry_after is not None:
            response["headers"] = {
                "Retry-After": {
                    "schema": {"type": "integer", "minimum": 0},
                    "description": "Seconds after which another try may work.",
                }
            }
    return responses


HEALTH = _page(
    "health",
    "Which connectors are set up",
    "With `live=1` each connector that is set up is probed, at most once in 15 seconds whoever "
    "asks; `detail` and `inbound` are then added.",
    _json("What is set up.", "Health"),
    [*schemas.PLAIN_ERRORS, schemas.WRONG_QUERY],
    parameters=[_parameter("live", "1 to probe.", _YES_OR_NO)],
)
USAGE = _page(
    "usage",
    "Runs by connector and day, and your quota of today",
    "Days are UTC days, today included. Test sends are left out.",
    _json("What was run.", "Usage"),
    [*schemas.PLAIN_ERRORS, schemas.WRONG_QUERY],
    parameters=[_parameter("days", "How many days.", _DAYS)],
)
RUN = _page(
    "run",
    "How a run ended",
    "Your own runs; with a token made with `--admin`, any.",
    _json("The run.", "Run"),
    [*schemas.PLAIN_ERRORS, schemas.NO_RUN],
    parameters=[
        _parameter(
            "run",
            "The id every answer about a run holds.",
            _RUN_ID,
            where="path",
            example=schemas.RUN_EXAMPLE,
        )
    ],
)


def runs_page(connectors: Sequence[Connector], interfaces: Sequence[str]) -> dict[str, Any]:
    """Describe the list of runs, with the services, actions and interfaces that there are."""
    actions = [each.action_id(action) for each in connectors for action in each.actions]
    names = [*(each.name for each in connectors), *actions]
    span = {"type": "string", "pattern": f"^{SPAN}$"}
    since = {"anyOf": [span, {"type": "string", "format": "date"}]}
    return _page(
        "runs",
        "The latest runs",
        "Latest first: your own runs, or with a token made with `--admin` everybody's. While there "
        "are more, `next` is what `before` takes for the next page; new runs do not move it.",
        _json("The runs.", "RunPage"),
        [*schemas.PLAIN_ERRORS, NOT_YOUR_RUNS, schemas.WRONG_FILTER],
        parameters=[
            _parameter("since", f"The runs since then: {SINCE}.", since, example="7d"),
            _parameter("until", "The runs until then; of a date, until its end.", since),
            _parameter("person", "Whose, for admins.", {"type": "string"}, example="http:ci"),
            _parameter("action", "Of an action or of a service.", {"enum": names}),
            _parameter("interface", "Where they were asked for.", {"enum": [*interfaces]}),
            _parameter("outcome", "How they ended, or `open`.", {"enum": list(OUTCOMES)}),
            _parameter("last", "How many on a page.", _RUNS),
            _parameter("before", "The `next` of the page before.", _PLACE),
        ],
    )


UPTIME = _page(
    "uptime",
    "Since when Levqor runs",
    "Also the version, and how each interface is doing.",
    _json("It runs.", "Uptime"),
)
SIGN_IN = _page(
    "sign_in",
    "Make a link to the web console",
    "For a token whose scope has `open`. Whoever opens the link within ten minutes is signed in "
    "once, and may then do what the token may, as long as it is valid. A newer link replaces it.",
    _json("The link.", "SignInLink"),
    [*schemas.PLAIN_ERRORS, *schemas.NO_CONSOLE],
    parameters=[_parameter("page", "The page it leads on to.", _PAGE, example="/runs")],
)
READY = _page(
    "ready",
    "Whether this bot can serve requests now",
    "For a load balancer, without a token: the database works, and this bot may use it.",
    _json("It can.", "Status"),
    [MethodNotAllowed(), LedgerError(reason="ledger_lease"), Stopping()],
    security=[],
)
LIVE = _page(
    "live",
    "Whether this bot is alive",
    "For what restarts it, without a token: the process answers, whatever the database does.",
    _json("It is.", "Status"),
    [MethodNotAllowed()],
    security=[],
)
METRICS = _page(
    "metrics",
    "Numbers for Prometheus",
    "Runs, durations, quota refusals, queues, verdicts of probes and acknowledgements.",
    {
        "description": "The metrics.",
        "content": {
            media: {"schema": {"type": "string"}}
            for media in ("text/plain", "application/openmetrics-text")
        },
    },
)
OPENAPI = _page(
    "openapi", "This description", "OpenAPI 3.1.", _json("The description.", "Document")
)
