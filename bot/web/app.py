"""Putting it together: the routes and their descriptions, behind the middleware."""

from collections.abc import Awaitable, Callable, Sequence
from functools import cache, partial
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from bot.runtime import Bot, Hook
from bot.web import openapi
from bot.web.authentication import Authenticator, Principal
from bot.web.body import error_response, json_response
from bot.web.handlers import Handlers
from bot.web.live import LiveChecks
from bot.web.metrics import Metrics
from bot.web.middleware import LIVE, READY, AuthMiddleware, Direct, Handler
from bot.web.narrowing import allowed
from bot.web.pages.pages import Console
from bot.web.server import Limits
from bot.web.settings import HttpSettings
from core import __version__
from core.engine import Engine
from core.errors import Forbidden, InternalError, LevqorError, MethodNotAllowed, NotFound
from core.network import loopback
from core.run_filter import interfaces
from core.scopes import Read
from core.settings import Address


def make_app(bot: Bot, hooks: Sequence[Hook], limits: Limits, address: Address) -> AuthMiddleware:
    """Make the ASGI application of a bot that listens at an address."""
    metrics = Metrics(bot)
    places = limits.runs if hooks else limits.connections
    live = LiveChecks(bot)
    authenticator = Authenticator(
        lambda: bot.settings.of(HttpSettings),
        lambda caller: bot.read(bot.engine.authorization.access, caller),
        _exposed(hooks, address),
    )
    handlers = Handlers(bot, metrics, limits, places, live, authenticator)
    app = FastAPI(title="Levqor", version=__version__, openapi_url=None, redirect_slashes=False)
    direct = _routes(app, bot, handlers)
    app.add_exception_handler(LevqorError, _error)
    app.add_exception_handler(HTTPException, partial(_routing_error, bot.engine))
    app.add_exception_handler(Exception, _error)
    console = Console(bot, authenticator, live, limits.body_seconds)
    return AuthMiddleware(app, direct, bot, authenticator, hooks, limits, metrics, console)


def _routes(app: FastAPI, bot: Bot, handlers: Handlers) -> Direct:
    """Add every address; returns those that need no router."""
    direct: dict[tuple[str, str], Handler] = {}

    def serve(method: str, path: str, handler: Handler, docs: Any) -> None:
        app.add_api_route(path, handler, methods=[method], **docs)
        if "{" not in path:
            direct[method, path] = handler

    for connector in bot.engine.connectors:
        for action in connector.actions:
            action_id = connector.action_id(action)
            page = openapi.action_page(connector, action, bot.settings.default)
            serve("POST", f"/actions/{action_id}", partial(handlers.act, action_id), page)
    runs_page = openapi.runs_page(bot.engine.connectors, interfaces(bot.engine))
    for path, handler, docs in (
        ("/actions/health", handlers.connectors, openapi.HEALTH),
        ("/api/usage/summary", handlers.usage, openapi.USAGE),
        ("/api/runs", handlers.runs, runs_page),
        ("/api/runs/{run}", handlers.run, openapi.RUN),
        ("/ops/uptime", handlers.uptime, openapi.UPTIME),
        (READY, handlers.ready, openapi.READY),
        (LIVE, handlers.live, openapi.LIVE),
        ("/metrics", handlers.scrape, openapi.METRICS),
        ("/openapi.json", _description(app, bot.engine), openapi.OPENAPI),
    ):
        serve("GET", path, handler, docs)
    serve("POST", "/api/sign-in", handlers.sign_in, openapi.SIGN_IN)
    return direct


def _exposed(hooks: Sequence[Hook], address: Address) -> str | None:
    """Say why a proxy has to be expected before the bot; None where it has not."""
    if hooks:
        return "a chat platform posts to this address, so a proxy may pass strangers on to it"
    if not loopback(address.host.rstrip(".").lower()):
        return f"Levqor listens on {address}, where other machines reach it"
    return None


def _description(app: FastAPI, engine: Engine) -> Callable[[Request], Awaitable[Response]]:
    document = cache(partial(openapi.document, app))

    async def describe(request: Request) -> Response:
        return json_response(allowed(document(), Principal.of(request).access, engine))

    return describe


async def _error(_: Request, error: Exception) -> Response:
    return error_response(error if isinstance(error, LevqorError) else InternalError())


async def _routing_error(engine: Engine, request: Request, error: Exception) -> Response:
    """Answer what the router found no page for, naming the nearest action."""
    _, _, action_id = request.url.path.partition("/actions/")
    access = Principal.of(request).access if "principal" in request.scope else None
    try:
        if action_id and access is not None and not access.offers(action_id):
            # Whether there is such an action is nothing to who may not send it.
            access.require_send(action_id)
        if isinstance(error, HTTPException) and error.status_code == 405:
            allow = (error.headers or {}).get("Allow", "").replace("GET", "GET, HEAD")
            return error_response(
                MethodNotAllowed(fix=f"Use {allow.replace(', ', ' or ')}."), allow=allow
            )
        if action_id:
            engine.action(action_id)
    except (Forbidden, NotFound) as refusal:
        return error_response(refusal)
    lists = access is not None and access.reads(Read.OPENAPI)
    return error_response(
        NotFound(
            "There is no such page.", fix="GET /openapi.json lists them all." if lists else None
        )
    )
