"""Modals and home tabs, and the triggers a modal is opened with."""

from __future__ import annotations

import itertools
import time
from typing import Any

from core.sandbox.slack import BOT, TEAM, Fault, parsed
from tests.support.sandbox import slack_rules as rules
from tests.support.sandbox.slack_identity import APP

TRIGGER_SECONDS = 3.0


class Views:
    """What is open where: modals by id, home tabs by user."""

    def __init__(self) -> None:
        self.opened: dict[str, dict[str, Any]] = {}
        self.homes: dict[str, dict[str, Any]] = {}
        self._triggers: dict[str, float] = {}
        self._numbers = itertools.count(1)

    @property
    def last(self) -> dict[str, Any] | None:
        """The modal opened last that is still open."""
        return next(reversed(self.opened.values()), None)

    def trigger(self, ident: str) -> None:
        """Start a trigger's three seconds; one that was used stays used."""
        self._triggers.setdefault(ident, time.monotonic())

    def open(self, trigger: str, view: Any) -> dict[str, Any]:
        """Open a modal."""
        started = self._triggers.get(trigger)
        if started is None:
            raise Fault("invalid_trigger_id")
        if started == 0.0:
            raise Fault("exchanged_trigger_id")
        if time.monotonic() - started > TRIGGER_SECONDS:
            raise Fault("expired_trigger_id")
        made = self._made(view, "modal")
        self._triggers[trigger] = 0.0
        self.opened[made["id"]] = made
        return made

    def update(self, ident: str, view: Any, given_hash: str | None = None) -> dict[str, Any]:
        """Replace an open modal."""
        old = self.opened.get(ident)
        if old is None:
            raise Fault("not_found")
        if given_hash is not None and given_hash != old["hash"]:
            raise Fault("hash_conflict")
        self.opened[ident] = {**self._made(view, "modal"), "id": ident, "root_view_id": ident}
        return self.opened[ident]

    def publish(self, user: str, view: Any) -> dict[str, Any]:
        """Replace a user's home tab."""
        self.homes[user] = self._made(view, "home")
        return self.homes[user]

    def acknowledged(self, ident: str, reply: Any) -> None:
        """Do what the answer to a submission says: show errors, change the view, or close."""
        action = reply.get("response_action") if isinstance(reply, dict) else None
        if action in ("update", "push"):
            self.update(ident, reply.get("view"))
        elif action != "errors":
            self.opened.pop(ident, None)

    def _made(self, view: Any, kind: str) -> dict[str, Any]:
        view = parsed(view)
        if faults := rules.view_faults(view, kind):
            raise Fault("invalid_arguments", faults)
        number = next(self._numbers)
        blocks = [
            {"block_id": f"b{number}-{index}", **block}
            for index, block in enumerate(view["blocks"])
        ]
        ident = f"V{number:010d}"
        return {
            "private_metadata": "",
            "callback_id": "",
            "title": None,
            "submit": None,
            "close": None,
            "clear_on_close": False,
            "notify_on_close": False,
            "external_id": "",
            **view,
            "id": ident,
            "team_id": TEAM,
            "app_id": APP,
            "bot_id": BOT,
            "app_installed_team_id": TEAM,
            "blocks": blocks,
            "state": {"values": {}},
            "hash": f"{int(time.time())}.{number}",
            "root_view_id": ident,
            "previous_view_id": None,
        }


def state(view: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """What a filled-in view holds; `values` by action or block id, defaults where absent.

    Raises ValueError for a value that has no place in the view.
    """
    left, filled = dict(values), {}
    for block in view["blocks"]:
        if block["type"] != "input":
            continue
        element, ident = block["element"], block["block_id"]
        action = element.get("action_id", "")
        key = action if action in left else ident
        given = left.pop(key, _initial(element))
        filled[ident] = {action: {"type": element["type"], **_value(element, given)}}
    if left:
        raise ValueError(f"the view asks for no {', '.join(left)}")
    return {"values": filled}


def _initial(element: dict[str, Any]) -> Any:
    for name in ("initial_value", "initial_option", "initial_options", "initial_date"):
        if name in element:
            return element[name]
    return None


def _value(element: dict[str, Any], given: Any) -> dict[str, Any]:
    kind = element["type"]
    if kind in ("static_select", "radio_buttons"):
        return {"selected_option": _option(element, given)}
    if kind in ("checkboxes", "multi_static_select"):
        return {"selected_options": [_option(element, one) for one in given or []]}
    if kind == "datepicker":
        return {"selected_date": given}
    return {"value": None if given in (None, "") else str(given)}


def _option(element: dict[str, Any], given: Any) -> Any:
    if given is None or isinstance(given, dict):
        return given
    for option in element["options"]:
        if given in (option["value"], option["text"]["text"]):
            return option
    raise ValueError(f"there is no option {given!r}")
