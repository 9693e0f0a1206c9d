"""What chat and console can ask for: the actions, and the questions.

Every surface spells these its own way (`/levqor-…`, `/…`, bare) and asks here for what
they say; nothing below knows where a question came from.
"""

import re
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from os.path import commonprefix
from typing import Any

from core import wording
from core.callers import Caller
from core.contract import TARGET, Action, Connector, nearest
from core.engine import Access, Engine
from core.errors import Forbidden, InvalidInput, LedgerError, NotFound
from core.grammar import field_help, parse_chat, quoting, usage
from core.health import HealthChecker
from core.ledger.listing import RunFilter
from core.linking import link
from core.roles import Role
from core.run_filter import usage_for
from core.signing_in import END, SIGNED_OUT, sign_in_link
from core.story import story

# Does blocking work off the event loop.
OffLoop = Callable[..., Awaitable[Any]]

USAGE_DAYS = 7
RUNS, MOST_RUNS = 10, 30


@dataclass(frozen=True)
class Question:
    """Something to ask that fires nothing: its word, what follows it, what it tells."""

    word: str
    takes: str
    tells: str
    role: Role = Role.NONE  # whoever has less is not offered it
    most: Role = Role.ADMIN  # nor is whoever has more, where somebody gave them that
    private: bool = False  # answered only where nobody else reads it


QUESTIONS = (
    Question("health", "[live]", "which services work, and how to fix the others", Role.VIEWER),
    Question("usage", "", "what you may still send today, and what was sent lately", Role.VIEWER),
    Question("runs", "[N]", "your latest runs, and how they ended", Role.VIEWER),
    Question("why", "RUN", "the outcome of a run, and the reason", Role.VIEWER),
    Question(
        "link",
        "[CODE]",
        "be the same person on another interface",
        Role.VIEWER,
        Role.SENDER,
        private=True,
    ),
    Question(
        "open",
        f"[{END}]",
        "a link that signs you in to the web console",
        Role.VIEWER,
        private=True,
    ),
    Question("whoami", "", "your ID and your plan"),
    Question("help", "[ACTION]", "this list, or one action's fields", Role.VIEWER),
)


def questions(who: Access) -> list[Question]:
    """The questions that somebody may ask, in menu order."""
    return [
        each
        for each in QUESTIONS
        if who.role.includes(each.role) and (each.most.includes(who.role) or who.sits_here)
    ]


def _word(question: Question) -> str:
    return question.word


@dataclass(frozen=True)
class Spelling:
    """How a surface writes an action's id and a question as a command.

    `action("a.b")` gives e.g. `/a_b`; `question("help")` e.g. `/help`.
    """

    action: Callable[[str], str]
    question: Callable[[str], str]


class Commands:
    """The answers, for one bot. Texts are plain; a surface that reads markup escapes them."""

    def __init__(self, engine: Engine, *, call: OffLoop, read: OffLoop) -> None:
        self._engine = engine
        self._call = call
        self._read = read
        self._health = HealthChecker(engine)

    def actions(self) -> Iterator[tuple[str, Connector, Action]]:
        """Every action in menu order: its id, its connector, itself."""
        for action_id in self._engine.action_ids():
            yield (action_id, *self._engine.action(action_id))

    def read(self, action_id: str, text: str) -> dict[str, Any]:
        """Typed words to an action's values; raises InvalidInput with every fault."""
        return parse_chat(text, self._engine.action(action_id)[1].input)

    def find(self, typed: str, spelling: Spelling, who: Access | None = None) -> str:
        """The action or question a word spells; raises NotFound with the nearest they may use."""
        known = {spelling.action(action_id): action_id for action_id in self._engine.action_ids()}
        known |= {spelling.question(each.word): each.word for each in QUESTIONS}
        if typed in known:
            return known[typed]
        if who is not None:
            usable = {*self._engine.authorization.offered(who), *map(_word, questions(who))}
            known = {spelled: name for spelled, name in known.items() if name in usable}
        # What all commands begin with would make any two of them alike.
        same = commonprefix(list(known))  # noqa: RUF071 - of names, not of paths
        near = nearest(typed.removeprefix(same), [name.removeprefix(same) for name in known])
        meant = f"Did you mean {same}{near}?"
        raise NotFound(
            "There is no such command.", fix=meant if near else f"See {spelling.question('help')}."
        )

    async def ask(
        self, word: str, rest: str, caller: Caller, spelling: Spelling, *, private: bool = True
    ) -> str:
        """Answer a question; raises NotFound or InvalidInput where it makes no sense."""
        rest = rest.strip()
        question = next(each for each in QUESTIONS if each.word == word)
        who = await self._read(self._engine.authorization.access, caller)
        who.require(question.role)
        if not private and (question.private or (word == "runs" and "all" in rest.lower())):
            raise Forbidden(
                "Others can read this here; nothing was done.",
                fix=f"Write {spelling.question(word)} to me in a private chat.",
            )
        match word:
            case "health" if rest.lower() not in ("", "live"):
                raise InvalidInput(message="health takes nothing, or the word live.")
            case "health":
                text = await self.health(spelling, live=bool(rest))
            case "usage":
                text = await self.usage(who)
            case "runs":
                last, everybody = _which_runs(rest, who)
                text = await self.runs(caller, last, everybody=everybody)
            case "why":
                text = await self.why(rest, who)
            case "link":
                engine = self._engine
                text = (await self._call(link, engine.settings, engine.ledger, caller, rest)).text
            case "open":
                text = await self.open(caller, rest)
            case "whoami":
                text = self.whoami(who)
            case _:
                text = await self.help(spelling, who, rest, await self.targets(caller))
        return text

    async def targets(self, caller: Caller) -> list[tuple[str, str]]:
        """The targets that somebody may use, each with its action; none if nobody can tell."""
        may = self._engine.authorization
        try:
            usable = await self._read(lambda: may.targets(may.access(caller)))
        except LedgerError:
            return []
        return [(target.name, target.action) for target in usable]

    async def help(
        self,
        spelling: Spelling,
        who: Access,
        about: str = "",
        targets: Sequence[tuple[str, str]] = (),
    ) -> str:
        """Every command that somebody may use with a line each, or one action with its fields."""
        if about:
            return await self._help_on(about, spelling, who, targets)
        lines, offered = [], self._engine.authorization.offered(who)
        for action_id, _, action in self.actions():
            if action_id in offered:
                lines += [action.title, f"  {usage(spelling.action(action_id), action.input)}"]
        if targets:
            lines.append(f"Targets: write {TARGET}=NAME in place of where it goes")
            lines += [f"  {name} - for {spelling.action(action_id)}" for name, action_id in targets]
        lines.append("Questions")
        for each in questions(who):
            written = f"{spelling.question(each.word)} {each.takes}".rstrip()
            lines.append(f"  {written} - {each.tells}")
        if offered:
            lines.append("An action alone, without text, opens a form.")
        return "\n".join(lines)

    async def _help_on(
        self, about: str, spelling: Spelling, who: Access, targets: Sequence[tuple[str, str]]
    ) -> str:
        # `/help slack_send`, `/help /slack_send` and `/help slack.send` are meant alike.
        typed = about.lstrip("/")
        ids = self._engine.action_ids()
        exact = [i for i in ids if about in (i, spelling.action(i))]
        similar = [i for i in ids if spelling.action(i).endswith(typed)]
        action_id = [*exact, *similar, about][0]
        await self._read(self._engine.authorization.may_send, action_id, who.caller)
        _, action = self._engine.action(action_id)
        lines = [action.title, f"  {usage(spelling.action(action_id), action.input)}"]
        for spec in action.input.fields():
            lines += field_help(spec)
        if names := [name for name, of in targets if of == action_id]:
            lines.append(f"{TARGET}: a name for where it goes, one of {', '.join(names)}.")
        return "\n".join([*lines, *quoting(action.input)])

    async def health(self, spelling: Spelling, *, live: bool = False) -> str:
        """Health in words; `live` probes every connector first, at most ten seconds."""
        report = await self._call(self._health.report, live=live)
        return "\n".join(wording.health_lines(report, f"{spelling.question('health')} live"))

    async def usage(self, who: Access) -> str:
        """Today's quota of somebody, and the last week: their own runs, an admin's everybody's."""
        report = await self._read(usage_for, self._engine, who, USAGE_DAYS)
        return "\n".join(wording.usage_lines(report))

    async def runs(self, caller: Caller, last: int, *, everybody: bool = False) -> str:
        """The latest runs of the person that a caller is, or of everybody, a line each."""
        ledger, read = self._engine.ledger, self._read
        titles = {action_id: action.title for action_id, _, action in self.actions()}
        askers: dict[str, str] = {}
        if everybody:
            askers = {
                each.caller: each.person or each.caller for each in await read(ledger.callers)
            }
        own = None if everybody else tuple(await read(ledger.callers_of, str(caller)))
        lines = [
            f"{titles.get(entry.action, entry.action)}: {wording.STATES[entry.state]},"
            f" {wording.ago(time.time() - entry.at)} · run {entry.run}"
            + (f" · {askers.get(entry.caller, entry.caller)}" if everybody else "")
            for entry in await read(ledger.runs, last, RunFilter(callers=own))
        ]
        return "\n".join(lines) or "No runs yet."

    async def open(self, caller: Caller, rest: str) -> str:
        """A link that signs a caller in to the web console; or, with `end`, every session's end."""
        engine = self._engine
        if rest.lower() not in ("", END):
            raise InvalidInput(message=f"open takes nothing, or the word {END}.")
        if rest:
            theirs = await self._read(engine.ledger.callers_of, str(caller))
            await self._call(engine.ledger.sign_out, theirs)
            return SIGNED_OUT
        made = await self._call(sign_in_link, engine.settings, engine.ledger, caller)
        return f"Open this in a browser: {made.link}\nIt signs you in, once, within ten minutes."

    async def why(self, run: str, who: Access) -> str:
        """What became of a run; only whoever asked for it, or an admin, may know."""
        if not run:
            raise InvalidInput(message="Usage: why RUN_ID (shown after each send).")
        typed = run.split(maxsplit=1)[0].lower()
        entry = await self._read(self._engine.ledger.run, typed, who.sees_only)
        if entry is None:
            raise NotFound(
                "There is no run of yours with that ID.",
                fix="The answer you got shows its run ID; admins (LEVQOR_ADMINS) see every run.",
            )
        return str(await self._read(story, self._engine, who.shown(entry)))

    def whoami(self, who: Access) -> str:
        """A caller's ID, person, role and plan."""
        name = "" if who.person == str(who.caller) else f", known as {who.person}"
        lines = [f"You are {who.caller}{name}, on the {who.plan} plan.", ROLE_LINES[who.role]]
        return "\n".join(lines)


def _which_runs(rest: str, who: Access) -> tuple[int, bool]:
    """How many runs are asked for, and whether everybody's; raises InvalidInput, Forbidden."""
    words = rest.lower().split()
    numbers = [word for word in words if word != "all"] or [str(RUNS)]
    fits = re.fullmatch("[1-9][0-9]?", numbers[0]) and int(numbers[0]) <= MOST_RUNS
    if len(numbers) > 1 or not fits:
        raise InvalidInput(message=f"runs takes a number from 1 to {MOST_RUNS}, or nothing.")
    if "all" in words:
        who.require(Role.ADMIN, "see the runs of others")
    return int(numbers[0]), "all" in words


ROLE_LINES = {
    Role.NONE: "You may not use Levqor: an admin can change that.",
    Role.VIEWER: "You are a viewer: you may see health and your own runs.",
    Role.SENDER: "You are a sender: you may send, and see your own runs.",
    Role.ADMIN: "You are an admin: you may see every run (runs all lists them).",
}
