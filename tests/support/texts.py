"""Texts as people write them, for property tests, and what may become of one on its way."""

from __future__ import annotations

import re
import unicodedata

from hypothesis import strategies as st

from core.contract.validation import OUTER

# What means something to the grammar, to Slack, to a shell or to a spreadsheet.
SIGNS = "ab1 =\uff1d\ufe66{}[]\"'“”„‘’&<>|!@#:/.,;-+%?\n\r\t\\*_~`()\N{NO-BREAK SPACE}\ufeff\u200b\u200f\u0301é"  # noqa: E501, RUF001 - they are meant
PIECES = [
    "channel=x", "text=", "to = ", 'text="', '"Due by"=', "a=b", "x==y", "x<=1", "{", '{"text":',
    "[[1]]", "[x] done", "--", "-", "--test", "https://x.test/?a=b&c=d", "ann@x.test", "README.md",
    "&amp;", "&lt;!channel&gt;", "<!here>", "<@U1>", "<http://x|y>", "don't", "“quote”", "=SUM(A1)",
    "\r\n", "\n\n", "\t", "null", "٣", "🏳️‍🌈", "e\u0301", "İ", "\u2028", "/skip", "null=",
]  # fmt: skip

texts = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    st.text(SIGNS, max_size=40),
    st.lists(st.sampled_from([*PIECES, " ", " ", "\n"]), max_size=8).map("".join),
)


def tidy(text: str) -> str:
    """A text as it has to arrive: without outer white space, each line end one line break."""
    return re.sub(r"\r\n?", "\n", text).strip(OUTER).strip()


def telegram_cleaned(text: str) -> str:
    """A text with what Telegram would take out of it in the form in which it keeps it."""
    lines = re.sub("[\u2028\u2029]", "\n", text)
    return re.sub("[A-Za-z]\u030a", lambda ring: unicodedata.normalize("NFC", ring[0]), lines)


def slack_damaged(text: str) -> str:
    """What Slack itself does to a text: blanks that do not break become plain ones.

    Outside quotes only (StackStorm/hubot-stackstorm#214, errbotio/errbot#1518).
    """
    pieces = re.split(r'("[^"]*"|“[^”]*”)', text)
    pieces[::2] = [piece.replace("\N{NO-BREAK SPACE}", " ") for piece in pieces[::2]]
    return "".join(pieces)
