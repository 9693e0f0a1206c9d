"""Putting it together: the addresses and what answers them, behind the middleware."""

from collections.abc import Sequence
from functools import cache, partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from bot.runtime import Bot, Hook
from bot.web.authentication import Authenticator, Principal
from bot.web.body import json_response
from bot.web.handlers import Handlers
from bot.web.live import LiveChecks
from bot.web.metrics import Metrics
from bot.web.middleware import LIVE, READY, AuthMiddleware
from bot.web.narrowing import allowed
from bot.web.pages.pages import Console
from bot.web.router import Handler, Route, Router
from bot.web.server import Limits
from bot.web.settings import HttpSettings
from core.network import loopback
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
    router = Router(bot.engine, _routes(bot, handlers))
    console = Console(bot, authenticator, live, limits.body_seconds)
    return AuthMiddleware(router, bot, authenticator, hooks, limits, metrics, console)


def _routes(bot: Bot, handlers: Handlers) -> list[Route]:
    """Every address, with its name in the description."""
    described = [
        *(
            Route("POST", f"/actions/{action_id}", partial(handlers.act, action_id), action_id)
            for action_id in bot.engine.action_ids()
        ),
        Route("GET", "/actions/health", handlers.connectors, "health"),
        Route("GET", "/api/usage/summary", handlers.usage, "usage"),
        Route("GET", "/api/runs", handlers.runs, "runs"),
        Route("GET", "/api/runs/{run}", handlers.run, "run"),
        Route("GET", "/ops/uptime", handlers.uptime, "uptime"),
        Route("GET", READY, handlers.ready, "ready"),
        Route("GET", LIVE, handlers.live, "live"),
        Route("GET", "/metrics", handlers.scrape, "metrics"),
        Route("POST", "/api/sign-in", handlers.sign_in, "sign_in"),
    ]
    described.append(Route("GET", "/openapi.json", _description(bot, described), "openapi"))
    return described


def _description(bot: Bot, routes: Sequence[Route]) -> Handler:
    @cache
    def document() -> dict[str, Any]:
        # Most bots are never asked.
        from bot.web import openapi

        return openapi.document(bot.engine, routes)

    async def describe(request: Request) -> Response:
        access = Principal.of(request).access
        return json_response(allowed(await bot.call(document), access, bot.engine))

    return describe


def _exposed(hooks: Sequence[Hook], address: Address) -> str | None:
    """Say why a proxy has to be expected before the bot; None where it has not."""
    if hooks:
        return "a chat platform posts to this address, so a proxy may pass strangers on to it"
    if not loopback(address.host.rstrip(".").lower()):
        return f"Levqor listens on {address}, where other machines reach it"
    return None
