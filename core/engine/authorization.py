"""Who may do what, with which settings: looked at before a request becomes a run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from core.callers import LABEL
from core.contract import TARGET, nearest
from core.engine import concealing, destination
from core.engine.access import Access, verified
from core.engine.checking import CheckedRequest, check
from core.errors import (
    Forbidden,
    LevqorError,
    NotFound,
    QuotaSpent,
)
from core.roles import Role

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping

    from core.callers import Caller
    from core.contract import Action, Connector
    from core.ledger import Ledger, Standing, TargetRecord
    from core.settings import Settings

    Actions = Mapping[str, tuple[Connector, Action]]  # by id, in menu order


class Gate:
    """The question whether somebody may send this; it raises Forbidden where they may not.

    It is asked where the answer holds: in the transaction that accepts the run. `access` is who
    asked, once it was asked.
    """

    access: Access | None = None

    def __init__(
        self,
        settings: Settings,
        caller: Caller,
        action_id: str,
        action: tuple[Connector, Action] | None,
        values: Mapping[str, Any],
    ) -> None:
        self.settings, self.caller, self.action_id, self.values = (
            settings, caller, action_id, values,
        )  # fmt: skip
        self._contract = action[1].input if action else None

    def __call__(self, who: Standing) -> None:
        """Ask it of what is kept of the caller."""
        self.access = verified(self.settings, who, self.caller)
        only = self.access.only_targets(self.action_id)
        if only is None:
            self.access.require_send(self.action_id)
            return
        self.access.require(Role.SENDER, "send")
        elsewhere = self._contract and destination.directions(self._contract, self.values)
        if elsewhere or destination.named(self.values) not in only:
            raise Forbidden(
                f"{self.caller} may send this to a target of its own only.",
                fix=f"Say where with {TARGET}=… and nothing else: {', '.join(sorted(only))}.",
                reason="target",
            )

    @property
    def conceals(self) -> bool:
        """Whether who asked must not learn where their targets lead."""
        return self.access is not None and self.access.conceals(self.action_id)

    def told(self, error: LevqorError) -> LevqorError:
        """Why this is no run, as its asker may know it."""
        if not self.conceals:
            return error
        return concealing.refusal(error, self._contract, self.values)


class Authorization:
    """Who may do what: asked before a request becomes a run, and for what is offered."""

    def __init__(self, settings: Callable[[], Settings], ledger: Ledger, actions: Actions) -> None:
        """`settings` gives those of now: they are read anew while a bot runs."""
        self._settings, self._ledger, self._actions = settings, ledger, actions

    def access(self, caller: Caller) -> Access:
        """Who a caller is, and what they may do; raises Unauthorized, LedgerError."""
        return verified(self._settings(), self._ledger.standing(str(caller)), caller)

    def offered(self, who: Access) -> list[str]:
        """The actions that somebody may do, in menu order."""
        return [each for each in self._actions if self.offers(who, each)]

    def offers(self, who: Access, action_id: str) -> bool:
        """Whether somebody may do an action."""
        return who.offers(action_id) and self._settings().may(who.caller, action_id)

    def targets(self, who: Access, action_id: str | None = None) -> list[TargetRecord]:
        """The targets that somebody may use, of an action or of all, by name."""
        offered = self.offered(who)
        usable = [
            target
            for target in self._ledger.targets()
            if target.action in offered
            and target.name in (who.only_targets(target.action) or [target.name])
        ]
        return [target for target in usable if action_id in (None, target.action)]

    def may_send(self, action_id: str, caller: Caller) -> Access:
        """Raise Forbidden where somebody may not send an action, whatever it says."""
        who = self.access(caller)
        who.require(Role.SENDER, "send")
        permitted(self._settings(), self._actions, action_id, caller)
        return who

    def ready(self, action_id: str, caller: Caller) -> list[TargetRecord]:
        """Raise what would refuse a form's run whatever is filled in; give the targets it offers.

        Reads, writes nothing.
        """
        who = self.may_send(action_id, caller)
        settings = self._settings()
        connector, _ = self._actions[action_id]
        targets = self.targets(who, action_id)
        if not targets:
            settings.config(connector)
        (quota,) = self._ledger.quota(str(caller), [action_id])
        if quota.limit is not None and quota.used >= quota.limit:
            raise spent(settings, connector, caller, quota.resets_at)
        return targets

    def gate(self, action_id: str, values: Mapping[str, Any], caller: Caller) -> Gate:
        """Make the question whether a caller may send this."""
        return Gate(self._settings(), caller, action_id, self._actions.get(action_id), values)

    def admit(
        self, gate: Gate, *, test: bool, keyed: bool, account: str | None = None
    ) -> CheckedRequest:
        """Check a request; raises Forbidden, NotFound, InvalidInput, NotConfigured.

        The gate of whom this lets through is for the journal to ask: its answer then holds until
        the run is there. NotConfigured waits for it where a request has a key.
        """
        try:
            checked = self._checked(gate, account, test=test)
            if checked.refuse is not None and not keyed:
                raise checked.refuse
        except LevqorError:
            # Who may not send is told that and nothing else.
            gate(self._ledger.standing(str(gate.caller)))
            raise
        return checked

    def _checked(self, gate: Gate, account: str | None, *, test: bool) -> CheckedRequest:
        settings, action_id = gate.settings, gate.action_id
        connector, action = permitted(settings, self._actions, action_id, gate.caller)
        name, given = destination.parted(gate.values)
        target = None if name is None else self._target(name, action_id, gate.caller)
        values = destination.filled(action, given, target, test=test)
        account = target.account if target else account
        checked = check(settings, connector, action, values, account, test=test)
        return replace(checked, target=target) if target else checked

    def _target(self, name: str, action_id: str, caller: Caller) -> TargetRecord:
        """Look a target of an action up; raises InvalidInput with those that somebody may use."""
        target = self._ledger.target(name) if LABEL.fullmatch(name) else None
        if target is not None and target.action == action_id:
            return target
        usable = self.targets(self.access(caller))
        contract = find_action(self._actions, action_id)[1].input
        raise destination.no_target(name, action_id, contract, usable)


def permitted(
    settings: Settings, actions: Actions, action_id: str, caller: Caller
) -> tuple[Connector, Action]:
    """Look an action up for a caller; raises Forbidden, NotFound."""
    if not settings.may(caller, action_id):
        raise Forbidden(
            f"{caller} may not use this action.",
            fix="Ask whoever runs Levqor to add it to LEVQOR_ALLOW.",
        )
    return find_action(actions, action_id)


def find_action(actions: Actions, action_id: str) -> tuple[Connector, Action]:
    """Look an action up; raises NotFound with the nearest name."""
    if action_id in actions:
        return actions[action_id]
    near = nearest(action_id, actions)
    raise NotFound(
        "There is no such action.",
        fix=f"Did you mean {near}?" if near else f"The actions are {', '.join(actions)}.",
    )


def spent(
    settings: Settings, connector: Connector, caller: Caller, resets_at: dt.datetime | None
) -> QuotaSpent:
    """Make the refusal of a caller whose call of the day is used."""
    # An address is nobody in particular: whoever has it next would be on its plan.
    lift = (
        f"An admin can lift it: levqor plan set {caller} pro"
        if caller.known
        else "Ask an admin for a token, made with: levqor token new LABEL"
    )
    return QuotaSpent(
        f"Free plan: 1 {connector.name} call/day. Upgrade for unlimited.",
        upgrade=settings.app.upgrade_url,
        resets_at=resets_at,
        fix=lift,
    )
