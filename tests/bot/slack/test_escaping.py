"""What Slack does to typed text is undone."""

from __future__ import annotations

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.escaping import unescape


@pytest.mark.parametrize(
    ("slack", "typed"),
    [
        ("to=<mailto:a@b.test|a@b.test> hi", "to=a@b.test hi"),
        ("see <https://x.test/?a=1&amp;b=2|x.test>", "see https://x.test/?a=1&b=2"),
        ("see <https://x.test>", "see https://x.test"),
        ("read <http://README.md|README.md>", "read README.md"),
        ("channel=<#C123|general> hi", "channel=C123 hi"),
        ("in <#C123|general> hi", "in #general hi"),
        ("in <#C123> hi", "in C123 hi"),
        ("<@U123|ada> <@U124>", "@ada @U124"),
        ("channel=<@U123|ada> hi <@U123|ada>", "channel=U123 hi @ada"),
        ("<!channel> <!subteam^S1|@ops>", "@channel @ops"),
        ("<!date^1392734382^{date}|Feb 18>", "Feb 18"),
        ("call <tel:+4930123|030 123>", "call +4930123"),
        ("a &lt;b&gt; &amp;lt; &amp;amp;", "a <b> &lt; &amp;"),
        ("&lt;!channel&gt;", "<!channel>"),
        ('a\xa0b “c\xa0d” "e\xa0f"', 'a b “c\xa0d” "e\xa0f"'),
        ("1 < 2 > 0 &copy; <b>", "1 < 2 > 0 &copy; <b>"),
    ],
)
def test_what_slack_made_of_a_text_is_undone(slack, typed):
    assert unescape(slack) == typed


@pytest.mark.parametrize("piece", ['"', "“", "<#C1|a>", "<", "&lt;", "\xa0", "<a:", "=“"])
def test_a_long_text_costs_no_more_than_its_length(piece):
    # Were each quote looked for from each other one, this would take minutes.
    text = piece * 100_000
    assert unescape(text).count(" ") == (100_000 if piece == "\xa0" else 0)


@given(st.text(alphabet='<>&;!@#|:abltgmpUC1^ \xa0"“”=/'))
def test_no_typed_text_can_mint_a_mention(text):
    sent = html.escape(unescape(text), quote=False)
    assert "<" not in sent


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\xa0")))
def test_what_a_person_types_survives_slacks_escaping(text):
    assert unescape(html.escape(text, quote=False)) == text
