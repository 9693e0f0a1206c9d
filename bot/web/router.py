"""Which handler answers an address of the API, and what is said where none does."""

import re
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope

from bot.web.body import error_response
from core.engine import Engine
from core.errors import LevqorError, MethodNotAllowed, NotFound
from core.scopes import Read

_SLASHES = re.compile("/+")

Handler = Callable[[Request], Awaitable[Response]]


def room(path: str) -> str:
    """What an address begins with: `api` of `/api/runs`."""
    return path.split("/", 2)[1]


@dataclass(frozen=True)
class Route:
    """An address, `/runs` or `/runs/{run}`, and its name in the description."""

    method: str
    path: str
    handler: Handler
    operation: str


class Router:
    """The addresses of the API."""

    def __init__(self, engine: Engine, routes: Sequence[Route]) -> None:
        self.routes = routes
        self._engine = engine
        # By path, and by what a path with a name at its end begins with; then by method.
        self._named: dict[str, dict[str, Handler]] = defaultdict(dict)
        self._exact: dict[str, dict[str, Handler]] = defaultdict(dict)
        for route in routes:
            start, brace, _ = route.path.partition("{")
            (self._named if brace else self._exact)[start][route.method] = route.handler
        self._rooms = {room(route.path) for route in routes}

    def owns(self, path: str) -> bool:
        """Whether an address begins as one of these does."""
        return room("/" + path.lstrip("/")) in self._rooms

    async def answer(self, scope: Scope, receive: Receive) -> Response:
        """Answer a request, or refuse what is no address."""
        path, method = scope["path"], scope["method"]
        handlers = self._exact.get(path, {})
        if not handlers and not path.endswith("/"):
            handlers = self._named.get(path[: path.rfind("/") + 1], {})
        try:
            if method in handlers:
                return await handlers[method](Request(scope, receive))
            return self._refused(scope, handlers)
        except LevqorError as error:
            return error_response(error)

    def _refused(self, scope: Scope, methods: Collection[str]) -> Response:
        """Say which methods an address takes; raises NotFound with the nearest action."""
        # What a base address that ends in a slash, or a slash at the end, was meant to be.
        plain = "/" + _SLASHES.sub("/", scope["path"]).strip("/")
        _, _, action_id = plain.partition("/actions/")
        access = scope["principal"].access if "principal" in scope else None
        if action_id and access is not None and not access.offers(action_id):
            # Whether there is such an action is nothing to who may not send it.
            access.require_send(action_id)
        if methods:
            allow = ", ".join(methods).replace("GET", "GET, HEAD")
            use = f"Use {allow.replace(', ', ' or ')}."
            return error_response(MethodNotAllowed(fix=use), allow=allow)
        if plain != scope["path"] and plain in self._exact:
            raise NotFound("There is no such page.", fix=f"Did you mean {plain}?")
        if action_id:
            self._engine.action(action_id)
        lists = access is not None and access.reads(Read.OPENAPI)
        fix = "GET /openapi.json lists them all." if lists else None
        raise NotFound("There is no such page.", fix=fix)
