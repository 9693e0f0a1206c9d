"""The console's pages of tokens: making, narrowing, rotating and revoking them."""

from collections.abc import Iterable, Mapping
from typing import Any

from bot.runtime import Bot
from bot.web.pages.forms import FIRST, NOT_WHOLE, PLANS, Typed, address, changed, given
from bot.web.pages.routing import Redirect, Route, View, Visit
from bot.web.pages.shown import utc
from core import tokens
from core.callers import ADDRESSED_SURFACE
from core.errors import LevqorError, NotFound
from core.ledger import Token
from core.roles import Role
from core.scopes import DEFAULT, EVERY_ACTION, Read, Scope

_MAY = "change tokens"
_DONE = {"set": "Saved.", "revoke": "Revoked: it does not work any more."}
# What is ticked of a scope has a field of its own.
_WORD = "only."


class Tokens:
    """Tokens of programs. A secret is in the one page that answers its making, and nowhere else."""

    def __init__(self, bot: Bot) -> None:
        self._bot, self._ledger = bot, bot.engine.ledger
        self.routes = (
            Route("GET", "/tokens", Role.ADMIN, self._list, "Tokens", _MAY),
            Route("POST", "/tokens", Role.ADMIN, self._make, may=_MAY),
            Route("GET", "/tokens/*", Role.ADMIN, self._one, may=_MAY),
            Route("POST", "/tokens/*", Role.ADMIN, self._change, may=_MAY),
        )

    async def _list(self, visit: Visit) -> View:
        return await self._show_list(visit)

    async def _show_list(self, visit: Visit, typed: Typed = FIRST) -> View:
        def look() -> dict[str, Any]:
            now, kept = self._ledger.now(), self._ledger.tokens()
            plan = self._bot.settings.app.default_plan
            return {
                "title": "Tokens",
                "tokens": [_row(each, now) for each in kept],
                "wide": [tokens.why_wide(each.label) for each in kept if tokens.wide(each, now)],
                "scope": self._scope(_ticked(typed.texts) if typed.error else DEFAULT.words),
                "plans": [("", f"default: {plan}"), *PLANS],
            }

        page = await self._bot.call(look)
        page |= {"typed": typed, "done": _DONE.get(visit.query.get("done", ""))}
        return View("tokens.html", page, typed.status)

    async def _make(self, visit: Visit) -> View:
        """Make a token and show it: a form that is sent again finds its label taken."""
        form, by = visit.form, str(visit.who.caller)
        if form.get("do") != "new":
            raise NOT_WHOLE

        def make() -> dict[str, Any]:
            label, scope = form.get("label", "").strip(), self._read_scope(form)
            token = self._ledger.token_new(
                label,
                plan=given(form, "plan"),
                admin=form.get("admin") == "yes",
                # What nobody has changed is what a token gets without a word.
                scope=None if scope == DEFAULT else scope,
                per_hour=tokens.rate(given(form, "per_hour")),
                expires=tokens.expiry(given(form, "expires")),
                by=by,
            )
            made = self._named(label)
            caller = f"{ADDRESSED_SURFACE}:{label}"
            lines = [f"It {tokens.may(made)}, as {caller} on the {made.plan} plan."]
            if problem := tokens.why_it_may_not_send(self._ledger, label):
                lines.append(problem)
            return _secret(label, token, lines)

        try:
            return View("token_secret.html", await self._bot.call(make))
        except LevqorError as error:
            return await self._show_list(visit, Typed(form, error))

    async def _one(self, visit: Visit) -> View:
        return await self._show_one(visit)

    async def _show_one(self, visit: Visit, typed: Typed = FIRST) -> View:
        def look() -> dict[str, Any]:
            token, now = self._named(visit.name), self._ledger.now()
            was = token.grant.words
            return {
                "title": f"Token {token.label}",
                "token": token,
                "row": _row(token, now),
                "ended": tokens.ended(token, now),
                "wide": tokens.why_wide(token.label) if tokens.wide(token, now) else None,
                "problem": tokens.why_it_may_not_send(self._ledger, token.label),
                "scope": self._scope(_ticked(typed.texts) if typed.do == "set" else was),
                "was": typed.text("was_only", str(token.grant)),
            }

        page = await self._bot.call(look)
        if visit.query.get("confirm") == "revoke":
            return _confirm(visit.name)
        page |= {"typed": typed, "done": _DONE.get(visit.query.get("done", ""))}
        return View("token.html", page, typed.status)

    async def _change(self, visit: Visit) -> View | Redirect:
        form, label, by = visit.form, visit.name, str(visit.who.caller)
        do = form.get("do", "")
        try:
            if do == "rotate":
                return View(
                    "token_secret.html", await self._bot.call(self._rotate, form, label, by)
                )
            await self._bot.call(self._do, do, form, label, by)
        except LevqorError as error:
            return await self._show_one(visit, Typed(form, error))
        return Redirect(address("tokens", label, done=do))

    def _do(self, do: str, form: Mapping[str, str], label: str, by: str) -> None:
        if do == "revoke":
            self._ledger.token_revoke(label, by=by)
            return
        if do != "set":
            raise NOT_WHOLE
        changes: dict[str, Any] = {}
        if "was_only" in form and {*_ticked(form)} != {*form["was_only"].split(",")}:
            changes["scope"] = self._read_scope(form)
        if (per_hour := changed(form, "per_hour")) is not None:
            changes["per_hour"] = tokens.rate(per_hour.strip() or None)
        if (expires := given(form, "expires")) is not None:
            changes["expires"] = tokens.expiry(expires)
        if changes:
            self._ledger.token_set(label, by=by, **changes)

    def _rotate(self, form: Mapping[str, str], label: str, by: str) -> dict[str, Any]:
        seconds = tokens.overlap(form.get("overlap", "").strip())
        secret = self._ledger.token_rotate(
            label, overlap=seconds, by=by, secret=form.get("secret", "")
        )
        made = self._named(label)
        until = made.old_until if seconds else None
        old = f"works until {_utc(until)}" if until else "does not work any more"
        lines = [f"The old one {old}."]
        if tokens.expired(made, self._ledger.now()):
            lines.append("It has expired: give it a new end on its page.")
        return _secret(label, secret, lines)

    def _named(self, label: str) -> Token:
        for token in self._ledger.tokens():
            if token.label == label:
                return token
        raise NotFound("There is no such token.", fix="See them on the page: Tokens")

    def _read_scope(self, form: Mapping[str, str]) -> Scope:
        return Scope.parse(",".join(_ticked(form)), self._bot.engine.action_ids())

    def _scope(self, ticked: Iterable[str]) -> dict[str, Any]:
        """What may be ticked, and what is: also a word of which nothing is known any more."""
        actions = [EVERY_ACTION, *self._bot.engine.action_ids()]
        aims = [f"{each.action}@{each.name}" for each in self._ledger.targets()]
        reads = {str(each): each.what for each in Read}
        ticked = tuple(ticked)
        lost = [each for each in ticked if each and each not in {*actions, *aims, *reads}]
        return {
            "ticked": ticked,
            "groups": [
                ("Send", [(each, each.replace(EVERY_ACTION, "every action")) for each in actions]),
                ("Send to one target only", [(e, e.replace("@", " to ")) for e in [*aims, *lost]]),
                ("Read", [*reads.items()]),
            ],
        }


def _ticked(form: Mapping[str, str]) -> list[str]:
    return [name.removeprefix(_WORD) for name in form if name.startswith(_WORD)]


def _row(token: Token, now: float) -> dict[str, Any]:
    return {
        "token": token,
        "may": tokens.may(token),
        "valid": tokens.validity(token, now, _utc) or "no end",
        "ended": tokens.ended(token, now),
    }


def _utc(at: float) -> str:
    return f"{utc(at)} UTC"


def _secret(label: str, token: str, lines: list[str]) -> dict[str, Any]:
    return {"title": f"Token {label}", "label": label, "secret": token, "lines": lines}


def _confirm(label: str) -> View:
    lines = [f"What uses the token {label} is refused at once. It cannot be made valid again."]
    page = {"title": f"Revoke {label}?", "lines": lines, "button": f"Revoke {label}"}
    more = {"form": {"do": "revoke"}, "action": address("tokens", label)}
    return View("confirm.html", {**page, **more})
