"""The words of the first version that are ours no more, in code, pages and settings."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OLD = {
    r"stand-?ins?": "sandbox, sandbox services",
    r"mend(s|ed|ing)?": "fix",
    r"tells? of": "shows, reports",
    r"ways? in": "interface",
    r"(is|are|be) let in|let(s|ting)? (\w+ ){0,2}in": "allow, authorize",
}
TEXTS = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "Makefile", ".env.example", "pyproject.toml")
    for path in ROOT.glob(pattern)
)
CODE = sorted(path for room in ("core", "bot", "tray") for path in (ROOT / room).rglob("*.py"))


def old_words(text):
    return [
        f"{found[0]!r}: write {better}"
        for old, better in OLD.items()
        for found in re.finditer(rf"\b({old})\b", text, re.IGNORECASE)
    ]


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_a_page_uses_our_words(path):
    assert old_words(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("room", ["core", "bot", "tray"])
def test_code_uses_our_words(room):
    found = {
        str(path.relative_to(ROOT)): words
        for path in CODE
        if path.relative_to(ROOT).parts[0] == room
        and (words := old_words(path.read_text(encoding="utf-8")))
    }
    assert found == {}


def test_no_text_names_a_page_by_a_path_that_an_installed_program_does_not_have():
    path = re.compile(r"docs/[\w/]+\.md|\.env\.example")
    named = [
        f"{file.relative_to(ROOT)}:{node.lineno}"
        for file in CODE
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if path.search(node.value)
    ]
    assert named == []


@pytest.mark.parametrize(
    "text",
    ["a stand-in", "how to mend it", "the tray tells of one", "Other ways in", "Let a phone in"],
)
def test_an_old_word_is_found(text):
    assert len(old_words(text)) == 1
