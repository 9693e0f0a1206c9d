"""What a service may answer: its table of answers, each with plain words and an outcome."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

from core.contract.http import Answer
from core.errors import Certainty, NotSent, Outcome, Refused, Unknown, UpstreamError
from core.plain import plain_line

_ERRORS = {error.outcome: error for error in (Refused, NotSent, Unknown)}


@dataclass(frozen=True)
class AnswerRow:
    """One answer a service may give, in plain words.

    `reason` is what is kept: ledger, log and metrics hold it and nothing else, and
    `levqor why` finds the words again by it. `detailed` is the fix with {names} that the
    connector fills in when it knows them; those values are shown, never kept.
    """

    reason: str
    message: str
    fix: str
    detailed: str | None = None
    outcome: Outcome = field(kw_only=True)

    def error(
        self,
        *,
        retry_after: float | None = None,
        certainty: Certainty = Certainty.MAYBE_DONE,
        values: Mapping[str, str | None] | None = None,
    ) -> UpstreamError:
        """Make the error of this row; its fix is the detailed one where its values are known."""
        more: dict[str, Any] = {"certainty": certainty} if self.outcome == "unknown" else {}
        more |= {"fix": self._fix(values or {}), "retry_after": retry_after}
        return _ERRORS[self.outcome](self.reason, self.message, **more)

    def _fix(self, values: Mapping[str, str | None]) -> str:
        shown = {name: plain_line(value) for name, value in values.items() if value}
        try:
            return self.detailed.format_map(shown) if self.detailed else self.fix
        except KeyError:
            return self.fix


refused = partial(AnswerRow, outcome="refused")  # surely not done
not_sent = partial(AnswerRow, outcome="not_sent")  # the same may be sent again
unknown = partial(AnswerRow, outcome="unknown")  # it may have been done


@dataclass(frozen=True, kw_only=True)
class AnswerTable:
    """Every answer of a service but success, and which row it means.

    `by_code` holds the service's own codes, `by_text` parts of its sentences in small
    letters; several keys with one meaning stand in one, between `|`, and the first that fits
    counts. `by_status` is for an answer that has neither. The rest is the same for every
    service: a 408 or 5xx leaves open what was done, and a wait is given only where the same
    may be sent again. `service`, `what` and `look` make the words of those rows.
    """

    service: str
    what: str  # what is sent: "the message"
    look: str  # where to see whether it arrived: "Look in the chat"
    it: str = "it"
    while_failing: str | None = None
    settings: str | None = None
    status_page: str | None = None
    by_code: Mapping[str, AnswerRow] = field(default_factory=dict)
    by_text: Mapping[str, AnswerRow] = field(default_factory=dict)
    by_status: Mapping[int, AnswerRow] = field(default_factory=dict)
    otherwise: AnswerRow | None = None  # for a 4xx that nothing fits, in place of `unrecognised`
    also: tuple[AnswerRow, ...] = ()  # what the connector finds out by itself

    def __post_init__(self) -> None:
        """Give each of several keys its row."""
        for name in ("by_code", "by_text"):
            rows = getattr(self, name).items()
            each = {key.strip(): row for keys, row in rows for key in keys.split("|")}
            object.__setattr__(self, name, each)

    @cached_property
    def failed(self) -> AnswerRow:
        """The service broke off while it had the request."""
        how = self.while_failing or f"while it had {self.what}"
        fix = f"{self.look} before you send {self.it} again."
        return unknown("failed", f"{self.service} failed {how}.", fix)

    @cached_property
    def down(self) -> AnswerRow:
        """The service failed, and nothing was being written."""
        page = f" and look at {self.status_page}" if self.status_page else ""
        message = f"{self.service} does not answer as it should at the moment."
        return not_sent("down", message, f"Wait a few minutes{page}, then try again.")

    @cached_property
    def unexpected(self) -> AnswerRow:
        """It looks like a success, and is none of the service's."""
        message = f"The answer was not one that {self.service} gives."
        proxy = f"check that no proxy is between Levqor and {self.service}"
        return unknown("unexpected_answer", message, f"{self.look}, and {proxy}.")

    @cached_property
    def unrecognised(self) -> AnswerRow:
        """It says no, and no row knows why."""
        settings = self.settings or f"{self.service}'s settings"
        return refused(
            "unrecognised",
            f"{self.service} refused {self.what} and gave a reason that Levqor does not know.",
            f"Run levqor doctor to check {settings}, then try again.",
        )

    @cached_property
    def rows(self) -> tuple[AnswerRow, ...]:
        """Each row once."""
        named = (*self.by_code.values(), *self.by_text.values(), *self.by_status.values())
        ladder = (self.failed, self.unrecognised, self.unexpected, self.down)
        return tuple(dict.fromkeys((*named, *self.also, *ladder)))

    def find(self, reason: str) -> AnswerRow | None:
        """The row of a reason that was kept."""
        return next((row for row in self.rows if row.reason == reason), None)

    def row(self, status: int, code: str = "", text: str = "") -> AnswerRow:
        """Find the row of an answer: a code counts before words, and words before a status."""
        if status == 408 or status >= 500:
            return self.by_status.get(status, self.failed)
        if status < 400:
            return self.unexpected
        worded = (row for part, row in self.by_text.items() if part in text.lower())
        by_status = self.by_status.get(status, self.otherwise or self.unrecognised)
        return self.by_code.get(code) or next(worded, by_status)

    def error(
        self,
        answer: Answer,
        *,
        status: int | None = None,
        code: str = "",
        text: str = "",
        wait: float | None = None,
        values: Mapping[str, str | None] | None = None,
    ) -> UpstreamError:
        """Say what an answer other than success means; `status` and `wait` replace its own."""
        row = self.row(status or answer.status, code, text)
        if row.outcome == "unknown" and answer.effect == "none":
            row = self.down  # a look leaves nothing open
        keyed = answer.effect == "keyed"
        # A wait would only tempt to repeat what may have been done.
        again = row.outcome == "not_sent" or (row.outcome == "unknown" and keyed)
        seconds = answer.retry_after if wait is None else wait
        return row.error(
            retry_after=seconds if again else None,
            certainty=Certainty.REPEATABLE if keyed else Certainty.MAYBE_DONE,
            values=values,
        )
