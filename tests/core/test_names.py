"""Which names are one name to a person."""

import time

import pytest

from core.contract import folded, nearest


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


@pytest.mark.parametrize(
    ("word", "found"),
    [("Staus", "Status"), ("dueby", "Due by"), ("zzz", None), ("s" * 101, None), ("", None)],
)
def test_the_nearest_name_is_offered(word, found):
    assert nearest(word, ["Status", "Due by", "x" * 5000]) == found


@pytest.mark.parametrize("call", [folded, lambda name: nearest(name, ["Status"])])
def test_a_hostile_name_costs_next_to_nothing(call):
    began = time.process_time()
    call("a" + "\N{COMBINING ACUTE ACCENT}" * 50_000 + "\N{COMBINING GRAVE ACCENT BELOW}" * 50_000)

    assert time.process_time() - began < 1  # unbounded: 15 seconds
