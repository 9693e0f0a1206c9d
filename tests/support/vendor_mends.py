"""What the vendors' descriptions get wrong or leave out: each mistake with how it is known.

Everything else that a description says stands: where it and we differ, we are wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.support.vendor_shapes import content_of, object_of
from tests.support.vendor_slack_mends import (
    slack_arguments,
    slack_calls,
    slack_choices,
    slack_errors,
    slack_server,
    slack_webhook,
)

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
    own = object_of(type={"const": "button"}, button={"type": "object"})
    own["required"] = ["type", "button"]
    schemas["buttonDatabasePropertyConfigResponse"] = own
    kinds = next(
        part for part in schemas["databasePropertyConfigResponse"]["allOf"] if "oneOf" in part
    )
    kinds["oneOf"].append({"$ref": "#/components/schemas/buttonDatabasePropertyConfigResponse"})


def _sheets_token(spec: Spec, specs: Path) -> None:
    del specs
    text = {"type": "string"}
    form = object_of(grant_type=text, assertion=text)
    token = object_of(access_token=text, expires_in={"type": "integer"}, token_type=text)
    form["required"], token["required"] = list(form["properties"]), list(token["properties"])
    error = object_of(error=text, error_description=text)
    error["required"] = ["error"]
    spec["paths"]["/google/token"] = {
        "post": {
            "operationId": "token",
            "x-bearer": False,
            "requestBody": content_of(form, "application/x-www-form-urlencoded"),
            "responses": {
                "200": {"description": "", **content_of(token)},
                "400": {"description": "", **content_of(error)},
            },
        }
    }


def _telegram_get(spec: Spec, specs: Path) -> None:
    del specs
    for item in spec["paths"].values():
        posted = item["post"]
        content = posted.get("requestBody", content_of(object_of()))["content"]
        properties = content["application/json"]["schema"]["properties"]
        queries = [{"name": n, "in": "query", "schema": one} for n, one in properties.items()]
        item["get"] = {key: value for key, value in posted.items() if key != "requestBody"}
        item["get"] |= {"operationId": posted["operationId"] + "_get", "parameters": queries}
        # A call without parameters may still come with an empty object.
        posted.setdefault("requestBody", content_of(object_of()))


def _refusals(schema: Spec) -> Callable[[Spec, Path], None]:
    def mend(spec: Spec, specs: Path) -> None:
        del specs
        for item in spec["paths"].values():
            for operation in item.values():
                if isinstance(operation, dict):
                    refused = {"description": "", **content_of(schema)}
                    operation["responses"].setdefault("default", refused)

    return mend


_TEXT, _NUMBER = {"type": "string"}, {"type": "integer"}
_TELEGRAM_REFUSAL = {
    **object_of(
        ok={"enum": [False]},
        error_code=_NUMBER,
        description=_TEXT,
        parameters={"$ref": "#/components/schemas/ResponseParameters"},
    ),
    "required": ["ok", "error_code", "description"],
}
_GOOGLE_REFUSAL = object_of(
    error={
        **object_of(
            code=_NUMBER, message=_TEXT, status=_TEXT, details={"type": "array", "items": {}}
        ),
        "required": ["code", "message", "status"],
    }
)
_RESEND_REFUSAL = {
    **object_of(statusCode=_NUMBER, name=_TEXT, message=_TEXT),
    "required": ["statusCode", "name", "message"],
}

MENDS = (
    Mend(
        "slack",
        "A choice stands under `items` of what is no array (the conversation, which the file's own"
        " examples hold as an object): meant is anyOf.",
        slack_choices,
    ),
    Mend(
        "slack",
        "Errors come with status 200, and the frozen file lacks those that came later: they are in"
        " slack_*.json (docs.slack.dev/apis/web-api#responses).",
        slack_errors,
    ),
    Mend(
        "slack",
        "A token is sent as Authorization: Bearer, and every method takes GET and POST, a form or"
        " JSON (docs.slack.dev/apis/web-api#basics); the file has one way for each.",
        slack_calls,
    ),
    Mend("slack", "Arguments that came after 2021 are in slack_*.json.", slack_arguments),
    Mend(
        "slack",
        "Incoming webhooks are not in it: docs.slack.dev/messaging/"
        "sending-messages-using-incoming-webhooks and the SDK's own requests (golden/).",
        slack_webhook,
    ),
    Mend("slack", "Webhooks are not below /api.", slack_server),
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
