"""What somebody may do: by their role, and by the scope of the token they came with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from shlex import quote
from typing import TYPE_CHECKING, TypeVar

from core.callers import OS_USER, Caller, Local, is_address
from core.errors import Forbidden, Unauthorized
from core.ledger import Standing
from core.roles import Role
from core.scopes import EVERYTHING, TOKENLESS, Read, Scope

if TYPE_CHECKING:
    from core.ledger import Ledger, RunRecord, Token
    from core.reports import Run
    from core.settings import Settings

HOW_TO_GET_ONE = (
    "Ask whoever runs Levqor for a new one. A token works only where it was made: levqor token new"
    " must use the home that levqor-bot names at its start."
)


# A run, or what is kept of it.
R = TypeVar("R", "Run", "RunRecord")


@dataclass(frozen=True)
class Access:
    """Who asks, and what they may do; `plan` is `free` or `pro`.

    `person` is how texts for admins name them: a person's name, or the caller's own. `sits_here`
    tells that they are an admin because they use this machine, and not by anybody's choice.
    """

    caller: Caller
    person: str
    role: Role
    plan: str
    token: Token | None = None
    sits_here: bool = False

    @property
    def scope(self) -> Scope:
        """What of all that its role allows."""
        if self.token is not None:
            return self.token.grant
        return EVERYTHING if self.role is Role.ADMIN else TOKENLESS

    def offers(self, action_id: str) -> bool:
        """Whether an action may be sent, to a target at least."""
        return self.role.includes(Role.SENDER) and self.scope.offers(action_id)

    def reads(self, what: Read) -> bool:
        """Whether something may be read."""
        return self.role.includes(Role.VIEWER) and self.scope.reads(what)

    @property
    def sees_only(self) -> str | None:
        """Whose runs they see, with those of the same person; None for everybody's."""
        return None if self.role is Role.ADMIN else str(self.caller)

    def sees(self, run: RunRecord) -> bool:
        """Whether a run of theirs may be shown.

        A token sees no run of a token that had its label before, nor of what it may not send.
        """
        if self.token is None or self.role is Role.ADMIN:
            return True
        own = run.caller == str(self.caller) and run.at >= self.token.created_at
        return own and self.scope.offers(run.action)

    def require(self, role: Role, what: str = "use Levqor") -> None:
        """Raise Forbidden for who has less than a role."""
        if self.role is Role.NONE and role is not Role.NONE:
            raise Forbidden(
                f"You may not use Levqor. Your ID is {self.caller}.",
                fix=f"An admin can change it: levqor people set {self.person} --role {role}",
                reason="role",
            )
        if not self.role.includes(role):
            raise Forbidden(
                f"{self.person} may not {what}: the role is {self.role}.",
                fix=f"An admin can change it: levqor people set {self.person} --role {role}",
                reason="role",
            )

    def only_targets(self, action_id: str) -> frozenset[str] | None:
        """The targets that are all somebody may send an action to; None where there are none."""
        return frozenset(self.scope.targets(action_id)) or None

    def shown(self, run: R) -> R:
        """A run as it may be shown: whoever uses targets alone learns nothing of their pages."""
        if run.receipt is None or not self.conceals(run.action):
            return run
        return replace(run, receipt={name: it for name, it in run.receipt.items() if name != "id"})

    def conceals(self, action_id: str) -> bool:
        """Whether somebody must not learn where an action's targets lead."""
        return self.only_targets(action_id) is not None

    def require_send(self, action_id: str) -> None:
        """Raise Forbidden where an action may be sent nowhere."""
        self.require(Role.SENDER, "send")
        if self.scope.offers(action_id):
            return
        label = self.token.label if self.token else ""
        raise Forbidden(
            f"The token {label} may not send this.",
            fix=f"An admin can change that: levqor token set {label} --only …",
            reason="scope",
        )

    def require_read(self, what: Read) -> None:
        """Raise Forbidden where something may not be read."""
        self.require(Role.VIEWER)
        if self.scope.reads(what):
            return
        if self.token is None:
            raise Forbidden(
                f"{self.person} may not read {what.what}.",
                fix=f"Use a token that may: levqor token new LABEL --only {what}",
                reason="scope",
            )
        wider = quote(f"{self.scope},{what}")
        raise Forbidden(
            f"The token {self.token.label} may not read {what.what}.",
            fix=f"An admin can allow it: levqor token set {self.token.label} --only {wider}",
            reason="scope",
        )


def access(settings: Settings, who: Standing, caller: Caller) -> Access:
    """Say what a caller may do: by the role an admin chose, else by the settings."""
    role = Role(who.role) if who.role else _begins_as(settings, who, caller)
    if who.token is not None and not who.token.admin:
        role = role.at_most(Role.SENDER)
    free = "free" if is_address(str(caller)) else settings.app.default_plan
    here = role is Role.ADMIN and not who.role and not who.token and not settings.is_admin(caller)
    return Access(caller, who.person or str(caller), role, who.plan or free, who.token, here)


def verified(settings: Settings, who: Standing, caller: Caller) -> Access:
    """Say the same of who asks; raises Unauthorized for a token that is not valid."""
    check_token(who, caller)
    return access(settings, who, caller)


def check_token(who: Standing, caller: Caller) -> None:
    """Raise Unauthorized for a caller whose token is none, was revoked or has expired."""
    token = who.token
    if token is None:
        valid = caller.credential is None
    else:
        given = caller.credential
        valid = token.revoked_at is None and (given is None or token.is_of(given, who.at))
    if not valid:
        raise Unauthorized(reason="token_refused", fix=HOW_TO_GET_ONE)
    if token is not None and token.expires_at is not None and token.expires_at <= who.at:
        raise Unauthorized(
            "That token has expired.",
            fix=f"An admin can make it valid again: levqor token set {token.label} --expires 90d",
            reason="token_expired",
        )


def everyone(settings: Settings, ledger: Ledger) -> dict[str, Access]:
    """What everybody may do who was ever seen, latest first, and whom LEVQOR_ADMINS names."""
    known = {who.caller: who for who in ledger.standings()}
    known |= {name: Standing(name) for name in settings.app.admins if name not in known}
    return {name: access(settings, who, Caller.parse(name)) for name, who in known.items()}


def local_surfaces(settings: Settings) -> tuple[str, ...]:
    """The interfaces whose callers sit at this machine."""
    return (*Local, *(each.name for each in settings.interfaces if each.caller is OS_USER))


def is_local(settings: Settings, caller: Caller) -> bool:
    """Whether somebody sits at this machine: they can change everything in the home."""
    return caller.surface in local_surfaces(settings)


def _begins_as(settings: Settings, who: Standing, caller: Caller) -> Role:
    """The role of whom nobody gave one."""
    if settings.is_admin(caller) or is_local(settings, caller):
        return Role.ADMIN
    if who.token is not None:
        return Role.ADMIN if who.token.admin else Role.SENDER
    return Role.SENDER if who.person else Role(settings.app.default_role)
