"""The console's pages of targets: names for destinations, with what the services have."""

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bot import form_fields
from bot.runtime import Bot
from bot.web.pages.forms import FIRST, NOT_WHOLE, Typed, address, changed
from bot.web.pages.routing import Redirect, Route, View, Visit
from core.callers import Caller
from core.contract import TARGET, Connector
from core.engine import targets
from core.engine.targets import TargetHealth
from core.errors import LevqorError
from core.ledger import TargetRecord
from core.roles import Role

_PAGE, _MAY = "targets", "change targets"
_DONE = {"set": "Saved.", "remove": "Removed: what names it is refused from now on."}
# A page waits no longer for what a service has: a field can be filled in without.
LIST_SECONDS = 4.0
TEST_SECONDS = 12.0
_LOOKS = 8
# What is chosen of a list, beside what is typed.
_CHOSEN = "chosen_"
Choices = Mapping[str, Sequence[tuple[str, str]]]


class Targets:
    """Targets: added, changed, looked at, tried and removed."""

    def __init__(self, bot: Bot) -> None:
        self._bot, self._engine, self._ledger = bot, bot.engine, bot.engine.ledger
        self.routes = (
            Route("GET", "/targets", Role.ADMIN, self._list, "Targets", _MAY),
            Route("POST", "/targets", Role.ADMIN, self._post, may=_MAY),
            Route("GET", "/targets/*", Role.ADMIN, self._one, may=_MAY),
            Route("POST", "/targets/*", Role.ADMIN, self._change, may=_MAY),
        )

    async def _list(self, visit: Visit) -> View:
        if action_id := visit.query.get("action"):
            return await self._form(action_id, visit.query.get("account") or None)
        return await self._show_list(visit)

    async def _show_list(
        self, visit: Visit, health: Mapping[str, TargetHealth] | None = None
    ) -> View:
        kept = await self._bot.read(self._ledger.targets)
        page = {
            "title": "Targets",
            "targets": kept,
            "health": health,
            "actions": [(each, self._engine.action(each)[1].title) for each in self._actions()],
            "accounts": await self._bot.read(self._accounts, self._actions()),
            "done": _DONE.get(visit.query.get("done", "")),
        }
        return View("targets.html", page)

    def _actions(self) -> tuple[str, ...]:
        return self._engine.action_ids()

    def _accounts(self, action_ids: Sequence[str]) -> list[str]:
        connectors = {each.name: each for each, _ in map(self._engine.action, action_ids)}
        names = (self._bot.settings.accounts(each) for each in connectors.values())
        return sorted({name for listed in names for name in listed})

    def _account_choices(self, connector: Connector, now: str | None) -> list[tuple[str, str]]:
        """The accounts that a target can be given; it cannot go back to the first."""
        listed = [(each, each) for each in self._bot.settings.accounts(connector)]
        return [("", "the first"), *listed] if listed and now is None else listed

    async def _form(self, action_id: str, account: str | None, typed: Typed = FIRST) -> View:
        """The form of a new target, with what the account's service has."""
        connector, action = self._engine.action(action_id)
        page = {
            "title": f"A target for: {action.title}",
            "action_id": action_id,
            "account": account,
            "account_title": connector.account_title(account),
            "fields_of": await self._fields(action_id, account, {}),
            "names": action.input.destinations(),
            "typed": typed,
        }
        return View("target_new.html", page, typed.status)

    async def _fields(
        self, action_id: str, account: str | None, kept: Mapping[str, str]
    ) -> list[dict[str, Any]]:
        """A destination's fields, each with what the service has for it."""
        choices = await self._choices(action_id, account)
        _, action = self._engine.action(action_id)
        return [
            {
                "spec": spec,
                "value": kept.get(spec.name, ""),
                "choices": choices.get(spec.name, ()),
                "listed": kept.get(spec.name) in dict(choices.get(spec.name, ())),
                "example": form_fields.example(spec),
            }
            for spec in action.input.fields()
            if spec.destination
        ]

    async def _choices(self, action_id: str, account: str | None) -> Choices:
        """What the service has, if it says so in time."""
        listing = self._bot.ask(
            targets.choices, self._engine, action_id, account, seconds=LIST_SECONDS
        )
        try:
            return await asyncio.wait_for(listing, LIST_SECONDS)
        except TimeoutError:
            return {}

    async def _post(self, visit: Visit) -> View | Redirect:
        form, do = visit.form, visit.form.get("do", "")
        if do == "look":
            return await self._show_list(visit, await self._bot.call(self._look_all))
        action_id, account = form.get("action", ""), form.get("account") or None
        name = form.get("name", "").strip()
        self._engine.action(action_id)
        try:
            if do != "add":
                raise NOT_WHOLE
            values = self._values(action_id, form)
            by = visit.who.caller
            await self._bot.call(targets.add, self._engine, name, action_id, values, account, by=by)
        except LevqorError as error:
            return await self._form(action_id, account, Typed(form, error))
        return Redirect(address(_PAGE, name, done="set"))

    def _values(self, action_id: str, form: Mapping[str, str]) -> dict[str, Any]:
        """What was typed, or else chosen of a list, as the terminal reads `name=value`."""
        contract = self._engine.action(action_id)[1].input
        texts = {name: _text(form, name) for name in contract.destinations()}
        return form_fields.read(contract, texts)

    def _look_all(self) -> dict[str, TargetHealth]:
        kept = self._ledger.targets()
        with ThreadPoolExecutor(_LOOKS) as pool:
            found = pool.map(lambda each: targets.look(self._engine, each), kept)
            return {each.name: health for each, health in zip(kept, found, strict=True)}

    async def _one(self, visit: Visit) -> View:
        return await self._show_one(visit)

    async def _show_one(
        self, visit: Visit, typed: Typed = FIRST, health: TargetHealth | None = None
    ) -> View:
        def look() -> tuple[TargetRecord, list[str]]:
            target = targets.existing(self._engine, visit.name)
            aims = (target.action, target.name)
            live = [each for each in self._ledger.tokens() if each.revoked_at is None]
            return target, [each.label for each in live if aims in each.grant.destinations()]

        target, named_by = await self._bot.call(look)
        if visit.query.get("confirm") == "remove":
            return _confirm(target, named_by)
        connector, action = self._engine.action(target.action)
        page = {
            "title": f"Target {target.name}",
            "target": target,
            "action": action,
            "account_title": connector.account_title(target.account),
            "accounts": self._account_choices(connector, target.account),
            "fields_of": await self._fields(target.action, target.account, target.fields),
            "names": (*action.input.destinations(), "account"),
            "named_by": named_by,
            "health": health,
            "typed": typed,
            "done": _DONE.get(visit.query.get("done", "")),
        }
        return View("target.html", page, typed.status)

    async def _change(self, visit: Visit) -> View | Redirect:
        form, do, name, by = visit.form, visit.form.get("do", ""), visit.name, visit.who.caller
        try:
            if do == "look":
                target = await self._bot.call(targets.existing, self._engine, name)
                found = await self._bot.call(targets.look, self._engine, target)
                return await self._show_one(visit, health=found)
            if do == "test":
                return Redirect(await self._test(visit))
            await self._bot.call(self._do, do, name, form, by)
        except LevqorError as error:
            return await self._show_one(visit, Typed(form, error))
        return Redirect("/targets?done=remove" if do == "remove" else address(_PAGE, name, done=do))

    def _do(self, do: str, name: str, form: Mapping[str, str], by: Caller) -> None:
        if do == "remove":
            targets.remove(self._engine, name, by=by)
            return
        if do != "set":
            raise NOT_WHOLE
        old = targets.existing(self._engine, name)
        given = self._values(old.action, form)
        values = {each: value for each, value in given.items() if value != old.fields.get(each)}
        account = changed(form, "account") or None
        if values or account:
            targets.change(self._engine, name, values, account, by=by)

    async def _test(self, visit: Visit) -> str:
        """Send the action's sample to a target; the address of the run's page."""
        target = await self._bot.call(targets.existing, self._engine, visit.name)
        given = {TARGET: target.name}
        accepted = await self._bot.accept(target.action, given, visit.who.caller, test=True)
        sending = asyncio.ensure_future(self._bot.settle(accepted))
        await asyncio.wait([sending], timeout=TEST_SECONDS)
        return f"/runs/{accepted.run}"


def _text(form: Mapping[str, str], name: str) -> str:
    """What a field was changed to, else what was chosen beside it, else what it was."""
    return changed(form, name) or form.get(f"{_CHOSEN}{name}") or form.get(name, "")


def _confirm(target: TargetRecord, named_by: Sequence[str]) -> View:
    lines = [f"Whatever says target={target.name} is refused from then on."]
    if named_by:
        lines.append(f"These tokens may send to it, and are refused then: {', '.join(named_by)}.")
    button = f"Remove {target.name}"
    page = {"title": f"{button}?", "lines": lines, "button": button}
    more = {"form": {"do": "remove"}, "action": address(_PAGE, target.name)}
    return View("confirm.html", {**page, **more})
