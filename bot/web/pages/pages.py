"""The web console: which page answers an address, and for whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from starlette.datastructures import ImmutableMultiDict
from starlette.responses import RedirectResponse, Response

from bot.runtime import Bot
from bot.web.authentication import Authenticator, to_a_stranger
from bot.web.body import read_body
from bot.web.live import LiveChecks
from bot.web.pages import shown
from bot.web.pages.audit import Audit
from bot.web.pages.browser import Site, described, site
from bot.web.pages.fixes import Fixes
from bot.web.pages.forms import address
from bot.web.pages.look import Look
from bot.web.pages.people import People
from bot.web.pages.routing import Answer, Download, Redirect, Route, View, Visit
from bot.web.pages.send import Send
from bot.web.pages.sign_in import SignIn
from bot.web.pages.targets import Targets
from bot.web.pages.tokens import Tokens
from bot.web.pages.usage import Usage
from bot.web.router import room
from bot.web.settings import PAGES, HttpSettings
from core.callers import Caller
from core.errors import InvalidInput, LedgerError, LevqorError, MethodNotAllowed, NotFound
from core.roles import Role
from core.scopes import Read

if TYPE_CHECKING:
    import jinja2

_HERE = Path(__file__).parent
_STYLE = "/console.css"
_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    # Not no-referrer: a form's Origin would be null then.
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
_REFRESH_SECONDS = 60
_MOST = 1000  # fields of a form


class Console:
    """The pages of the web console, for one bot."""

    def __init__(
        self, bot: Bot, authenticator: Authenticator, live: LiveChecks, body_seconds: float
    ) -> None:
        self._bot, self._authenticator, self._body_seconds = bot, authenticator, body_seconds
        self._style = (_HERE / _STYLE[1:]).read_bytes()
        admins = (Usage(bot), People(bot), Tokens(bot), Targets(bot), Audit(bot))
        parts = (Look(bot, live), Send(bot), *admins, SignIn(bot, self.serves))
        self.routes: tuple[Route, ...] = tuple(route for part in parts for route in part.routes)
        self._rooms = {room(path) for path in (_STYLE, *(each.path for each in self.routes))} - {""}

    @cached_property
    def _templates(self) -> jinja2.Environment:
        # A bot need not wait for it to start.
        import jinja2

        templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            finalize=shown.written,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        fixes = Fixes(self._bot.engine.connectors)
        templates.filters |= shown.FILTERS | {"steps": fixes.steps, "pieces": fixes.pieces}
        templates.globals["address"] = address
        return templates

    def serves(self, path: str) -> bool:
        """Whether an address is a page's."""
        return path == "/" or (path.startswith("/") and room(path) in self._rooms)

    async def answer(
        self, scope: Mapping[str, Any], receive: Any, headers: Mapping[str, str], peer: str
    ) -> Response:
        """Answer a request for a page."""
        if scope["path"] == _STYLE:
            return Response(self._style, media_type="text/css", headers=_HEADERS)
        visit = Visit(Site("http://-"))
        try:
            settings = self._bot.settings.of(HttpSettings)
            visit = replace(visit, site=site(settings, self._authenticator, peer, headers))
            visit = await self._read(visit, scope, receive, headers)
            return self._response(visit, await self._answer(visit, scope["method"]))
        except LevqorError as error:
            if isinstance(error, LedgerError) and visit.access is None and visit.site.secure:
                # Who it is cannot be told now.
                error = to_a_stranger(error)
            return self._response(visit, View("refusal.html", {"error": error}, error.http))

    async def _read(
        self, visit: Visit, scope: Mapping[str, Any], receive: Any, headers: Mapping[str, str]
    ) -> Visit:
        form: ImmutableMultiDict[str, str] = ImmutableMultiDict()
        if scope["method"] not in ("GET", "POST"):
            raise MethodNotAllowed(fix="Use GET or POST.")
        if scope["method"] == "POST":
            visit.site.check_origin(headers)
            form = _pairs(await read_body(receive, headers, self._body_seconds))
        visit = replace(
            visit,
            path=scope["path"],
            query=_pairs(scope["query_string"]),
            form=form,
            browser=described(headers),
        )
        secret = visit.site.secret(headers)
        ledger = self._bot.engine.ledger
        session = await self._bot.read(ledger.session, secret) if secret else None
        if session is None:
            return visit
        caller = replace(Caller.parse(session.caller), via=PAGES)
        access = await self._bot.read(self._bot.engine.authorization.access, caller)
        return replace(visit, access=access, session=session.session)

    async def _answer(self, visit: Visit, method: str) -> Answer:
        route = next((each for each in self.routes if each.matches(method, visit.path)), None)
        if visit.access is None and (route is None or route.role is not None):
            return View("signed_out.html", {}, status=401)
        if route is None:
            raise NotFound("There is no such page.", fix="Begin at the overview.")
        if route.role is not None:
            visit.who.require(route.role, route.may)
            if visit.who.token is not None and route.role is not Role.NONE:
                visit.who.require_read(Read.OPEN)
        return await route.page(visit)

    def _response(self, visit: Visit, answer: Answer) -> Response:
        if isinstance(answer, Redirect):
            kept = {"set-cookie": answer.cookie} if answer.cookie else {}
            return RedirectResponse(answer.path, 303, {**_HEADERS, **kept})
        if isinstance(answer, Download):
            kept = {"content-disposition": f'attachment; filename="{answer.name}"'}
            return Response(answer.text, 200, {**_HEADERS, **kept}, "text/csv")
        refresh = {"refresh": str(_REFRESH_SECONDS)} if answer.refresh else {}
        menu = [route for route in self.routes if route.menu]
        text = self._templates.get_template(answer.template).render(
            who=visit.access, path=visit.path, menu=menu, **answer.values
        )
        return Response(text, answer.status, {**_HEADERS, **refresh}, "text/html")


def _pairs(text: bytes) -> ImmutableMultiDict[str, str]:
    """Read a form or a query; raises InvalidInput."""
    try:
        words = text.decode("ascii")
        return ImmutableMultiDict(
            parse_qsl(words, keep_blank_values=True, errors="strict", max_num_fields=_MOST)
        )
    except ValueError:
        raise InvalidInput(message="That form cannot be read; nothing was done.") from None
