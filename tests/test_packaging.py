"""Wheel and sdist: the same bytes at each build, whole, and working without this checkout."""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
VENV = Path(sys.prefix)
WHERE = "https://code.example/levqor"
# They need no desktop and a few seconds; `make test` there runs the rest.
OWN_TESTS = ("tests/core/test_connectors.py", "tests/core/test_masking.py")

pytestmark = [
    pytest.mark.xdist_group("packaging"),
    pytest.mark.skipif(not (VENV / "bin/uv").exists(), reason="uv is not in this environment"),
]


def make(folder, target, *variables):
    """Run a target of the Makefile that stands in `folder`, with this environment's programs."""
    ready = (f"VENV={VENV}", "-o", f"{VENV}/.ready", "-o", f"{VENV}/.ready-dev")
    command = ["make", "--no-print-directory", *ready, target, *variables]
    made = subprocess.run(command, check=False, capture_output=True, text=True, cwd=folder)
    assert made.returncode == 0, made.stderr
    return made.stdout


def build(source, out):
    make(source, "dist", f"DIST={out}", f"PROJECT_URL={WHERE}")
    return {file.name: file.read_bytes() for file in out.iterdir() if file.name != ".gitignore"}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A copy of this checkout: beside other tests, a file comes and goes here."""
    copy = tmp_path_factory.mktemp("source") / "levqor"
    ignored = [line.strip("/") for line in (ROOT / ".gitignore").read_text().split()]
    return shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".git", *ignored))


@pytest.fixture(scope="module")
def built(tmp_path_factory, source):
    """The folder with both, built from the copy, and what the sdist unpacks to."""
    folder = tmp_path_factory.mktemp("built")
    build(source, folder / "dist")
    with sdist(folder) as archive:
        archive.extractall(folder, filter="data")
    return folder


def sdist(folder):
    (file,) = (folder / "dist").glob("*.tar.gz")
    return tarfile.open(file)


@pytest.fixture(scope="module")
def unpacked(built):
    """Where what is built and run leaves files of its own."""
    (folder,) = built.glob("levqor-*")
    return folder


@pytest.fixture(scope="module")
def installed(built):
    """An environment with the wheel in it, and beside it the packages that it wants."""
    folder = built / "installed"
    uv = [str(VENV / "bin/uv"), "--quiet", "--offline"]
    subprocess.run([*uv, "venv", "--python", sys.executable, folder], check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "wanted.pth").write_text(str(next(VENV.glob("lib/python*/site-packages"))))
    (wheel,) = (built / "dist").glob("*.whl")
    python = ["--python", str(folder / "bin/python")]
    subprocess.run([*uv, "pip", "install", "--no-deps", *python, wheel], check=True)
    return folder


def test_a_build_from_the_sdist_in_another_hour_and_mask_is_the_same_bytes(
    built, unpacked, tmp_path
):
    first = {f.name: f.read_bytes() for f in (built / "dist").iterdir() if f.name != ".gitignore"}
    for file in unpacked.rglob("*"):
        os.utime(file, (1_000_000_000, 1_000_000_000))
        file.chmod(file.stat().st_mode & ~0o077)
    before = os.umask(0o077)
    try:
        again = build(unpacked, tmp_path / "again")
    finally:
        os.umask(before)
    assert sorted(again) == sorted(first)
    assert again == first


def test_the_sdist_holds_what_its_tests_and_readers_need(source, built):
    tracked = {"README.md", "LICENSE", "CHANGELOG.md", "Makefile", ".env.example", ".ci/run",
               "CONTRIBUTING.md", "SECURITY.md", "zensical.toml"}  # fmt: skip
    for folder in ("core", "bot", "tray", "tests", "docs", "deploy", ".github"):
        tracked |= {
            str(file.relative_to(source)) for file in (source / folder).rglob("*") if file.is_file()
        }
    with sdist(built) as archive:
        there = {each.name.partition("/")[2] for each in archive if each.isfile()}
    assert tracked <= there
    assert there - tracked <= {
        "PKG-INFO", "pyproject.toml", "hatch_build.py", "constraints.txt", "requirements.txt",
        ".gitignore",
    }  # fmt: skip


def test_the_sdist_passes_its_own_tests(unpacked):
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *OWN_TESTS],
        check=False, capture_output=True, text=True, cwd=unpacked,
        env={**os.environ, "PYTEST_ADDOPTS": ""},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout
    assert "passed" in ran.stdout


def test_the_installed_programs_work_from_an_empty_folder(installed, tmp_path):
    def run(name, *args):
        return subprocess.run(
            [installed / "bin" / name, *args],
            check=False, capture_output=True, text=True, cwd=tmp_path, timeout=120,
            env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        )  # fmt: skip

    smoke = run("levqor", "--sandbox", "smoke", "--output", "json")
    assert smoke.returncode == 0, smoke.stderr
    assert {one["outcome"] for one in json.loads(smoke.stdout)["results"]} == {"sent"}
    for name in ("levqor-bot", "levqor-tray"):
        assert "--sandbox" in run(name, "--help").stdout
    where = run("levqor", "--sandbox", "doctor").stdout
    assert str(ROOT) not in where


@pytest.mark.parametrize("folder", ["deploy", "docs"])
def test_what_a_server_needs_and_the_manual_are_installed_beside_the_programs(installed, folder):
    def files(top):
        """The files that people read or copy; what makes the pages is for the repository."""
        return {
            str(file.relative_to(top))
            for file in top.rglob("*")
            if file.is_file() and file.suffix not in (".css", ".jsonl", ".py", ".pyc")
        }

    assert files(installed / "share/levqor" / folder) == files(ROOT / folder) != set()


def test_the_package_s_page_has_pictures_and_links_that_work_anywhere(built):
    (wheel,) = (built / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [n for n in archive.namelist() if n.endswith(".dist-info/METADATA")]
        page = message_from_bytes(archive.read(name))
    links = dict(link.split(", ") for link in page.get_all("Project-URL"))
    tag = f"v{page['Version']}"
    assert links["Source"] == WHERE
    assert links["Changelog"] == f"{WHERE}/blob/{tag}/CHANGELOG.md"
    text = page.get_payload()
    pictures = re.findall(r"!\[[^]]*\]\(([^)]+)\)", text)
    assert pictures
    for picture in pictures:
        assert (ROOT / picture.removeprefix(f"{WHERE}/raw/{tag}/")).is_file()
    assert all(link.startswith("https://") for link in re.findall(r"\]\(([^)#]+)\)", text))


def test_where_the_project_lives_is_read_from_its_clone_without_a_login(tmp_path):
    def read(origin):
        subprocess.run(["git", "init", "-q", tmp_path], check=True)
        subprocess.run(["git", "remote", "remove", "origin"], check=False, cwd=tmp_path,
                       capture_output=True)  # fmt: skip
        subprocess.run(["git", "remote", "add", "origin", origin], check=True, cwd=tmp_path)
        (tmp_path / "Makefile").write_bytes((ROOT / "Makefile").read_bytes())
        made = make(tmp_path, "dist", "--dry-run")
        return re.search(r"LEVQOR_PROJECT_URL='(.*?)'", made).group(1)

    for origin in (
        f"{WHERE}/it.git", "https://me:secret@code.example/levqor/it",
        "git@code.example:levqor/it.git", "ssh://git@code.example/levqor/it",
    ):  # fmt: skip
        assert read(origin) == f"{WHERE}/it"
    assert read("/srv/git/levqor") == ""


def test_the_bill_of_materials_names_every_locked_package_with_its_hashes(tmp_path):
    make(ROOT, "sbom", f"BUILD={tmp_path}")
    bill = json.loads((tmp_path / "levqor.cdx.json").read_text("utf-8"))
    assert bill["bomFormat"] == "CycloneDX"
    assert bill["metadata"]["component"]["name"] == "levqor"
    locked = re.findall(
        r"^([\w.-]+)==([^ ]+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE
    )
    assert {(part["name"], part["version"]) for part in bill["components"]} == set(locked)
    assert all(
        reference["hashes"]
        for part in bill["components"]
        for reference in part["externalReferences"]
        if reference["type"] == "distribution"
    )
