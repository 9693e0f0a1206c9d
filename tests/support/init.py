"""A conversation with `levqor init`, as somebody at a terminal has it."""

import re

import pexpect
from dotenv import dotenv_values

from tests.support.cli import ROOT, command, environment

WEBHOOK, KEY, DATABASE = "SLACK_WEBHOOK_URL", "NOTION_API_KEY", "NOTION_DATABASE_ID_DEFAULT"
QUESTION = r"[^\r\n]*(?:\?|\w|\])(?: \[[^\]\r\n]*\])?: $"


class Seen(pexpect.spawn):
    """A program on a terminal, without the marks that ask it to say what is pasted."""

    def read_nonblocking(self, *args, **named):
        return re.sub("\x1b\\[\\?2004[hl]", "", super().read_nonblocking(*args, **named))


class Talk:
    """A conversation with `levqor init` on a terminal; `screen` is all that it showed."""

    def __init__(self, home, urls, *args, columns=60):
        words = command("--home", home, "init", *args)
        env = environment(**urls, NO_COLOR="1")
        self._child = Seen(
            words[0], words[1:], env=env, cwd=str(ROOT), encoding="utf-8",
            dimensions=(50, columns), timeout=60, echo=False,
        )  # fmt: skip
        self.screen = ""

    def until(self, pattern):
        self._child.expect(pattern)
        self.screen += self._child.before + self._child.after

    def say(self, pattern, answer):
        self.until(pattern)
        self._child.sendline(answer)

    def rest(self, answers):
        """Answer whatever is asked, by the beginning of the question, else with Enter."""
        asked = 0
        while True:
            found = self._child.expect(
                [r"[^\r\n]*(?:\?|\w|\])(?: \[[^\]\r\n]*\])?: $", pexpect.EOF]
            )
            self.screen += self._child.before
            if found == 1:
                self._child.close()
                return asked
            question = self._child.after.strip()
            self.screen += self._child.after
            asked += 1
            said = [text for start, text in answers.items() if question.startswith(start)]
            self._child.sendline(said[0] if said else "")

    def interrupt(self):
        self._child.sendintr()
        self._child.expect(pexpect.EOF)
        self.screen += self._child.before
        self._child.close()

    @property
    def status(self):
        return self._child.exitstatus


def written(home):
    return dotenv_values(home / ".env", interpolate=False)
