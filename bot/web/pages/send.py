"""The console's forms: an action's fields, what would be sent, and how it ended."""

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from bot import form_fields
from bot.columns import Shown, check_entries, show_columns
from bot.runtime import Bot
from bot.web.pages.fields import Field, Texts, parted, texts_of, with_columns
from bot.web.pages.routing import Route, View, Visit
from core import wording
from core.callers import Caller
from core.contract import TARGET, Action, Columns, Connector, FieldSpec
from core.engine import Access, Settled
from core.errors import IdempotencyMismatch, InvalidInput, LevqorError, NotFound, Repeated
from core.grammar import written
from core.roles import Role

# The page waits so long for a run to end; after that its own page tells.
WAIT_SECONDS = 12.0
SURFACE = "web"
_MAY = "send"


class Send:
    """Sending from a page. What a person typed is in the page alone, never kept here."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self.routes = (
            Route("GET", "/send", Role.SENDER, self._list, "Send", _MAY),
            Route("GET", "/send/*", Role.SENDER, self._open, may=_MAY),
            Route("POST", "/send/*", Role.SENDER, self._post, may=_MAY),
        )

    async def _list(self, visit: Visit) -> View:
        engine = self._bot.engine
        offered = engine.authorization.offered(visit.who)
        return View("send_list.html", {"offered": [(id_, *engine.action(id_)) for id_ in offered]})

    async def _open(self, visit: Visit) -> View:
        return await self._form(visit.who, self._offered(visit))

    def _offered(self, visit: Visit) -> str:
        if visit.name not in self._bot.engine.authorization.offered(visit.who):
            raise NotFound(
                "There is nothing of that name that you may send.",
                fix="Choose one on the page Send.",
            )
        return visit.name

    async def _form(
        self,
        who: Access,
        action_id: str,
        texts: Texts | None = None,
        error: LevqorError | None = None,
        shown: Shown | None = None,
        **more: Any,
    ) -> View:
        """The form of an action, with what was typed and what is wrong with it."""
        connector, action = self._bot.engine.action(action_id)
        default = self._bot.settings.default
        faults = error.faults if isinstance(error, InvalidInput) else ()
        authorization = self._bot.engine.authorization
        targets = await self._bot.read(authorization.targets, who, action_id)
        specs: Sequence[FieldSpec] = form_fields.with_target(
            action.input, [each.name for each in targets], only=who.conceals(action_id)
        )
        columns = shown.columns if shown else None
        specs = with_columns(specs, action.input, columns, texts or {})
        beside = form_fields.beside(action.input, faults, [spec.name for spec in specs])
        fields = [
            Field(
                spec,
                (texts or {}).get(spec.name, ""),
                beside.get(spec.name),
                default(spec.setting) if spec.setting else None,
                form_fields.is_required(spec, default) and not (targets and spec.destination),
            )
            for spec in specs
        ]
        askable = action.columns is not None and not who.conceals(action_id)
        # The nonce is the key of one run: what is sent twice with it is sent once.
        page = {
            "title": action.title,
            "connector": connector,
            "action_id": action_id,
            "groups": parted(fields),
            "columns": (shown or Shown()) if askable else None,
            "nonce": secrets.token_urlsafe(12),
            "texts": texts or {},
            "error": None if faults else error,
            "question": None,
        }
        return View("send.html", page | more)

    async def _post(self, visit: Visit) -> View:
        """Show what would be sent, ask about a repeat, or send it and say how it ended."""
        action_id, who, form = self._offered(visit), visit.who, visit.form
        (_, action), caller = self._bot.engine.action(action_id), who.caller
        texts = texts_of(form, action.input)
        nonce, step = form.get("nonce", ""), form.get("step", "preview")
        if not nonce:
            raise NotFound("That form is not whole; nothing was sent.", fix="Open it again.")
        shown = None
        if step == "columns" or "columns" in form:
            asked = {name: text for name, text in texts.items() if text}
            fresh = step == "columns"
            shown = await show_columns(self._bot, action_id, asked, caller, fresh=fresh)
        if step == "columns":
            return await self._form(who, action_id, texts, shown=shown)
        try:
            values = form_fields.read(action.input, texts)
            if shown is not None:
                await check_entries(self._bot, action_id, values, caller)
            if step == "preview":
                await self._bot.read(self._check, action_id, values, caller)
                preview = self._preview(action, values, shown.columns if shown else None)
                return await self._form(who, action_id, texts, shown=shown, preview=preview)
            return await self._send(action_id, values, caller, nonce, again=step == "again")
        except Repeated as same:
            question = wording.refusal(same).splitlines()
        except IdempotencyMismatch as first:
            question = [f"This form was sent already, as run {first.run}. Send this as well?"]
        except LevqorError as error:
            return await self._form(who, action_id, texts, error, shown)
        return await self._form(who, action_id, texts, shown=shown, question=question)

    def _check(self, action_id: str, values: Mapping[str, Any], caller: Caller) -> None:
        """Raise what would refuse these values: a preview shows only what can be sent."""
        authorization = self._bot.engine.authorization
        authorization.ready(action_id, caller)
        gate = authorization.gate(action_id, values, caller)
        authorization.admit(gate, test=False, keyed=False)

    async def _send(
        self, action_id: str, values: dict[str, Any], caller: Caller, nonce: str, *, again: bool
    ) -> View:
        accepted = await self._bot.accept(
            action_id, values, caller, key=f"{SURFACE}:{caller}:{nonce}", guard=not again
        )
        settled: Settled | None = accepted.settled
        if settled is None:
            waiting = asyncio.ensure_future(self._bot.settle(accepted))
            done, _ = await asyncio.wait([waiting], timeout=WAIT_SECONDS)
            settled = waiting.result() if done else None
        connector, action = self._bot.engine.action(action_id)
        page = {
            "title": action.title,
            "connector": connector,
            "action_id": action_id,
            "run": accepted.run,
            "settled": settled,
            "lines": _story(settled, connector) if settled else [],
            "link": settled.receipt.link if settled and settled.receipt else None,
        }
        return View("receipt.html", page)

    def _preview(
        self, action: Action, values: Mapping[str, Any], columns: Columns | None
    ) -> list[tuple[str, Any]]:
        target = values.get(TARGET)
        shown: list[tuple[str, Any]] = [("Target", target)] if target else []
        for spec in action.input.fields():
            if spec.name in values:
                shown.append((spec.title, _shown(spec, values[spec.name], columns)))
            elif target and spec.destination:
                continue
            elif spec.setting and self._bot.settings.default(spec.setting) is not None:
                shown.append((spec.title, f"as {spec.setting} says"))
        return shown


def _story(settled: Settled, connector: Connector) -> list[str]:
    """What is to be read of a run that has ended, beside its outcome, its link and its ID."""
    link = settled.receipt.link if settled.receipt else None
    run = f"Run {settled.run}"
    lines = [
        line.removesuffix(f" · {run.lower()}")
        for line in wording.settled(settled).splitlines()
        if line not in (run, link)
    ]
    return [line for line in lines if line != f"{connector.title}: sent"]


def _shown(spec: FieldSpec, given: Any, columns: Columns | None) -> Any:
    if spec.kind == "rows":
        return written(given, numbers=spec.typed_cells)
    if isinstance(given, dict):
        return "\n".join(
            f"{form_fields.shown_entry(name, columns)}: "
            + (", ".join(inner) if isinstance(inner, list) else str(inner))
            for name, inner in given.items()
        )
    return given
