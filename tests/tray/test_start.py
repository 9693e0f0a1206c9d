import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
# An import hook that knows no Pillow, as where Levqor was installed without its extra.
WITHOUT = """
import sys
class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("PIL", "pystray"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name.partition(".")[0])
sys.meta_path.insert(0, Nothing())
from tray.start import main
sys.exit(main(["--version"]))
"""


def start(code):
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_without_its_libraries_the_tray_says_what_to_install():
    done = start(WITHOUT)
    assert done.returncode == 3
    assert "pip install '.[tray]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_with_them_it_starts():
    done = start("import sys; from tray.start import main; sys.exit(main(['--version']))")
    assert (done.returncode, done.stdout.split()[0]) == (0, "levqor-tray")
