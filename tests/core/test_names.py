"""Which names are one name to a person."""

import pytest

from core.contract import folded


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Prénom", "Pre\N{COMBINING ACUTE ACCENT}nom"),
        ("Status", "sTATUS"),
        (" Due by ", "Due by"),
        ("Due  by", "Due by"),
        ("Due\N{NO-BREAK SPACE}by", "Due by"),
        ("Straße", "STRASSE"),
        ("\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}d", "i\N{COMBINING DOT ABOVE}d"),
    ],
)
def test_names_that_look_the_same_are_one(one, other):
    assert folded(one) == folded(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Status", "Ｓtatus"), ("Due by", "Dueby"), ("Prénom", "Prenom"), ("a", "а")],  # noqa: RUF001
)
def test_names_that_look_different_are_two(one, other):
    assert folded(one) != folded(other)
