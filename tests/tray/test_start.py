import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# As where Levqor was installed without its extra.
WITHOUT = """
import sys
sys.modules["PIL"] = sys.modules["pystray"] = None
from tray.app import main
sys.exit(main(sys.argv[1:]))
"""


def start(code, *args):
    return subprocess.run(
        [sys.executable, "-c", code, *args], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_without_its_libraries_the_tray_says_what_to_install():
    done = start(WITHOUT)
    assert done.returncode == 3
    assert "uv tool install 'levqor[tray]'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("asked", "status", "told"),
    [
        ("--help", 0, "usage: levqor-tray"),
        ("--version", 0, "levqor-tray"),
        ("--frob", 2, "There is no option --frob.\n"),
    ],
)
def test_without_its_libraries_the_tray_shows_its_help_and_takes_no_wrong_word(asked, status, told):
    done = start(WITHOUT, asked)
    assert (done.returncode, told in done.stdout + done.stderr) == (status, True)


def test_with_them_it_starts():
    done = start("import sys; from tray.app import main; sys.exit(main(['--version']))")
    assert (done.returncode, done.stdout.split()[0]) == (0, "levqor-tray")
