"""The console's pages: each address, and what it shows."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import jinja2
from starlette.responses import RedirectResponse, Response

from bot.runtime import Bot
from bot.web.authentication import Authenticator
from bot.web.body import read_body
from bot.web.live import LiveChecks
from bot.web.pages import shown
from bot.web.pages.browser import Site, site
from bot.web.pages.send import Send
from bot.web.settings import HttpSettings
from core.callers import Caller
from core.engine import Access
from core.errors import InvalidInput, LevqorError, MethodNotAllowed, NotFound
from core.health import HealthChecker, accounts
from core.roles import Role
from core.run_filter import read_filter

_HERE = Path(__file__).parent
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
_MOST = 200  # fields of a form
RUNS_A_PAGE = 50
# The menu: address, name, and whom it is for.
_MENU = (
    ("/", "Overview", Role.VIEWER),
    ("/send", "Send", Role.SENDER),
    ("/runs", "Runs", Role.VIEWER),
    ("/sessions", "Sessions", Role.VIEWER),
)
NO_LINK = NotFound(
    "This link was used, is older than ten minutes, or a newer one was made.",
    fix="Get a new one: levqor open on the machine, or open in a private chat with the bot.",
)


@dataclass(frozen=True)
class Visit:
    """One request of a browser; `who` is None for who is not signed in."""

    site: Site
    path: str
    query: Mapping[str, str]
    form: Mapping[str, str]
    who: Access | None = None
    session: str = ""


Page = Callable[[Visit], Awaitable[Response]]


class Console:
    """The pages of the web console, for one bot."""

    def __init__(
        self, bot: Bot, authenticator: Authenticator, live: LiveChecks, body_seconds: float
    ) -> None:
        self._bot, self._authenticator, self._body_seconds = bot, authenticator, body_seconds
        self._live = live
        self._health, self._send_page = HealthChecker(bot.engine), Send(bot)
        self._style = (_HERE / "console.css").read_bytes()
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= shown.FILTERS
        self._pages: dict[str, tuple[Role, Page]] = {
            "/": (Role.VIEWER, self._overview),
            "/runs": (Role.VIEWER, self._runs),
            "/send": (Role.SENDER, self._send_list),
            "/sessions": (Role.VIEWER, self._sessions),
        }
        self._posts: dict[str, tuple[Role, Page]] = {
            "/check": (Role.VIEWER, self._check),
            "/sign-out": (Role.NONE, self._sign_out),
            "/sessions": (Role.VIEWER, self._end_session),
        }
        listed = (path.split("/")[1] for path in (*self._pages, *self._posts))
        self._rooms = {*filter(None, listed), "services", "sign-in", "console.css"}

    def serves(self, path: str) -> bool:
        """Whether an address is a page's."""
        return path == "/" or (path.startswith("/") and path.split("/", 2)[1] in self._rooms)

    async def answer(
        self, scope: Mapping[str, Any], receive: Any, headers: Mapping[str, str], peer: str
    ) -> Response:
        """Answer a request for a page."""
        if scope["path"] == "/console.css":
            return Response(self._style, media_type="text/css", headers=_HEADERS)
        here = None
        try:
            settings = self._bot.settings.of(HttpSettings)
            here = site(settings, self._authenticator, peer, headers)
            return await self._answer(here, scope, receive, headers)
        except LevqorError as error:
            return self._refusal(error, here)

    async def _answer(
        self, here: Site, scope: Mapping[str, Any], receive: Any, headers: Mapping[str, str]
    ) -> Response:
        method, path = scope["method"], scope["path"]
        if method not in ("GET", "POST"):
            raise MethodNotAllowed(fix="Use GET or POST.")
        form = {}
        if method == "POST":
            here.check_origin(headers)
            form = _pairs(await read_body(receive, headers, self._body_seconds))
        query = _pairs(scope["query_string"])
        visit = Visit(here, path, query, form)
        if path.startswith("/sign-in/"):
            return await (self._sign_in if method == "POST" else self._ask_sign_in)(visit)
        visit = await self._signed_in(visit, headers)
        if visit.who is None:
            return self._show("signed_out.html", visit, status=401)
        needed, page = self._page(method, path)
        visit.who.require(needed)
        return await page(visit)

    def _page(self, method: str, path: str) -> tuple[Role, Page]:
        listed = self._posts if method == "POST" else self._pages
        if path in listed:
            return listed[path]
        if method == "GET" and path.startswith("/runs/"):
            return Role.VIEWER, self._run
        if method == "GET" and path.startswith("/services/"):
            return Role.VIEWER, self._service
        if path.startswith("/send/"):
            return Role.SENDER, self._send if method == "POST" else self._send_form
        raise NotFound("There is no such page.", fix="Begin at the overview.")

    async def _signed_in(self, visit: Visit, headers: Mapping[str, str]) -> Visit:
        secret = visit.site.secret(headers)
        ledger = self._bot.engine.ledger
        session = await self._bot.read(ledger.session, secret) if secret else None
        if session is None:
            return visit
        caller = Caller.parse(session.caller)
        who = await self._bot.read(self._bot.engine.authorization.access, caller)
        return replace(visit, who=who, session=session.session)

    async def _ask_sign_in(self, visit: Visit) -> Response:
        # A chat's preview fetches links: only the button uses this one up.
        code = visit.path.removeprefix("/sign-in/")
        caller = await self._bot.read(self._bot.engine.ledger.sign_in_caller, code)
        if caller is None:
            raise NO_LINK.replace()
        return self._show("sign_in.html", visit, caller=caller)

    async def _sign_in(self, visit: Visit) -> Response:
        code = visit.path.removeprefix("/sign-in/")
        signed_in = await self._bot.call(self._bot.engine.ledger.sign_in, code, visit.site.seconds)
        if signed_in is None:
            raise NO_LINK.replace()
        return _redirect("/", visit.site.set_cookie(signed_in[1]))

    async def _sign_out(self, visit: Visit) -> Response:
        await self._bot.call(self._bot.engine.ledger.session_end, visit.session)
        return _redirect("/", visit.site.set_cookie(""))

    async def _overview(self, visit: Visit) -> Response:
        engine, who = self._bot.engine, _who(visit)
        page = await self._bot.call(shown.overview, engine, self._health, who)
        return self._show("overview.html", visit, refresh=True, **page)

    async def _check(self, _: Visit) -> Response:
        await self._live.report()
        return _redirect("/")

    async def _runs(self, visit: Visit) -> Response:
        engine, who = self._bot.engine, _who(visit)
        asked = {name: value for name, value in visit.query.items() if value}

        def look() -> dict[str, Any]:
            of, before = read_filter(engine, asked, who)
            page = engine.ledger.run_page(RUNS_A_PAGE, of, before)
            page = replace(page, runs=tuple(map(who.shown, page.runs)))
            return shown.runs(engine, page, who, asked)

        try:
            page = await self._bot.call(look)
        except InvalidInput as error:
            return self._show("runs.html", visit, **shown.no_runs(engine, error, who, asked))
        if page["next"]:
            page["next"] = "/runs?" + urlencode({**asked, "before": page["next"]})
        return self._show("runs.html", visit, **page)

    async def _run(self, visit: Visit) -> Response:
        engine, who = self._bot.engine, _who(visit)
        run = visit.path.removeprefix("/runs/")
        entry = await self._bot.read(engine.ledger.run, run, who.sees_only)
        if entry is None or entry.run != run or not who.sees(entry):
            raise NotFound("There is no run of yours with that ID.", fix="Look among your runs.")
        return self._show("run.html", visit, **shown.run(engine, who.shown(entry)))

    async def _service(self, visit: Visit) -> Response:
        engine, span = self._bot.engine, visit.query.get("span", "1d")
        name = visit.path.removeprefix("/services/")
        listed = {c.account_id(account): (c, account) for c, account in accounts(engine)}
        # The counts are everybody's.
        _who(visit).require(Role.ADMIN, "see everybody's runs")
        if name not in listed or span not in shown.SPANS:
            raise NotFound("There is no such service.", fix="Choose one on the overview.")
        page = await self._bot.call(shown.service, engine, self._health, *listed[name], span)
        return self._show("service.html", visit, **page)

    async def _send_list(self, visit: Visit) -> Response:
        return self._show("send_list.html", visit, offered=self._send_page.offered(_who(visit)))

    async def _send_form(self, visit: Visit) -> Response:
        template, page = await self._send_page.form(_who(visit), self._offered(visit))
        return self._show(template, visit, **page)

    async def _send(self, visit: Visit) -> Response:
        action_id = self._offered(visit)
        template, page = await self._send_page.post(_who(visit), action_id, visit.form)
        return self._show(template, visit, **page)

    def _offered(self, visit: Visit) -> str:
        action_id = visit.path.removeprefix("/send/")
        if action_id not in self._bot.engine.authorization.offered(_who(visit)):
            raise NotFound("There is nothing of that name that you may send.", fix="Open: Send.")
        return action_id

    async def _sessions(self, visit: Visit) -> Response:
        sessions = await self._bot.read(self._bot.engine.ledger.sessions)
        seen = [each for each in sessions if self._may_end(visit, each.caller)]
        return self._show("sessions.html", visit, sessions=seen, mine=visit.session)

    async def _end_session(self, visit: Visit) -> Response:
        ledger = self._bot.engine.ledger
        session = await self._bot.read(ledger.session_of, visit.form.get("session", ""))
        if not self._may_end(visit, session.caller):
            raise NotFound("That session has ended already.")
        await self._bot.call(ledger.session_end, session.session)
        return _redirect("/sessions")

    def _may_end(self, visit: Visit, caller: str) -> bool:
        who = _who(visit)
        return who.role is Role.ADMIN or str(who.caller) == caller

    def _refusal(self, error: LevqorError, here: Site | None) -> Response:
        visit = Visit(here or Site("http://-"), "", {}, {})
        return self._show("refusal.html", visit, status=error.http, error=error)

    def _show(
        self, template: str, visit: Visit, *, status: int = 200, refresh: bool = False, **page: Any
    ) -> Response:
        headers = dict(_HEADERS)
        if refresh:
            headers["refresh"] = str(_REFRESH_SECONDS)
        text = self._templates.get_template(template).render(
            who=visit.who, path=visit.path, pages=_MENU, **page
        )
        return Response(text, status, headers, "text/html")


def _who(visit: Visit) -> Access:
    assert visit.who is not None  # noqa: S101 - asked before any page is
    return visit.who


def _redirect(where: str, cookie: str | None = None) -> Response:
    headers = {**_HEADERS, **({"set-cookie": cookie} if cookie else {})}
    return RedirectResponse(where, 303, headers)


def _pairs(text: bytes) -> dict[str, str]:
    """Read a form or a query; raises InvalidInput."""
    try:
        words = text.decode("ascii")
        return dict(parse_qsl(words, keep_blank_values=True, errors="strict", max_num_fields=_MOST))
    except ValueError:
        raise InvalidInput(message="That form cannot be read; nothing was done.") from None
