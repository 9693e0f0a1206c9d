"""People who link themselves, each known by an interface or several."""

import pytest

from core.callers import Caller
from core.errors import LevqorError
from core.linking import link
from core.settings import Settings

ROOT_USER = "cli:root"
SLACK, PHONE, OTHER, TERMINAL = (
    Caller("slack", "T1:U1"), Caller("telegram", "42"), Caller("telegram", "43"),
    Caller("cli", "ann"),
)  # fmt: skip


class Team:
    """People who link on a ledger, under some settings."""

    def __init__(self, ledger, home, **environ):
        self.ledger = ledger
        self.settings = Settings(home, environ=environ)

    def says(self, caller, words=""):
        """What `link` answers somebody."""
        return link(self.settings, self.ledger, caller, words)

    def code(self, caller):
        """A new code of somebody's."""
        return self.says(caller).body["code"]

    def refused(self, caller, words=""):
        """Why somebody is refused."""
        with pytest.raises(LevqorError) as problem:
            self.says(caller, words)
        return problem.value

    def joins(self, maker, redeemer):
        """Link two; the person's name."""
        self.says(redeemer, self.code(maker))
        return self.says(maker, f"{redeemer}").body["person"]

    def who(self, caller):
        """A person, a role and a plan."""
        who = self.ledger.standing(str(caller))
        return who.person, who.role, who.plan

    def later(self, seconds):
        """Let time pass for every code."""
        sql = "UPDATE link_codes SET expires_at = expires_at - :seconds"
        self.ledger.store.write(lambda db: db.execute(sql, {"seconds": seconds}))
