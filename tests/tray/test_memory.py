"""A light program: its memory beside the smallest there can be, nothing leaked.

How soon it is seen and what it does while idle: tests/bench/tray.py.
"""

from __future__ import annotations

import os

import pytest

from tests.support import weight
from tests.support.desktop import missing, until
from tests.support.tray_program import desktop
from tray.summary import COLOURS, IconState

pytestmark = [
    pytest.mark.xdist_group("desktop-1"),
    pytest.mark.skipif(bool(missing()), reason=f"make system brings {', '.join(missing())}"),
]

CHANGES = 13_000 if os.environ.get("LEVQOR_SOAK") else 7_000


@pytest.mark.parametrize("backend", ["appindicator", "gtk"])
def test_it_stays_small(backend, tmp_path, home):
    with desktop(tmp_path / "desk", "trayer", backend) as desk:
        smallest, _ = weight.appears(desk, weight.ME, "smallest")
        child, _ = weight.appears(desk, "-m", "tray.app", "--home", str(home))
        until("the first check is over", lambda: desk.icon(COLOURS[IconState.EMPTY]))

        assert weight.rss(child.pid) <= weight.rss(smallest.pid) + 45


def test_state_changes_leak_nothing(tmp_path):
    with desktop(tmp_path / "desk", "trayer", "appindicator") as desk:
        early, half, late = weight.changes(desk, CHANGES)

    # Each of them kept 200 bytes before: 0.6 MB in 3,000. What is kept but once is in one half.
    assert min(half - early, late - half) <= 0.3
