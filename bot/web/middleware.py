"""What every HTTP request passes first: hooks, origin, who asks; then the handlers.

Hooks are what chat platforms post to; they are signed and know their own callers. Whether the bot
is alive and ready, anybody may ask: what watches it has no token. All else is authenticated before
a path is even looked up, so a stranger learns nothing.
"""

import contextlib
import logging
import re
import time
from collections.abc import Iterable, Mapping

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from bot.runtime import Bot, Hook, HookRequest
from bot.web.authentication import READS, Authenticator
from bot.web.body import Gone, check_framing, error_response, read_body
from bot.web.metrics import Metrics
from bot.web.pages.pages import Console
from bot.web.router import Router
from bot.web.server import Limits
from core.callers import ADDRESSED_SURFACE, Caller
from core.errors import (
    InternalError,
    LedgerError,
    LevqorError,
    MethodNotAllowed,
    Unauthorized,
)
from core.ledger.tokens import USED_SECONDS
from core.roles import Role

log = logging.getLogger("levqor.web")

# Clients that take Levqor for their proxy, and proxies themselves, name the host in the
# target; every server must accept that (RFC 9112, section 3.2.2).
_WHOLE_ADDRESS = re.compile(r"https?://([^/]+)(/.*)?", re.IGNORECASE | re.DOTALL)
LIVE, READY = "/ops/live", "/ops/ready"
_EXPOSED = b"X-Run-Id, Retry-After"
_PREFLIGHT = {
    "access-control-allow-methods": "GET, POST",
    "access-control-allow-headers": "Authorization, Content-Type, Idempotency-Key",
    "access-control-max-age": "600",
}
# Strangers may try as often as they like: their lines must not push those of runs out of
# the log, which keeps fifty megabytes.
LINES_A_MINUTE = 10


class AuthMiddleware:
    """The ASGI application; sets `scope["principal"]` and `scope["folded"]` for the handlers."""

    def __init__(
        self,
        router: Router,
        bot: Bot,
        authenticator: Authenticator,
        hooks: Iterable[Hook],
        limits: Limits,
        metrics: Metrics,
        console: Console,
    ) -> None:
        self.router = router
        self._console = console
        self._bot = bot
        self._authenticator = authenticator
        self._limits = limits
        self._metrics = metrics
        self._minute = 0
        self._rejected: set[tuple[str, str]] = set()  # this minute: an address and a reason
        self._hooks = {hook.path: hook for hook in hooks}
        self._noted: dict[str, float] = {}  # a token's label, and when its use was written

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers = _folded(scope)
        scope = _routable(scope, headers)
        hook = self._hooks.get(scope["path"])
        origin = headers.get("origin", "") if hook is None else ""

        async def send_with_headers(message: Message) -> None:
            """Add what a browser needs to let an allowed page read the answer."""
            if message["type"] == "http.response.start":
                self._metrics.answers.labels(str(message["status"])).inc()
                more = self._for_browsers(origin)
                message = {**message, "headers": [*message["headers"], *more]}
            await send(message)

        try:
            check_framing(headers, scope["http_version"])
            if hook is not None:
                response = await self._call_hook(hook, scope, receive, headers)
            elif self._is_page(scope, headers):
                response = await self._console.answer(scope, receive, headers, _peer(scope))
            else:
                early = await self._admit(scope, headers)
                response = early or await self.router.answer(scope, receive)
        except LevqorError as error:
            self._log_rejection(error, scope, headers)
            response = error_response(error)
        except Gone:
            return
        except Exception as error:  # noqa: BLE001 - the last place to say anything at all
            log.error("%s failed: %s", scope["method"], type(error).__name__)  # noqa: TRY400
            response = error_response(InternalError())
        await response(scope, receive, send_with_headers)

    def _is_page(self, scope: Scope, headers: Mapping[str, str]) -> bool:
        """Whether the console answers: of its own addresses, and a browser at nobody's."""
        if self._console.serves(scope["path"]):
            return True
        looks = scope["method"] == "GET" and "text/html" in headers.get("accept", "")
        return looks and not self.router.owns(scope["path"])

    def _for_browsers(self, origin: str) -> list[tuple[bytes, bytes]]:
        more = [(b"vary", b"Origin")]
        if self._authenticator.allows(origin):
            more += [
                (b"access-control-allow-origin", origin.encode("latin-1")),
                (b"access-control-expose-headers", _EXPOSED),
            ]
        return more

    async def _admit(self, scope: Scope, headers: Mapping[str, str]) -> Response | None:
        """Find out who asks; answers a browser's preflight, which carries no token."""
        self._authenticator.refuse_page(scope["method"], headers)
        preflight = {"origin", "access-control-request-method"} <= headers.keys()
        if scope["method"] == "OPTIONS" and preflight:
            return Response(status_code=204, headers=_PREFLIGHT)
        if scope["path"] in (LIVE, READY):
            return None
        scope["principal"] = await self._authenticator.authenticate(
            _peer(scope), headers, scope["http_version"]
        )
        scope["folded"] = headers
        access = scope["principal"].access
        access.require(Role.VIEWER)
        if (read := READS.get(scope["path"])) is not None:
            access.require_read(read)
        if access.token is not None:
            self._note_use(access.token.label)
        return None

    def _note_use(self, label: str) -> None:
        """Have it written now and then that a token is used; the request does not wait for it."""
        now = time.monotonic()
        if now - self._noted.get(label, -USED_SECONDS) < USED_SECONDS:
            return
        self._noted[label] = now

        async def note() -> None:
            with contextlib.suppress(LedgerError):
                await self._bot.call(self._bot.engine.ledger.token_used, label)

        self._bot.spawn(note(), name="token use")

    async def _call_hook(
        self, hook: Hook, scope: Scope, receive: Receive, headers: Mapping[str, str]
    ) -> Response:
        if scope["method"] != "POST":
            return error_response(MethodNotAllowed(fix="Use POST."), allow="POST")
        body = await read_body(receive, headers, self._limits.body_seconds)
        request = HookRequest(body, headers, scope["query_string"].decode("latin-1"))
        if not hook.authentic(request):
            self._metrics.unsigned_posts.labels(hook.path.split("/")[1]).inc()
            self._log_rejection(Unauthorized(reason="unsigned_post"), scope, headers)
            return Response(status_code=hook.refused)
        answer = await hook.answer(request)
        return Response(answer.body, answer.status, dict(answer.headers))

    def _log_rejection(self, error: LevqorError, scope: Scope, headers: Mapping[str, str]) -> None:
        """Write a line: one a minute for the same address and reason, and not too many."""
        if self._minute != (minute := int(time.monotonic() // 60)):
            self._minute = minute
            self._rejected.clear()
        address = self._authenticator.address(_peer(scope), headers)
        rejection = (address, error.reason or error.code)
        if rejection in self._rejected or len(self._rejected) >= LINES_A_MINUTE:
            return
        self._rejected.add(rejection)
        stranger = Caller(ADDRESSED_SURFACE, address, known=False)
        who = scope["principal"].caller if "principal" in scope else stranger
        write = self._bot.engine.log_rejection
        self._bot.spawn(self._bot.read(write, error, who, address), name="rejection")


def _peer(scope: Scope) -> str:
    """Return the address of a connection's other end."""
    return scope["client"][0] if scope["client"] else ""


def _routable(scope: Scope, headers: dict[str, str]) -> Scope:
    """Return a request as it is looked up: by its path alone, HEAD as a GET.

    The server leaves a HEAD's body out. A request that names two hosts has none, so that
    it passes for nobody's local one.
    """
    method = "GET" if scope["method"] == "HEAD" else scope["method"]
    whole = _WHOLE_ADDRESS.fullmatch(scope["path"])
    if whole is None:
        return {**scope, "method": method}
    if whole[1].lower() != headers.get("host", "").lower():
        headers["host"] = ""
    return {**scope, "method": method, "path": whole[2] or "/"}


def _folded(scope: Scope) -> dict[str, str]:
    """Return headers by lower-case name, repeated ones joined by commas."""
    headers: dict[str, str] = {}
    for raw, text in scope["headers"]:
        name, value = raw.decode("latin-1").lower(), text.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers
