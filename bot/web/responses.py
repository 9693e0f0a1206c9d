"""Responses: JSON bodies, and errors in the one shape every interface knows."""

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from bot.web.body import Smuggled, TooSlow
from core.errors import LevqorError, MethodNotAllowed, TooLarge, Unauthorized

# Answers hold who asked and what came of it: nothing may keep a copy.
_ALWAYS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
_AS_HEADERS = {"x-run-id": "run", "retry-after": "retry_after"}


def json_response(
    body: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Make a JSON response, with the run and the seconds to wait as headers too."""
    more = {header: str(body[name]) for header, name in _AS_HEADERS.items() if name in body}
    return Response(
        json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode() + b"\n",
        status,
        {**_ALWAYS, **more, **(headers or {})},
        "application/json",
    )


def error_response(error: LevqorError, *, allow: str | None = None) -> Response:
    """Make an error's response, with the headers its status calls for."""
    headers: dict[str, str] = {}
    if isinstance(error, Unauthorized):
        headers["www-authenticate"] = 'Bearer realm="levqor"'
    if isinstance(error, MethodNotAllowed) and allow:
        headers["allow"] = allow
    if isinstance(error, TooLarge | TooSlow | Smuggled):
        # The rest of that body is still on its way, or its end is in doubt: nothing after
        # it can be read.
        headers["connection"] = "close"
    return json_response(error.body(), error.http, headers)
