"""What the vendors' descriptions get wrong or leave out: each mistake with how it is known.

Everything else that a description says stands: where it and we differ, we are wrong.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Spec = dict[str, Any]

# The calls that Levqor makes, and so the part of each description that is read.
CALLS = {
    "slack": (
        "/auth.test", "/chat.postMessage", "/users.conversations", "/conversations.info",
        "/users.info", "/users.list", "/views.open", "/views.publish", "/views.update",
        "/services/{t}/{b}/{h}",
    ),
    "notion": (
        "/v1/users/me", "/v1/databases/{database_id}", "/v1/data_sources/{data_source_id}",
        "/v1/search", "/v1/pages", "/v1/pages/{page_id}",
    ),
    "sheets": (
        "/v4/spreadsheets/{spreadsheetId}",
        "/v4/spreadsheets/{spreadsheetId}/values/{range}:append",
        "/google/token",
    ),
    "telegram": tuple(
        f"/bot{{token}}/{call}"
        for call in (
            "getMe", "getChat", "getChatMember", "sendMessage", "getUpdates", "getWebhookInfo",
            "setWebhook", "deleteWebhook", "setMyCommands", "getMyCommands", "deleteMyCommands",
            "editMessageText", "answerCallbackQuery",
        )
    ),
    "resend": ("/emails", "/domains"),
}  # fmt: skip


@dataclass(frozen=True)
class Mend:
    """A mistake of a description, how it is known to be one, and what puts it right."""

    vendor: str
    why: str
    mend: Callable[[Spec, Path], None]


def _slack_errors(spec: Spec, specs: Path) -> None:
    for path, item in spec["paths"].items():
        file = specs / f"slack_{path[1:]}.json"
        newer = list(json.loads(file.read_text("utf-8"))["errors"]) if file.exists() else []
        for operation in item.values():
            answers = operation["responses"]
            refused = _schema(answers.pop("default"))
            error = refused.setdefault("properties", {}).setdefault("error", {"type": "string"})
            error["enum"] = sorted({*error.get("enum", []), *newer, *_SLACK_ERRORS})
            words = {"type": "array", "items": {"type": "string"}}
            refused["properties"]["response_metadata"] = _object(messages=words)
            taken = answers["200"]["content"]["application/json"]
            taken["schema"] = {"anyOf": [taken["schema"], refused]}


# docs.slack.dev/apis/web-api: every method may answer these.
_SLACK_ERRORS = (
    *("unknown_method", "not_allowed_token_type", "invalid_json", "ratelimited"),
    "invalid_arguments",
)


def _slack_calls(spec: Spec, specs: Path) -> None:
    del specs
    for item in spec["paths"].values():
        operation = next(iter(item.values()))
        parameters = [one for one in operation["parameters"] if one["name"] != "token"]
        form = _object(**{one["name"]: one["schema"] for one in parameters})
        if needed := [one["name"] for one in parameters if one.get("required")]:
            form["required"] = needed
        if "requestBody" in operation:
            form = next(iter(operation.pop("requestBody")["content"].values()))["schema"]
            parameters = [
                {"name": name, "in": "query", "schema": schema}
                for name, schema in form["properties"].items()
            ]
        if "view" in form["properties"]:
            form["properties"]["view"] = {}  # in JSON it is an object
        item["get"] = {**operation, "parameters": parameters}
        kinds = ("application/json", "application/x-www-form-urlencoded")
        item["post"] = {
            **operation,
            "operationId": operation["operationId"] + "_post",
            "parameters": [],
            "requestBody": {"content": {kind: {"schema": dict(form)} for kind in kinds}},
        }


def _slack_arguments(spec: Spec, specs: Path) -> None:
    known = json.loads((specs / "slack_chat.postMessage.json").read_text("utf-8"))["args"]
    plain = {"string": "string", "boolean": "boolean", "channel": "string"}
    for body in spec["paths"]["/chat.postMessage"]["post"]["requestBody"]["content"].values():
        for name, argument in known.items():
            kind = plain.get(str(argument["type"])) if argument.get("format") != "json" else None
            body["schema"]["properties"][name] = {"type": kind} if kind else {}


def _slack_choices(spec: Spec, specs: Path) -> None:
    del specs

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            choice = value.get("items")
            if "type" not in value and isinstance(choice, dict) and set(choice) == {"anyOf"}:
                value["anyOf"] = value.pop("items")["anyOf"]
        for inner in value.values() if isinstance(value, dict) else value:
            if isinstance(inner, dict | list):
                walk(inner)

    walk(spec)


def _slack_webhook(spec: Spec, specs: Path) -> None:
    del specs
    text, rows = {"type": "string"}, {"type": "array", "items": {"type": "object"}}
    body = _object(
        text=text, blocks=rows, attachments=rows, thread_ts=text, mrkdwn={"type": "boolean"},
        response_type=text, replace_original={"type": "boolean"},
        delete_original={"type": "boolean"}, unfurl_links={"type": "boolean"},
        unfurl_media={"type": "boolean"}, metadata={"type": "object"},
    )  # fmt: skip
    words = {"type": "string", "enum": ["ok"]}
    errors = [
        "invalid_payload", "no_text", "invalid_token", "no_service", "no_team", "no_active_hooks",
        "channel_not_found", "channel_is_archived", "action_prohibited", "user_not_found",
        "posting_to_general_channel_denied", "too_many_attachments", "msg_too_long",
        "invalid_blocks",
    ]  # fmt: skip
    names = [{"name": name, "in": "path", "required": True, "schema": text} for name in "tbh"]
    refused = {"description": "", **_content({"enum": errors}, "text/html")}
    answers = {"200": {"description": "", **_content(words, "text/html")}}
    spec["paths"]["/services/{t}/{b}/{h}"] = {
        "parameters": names,
        "post": {
            "operationId": "webhook",
            "x-bearer": False,
            "requestBody": {"required": True, **_content(body)},
            "responses": answers | dict.fromkeys(("400", "403", "404", "410"), refused),
        },
    }


def _slack_server(spec: Spec, specs: Path) -> None:
    del specs
    spec["paths"] = {
        path if path.startswith("/services") else f"/api{path}": item
        for path, item in spec["paths"].items()
    }
    spec["servers"] = [{"url": "https://slack.com"}]


def _notion_dates(spec: Spec, specs: Path) -> None:
    del specs
    for schema in ("dateRequest", "dateResponse"):
        for name in ("start", "end"):
            where = spec["components"]["schemas"][schema]["properties"][name]
            for choice in (where, *where.get("oneOf", ())):
                choice.pop("format", None)


def _notion_request_id(spec: Spec, specs: Path) -> None:
    del specs
    error = spec["components"]["schemas"]["publicApiCommonErrorResponse"]
    error["properties"]["request_id"] = _TEXT


def _notion_lengths(spec: Spec, specs: Path) -> None:
    del specs
    body = spec["paths"]["/v1/pages"]["post"]["requestBody"]["content"]["application/json"]
    for kind in body["schema"]["properties"]["properties"]["additionalProperties"]["anyOf"]:
        for name in {"email", "phone_number"} & set(kind["properties"]):
            kind["properties"][name]["anyOf"][0] = {**_TEXT, "minLength": 1, "maxLength": 200}


def _notion_button(spec: Spec, specs: Path) -> None:
    del specs
    schemas = spec["components"]["schemas"]
    own = _object(type={"const": "button"}, button={"type": "object"})
    own["required"] = ["type", "button"]
    schemas["buttonDatabasePropertyConfigResponse"] = own
    kinds = next(
        part for part in schemas["databasePropertyConfigResponse"]["allOf"] if "oneOf" in part
    )
    kinds["oneOf"].append({"$ref": "#/components/schemas/buttonDatabasePropertyConfigResponse"})


def _sheets_token(spec: Spec, specs: Path) -> None:
    del specs
    text = {"type": "string"}
    form = _object(grant_type=text, assertion=text)
    token = _object(access_token=text, expires_in={"type": "integer"}, token_type=text)
    form["required"], token["required"] = list(form["properties"]), list(token["properties"])
    error = _object(error=text, error_description=text)
    error["required"] = ["error"]
    spec["paths"]["/google/token"] = {
        "post": {
            "operationId": "token",
            "x-bearer": False,
            "requestBody": _content(form, "application/x-www-form-urlencoded"),
            "responses": {
                "200": {"description": "", **_content(token)},
                "400": {"description": "", **_content(error)},
            },
        }
    }


def _telegram_get(spec: Spec, specs: Path) -> None:
    del specs
    for item in spec["paths"].values():
        posted = item["post"]
        content = posted.get("requestBody", _content(_object()))["content"]
        properties = content["application/json"]["schema"]["properties"]
        queries = [{"name": n, "in": "query", "schema": one} for n, one in properties.items()]
        item["get"] = {key: value for key, value in posted.items() if key != "requestBody"}
        item["get"] |= {"operationId": posted["operationId"] + "_get", "parameters": queries}
        # A call without parameters may still come with an empty object.
        posted.setdefault("requestBody", _content(_object()))


def _refusals(schema: Spec) -> Callable[[Spec, Path], None]:
    def mend(spec: Spec, specs: Path) -> None:
        del specs
        for item in spec["paths"].values():
            for operation in item.values():
                if isinstance(operation, dict):
                    refused = {"description": "", **_content(schema)}
                    operation["responses"].setdefault("default", refused)

    return mend


def _object(**properties: Any) -> Spec:
    return {"type": "object", "properties": properties}


def _content(schema: Spec, kind: str = "application/json") -> Spec:
    return {"content": {kind: {"schema": schema}}}


def _schema(answer: Spec) -> Spec:
    content: Spec = answer["content"]["application/json"]["schema"]
    return content


_TEXT, _NUMBER = {"type": "string"}, {"type": "integer"}
_TELEGRAM_REFUSAL = {
    **_object(
        ok={"enum": [False]},
        error_code=_NUMBER,
        description=_TEXT,
        parameters={"$ref": "#/components/schemas/ResponseParameters"},
    ),
    "required": ["ok", "error_code", "description"],
}
_GOOGLE_REFUSAL = _object(
    error={
        **_object(
            code=_NUMBER, message=_TEXT, status=_TEXT, details={"type": "array", "items": {}}
        ),
        "required": ["code", "message", "status"],
    }
)
_RESEND_REFUSAL = {
    **_object(statusCode=_NUMBER, name=_TEXT, message=_TEXT),
    "required": ["statusCode", "name", "message"],
}

MENDS = (
    Mend(
        "slack",
        "A choice stands under `items` of what is no array (the conversation, which the file's own"
        " examples hold as an object): meant is anyOf.",
        _slack_choices,
    ),
    Mend(
        "slack",
        "Errors come with status 200, and the frozen file lacks those that came later: they are in"
        " slack_*.json (docs.slack.dev/apis/web-api#responses).",
        _slack_errors,
    ),
    Mend(
        "slack",
        "A token is sent as Authorization: Bearer, and every method takes GET and POST, a form or"
        " JSON (docs.slack.dev/apis/web-api#basics); the file has one way for each.",
        _slack_calls,
    ),
    Mend("slack", "Arguments that came after 2021 are in slack_*.json.", _slack_arguments),
    Mend(
        "slack",
        "Incoming webhooks are not in it: docs.slack.dev/messaging/"
        "sending-messages-using-incoming-webhooks and the SDK's own requests (golden/).",
        _slack_webhook,
    ),
    Mend("slack", "Webhooks are not below /api.", _slack_server),
    Mend(
        "notion",
        "A date may have a time: developers.notion.com/reference/page-property-values#date",
        _notion_dates,
    ),
    Mend(
        "notion",
        "E-mail addresses and phone numbers have 200 characters, not the 100 that the file gives"
        " every short text: developers.notion.com/reference/request-limits",
        _notion_lengths,
    ),
    Mend(
        "notion",
        "Errors carry a request_id: developers.notion.com/reference/status-codes",
        _notion_request_id,
    ),
    Mend(
        "notion",
        "A column may be a button, as the page values of the same file say.",
        _notion_button,
    ),
    Mend(
        "sheets",
        "The token endpoint is in no description: RFC 7523 and RFC 6749, 5.1 and 5.2, and Google's"
        " own library (golden/google.service_account_token.json).",
        _sheets_token,
    ),
    Mend(
        "sheets",
        "Errors are google.rpc.Status (cloud.google.com/apis/design/errors), which discovery"
        " documents leave out.",
        _refusals(_GOOGLE_REFUSAL),
    ),
    Mend(
        "telegram",
        "What is refused has a body of its own (core.telegram.org/bots/api#making-requests); the"
        " real ones in telegram-errors/ fit it.",
        _refusals(_TELEGRAM_REFUSAL),
    ),
    Mend(
        "telegram",
        "GET with parameters in the address is as good as POST (#making-requests), and the file"
        " has POST alone.",
        _telegram_get,
    ),
    Mend(
        "resend",
        "No errors are described (resend.com/docs/api-reference/errors).",
        _refusals(_RESEND_REFUSAL),
    ),
)
