"""The terminal on a shared database: each command does what it does on the home's own."""

import subprocess
import sys

import pytest

from core.ledger import Ledger
from tests.support.cli import levqor
from tests.support.engines import shared

# A command, and what it must say of the database in which one run was sent.
TOLD = (
    (["runs"], "slack.send"),
    (["usage"], "slack"),
    (["health"], "Slack"),
    (["doctor"], "PostgreSQL"),
    (["prune"], "0 runs"),
    (["token", "new", "ci"], "lvq_ci_"),
    (["pair", "telegram"], "/start"),
)


@shared
def test_every_command_works_on_the_shared_database(home, environ, database):
    def run(*line):
        ran = levqor("--home", home, *line, env=environ)
        assert ran.status == 0, (line, ran.out, ran.err)
        return ran.out + ran.err

    assert "sent" in run("run", "slack.send", "Build", "214", "is", "out")
    for line, words in TOLD:
        assert words in run(*line), line
    with Ledger.open(home, database) as ledger:
        assert [each.state for each in ledger.runs()] == ["sent"]
        assert [each.label for each in ledger.tokens()] == ["ci"]
    assert not (home / "levqor.db").exists()


@pytest.mark.parametrize("line", [["--help"], ["run", "--help"]])
def test_help_imports_no_database_driver(line):
    # What measures coverage, where something does, has a database of its own from the start.
    code = (
        "import sys; before = set(sys.modules); from core.cli import main; "
        "status = main(sys.argv[1:]); new = set(sys.modules) - before; "
        "sys.exit('psycopg' in new or 'sqlite3' in new or status)"
    )
    subprocess.run([sys.executable, "-c", code, *line], check=True, capture_output=True)
