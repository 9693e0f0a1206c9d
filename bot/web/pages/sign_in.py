"""The console's pages to sign in, to sign out, and to see who is signed in."""

from collections.abc import Callable

from bot.runtime import Bot
from bot.web.pages.routing import Redirect, Route, View, Visit
from core.errors import NotFound
from core.roles import Role
from core.signing_in import OVERVIEW, PAGE

_NO_LINK = View("signed_out.html", {"lost": True}, 404)


class SignIn:
    """Sessions: begun by a one-time link, listed, and ended."""

    def __init__(self, bot: Bot, serves: Callable[[str], bool]) -> None:
        self._bot, self._serves = bot, serves
        self.routes = (
            Route("GET", "/sign-in/*", None, self._ask),
            Route("POST", "/sign-in/*", None, self._sign_in),
            Route("POST", "/sign-out", Role.NONE, self._sign_out),
            Route("GET", "/sessions", Role.VIEWER, self._sessions, "Sessions"),
            Route("POST", "/sessions", Role.VIEWER, self._end),
        )

    async def _ask(self, visit: Visit) -> View | Redirect:
        # A chat's preview fetches links: only the button uses this one up.
        caller = await self._bot.read(self._bot.engine.ledger.sign_in_caller, visit.name)
        if visit.access is not None and caller in (None, str(visit.access.caller)):
            return Redirect(self._wanted(visit))
        if caller is None:
            return _NO_LINK
        return View("sign_in.html", {"caller": caller})

    async def _sign_in(self, visit: Visit) -> View | Redirect:
        ledger, interfaces = self._bot.engine.ledger, self._bot.settings.interfaces
        told = {each.name for each in interfaces if each.direct}
        where = "" if visit.site.secure else ", on the computer that Levqor runs on"
        signed_in = await self._bot.call(
            ledger.sign_in, visit.name, visit.site.seconds, visit.browser, told, where
        )
        if signed_in is None:
            return _NO_LINK
        self._bot.owed()
        return Redirect(self._wanted(visit), visit.site.set_cookie(signed_in[1]))

    def _wanted(self, visit: Visit) -> str:
        """The page of ours that a link leads on to; the overview, where it names none."""
        page = visit.query.get("to", "")
        return page if PAGE.fullmatch(page) and self._serves(page) else OVERVIEW

    async def _sign_out(self, visit: Visit) -> Redirect:
        await self._bot.call(self._bot.engine.ledger.session_end, visit.session)
        return Redirect("/", visit.site.set_cookie(""))

    async def _sessions(self, visit: Visit) -> View:
        sessions = await self._bot.read(self._bot.engine.ledger.sessions)
        seen = [each for each in sessions if _may_end(visit, each.caller)]
        return View("sessions.html", {"sessions": seen, "mine": visit.session})

    async def _end(self, visit: Visit) -> Redirect:
        ledger = self._bot.engine.ledger
        session = await self._bot.read(ledger.session_of, visit.form.get("session", ""))
        if not _may_end(visit, session.caller):
            raise NotFound("That session has ended already.")
        await self._bot.call(ledger.session_end, session.session)
        return Redirect("/sessions")


def _may_end(visit: Visit, caller: str) -> bool:
    return visit.who.role is Role.ADMIN or str(visit.who.caller) == caller
