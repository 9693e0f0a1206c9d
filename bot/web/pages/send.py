"""The console's forms: an action's fields, what would be sent, and how it ended."""

import asyncio
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from starlette.datastructures import ImmutableMultiDict

from bot import form_fields
from bot.columns import Shown, check_entries, show_columns
from bot.runtime import Bot
from bot.web.pages.routing import Route, View, Visit
from core import wording
from core.callers import Caller
from core.contract import TARGET, Action, Columns, Contract, FieldSpec
from core.engine import Access, Settled
from core.errors import IdempotencyMismatch, InvalidInput, LevqorError, NotFound, Repeated
from core.grammar import LINES, written
from core.roles import Role

# The page waits so long for a run to end; after that its own page tells.
WAIT_SECONDS = 12.0
SURFACE = "web"
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# What was typed, by field: several texts where several may be chosen.
Texts = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True)
class Field:
    """A field as the form draws it."""

    spec: FieldSpec
    given: str | Sequence[str]
    fault: str | None
    preset: str | None
    required: bool

    @property
    def text(self) -> str:
        """What was typed into it."""
        return self.given if isinstance(self.given, str) else ", ".join(self.given)

    @property
    def chosen(self) -> Sequence[str]:
        """What was chosen."""
        return ([self.given] if self.given else []) if isinstance(self.given, str) else self.given

    @property
    def choices(self) -> Sequence[str]:
        """What it can be, and what was chosen before that is not there any more."""
        gone = [each for each in self.chosen if each not in self.spec.choices]
        return [*self.spec.choices, *gone] if self.spec.choices else []

    @property
    def draws(self) -> str:
        """How it is asked for."""
        if self.spec.choices:
            return "several" if self.spec.several else "one"
        if self.spec.takes == "yes":
            return "tick"
        if self.spec.takes == "day" and (not self.given or _DAY.fullmatch(self.text)):
            return "date"
        return "text"

    @property
    def lines(self) -> int:
        """How many lines of it are shown; one is a single line's field."""
        if form_fields.is_column(self.spec.name):
            return 3 if self.spec.long else 1
        if self.spec.kind != "text":
            return 5
        return 6 if self.spec.long else 1

    @property
    def help(self) -> str:
        """What to write."""
        # What is to be chosen says so itself.
        said = [] if self.draws in ("date", "tick") else [self.spec.help]
        if self.spec.kind == "mapping":
            said.append(LINES)
        if self.spec.kind == "rows":
            said.append("A table that is copied from a sheet can be pasted.")
        if self.preset:
            said.append(f"Left empty, it is {self.preset}.")
        if self.spec.max_length:
            said.append(f"At most {self.spec.max_length:,} {self.spec.unit}.")
        return " ".join(said)

    @property
    def example(self) -> str:
        """An example of an answer."""
        return form_fields.example(self.spec)


class Send:
    """Sending from a page. What a person typed is in the page alone, never kept here."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self.routes = (
            Route("GET", "/send", Role.SENDER, self._list, "Send"),
            Route("GET", "/send/*", Role.SENDER, self._open),
            Route("POST", "/send/*", Role.SENDER, self._post),
        )

    async def _list(self, visit: Visit) -> View:
        engine = self._bot.engine
        offered = engine.authorization.offered(visit.who)
        return View("send_list.html", {"offered": [(id_, *engine.action(id_)) for id_ in offered]})

    async def _open(self, visit: Visit) -> View:
        return await self._form(visit.who, self._offered(visit))

    def _offered(self, visit: Visit) -> str:
        if visit.name not in self._bot.engine.authorization.offered(visit.who):
            raise NotFound("There is nothing of that name that you may send.", fix="Open: Send.")
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
        specs = _with_columns(specs, action.input, columns, texts or {})
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
            "parts": _parted(fields),
            "columns": (shown or Shown()) if askable else None,
            "nonce": secrets.token_urlsafe(12),
            "error": None if faults else error,
            "question": None,
        }
        return View("send.html", page | more)

    async def _post(self, visit: Visit) -> View:
        """Show what would be sent, ask about a repeat, or send it and say how it ended."""
        action_id, who, form = self._offered(visit), visit.who, visit.form
        (_, action), caller = self._bot.engine.action(action_id), who.caller
        texts = _texts(form, action.input)
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
                await self._bot.read(self._bot.engine.authorization.ready, action_id, caller)
                preview = self._preview(action, values, shown.columns if shown else None)
                return await self._form(who, action_id, texts, shown=shown, preview=preview)
            return await self._send(action_id, values, caller, nonce, again=step == "again")
        except Repeated as same:
            question = wording.refusal(same)
        except IdempotencyMismatch as first:
            question = f"This form was sent already, as run {first.run}. Send this as well?"
        except LevqorError as error:
            return await self._form(who, action_id, texts, error, shown)
        return await self._form(who, action_id, texts, shown=shown, question=question)

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
            "lines": wording.settled(settled).splitlines() if settled else [],
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


def _texts(form: ImmutableMultiDict[str, str], contract: type[Contract]) -> Texts:
    """What was typed into the fields of a form, those of columns too."""
    names, mapping = {TARGET, *(spec.name for spec in contract.fields())}, contract.mapping()
    several = {*form.getlist("several")}
    return {
        name: form.getlist(name) if name in several else form[name]
        for name in {**form, **dict.fromkeys(several)}
        if name in names or (mapping and name.startswith(f"{mapping.name}."))
    }


def _with_columns(
    specs: Sequence[FieldSpec], contract: type[Contract], columns: Columns | None, texts: Texts
) -> Sequence[FieldSpec]:
    """The fields with those of columns; what was typed for one that has gone is still there."""
    made = form_fields.with_columns(specs, contract, columns)
    known, mapping = {spec.name for spec in made}, contract.mapping()
    gone = [name for name, given in texts.items() if given and name not in known]
    if mapping is None or not gone:
        return made
    at = [spec.name for spec in made].index(mapping.name)
    more = [
        replace(
            mapping, name=name, title=name.partition(".")[2], help="", kind="text", required=False,
            max_length=None, several=not isinstance(texts[name], str),
            choices=() if isinstance(texts[name], str) else tuple(texts[name]),
        )
        for name in gone
    ]  # fmt: skip
    return (*made[:at], *more, *made[at:])


def _parted(fields: Sequence[Field]) -> tuple[Sequence[Field], ...]:
    """Where it goes, then its columns, then the rest."""
    own = [form_fields.is_column(field.spec.name) for field in fields]
    first = own.index(True) if True in own else len(own) - 1
    end = first + sum(own)
    return fields[:first], fields[first:end], fields[end:]


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
