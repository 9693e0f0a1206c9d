"""Who may do what, with which settings: looked at before a request becomes a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from core.callers import OS_USER, Caller, Local, is_address
from core.contract import nearest
from core.engine.validation import from_settings, naming_settings, validate
from core.errors import (
    Fault,
    Forbidden,
    InvalidInput,
    LevqorError,
    NotConfigured,
    NotFound,
    QuotaSpent,
)
from core.ledger import Standing
from core.roles import Role
from core.settings.names import renamed

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping

    from core.contract import Action, Config, Connector, Contract
    from core.ledger import Ledger, Token
    from core.settings import Settings

    Actions = Mapping[str, tuple[Connector, Action]]  # by id, in menu order


@dataclass(frozen=True)
class Access:
    """Who asks, and what they may do; `plan` is `free` or `pro`.

    `person` is how texts for admins name them: a person's name, or the caller's own.
    """

    caller: Caller
    person: str
    role: Role
    plan: str
    token: Token | None = None

    @property
    def sees_only(self) -> str | None:
        """Whose runs they see, with those of the same person; None for everybody's."""
        return None if self.role is Role.ADMIN else str(self.caller)

    def require(self, role: Role, what: str = "use Levqor") -> None:
        """Raise Forbidden for who has less than a role."""
        if not self.role.includes(role):
            raise Forbidden(
                f"{self.person} may not {what}: the role is {self.role}.",
                fix=f"An admin can change it: levqor people set {self.person} --role {role}",
                reason="role",
            )


def access(settings: Settings, who: Standing, caller: Caller) -> Access:
    """Say what a caller may do: by the role an admin chose, else by the settings."""
    role = Role(who.role) if who.role else _begins_as(settings, who, caller)
    if who.token is not None and not who.token.admin:
        role = role.at_most(Role.SENDER)
    free = "free" if is_address(str(caller)) else settings.app.default_plan
    return Access(caller, who.person or str(caller), role, who.plan or free, who.token)


def everyone(settings: Settings, ledger: Ledger) -> dict[str, Access]:
    """What everybody may do who was ever seen, latest first, and whom LEVQOR_ADMINS names."""
    known = {who.caller: who for who in ledger.standings()}
    known |= {name: Standing(name) for name in settings.app.admins if name not in known}
    return {name: access(settings, who, Caller.parse(name)) for name, who in known.items()}


def is_local(settings: Settings, caller: Caller) -> bool:
    """Whether somebody sits at this machine: they can change everything in the home."""
    local = {*Local, *(each.name for each in settings.interfaces if each.caller is OS_USER)}
    return caller.surface in local


def _begins_as(settings: Settings, who: Standing, caller: Caller) -> Role:
    """The role of whom nobody gave one."""
    if settings.is_admin(caller) or is_local(settings, caller):
        return Role.ADMIN
    if who.token is not None:
        return Role.ADMIN if who.token.admin else Role.SENDER
    return Role.SENDER if who.person else Role(settings.app.default_role)


@dataclass(frozen=True)
class CheckedRequest:
    """A request that may become a run; `config` is None only where `refuse` says why.

    `origin` is field to setting, where a setting filled in what was left out; `names` is setting
    to setting where the account's are called otherwise.

    `refuse` waits: a request whose key has a run gets that run's answer all the same.
    """

    connector: Connector
    action: Action
    given: Contract = field(repr=False)
    config: Config | None = field(repr=False)
    refuse: NotConfigured | None
    origin: Mapping[str, str] = field(default_factory=dict)
    account: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)


class Authorization:
    """Who may do what: asked before a request becomes a run, and for what is offered."""

    def __init__(self, settings: Callable[[], Settings], ledger: Ledger, actions: Actions) -> None:
        """`settings` gives those of now: they are read anew while a bot runs."""
        self._settings, self._ledger, self._actions = settings, ledger, actions

    def access(self, caller: Caller) -> Access:
        """Who a caller is, and what they may do; raises LedgerError."""
        return access(self._settings(), self._ledger.standing(str(caller)), caller)

    def offered(self, who: Access) -> list[str]:
        """The actions that somebody may do, in menu order."""
        if not who.role.includes(Role.SENDER):
            return []
        return [each for each in self._actions if self._settings().may(who.caller, each)]

    def ready(self, action_id: str, caller: Caller) -> None:
        """Raise what would refuse a form's run whatever is filled in; reads, writes nothing."""
        self.access(caller).require(Role.SENDER, "send")
        settings = self._settings()
        connector, _ = permitted(settings, self._actions, action_id, caller)
        settings.config(connector)
        (quota,) = self._ledger.quota(str(caller), [action_id])
        if quota.limit is not None and quota.used >= quota.limit:
            raise spent(settings, connector, caller, quota.resets_at)

    def admit(
        self,
        action_id: str,
        values: Mapping[str, Any],
        caller: Caller,
        *,
        test: bool,
        keyed: bool,
        account: str | None = None,
    ) -> CheckedRequest:
        """Check a request; raises Forbidden, NotFound, InvalidInput, NotConfigured.

        The role of whom this lets through is for the journal to ask (`authorize`): the answer
        then holds until the run is there. NotConfigured waits for it where a request has a key.
        """
        try:
            given = action_id, values, caller
            checked = _checked(self._settings(), self._actions, *given, test=test, account=account)
            if checked.refuse is not None and not keyed:
                raise checked.refuse
        except LevqorError:
            # Who may not send is told that and nothing else.
            self.access(caller).require(Role.SENDER, "send")
            raise
        return checked

    def authorize(self, caller: Caller) -> Callable[[Standing], None]:
        """Make the question for the journal: it raises Forbidden where somebody may not send."""
        settings = self._settings()
        return lambda who: access(settings, who, caller).require(Role.SENDER, "send")


def _checked(
    settings: Settings,
    actions: Actions,
    action_id: str,
    values: Mapping[str, Any],
    caller: Caller,
    *,
    test: bool,
    account: str | None,
) -> CheckedRequest:
    connector, action = permitted(settings, actions, action_id, caller)
    if test:
        values = _sample(action, values)
    names = settings.names(connector, account) if account else {}
    default = partial(settings.default, account=account)
    origin = from_settings(action.input, values, default)
    try:
        given = validate(action.input, values, default)
    except InvalidInput as error:
        if {fault.field for fault in error.faults} <= set(origin.values()):
            # Nothing of the input is wrong: a broken setting is told as that, with its fix.
            settings.config(connector, account)
        raise renamed(error, names) from None
    config, refuse = None, None
    try:
        config = settings.config(connector, account)
        if action.check:
            action.check(given, config, test)
    except NotConfigured as error:
        refuse = renamed(error, names)
    except LevqorError as error:
        raise naming_settings(error, origin, names) from None
    return CheckedRequest(connector, action, given, config, refuse, origin, account, names)


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


def _sample(action: Action, values: Mapping[str, Any]) -> Mapping[str, Any]:
    # With input of its own a test send would be a way around the quota.
    if values:
        raise InvalidInput(
            [Fault("input", "must be empty: a test send uses the action's own sample")]
        )
    return action.sample
