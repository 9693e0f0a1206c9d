"""The console's pages of people: who is who, and what they may do."""

from collections.abc import Mapping
from typing import Any

from bot.runtime import Bot
from bot.web.pages.forms import FIRST, NOT_WHOLE, PLANS, Typed, address, changed, given
from bot.web.pages.routing import Redirect, Route, View, Visit
from core import people
from core.callers import ADDRESSED_SURFACE, Caller
from core.engine.access import everyone
from core.errors import LevqorError
from core.ledger import PersonRecord
from core.plain import counted
from core.roles import Role

MOST_CALLERS = 200
DAYS = 30
_MAY = "see people"
_DONE = {
    "set": "Saved.",
    "link": "Linked: what either sent today counts for both.",
    "unlink": "Unlinked: a person of its own now.",
    "unpair": "Not paired any more.",
    "remove": "Removed: their callers may do nothing from now on.",
}
_ROLES = [
    (Role.NONE, "none: shut out"),
    (Role.VIEWER, "viewer: health and own runs"),
    (Role.SENDER, "sender: also sends"),
    (Role.ADMIN, "admin: sees and changes all"),
]


class People:
    """People, and callers whom nobody has added."""

    def __init__(self, bot: Bot) -> None:
        self._bot, self._engine, self._ledger = bot, bot.engine, bot.engine.ledger
        self.routes = (
            Route("GET", "/people", Role.ADMIN, self._list, "People", _MAY),
            Route("POST", "/people", Role.ADMIN, self._add, may=_MAY),
            Route("GET", "/people/*", Role.ADMIN, self._one, may=_MAY),
            Route("POST", "/people/*", Role.ADMIN, self._change, may=_MAY),
        )

    async def _list(self, visit: Visit) -> View | Redirect:
        if whom := visit.query.get("caller", "").strip():
            return Redirect(address("people", whom))
        return await self._show_list(visit)

    async def _show_list(self, visit: Visit, typed: Typed = FIRST) -> View:
        page = await self._bot.call(self._everybody)
        page |= {"typed": typed, "done": _DONE.get(visit.query.get("done", ""))}
        return View("people.html", page, typed.status)

    async def _add(self, visit: Visit) -> View | Redirect:
        """Add a person, or make a code that pairs somebody."""
        form, by, settings = visit.form, visit.who.caller, self._bot.settings
        interface = people.pairable().get(form.get("interface", ""))
        try:
            if form.get("do") == "pair" and interface:
                code, message, link, _ = await self._bot.call(
                    people.pair, settings, self._ledger, interface, by=by
                )
                page = {"title": interface.title, "code": code, "message": message, "link": link}
                return View("pairing.html", page)
            if form.get("do") != "add":
                raise NOT_WHOLE
            name, callers = form.get("name", "").strip(), form.get("callers", "").splitlines()
            await self._bot.call(
                people.add,
                settings,
                self._ledger,
                name,
                [each.strip() for each in callers if each.strip()],
                by=by,
                display=given(form, "display"),
                role=given(form, "role"),
                plan=given(form, "plan"),
            )
        except LevqorError as error:
            return await self._show_list(visit, Typed(form, error))
        return Redirect(address("people", name, done="set"))

    async def _one(self, visit: Visit) -> View | Redirect:
        return await self._show_one(visit)

    async def _show_one(self, visit: Visit, typed: Typed = FIRST) -> View | Redirect:
        """The page of a person, or of a caller; or the question before something ends."""

        def look() -> tuple[str, dict[str, Any]]:
            who = people.named(self._bot.settings, self._ledger, visit.name)
            if ":" in who:
                return who, self._caller(who)
            return who, self._person(people.person_named(self._ledger, who))

        who, page = await self._bot.call(look)
        if linked := page.get("person_name"):
            return Redirect(address("people", linked))
        if asked := visit.query.get("confirm"):
            return _confirm(visit, asked, who, page)
        page |= {"typed": typed, "done": _DONE.get(visit.query.get("done", ""))}
        return View("person.html" if "person" in page else "caller.html", page, typed.status)

    async def _change(self, visit: Visit) -> View | Redirect:
        form, do, whom = visit.form, visit.form.get("do", ""), visit.name
        own = do == "set" and visit.who.person == whom and form.get("sure") != "yes"
        if own and changed(form, "role") not in (None, Role.ADMIN):
            return _own_role(visit, whom)
        try:
            goes_to = await self._bot.call(self._do, do, whom, form, str(visit.who.caller))
        except LevqorError as error:
            return await self._show_one(visit, Typed(form, error))
        return Redirect(goes_to)

    def _do(self, do: str, whom: str, form: Mapping[str, str], by: str) -> str:
        """Make a change; the address of the page that shows it."""
        settings, ledger = self._bot.settings, self._ledger
        if do == "set":
            changes = {each: changed(form, each) for each in ("role", "plan", "display")}
            if any(each is not None for each in changes.values()):
                who = Caller.parse(by)
                people.change(settings, ledger, whom, by=who, **changes)
        elif do == "link":
            caller = people.active_caller(settings, ledger, form.get("caller", "").strip())
            ledger.person_link(people.person_named(ledger, whom).name, str(caller), by=by)
        elif do == "join":
            caller = people.active_caller(settings, ledger, whom)
            whom = people.person_named(ledger, form.get("name", "")).name
            ledger.person_link(whom, str(caller), by=by)
            do = "link"
        elif do == "unlink":
            whom = str(people.single_caller(settings, form.get("caller", "")))
            ledger.person_unlink(whom, by=by)
        elif do == "unpair":
            caller = people.single_caller(settings, form.get("caller", ""))
            ledger.unpair(str(caller), by=by)
        elif do == "remove":
            ledger.person_remove(people.person_named(ledger, whom).name, by=by)
            return "/people?done=remove"
        else:
            raise NOT_WHOLE
        return address("people", whom, done=do)

    def _everybody(self) -> dict[str, Any]:
        settings, ledger = self._bot.settings, self._ledger
        added = ledger.people()
        access = everyone(settings, ledger)
        # A token that was revoked has no page of its own.
        gone = {f"{ADDRESSED_SURFACE}:{each.label}" for each in ledger.tokens() if each.revoked_at}
        alone = [
            each
            for each in ledger.callers()
            if not each.person and each.caller in access.keys() - gone
        ]
        return {
            "title": "People",
            "people": [
                {
                    "person": each,
                    "role": people.role_of(settings, each),
                    "plan": each.plan or settings.app.default_plan,
                }
                for each in added
            ],
            "usage": {row.name: row for row in ledger.usage_by("person", DAYS).usage},
            "callers": [(each, access[each.caller].role) for each in alone[:MOST_CALLERS]],
            "more": max(0, len(alone) - MOST_CALLERS),
            "days": DAYS,
            "no_admin": bool(added) and not people.has_admin(settings, ledger),
            "pairable": self._pairable(),
            "roles": [("", f"default: {Role.SENDER}"), *_ROLES],
            "plans": [("", f"default: {settings.app.default_plan}"), *PLANS],
        }

    def _pairable(self) -> list[tuple[str, str]]:
        """The interfaces that are set up and whose people need a code, each with its title."""
        return [
            (name, each.title)
            for name, each in people.pairable().items()
            if any(
                self._bot.settings.value(setting.name)
                for setting in each.settings.settings()
                if setting.secret
            )
        ]

    def _person(self, person: PersonRecord) -> dict[str, Any]:
        settings, known = self._bot.settings, self._ledger.callers()
        role = people.role_of(settings, person)
        return {
            "title": person.title or person.name,
            "person": person,
            "role": role,
            "plan": person.plan or settings.app.default_plan,
            "callers": [each for each in known if each.person == person.name],
            "alone": [each.caller for each in known if not each.person][:MOST_CALLERS],
            "roles": [(people.DEFAULT, "default: as the settings say"), *_ROLES],
            "plans": [(people.DEFAULT, f"default: {settings.app.default_plan}"), *PLANS],
        }

    def _caller(self, caller: str) -> dict[str, Any]:
        ledger = self._ledger
        now = self._engine.authorization.access(Caller.parse(caller))
        record = next((each for each in ledger.callers() if each.caller == caller), None)
        standing = ledger.standing(caller)
        return {
            "title": caller,
            "caller": caller,
            "record": record,
            "person_name": standing.person,
            "role": now.role,
            "plan": now.plan,
            "own": {"role": standing.role, "plan": standing.plan},
            "people": [(each.name, each.title or each.name) for each in ledger.people()],
            "roles": [(people.DEFAULT, "default: as the settings say"), *_ROLES],
            "plans": [(people.DEFAULT, "default: as the settings say"), *PLANS],
        }


def _confirm(visit: Visit, asked: str, who: str, page: Mapping[str, Any]) -> View:
    """Ask before something is taken away, and say what will happen."""
    caller = visit.query.get("caller", who)
    if asked == "remove" and ":" not in who:
        button, lines = f"Remove {who}", _removal(visit, page)
    elif asked == "unlink":
        button = f"Unlink {caller}"
        lines = [
            f"{caller} will be a person of its own, as {page['role']} on the {page['plan']} plan.",
            f"What {who} sent today counts for both.",
        ]
    elif asked == "unpair":
        button = f"Unpair {caller}"
        lines = [f"{caller} is answered again only after pairing with a new code."]
    else:
        raise NOT_WHOLE
    form = {"do": asked, "caller": caller}
    action = address("people", who)
    more = {"title": f"{button}?", "lines": lines, "button": button, "form": form, "action": action}
    return View("confirm.html", more)


def _removal(visit: Visit, page: Mapping[str, Any]) -> list[str]:
    callers = page["person"].callers
    lines = ["Their runs and the changes they made stay in the lists."]
    if callers:
        lines.insert(0, f"These callers may do nothing from then on: {', '.join(callers)}.")
    prefix = f"{ADDRESSED_SURFACE}:"
    tokens = [each.removeprefix(prefix) for each in callers if each.startswith(prefix)]
    if tokens:
        lines.append(f"{counted(len(tokens), 'token')} will be revoked: {', '.join(tokens)}.")
    if str(visit.who.caller) in callers:
        lines.append("This is you: you will be signed out.")
    return lines


def _own_role(visit: Visit, whom: str) -> View:
    """Ask an admin who gives themselves less whether they mean it."""
    form = {**visit.form, "sure": "yes"}
    lines = ["This is you. If you are no admin any more, only another admin can change it back."]
    page = {"title": "Change your own role?", "lines": lines, "button": "Change my role"}
    return View("confirm.html", {**page, "form": form, "action": address("people", whom)})
