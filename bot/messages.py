"""What a chat hands to the conversation, and what it gets back to draw."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from bot.notifier import ReplyTo
from core import wording
from core.callers import Caller
from core.contract import Contract
from core.engine import Accepted
from core.errors import LevqorError


@dataclass(frozen=True, kw_only=True)
class _Request:
    """What somebody asks for."""

    caller: Caller
    id: str | int | None = None  # the platform's own: delivered twice, it is done once
    reply_to: ReplyTo | None = None  # where its outcome goes if this process ends first
    written_at: float | None = None  # Unix time, where the platform says
    confirm: str | None = None  # what to ask before anything is sent


@dataclass(frozen=True, kw_only=True)
class Command(_Request):
    """A command: its word as the surface spells it, and the text after it."""

    word: str
    text: str = ""
    private: bool = True  # nobody else reads the answer


@dataclass(frozen=True, kw_only=True)
class Submission(_Request):
    """A form that was filled in; `guard` tells that a repeat is still to be asked about."""

    action_id: str
    values: dict[str, Any]
    guard: bool = True


@dataclass(frozen=True, kw_only=True)
class Decision(_Request):
    """A yes or a no to a Confirm, whose `nonce` is its `id`.

    Without a `reply_to` of its own it has the confirmed request's.
    """

    yes: bool = True


@dataclass(frozen=True)
class OpenForm:
    """Ask for an action's fields, under its title; what was filled in is a Submission.

    `targets` has the fields that each target fills in which may be chosen; `columns` tells that
    what the destination takes can be asked of its service.
    """

    text: str
    action_id: str
    contract: type[Contract]
    targets: Mapping[str, Collection[str]] = field(default_factory=dict)
    columns: bool = False


@dataclass(frozen=True)
class Confirm:
    """Ask `caller` whether to send; the answer is a Decision.

    `yes` and `no` are the buttons; where there is no `no`, the text is an answer in itself.
    """

    text: str
    nonce: str
    caller: Caller
    yes: str
    no: str | None = None


@dataclass(frozen=True)
class Started:
    """A run is in the ledger: where `accepted.first`, it waits to be started and followed."""

    text: str
    accepted: Accepted
    reply_to: ReplyTo | None


@dataclass(frozen=True)
class Reply:
    """A text that ends the request; `error` is why it was refused."""

    text: str
    error: LevqorError | None = None

    @classmethod
    def refusing(cls, error: LevqorError) -> Self:
        """Say why something was not done and what to do now."""
        return cls(wording.refusal(error), error)


@dataclass(frozen=True)
class PassedOn:
    """Another bot asked this, and gives the answer; here nothing is said."""

    text: str = ""


Request = Command | Submission | Decision
Response = OpenForm | Confirm | Started | Reply | PassedOn
