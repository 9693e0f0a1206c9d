"""Tables on terminals of any width: columns are left out, ids and dates are never broken."""

import re
import sys

import pytest

from core.callers import Caller
from core.connectors import CONNECTORS
from core.engine import Engine
from core.settings import Settings
from tests.support.cli import on_terminal

CALLERS = ("cli:ann", "slack:T0123456789:U0123456789", "http:build-server-of-the-office")
LABELS = ("ci", "build-server-of-the-office")
TABLES = (
    ("usage", "--days", "2"), ("runs",), ("callers",), ("people", "list"), ("audit",),
    ("token", "list"), ("health",),
    ("--sandbox", "smoke"),
)  # fmt: skip
# One process draws them all: each start costs more than a table.
DRAW = """
import sys
from core.cli import main
home, tables = sys.argv[1], [line.split() for line in sys.argv[2].splitlines()]
for words in tables:
    print("##", *words, flush=True)
    main(["--home", home, *words])
"""
ESCAPE = re.compile(r"\x1b(\[[0-9;?]*[A-Za-z]|\][^\x07]*\x07)")


@pytest.fixture
def busy_home(home, sandbox):
    """A home with runs of several callers and endings, and two tokens."""
    settings = Settings(home, sandbox_urls=sandbox.settings())
    with Engine.open(settings) as engine:
        for caller in map(Caller.parse, CALLERS):
            engine.ledger.set_plan(str(caller), "pro")
            for action in engine.action_ids():
                engine.run(action, engine.action(action)[1].sample, caller)
        for label in LABELS:
            engine.ledger.token_new(label)
        engine.ledger.person_add("ann", CALLERS[:2], by=CALLERS[0], title="Ann Example")
        engine.ledger.token_revoke(LABELS[0])
    return home


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_every_table_fits_and_breaks_no_id_and_no_date(busy_home, columns):
    words = [sys.executable, "-c", DRAW, str(busy_home), "\n".join(map(" ".join, TABLES))]
    shown = on_terminal(words=words, columns=columns)
    assert shown.status == 0
    screen = ESCAPE.sub("", shown.out).replace("\r", "")
    parts = dict(re.findall(r"^## ([^\n]*)\n(.*?)(?=^## |\Z)", screen, re.MULTILINE | re.DOTALL))
    tables = {name: _table(part) for name, part in parts.items()}

    for name, lines in tables.items():
        assert lines, name
        assert max(map(len, lines)) <= columns, name
    days = [line.split()[0] for line in tables["usage --days 2"] if "slack" in line]
    assert days
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", day) for day in days)
    runs = [line.split()[0] for line in tables["runs"][2:]]
    # As many as `runs` shows at the most.
    assert len(runs) == min(20, len(CALLERS) * len(CONNECTORS))
    assert all(re.fullmatch(r"[a-z0-9]{10}", run) for run in runs)
    assert {line.split()[0] for line in tables["callers"][2:]} >= set(CALLERS)
    assert "ann" in {line.split()[0] for line in tables["people list"][2:]}
    # What a token may is folded into lines that begin with a blank.
    tokens = [line for line in tables["token list"][2:] if not line.startswith(" ")]
    assert {line.split()[0] for line in tokens} == set(LABELS)
    titles = [connector.title.split()[0] for connector in CONNECTORS]
    assert [line.split()[0] for line in tables["health"][2:]] == titles
    whole = "No room for:" not in parts["runs"]
    assert whole == (columns == 120)


def _table(part):
    """The lines of a part's first table: its heading, the rule under it, its rows."""
    lines = part.splitlines()
    rule = next(number for number, line in enumerate(lines) if set(line.strip()) == {"─"})
    blank = (number for number in range(rule, len(lines)) if not lines[number].strip())
    end = next(blank, len(lines))
    return lines[rule - 1 : end]


@pytest.mark.parametrize("columns", [20, 33])
def test_a_terminal_without_room_shows_each_word_whole(busy_home, columns):
    shown = on_terminal("--home", busy_home, "runs", "--last", "2", columns=columns)
    lines = _table(ESCAPE.sub("", shown.out).replace("\r", ""))
    assert lines[0].split()[-1] == "outcome"
    assert {line.split()[-1] for line in lines[2:]} <= {"sent", "refused"}


@pytest.mark.parametrize(
    "words", [("runs",), ("why", "nothing"), ("run", "slack.send", "Hello"), ("health", "--live")]
)
def test_a_terminal_said_to_have_no_columns_has_eighty(home, sandbox, words):
    env = {**sandbox.settings(), "COLUMNS": "0"}
    shown = on_terminal("--home", home, *words, env=env, columns=100)
    assert shown.status == (2 if "nothing" in words else 0)
    assert "Traceback" not in shown.out
