"""The way in for every HTTP request: hooks, origin, who asks, and then the routes.

Hooks are what chat platforms post to; they are signed and know their own callers. All
else passes the authenticator before a path is even looked up, so a stranger learns nothing.
"""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from bot.runtime import HookRequest
from bot.web.body import Gone, check_framing, read_body
from bot.web.responses import error_response
from core.errors import InternalError, LevqorError, MethodNotAllowed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from bot.runtime import Hook
    from bot.web.authentication import Authenticator
    from bot.web.limits import Limits
    from bot.web.rejections import RejectionLog

log = logging.getLogger("levqor.web")

# Clients that take Levqor for their proxy, and proxies themselves, name the host in the
# target; every server must accept that (RFC 9112, section 3.2.2).
_WHOLE_ADDRESS = re.compile(r"https?://([^/]+)(/.*)?", re.IGNORECASE | re.DOTALL)
_EXPOSED = "X-Run-Id, Retry-After"
_PREFLIGHT = {
    "access-control-allow-methods": "GET, POST",
    "access-control-allow-headers": "Authorization, Content-Type, Idempotency-Key",
    "access-control-max-age": "600",
}


class AuthMiddleware:
    """The ASGI application; sets `scope["principal"]` and `scope["folded"]` for the routes."""

    def __init__(
        self,
        app: ASGIApp,
        authenticator: Authenticator,
        hooks: Iterable[Hook],
        limits: Limits,
        rejections: RejectionLog,
    ) -> None:
        self._app = app
        self._authenticator = authenticator
        self._limits = limits
        self._rejections = rejections
        self._hooks = {hook.path: hook for hook in hooks}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers = fold(scope["headers"])
        scope = routable(scope, headers)
        hook = self._hooks.get(scope["path"])
        origin = self._origin(headers) if hook is None else None
        door = Exit(send, origin, self._rejections.answered)
        try:
            check_framing(headers, scope["http_version"])
            if hook is not None:
                response = await self._call_hook(hook, scope, receive, headers)
            elif (early := await self._admit(scope, headers)) is not None:
                response = early
            else:
                await self._app(scope, receive, door.send)
                return
        except LevqorError as error:
            self._rejections.log(error, self._authenticator.address(peer_of(scope), headers))
            response = error_response(error)
        except Gone:
            return
        except Exception as error:  # noqa: BLE001 - the last place to say anything at all
            log.error("%s failed: %s", scope["method"], type(error).__name__)  # noqa: TRY400
            if door.open:
                return
            response = error_response(InternalError())
        await response(scope, receive, door.send)

    async def _admit(self, scope: Scope, headers: Mapping[str, str]) -> Response | None:
        """Find out who asks; answers a browser's preflight, which carries no token."""
        self._authenticator.refuse_page(scope["method"], headers)
        if (
            scope["method"] == "OPTIONS"
            and "origin" in headers
            and "access-control-request-method" in headers
        ):
            return Response(status_code=204, headers=_PREFLIGHT)
        scope["principal"] = await self._authenticator.authenticate(
            peer_of(scope), headers, scope["http_version"]
        )
        scope["folded"] = headers
        return None

    async def _call_hook(
        self, hook: Hook, scope: Scope, receive: Receive, headers: Mapping[str, str]
    ) -> Response:
        if scope["method"] != "POST":
            return error_response(MethodNotAllowed(fix="Use POST."), allow="POST")
        body = await read_body(receive, headers, self._limits.body_seconds)
        query = scope["query_string"].decode("latin-1")
        request = HookRequest(body, headers, query)
        if not hook.authentic(request):
            self._rejections.unsigned(hook, self._authenticator.address(peer_of(scope), headers))
            return Response(status_code=hook.refused)
        said = await hook.answer(request)
        return Response(said.body, said.status, dict(said.headers))

    def _origin(self, headers: Mapping[str, str]) -> str | None:
        origin = headers.get("origin")
        return origin if origin and self._authenticator.allows(origin) else None


class Exit:
    """Sends an answer, with what a browser needs to let an allowed page read it."""

    def __init__(self, send: Send, origin: str | None, count: Callable[[int], None]) -> None:
        self._send = send
        self._count = count
        self.open = False
        self._headers = [(b"vary", b"Origin")]
        if origin:
            self._headers += [
                (b"access-control-allow-origin", origin.encode("latin-1")),
                (b"access-control-expose-headers", _EXPOSED.encode()),
            ]

    async def send(self, message: Message) -> None:
        """Pass a message on to the server."""
        if message["type"] == "http.response.start":
            self.open = True
            self._count(message["status"])
            message = {**message, "headers": [*message["headers"], *self._headers]}
        await self._send(message)


def peer_of(scope: Scope) -> str:
    """Return the address of a connection's other end."""
    return scope["client"][0] if scope["client"] else ""


def routable(scope: Scope, headers: dict[str, str]) -> Scope:
    """Return a request as it is looked up: by its path alone, HEAD as a GET.

    The server leaves a HEAD's body out. A request that names two hosts has none, so that
    it passes for nobody's local one.
    """
    method = "GET" if scope["method"] == "HEAD" else scope["method"]
    found = _WHOLE_ADDRESS.fullmatch(scope["path"])
    if found is None:
        return {**scope, "method": method}
    if found[1].lower() != headers.get("host", "").lower():
        headers["host"] = ""
    return {**scope, "method": method, "path": found[2] or "/"}


def fold(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return headers by lower-case name, repeated ones joined by commas."""
    folded: dict[str, Any] = {}
    for name, value in raw:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        folded[key] = f"{folded[key]}, {text}" if key in folded else text
    return folded
