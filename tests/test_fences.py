"""What may be imported and written where, each with its reason."""

import ast
import re
import subprocess
import sys
import tomllib
from collections import defaultdict
from functools import cache
from graphlib import CycleError, TopologicalSorter
from importlib.metadata import packages_distributions
from os.path import commonprefix
from pathlib import Path

import pytest

from bot.surfaces import SURFACES as INTERFACES
from core.connectors import CONNECTORS

ROOT = Path(__file__).parents[1]
ROOMS = ("core", "bot", "tray")
FILES = [file for room in ROOMS for file in sorted((ROOT / room).rglob("*.py"))]

# (what, where it may be, why)
IMPORTS = [
    ("slack_sdk", ("bot/slack",), "one file group knows Slack's framework"),
    ("telegram", ("bot/telegram",), "one file group knows Telegram's framework"),
    ("pystray", ("tray/backend", "tray/desktop"), "the menu stays a value"),
    ("gi", ("tray/backend", "tray/desktop"), "the menu stays a value"),
    ("sqlite_utils", ("core/ledger", "core/migrations"), "one place knows the schema"),
    ("psycopg", ("core/ledger",), "one place knows the database"),
    ("sqlite3", ("core/ledger", "core/migrations"), "one place knows the schema"),
    ("requests", ("tray/source",), "one way out, with its deadlines"),
    ("urllib3", ("core/outbound", "tray/source"), "one way out, with its deadlines"),
    ("google", ("core/outbound",), "one way out, with its deadlines"),
    ("jinja2", ("bot/web",), "pages are one folder's"),
    ("starlette", ("bot/web", "bot/app"), "HTTP is one surface of several"),
    ("uvicorn", ("bot/web", "bot/app"), "HTTP is one surface of several"),
    ("aiohttp", ("core/sandbox", "bot/slack"), "the core's transport is urllib3"),
]

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def place(file):
    return file.relative_to(ROOT).with_suffix("").as_posix()


def imports(file, *, typing=True):
    tree = ast.parse(file.read_text())
    only_types = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in only_types and not typing:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def literals(file):
    tree = ast.parse(file.read_text())
    docs = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                docs.add(id(first.value))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.value


def within(file, folders):
    where = place(file)
    return any(where == f or where.startswith((f + "/", f + "_")) for f in folders)


@pytest.mark.parametrize(("module", "folders", "why"), IMPORTS, ids=lambda v: str(v)[:20])
def test_a_library_is_imported_only_where_it_belongs(module, folders, why):
    strays = [
        place(file)
        for file in FILES
        if not within(file, folders)
        and any(name == module or name.startswith(module + ".") for name in imports(file))
    ]
    assert strays == [], why


def test_the_rooms_import_in_one_direction_only():
    allowed = {"core": {"core"}, "bot": {"core", "bot"}, "tray": {"core", "tray"}}
    strays = [
        (place(file), name)
        for file in FILES
        for name in imports(file)
        if name.partition(".")[0] in ROOMS
        and name.partition(".")[0] not in allowed[place(file).partition("/")[0]]
    ]
    assert strays == [], "core must run without bot and tray, and neither needs the other"


def parts(file):
    """A file as its path's parts; a package's face is the file `__init__` in it."""
    return file.relative_to(ROOT).with_suffix("").parts


BY_NAME = {".".join(parts(file)).removesuffix(".__init__"): parts(file) for file in FILES}


def ours(file):
    """The files of ours that a file imports, for types alone or inside a function too."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{place(file)} imports by a relative name"
            under = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if name in BY_NAME else node.module for name in under]
        else:
            continue
        yield from (BY_NAME[name] for name in names if name in BY_NAME)


@cache
def neighbours():
    """For each folder: which of the files and folders in it imports which."""
    folders = defaultdict(lambda: defaultdict(set))
    for file in FILES:
        importer = parts(file)
        for imported in set(ours(file)) - {importer}:
            same = len(commonprefix([importer, imported]))  # noqa: RUF071 - of tuples
            folders[importer[:same]][importer[same]].add(imported[same])
    return folders


# What is beside each other in a folder has an order, whichever of their files it is: a file,
# the folder's own face (`__init__`), a folder with all that is in it.
@pytest.mark.parametrize("folder", sorted(neighbours()), ids="/".join)
def test_no_imports_go_in_a_circle(folder):
    try:
        list(TopologicalSorter(neighbours()[folder]).static_order())
    except CycleError as circle:
        pytest.fail(" -> ".join(circle.args[1]))


# Where the distribution's name cannot be asked for on this system.
ELSEWHERE = {"PyObjCTools": ["pyobjc-framework-Cocoa"], "Xlib": ["python-xlib"]}
# Its packages need a compiler; the system brings it (docs/guides/tray.md).
SYSTEMS = {"gi"}


@pytest.mark.parametrize(
    ("room", "extras"), [("core", ["postgres"]), ("bot", []), ("tray", ["tray"])]
)
def test_every_library_that_is_imported_is_declared(room, extras):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"]]
    wanted += [one for extra in extras for one in project["optional-dependencies"][extra]]
    declared = {_normal(re.match(r"[\w.-]+", one).group()) for one in wanted}
    brought = packages_distributions()
    imported = {
        name.partition(".")[0]
        for file in FILES
        if place(file).startswith(f"{room}/")
        for name in imports(file)
    }
    strays = {
        name: brought.get(name)
        for name in imported - set(ROOMS) - set(sys.stdlib_module_names) - SYSTEMS
        if not declared & {_normal(one) for one in brought.get(name) or ELSEWHERE[name]}
    }
    assert strays == {}, "what another package brings may be gone with its next version"


def _normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def test_a_connector_imports_contract_and_errors_and_nothing_else_of_ours():
    strays = [
        (place(file), name)
        for file in (ROOT / "core/connectors").rglob("*.py")
        if file.parent.name != "connectors" or file.name != "__init__.py"
        for name in imports(file)
        if name.startswith("core")
        and name not in ("core.contract", "core.errors")
        and not name.startswith("core.connectors._")
    ]
    assert strays == [], "a connector is handed its settings and its HTTP client"


def test_only_engine_and_health_know_both_connectors_and_ledger():
    both = {
        place(file).split("/")[1]
        for file in (ROOT / "core").rglob("*.py")
        if {"core.connectors", "core.ledger"} <= set(imports(file, typing=False))
    }
    assert both <= {"engine", "health"}


def test_what_no_coverage_is_asked_of_has_a_reason_beside_it():
    bare = [
        (place(file), line.strip())
        for file in FILES
        for line in file.read_text().splitlines()
        if re.search(r"pragma: no (cover|branch)", line)
        and not re.search(r"# pragma: no (cover|branch) - \w+ \w+", line)
    ]
    assert bare == [], "say why no test can run it: `# pragma: no cover - reason`"


def test_the_sql_of_runs_is_in_one_place():
    # A run is journaled in the first, lives in the second, is counted in the third.
    homes = (
        "core/ledger/accept", "core/ledger/runs", "core/ledger/usage",
        "core/migrations/to_5", "core/migrations/to_7",
    )  # fmt: skip
    strays = [
        (place(file), text)
        for file in FILES
        if place(file) not in homes
        for text in literals(file)
        if re.search(r"\b(FROM|INTO|UPDATE|JOIN) runs\b", text)
    ]
    assert strays == [], "what a run's row means is decided in one file"


def test_only_settings_read_the_environment():
    strays = [
        place(file)
        for file in FILES
        if re.search(r"os\.(environ|getenv)", file.read_text())
        and not within(file, ("core/settings", "tray/desktop", "tray/backend"))
    ]
    assert strays == [], "a value read elsewhere is neither checked nor masked"


def test_the_tray_asks_only_for_what_a_display_needs():
    names = {
        name
        for file in FILES
        if within(file, ("tray/desktop", "tray/backend"))
        for name in re.findall(r"environ(?:\.get\(|\[)\"(\w+)\"", file.read_text())
    }
    # Where to ask and with what: the tray's process holds no core that could tell it.
    allowed = {"LEVQOR_HOME", "LEVQOR_REMOTE_TOKEN"}
    ours = {n for n in names if n.startswith(("LEVQOR", "SLACK", "NOTION", "TELEGRAM"))}
    assert ours <= allowed


def own_files(connector):
    """A connector's own file, its private ones, and its imitation, by its name or its title."""
    names = {connector.name, connector.title.lower(), connector.title.lower().split()[-1]}
    module = connector.config.__module__.rpartition(".")[2]
    names.add(module)
    return tuple(f"core/connectors/{n}" for n in names) + tuple(
        f"core/connectors/_{n}" for n in names
    )


def test_files_and_functions_can_be_read_at_once():
    long = [(place(file), "lines") for file in FILES if len(file.read_text().splitlines()) > 300]
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text())):
            # The SQL of a migration is one text and stays as it was.
            if not isinstance(node, FUNCTIONS) or place(file).startswith("core/migrations/"):
                continue
            body = node.body[1:] if ast.get_docstring(node) else node.body
            if body and (node.end_lineno or 0) - body[0].lineno >= 40:
                long.append((place(file), node.name))
    assert long == [], "at most 300 lines in a file, and 40 in a function's body"


@pytest.mark.parametrize("connector", CONNECTORS, ids=lambda c: c.name)
def test_an_actions_id_is_written_in_its_own_file_only(connector):
    ids = [connector.action_id(action) for action in connector.actions]
    strays = [
        (place(file), text)
        for file in FILES
        if not within(file, own_files(connector)) and not place(file).startswith("core/sandbox")
        for text in literals(file)
        if any(re.search(rf"\b{re.escape(i)}\b", text) for i in ids)
    ]
    assert strays == [], "one file is one action: ask CONNECTORS for its id"


SURFACES = (
    "core/engine", "core/health", "core/wording", "core/grammar", "bot/commands", "bot/slack/views",
    "bot/web", "bot/console", "tray",
)  # fmt: skip
# The surfaces `slack` and `telegram` share their names with connectors.
SHARED = {"slack", "telegram"}


@pytest.mark.parametrize("connector", CONNECTORS, ids=lambda c: c.name)
def test_no_surface_knows_a_connector_by_name(connector):
    if connector.name in SHARED:
        titles = [connector.actions[0].title]
    else:
        titles = [connector.name, connector.title]
    strays = [
        (place(file), text)
        for file in FILES
        if within(file, SURFACES)
        for text in literals(file)
        if text in titles
    ]
    assert strays == [], "every interface serves every connector: ask CONNECTORS"


# The interfaces whose names only their own folder, the list and the connectors may know.
CHATS = [spec.name for spec in INTERFACES if spec.guide]
BEYOND_CHATS = ("core/connectors", "core/sandbox", "bot/surfaces", "tray", *(
    f"bot/{spec}" for spec in (*CHATS, "web", "console")
))  # fmt: skip
# What such a caller looks like is an example: `name:42`, `name:T1:*=name.*`.
EXAMPLE = r"\b{0}(?::[\w:*]+|\.\*)"


def identifiers(file):
    for node in ast.walk(ast.parse(file.read_text())):
        for field in ("id", "attr", "name", "arg", "module"):
            if isinstance(word := getattr(node, field, None), str):
                yield word.lower()


@pytest.mark.parametrize("chat", CHATS)
def test_neither_core_nor_the_bot_s_own_files_know_a_chat(chat):
    strays = [
        (place(file), word)
        for file in FILES
        if not within(file, BEYOND_CHATS)
        for word in (*identifiers(file), *literals(file))
        if chat in re.sub(EXAMPLE.format(chat), "", word)
    ]
    assert strays == [], "one folder is one interface: ask core.interfaces.declared()"


def test_the_list_of_interfaces_is_read_without_what_is_heavy():
    heavy = "aiohttp starlette uvicorn slack_sdk telegram prompt_toolkit"
    program = f"import sys, bot.surfaces; print(set({heavy.split()!r}) & set(sys.modules))"
    ran = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, cwd=ROOT
    )
    assert ran.stdout == "set()\n"


def test_a_bot_starts_without_what_few_need_and_its_libraries_command_lines():
    unneeded = "rich pygments typer aiohttp_socks jinja2 sqlite_utils bot.web.openapi"
    program = (
        "import sys; from bot.app.line import leave_out; leave_out(); import bot.app.process, "
        "bot.slack.surface, bot.telegram.surface, bot.web.surface; "
        f"print(set({['httpx', *unneeded.split()]!r}) & set(sys.modules))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, cwd=ROOT
    )
    assert ran.stdout == "{'httpx'}\n"


def test_a_run_starts_without_what_health_and_usage_need():
    unneeded = "core.health core.reports.health core.reports.usage sqlite_utils rich"
    program = (
        "import sys, core.cli.run, core.engine; "
        f"print(set({unneeded.split()!r}) & set(sys.modules))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, cwd=ROOT
    )
    assert ran.stdout == "set()\n"


def test_the_sandbox_is_loaded_only_when_it_is_asked_for():
    strays = [
        place(file)
        for file in FILES
        if not place(file).startswith("core/sandbox")
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.Import | ast.ImportFrom)
        and any("core.sandbox" in name for name in _names(node))
    ]
    assert strays == [], "a real start must not carry imitations"


def _names(node):
    return [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or ""]


def test_no_file_names_a_machine_a_registry_or_how_work_is_organised():
    words = re.compile(
        "/(?:root|work|home/[a-z]+)/|pypi" + r"\.org|registry\.npm" + "js|index" + "-url"
    )
    suffixes = {".py", ".md", ".toml", ".txt", ".yml", ".sh", ""}
    strays = [
        (str(file.relative_to(ROOT)), found.group())
        for file in tracked()
        if file.suffix in suffixes and file.name != "test_fences.py" and file.is_file()
        for found in [words.search(file.read_text(errors="ignore"))]
        if found
    ]
    assert strays == [], "the repo speaks of the product alone"


def tracked():
    skip = {
        "build",
        ".venv",
        ".git",
        "mutants",
        ".mypy_cache",
        ".ruff_cache",
        ".pytest_cache",
        ".hypothesis",
    }
    for file in ROOT.rglob("*"):
        if not skip & set(file.relative_to(ROOT).parts) and "egg-info" not in str(file):
            yield file
