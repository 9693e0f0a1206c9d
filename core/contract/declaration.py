"""What a connector offers: its actions, its probe, its words for every refusal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.plain import https_link, plain_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from core.contract.answers import AnswerTable
    from core.contract.fields import Contract
    from core.contract.http import HttpClient
    from core.contract.settings import Config


@dataclass(frozen=True)
class Receipt:
    """What a successful run returns.

    `status` is the word on the wire (`sent`, `created`, `appended`); `id` the upstream's
    own id, masked before it leaves the engine; `updated` a count of rows; `link` and
    `note` are told to the person and never kept, the link only where it is https.
    """

    status: str
    id: str | None = None
    updated: int | None = None
    link: str | None = None
    note: str | None = None

    def __post_init__(self) -> None:
        """Let nothing reach a person that a service could have made to mislead."""
        object.__setattr__(self, "link", https_link(self.link))
        object.__setattr__(self, "note", self.note and plain_text(self.note))


@dataclass(frozen=True)
class Probe:
    """What a probe that got through found. One that did not raises an UpstreamError."""

    notes: tuple[str, ...] = ()
    attention: bool = False
    fix: str | None = None

    def __post_init__(self) -> None:
        """Let nothing reach a person that a service could have made to mislead."""
        object.__setattr__(self, "notes", tuple(map(plain_text, self.notes)))
        object.__setattr__(self, "fix", self.fix and plain_text(self.fix))


@dataclass(frozen=True, kw_only=True)
class Action:
    """One thing a connector does.

    `check` runs before anything is journaled and may raise (a field that needs a further
    setting, a recipient who may not be written to); it is handed input, config and whether
    this is a test send.
    """

    name: str
    title: str  # at most 24 characters: Slack's bound for a modal's title
    input: type[Contract]
    sample: Mapping[str, Any]
    send: Callable[[Any, Any, HttpClient], Receipt]
    check: Callable[[Any, Any, bool], None] | None = None


@dataclass(frozen=True, kw_only=True)
class Connector:
    """A service Levqor can reach: the last statement of a connector's file."""

    name: str
    title: str
    config: type[Config]
    actions: tuple[Action, ...]
    probe: Callable[[Any, HttpClient], Probe]
    answers: AnswerTable

    def action_id(self, action: Action) -> str:
        """E.g. `name.action`; how an action is written everywhere."""
        return f"{self.name}.{action.name}"
