"""A form's columns, shown in the open form once it is known where it leads."""

import contextlib
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bot.columns import Shown, show_columns
from bot.conversation import MOST_PENDING, PENDING_SECONDS
from bot.expiring import ExpiringMap
from bot.messages import OpenForm
from bot.notifier import ReplyTo
from bot.runtime import Bot
from bot.slack import views
from bot.slack.api import Api, SlackApiError, Unreachable
from core.callers import Caller


class FormColumns:
    """Shows the columns of where each open form leads."""

    def __init__(
        self, bot: Bot, api: Api, form: Callable[[str, Caller], Awaitable[OpenForm | None]]
    ) -> None:
        """`form` gives an action's form as it would be opened now."""
        self._bot, self._api, self._form = bot, api, form
        # By a view's id, what was asked for it last: an older answer may come later.
        self._asked: ExpiringMap[str, object] = ExpiringMap(MOST_PENDING, PENDING_SECONDS)

    def view(self, form: OpenForm, reply_to: ReplyTo, shown: Shown | None = None) -> views.Json:
        """A form's modal."""
        shown = shown or (Shown() if form.columns else None)
        blocks = views.inputs(form.contract, self._bot.settings.default, form.targets, shown)
        return views.form(form.action_id, form.text, blocks, reply_to)

    async def opened(self, form: OpenForm, caller: Caller, view: str, reply_to: ReplyTo) -> None:
        """Show the columns of where a form leads that was opened, where a setting says so."""
        default = self._bot.settings.default
        where = [spec.setting for spec in form.contract.fields() if spec.destination]
        if form.columns and view and any(name and default(name) is not None for name in where):
            await self._show(form, caller, view, reply_to, {})

    async def asked(self, caller: Caller, view: Mapping[str, Any]) -> None:
        """Show the columns of the target that was chosen, or of what was typed."""
        action_id = str(view["callback_id"]).removeprefix(views.FORM)
        form = await self._form(action_id, caller)
        given = {name: it for name, it in views.typed(view["state"]["values"]).items() if it}
        if form is not None and form.columns:
            reply_to = json.loads(view["private_metadata"])
            await self._show(form, caller, str(view["id"]), reply_to, given)

    async def _show(
        self,
        form: OpenForm,
        caller: Caller,
        view: str,
        reply_to: ReplyTo,
        given: Mapping[str, Any],
    ) -> None:
        asked = self._asked[view] = object()
        shown = await show_columns(self._bot, form.action_id, given, caller)
        # A form that was closed or sent meanwhile needs none.
        with contextlib.suppress(SlackApiError, Unreachable):
            if self._asked.get(view) is asked:
                await self._api.update_view(view, self.view(form, reply_to, shown))
