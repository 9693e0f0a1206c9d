"""The page on several bots says what the programs say."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/running/reach.md").read_text("utf-8")
# A sentence of the program, `…` where a name stands: it ends in a full stop, or goes on.
QUOTED = re.findall(r"`([A-Z…][^`\n]*(?:\w \w)[^`\n]*(?:\.|…))`", PAGE)
TEXTS = [
    node.value
    for file in sorted((ROOT / "core").rglob("*.py"))
    for node in ast.walk(ast.parse(file.read_text("utf-8")))
    if isinstance(node, ast.Constant) and isinstance(node.value, str)
]


def test_the_page_quotes_the_program():
    assert len(QUOTED) >= 4


@pytest.mark.parametrize("sentence", QUOTED)
def test_a_quoted_sentence_is_one_that_the_program_says(sentence):
    for part in filter(str.strip, sentence.split("…")):
        assert any(part.strip() in text for text in TEXTS), part


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)#]+)\)", PAGE))
def test_what_the_page_links_to_is_there(link):
    assert (ROOT / "docs/running" / link).exists()
