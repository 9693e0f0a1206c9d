"""Linking by oneself: what `link` answers, the same on every interface."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from core.callers import Caller, Local
from core.engine.access import access
from core.errors import Forbidden, InvalidInput
from core.roles import Role

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from core.ledger import Ledger, Standing
    from core.settings import Settings

TERMINAL = "the terminal"
DROP = "no"


@dataclass(frozen=True)
class Linked:
    """An answer: its words, and the same as JSON."""

    text: str
    body: dict[str, Any] = field(default_factory=dict)


def link(settings: Settings, ledger: Ledger, caller: Caller, typed: str) -> Linked:
    """Answer `link`, `link CODE`, `link CALLER` and `link no`; raises LevqorError."""
    word = typed.strip()
    if len(word.split()) > 1:
        raise InvalidInput(message="Write link alone, with a code, with an ID, or with no.")
    if not word:
        return _begun(settings, ledger, caller)
    if word.lower() == DROP:
        ledger.link_drop(str(caller))
        return Linked("Nobody waits to be linked with you, and your codes are void.", {})
    return (_confirmed if ":" in word else _redeemed)(settings, ledger, caller, word)


def written(settings: Settings, surface: str, words: str) -> tuple[str, str]:
    """Where and how a command is written: an interface's title, and the command there."""
    for each in settings.interfaces:
        if each.name == surface and each.command:
            return each.title, each.command(settings.of(each.settings), words)
    return TERMINAL, f"levqor {words}"


def _begun(settings: Settings, ledger: Ledger, caller: Caller) -> Linked:
    def here(word: str) -> str:
        return written(settings, caller.surface, f"link {word}")[1]

    if waiting := ledger.link_waiting(str(caller)):
        lines = [
            f"{each} gave your code. Is that you? Then write: {here(each)}" for each in waiting
        ]
        return Linked("\n".join([*lines, f"If not, write: {here(DROP)}"]), {"waiting": waiting})
    code = ledger.link_code(str(caller), lambda mine: _narrower(settings, mine, ()))
    lines = [f"  {title}: {command}" for title, command in _ways(settings, caller, f"link {code}")]
    text = (
        f"Your code is {code}. It works once, within ten minutes. Write it where else you are:\n"
        + "\n".join(lines)
        + "\nThe answer there says what to write here. You are one person then: one quota, and "
        "of the two roles and plans the narrower ones."
    )
    return Linked(text, {"code": code})


def _ways(settings: Settings, caller: Caller, words: str) -> Iterator[tuple[str, str]]:
    names = [each.name for each in settings.interfaces if each.command]
    for name in [*names, Local.CLI]:
        if name != caller.surface:
            title, command = written(settings, name, words)
            yield title[:1].upper() + title[1:], command


def _redeemed(settings: Settings, ledger: Ledger, caller: Caller, code: str) -> Linked:
    maker = ledger.link_redeem(str(caller), code, lambda mine: _narrower(settings, mine, ()))
    if maker is None:
        _, again = written(settings, caller.surface, "link")
        raise InvalidInput(
            message="That code is wrong, used, or older than ten minutes; nothing was linked.",
            fix=f"Make a new one on your other interface, or one here: {again}",
        )
    title, command = written(settings, Caller.parse(maker).surface, f"link {caller}")
    text = (
        f"You are {caller} here. Nothing is linked yet: go back to {title}, and write there "
        f"within ten minutes: {command}"
    )
    return Linked(text, {"caller": str(caller), "confirm": command})


def _confirmed(settings: Settings, ledger: Ledger, caller: Caller, redeemer: str) -> Linked:
    name = ledger.link_confirm(
        str(caller), redeemer, lambda ours, theirs: _narrower(settings, ours, theirs)
    )
    who = access(settings, ledger.standing(str(caller)), caller)
    text = (
        f"{redeemer} and {caller} are one person now: {name}, with the role {who.role}, on the "
        f"{who.plan} plan. What either sent today counts for both."
    )
    return Linked(text, {"person": name, "role": who.role, "plan": who.plan})


def _narrower(
    settings: Settings, ours: Sequence[Standing], theirs: Sequence[Standing]
) -> tuple[str, str | None]:
    """The role and plan of some who become one; raises Forbidden where an admin must do it.

    Who sits at this machine is no admin for that: what they may do there, they may anyway.
    """
    everybody = [access(settings, who, Caller.parse(who.caller)) for who in (*ours, *theirs)]
    for each in everybody:
        each.require(Role.VIEWER)
        if each.role is Role.ADMIN and not each.sits_here:
            raise _by_an_admin(f"{each.caller} is an admin", ours, theirs)
    role = min((each.role for each in everybody), key=list(Role).index)
    if theirs and role is Role.ADMIN:
        raise _by_an_admin("Together you would be an admin", ours, theirs)
    plans = {who.plan for who in (*ours, *theirs)}
    return role, next((plan for plan in ("free", None) if plan in plans), "pro")


def _by_an_admin(why: str, ours: Sequence[Standing], theirs: Sequence[Standing]) -> Forbidden:
    first, second = ours[0].caller, theirs[0].caller if theirs else "CALLER"
    command = f"levqor people add NAME {first} {second}"
    if ours[0].person:
        command = f"levqor people link {ours[0].person} {second}"
    return Forbidden(
        f"{why}, and admins are linked by an admin only; nothing was linked.",
        fix=f"An admin runs: {command}",
        reason="admin",
    )
