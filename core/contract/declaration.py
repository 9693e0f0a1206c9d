"""What connectors and interfaces declare of themselves."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.callers import CallerShape
from core.contract.answers import AnswerTable
from core.contract.fields import Columns, Contract
from core.contract.http import HttpClient
from core.contract.settings import Config, Problem
from core.plain import https_link, plain_text

# Lists values for a setting or a field: pairs of a value and how a person knows it.
Lister = Callable[[Any, HttpClient], Sequence[tuple[str, str]]]


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
    fix: str | None = None

    @property
    def attention(self) -> bool:
        """Whether somebody has something to do."""
        return self.fix is not None

    def __post_init__(self) -> None:
        """Let nothing reach a person that a service could have made to mislead."""
        object.__setattr__(self, "notes", tuple(map(plain_text, self.notes)))
        object.__setattr__(self, "fix", self.fix and plain_text(self.fix))


@dataclass(frozen=True, kw_only=True)
class Action:
    """One thing a connector does.

    `check` runs before anything is journaled and may raise (a field that needs a further
    setting, a recipient who may not be written to); it is handed input, config and whether
    this is a test send. `look` finds out without sending whether what an input names is there
    and may be written to; it raises as a probe does. Without one only a send can tell. `columns`
    reads what the destination of an input takes for the contract's mapping, not from memory where
    it is to be fresh.
    """

    name: str
    title: str  # at most 24 characters: Slack's bound for a modal's title
    input: type[Contract]
    sample: Mapping[str, Any]
    send: Callable[[Any, Any, HttpClient], Receipt]
    check: Callable[[Any, Any, bool], None] | None = None
    look: Callable[[Any, Any, HttpClient], Probe] | None = None
    columns: Callable[[Any, Any, HttpClient, bool], Columns] | None = None


@dataclass(frozen=True, kw_only=True)
class Connector:
    """A service Levqor can reach: the last statement of a connector's file.

    `choices` says which settings, and which fields that no setting fills in, the service can list
    values for.
    """

    name: str
    title: str
    config: type[Config]
    actions: tuple[Action, ...]
    probe: Callable[[Any, HttpClient], Probe]
    answers: AnswerTable
    choices: Mapping[str, Lister] = field(default_factory=dict)

    def account_title(self, account: str | None) -> str:
        """How people know one of the service's accounts; None is the first."""
        return f"{self.title} ({account})" if account else self.title

    def account_id(self, account: str | None) -> str:
        """E.g. `name/account`; how an account is written in reports and in what was noticed."""
        return f"{self.name}/{account}" if account else self.name

    def action_id(self, action: Action) -> str:
        """E.g. `name.action`; how an action is written everywhere."""
        return f"{self.name}.{action.name}"


@dataclass(frozen=True)
class Pairing:
    """How somebody is authorized by a one-time code, where a platform vouches for nobody.

    `message` is what a person sends the bot, with `{code}` in it. `link(config, code)` gives an
    address that does the same, from the interface's own settings; None where the platform does
    not answer at once. Without `link` there is no such address.

    The interface itself answers only the people in `Ledger.paired`, and hands a code that
    somebody else sends to `Ledger.redeem`.
    """

    message: str
    link: Callable[[Any, str], str | None] | None = None


@dataclass(frozen=True, kw_only=True)
class Interface:
    """An interface as core sees it.

    `settings` are its own, and `problems` finds what is wrong with them together. `caller` says how
    its callers are written, `command(config, words)` how a command is, and `profile(config, id)`
    what the platform calls one, if it says so at once. `direct` is whether its bot can write to one
    in private, unasked. `loggers` are its libraries' that print tokens or whole messages: they are
    silenced. `token_shapes` are regular expressions of what must be shown nowhere, whether it is
    set or not. `console(config, verdict)` gives the web console's address, where it has one, from
    what its bot said of itself; what is sent from its pages has `pages` as its interface.
    """

    name: str
    title: str
    settings: type[Config] = Config
    problems: Callable[[Any], Iterable[Problem]] | None = None
    caller: CallerShape | None = None
    command: Callable[[Any, str], str] | None = None
    profile: Callable[[Any, str], str | None] | None = None
    direct: bool = False
    pairing: Pairing | None = None
    loggers: tuple[str, ...] = ()
    token_shapes: tuple[str, ...] = ()
    console: Callable[[Any, str], str] | None = None
    pages: str | None = None
