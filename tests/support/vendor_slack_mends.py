"""What Slack's description gets wrong or leaves out: how each mistake is put right."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.support.vendor_shapes import content_of, object_of, schema_of

if TYPE_CHECKING:
    from pathlib import Path

    Spec = dict[str, Any]


def slack_errors(spec: Spec, specs: Path) -> None:
    for path, item in spec["paths"].items():
        file = specs / f"slack_{path[1:]}.json"
        newer = list(json.loads(file.read_text("utf-8"))["errors"]) if file.exists() else []
        for operation in item.values():
            answers = operation["responses"]
            refused = schema_of(answers.pop("default"))
            error = refused.setdefault("properties", {}).setdefault("error", {"type": "string"})
            error["enum"] = sorted({*error.get("enum", []), *newer, *_SLACK_ERRORS})
            words = {"type": "array", "items": {"type": "string"}}
            refused["properties"]["response_metadata"] = object_of(messages=words)
            taken = answers["200"]["content"]["application/json"]
            taken["schema"] = {"anyOf": [taken["schema"], refused]}


# docs.slack.dev/apis/web-api: every method may answer these.
_SLACK_ERRORS = (
    *("unknown_method", "not_allowed_token_type", "invalid_json", "ratelimited"),
    "invalid_arguments",
)


def slack_calls(spec: Spec, specs: Path) -> None:
    del specs
    for item in spec["paths"].values():
        operation = next(iter(item.values()))
        parameters = [one for one in operation["parameters"] if one["name"] != "token"]
        form = object_of(**{one["name"]: one["schema"] for one in parameters})
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


def slack_arguments(spec: Spec, specs: Path) -> None:
    known = json.loads((specs / "slack_chat.postMessage.json").read_text("utf-8"))["args"]
    plain = {"string": "string", "boolean": "boolean", "channel": "string"}
    for body in spec["paths"]["/chat.postMessage"]["post"]["requestBody"]["content"].values():
        for name, argument in known.items():
            kind = plain.get(str(argument["type"])) if argument.get("format") != "json" else None
            body["schema"]["properties"][name] = {"type": kind} if kind else {}


def slack_choices(spec: Spec, specs: Path) -> None:
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


def slack_webhook(spec: Spec, specs: Path) -> None:
    del specs
    text, rows = {"type": "string"}, {"type": "array", "items": {"type": "object"}}
    body = object_of(
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
    refused = {"description": "", **content_of({"enum": errors}, "text/html")}
    answers = {"200": {"description": "", **content_of(words, "text/html")}}
    spec["paths"]["/services/{t}/{b}/{h}"] = {
        "parameters": names,
        "post": {
            "operationId": "webhook",
            "x-bearer": False,
            "requestBody": {"required": True, **content_of(body)},
            "responses": answers | dict.fromkeys(("400", "403", "404", "410"), refused),
        },
    }


def slack_server(spec: Spec, specs: Path) -> None:
    del specs
    spec["paths"] = {
        path if path.startswith("/services") else f"/api{path}": item
        for path, item in spec["paths"].items()
    }
    spec["servers"] = [{"url": "https://slack.com"}]
