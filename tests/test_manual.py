"""The manual: whole, found by its navigation, true to the programs, and nobody else's guest."""

import asyncio
import contextlib
import functools
import http.server
import re
import shlex
import shutil
import subprocess
import sys
import threading
import tomllib
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest
import typer

from bot.app.line import parse as parse_bot
from core.cli.app import app
from core.cli.output import Output
from core.cli.session import Session
from tests.support.browser import browsing
from tests.support.cli import ROOT
from tray import app as tray_app

DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
LOOSE = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")]
HERE = "http://manual.test/"


def name(path):
    return str(path.relative_to(ROOT))


def pages_in(nav):
    """The files a navigation names, in order."""
    for entry in nav:
        (target,) = entry.values()
        yield from [target] if isinstance(target, str) else pages_in(target)


NAV = list(pages_in(tomllib.loads((ROOT / "zensical.toml").read_text())["project"]["nav"]))


class Found(HTMLParser):
    """What a page of the site links to, loads, and can be linked to."""

    def __init__(self, text):
        super().__init__()
        self.links, self.loads, self.ids = [], [], set()
        self.steps, self.text, self._inside = 0, "", []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag in ("ol", "ul", "code", "script"):
            self._inside.append(tag)
        self.steps += tag == "li" and self._inside[-1:] == ["ol"]
        self.ids |= {given["id"]} if given.get("id") else set()
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        elif tag == "link" and given.get("rel") in ("stylesheet", "icon", "preload"):
            self.loads.append(given["href"])
        elif given.get("src"):
            self.loads.append(given["src"])

    def handle_endtag(self, tag):
        if self._inside[-1:] == [tag]:
            self._inside.pop()

    def handle_data(self, data):
        if not {"code", "script"} & {*self._inside}:
            self.text += data


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The built site; a failed build or a warning fails."""
    folder = tmp_path_factory.mktemp("manual")
    shutil.copytree(DOCS, folder / "docs", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "zensical.toml", folder)
    ran = subprocess.run(
        [Path(sys.executable).with_name("zensical"), "build", "--strict"],
        check=False, capture_output=True, text=True, cwd=folder,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return folder / "site"


@pytest.fixture(scope="module")
def found(site):
    return {
        str(file.relative_to(site)): Found(file.read_text("utf-8"))
        for file in sorted(site.rglob("*.html"))
        if file.name != "404.html"
    }


def test_every_page_is_in_the_navigation_once():
    assert sorted(NAV) == [str(page.relative_to(DOCS)) for page in PAGES]


def test_every_page_is_built_and_no_script_of_ours_with_them(site, found):
    assert sorted(found) == sorted(page.replace(".md", ".html") for page in NAV)
    assert not [*site.rglob("*.py"), *site.rglob("*.pyc")]


@pytest.mark.parametrize("page", NAV)
def test_lists_tables_and_blocks_are_drawn_as_they_are_written(found, page):
    """What is indented by three blanks, say, falls out of its list without a warning."""
    read = found[page.replace(".md", ".html")]
    text = re.sub(r"```.*?```", "", (DOCS / page).read_text("utf-8"), flags=re.DOTALL)
    assert read.steps == len(re.findall(r"^ *\d+\. ", text, re.MULTILINE))
    assert not re.search(r"```|\| --- \||\*\*|^(\*|\d+\.) ", read.text, re.MULTILINE)


def test_no_link_of_the_site_is_dead(site, found):
    dead = []
    for page, read in found.items():
        for link in read.links:
            target = urlsplit(urljoin(HERE + page, link))
            if target.hostname != "manual.test":
                assert target.scheme in ("https", "http", "mailto"), (page, link)
                continue
            path = unquote(target.path).lstrip("/") or "index.html"
            there = (site / path).is_file()
            anchor = unquote(target.fragment)
            if not there or (anchor and path in found and anchor not in found[path].ids):
                dead.append((page, link))
    assert dead == []


def test_what_a_page_loads_is_there_and_comes_with_it(site, found):
    for page, read in found.items():
        assert read.loads
        for address in read.loads:
            target = urlsplit(urljoin(HERE + page, address))
            assert target.hostname == "manual.test", (page, address)
            assert (site / target.path.lstrip("/")).is_file(), (page, address)


def links_of(page):
    return re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8"))


@pytest.mark.parametrize("page", [*PAGES, *LOOSE], ids=name)
def test_what_a_page_links_to_is_in_the_repository(page):
    inside = [link for link in links_of(page) if not re.match(r"[a-z]+:|#", link)]
    missing = [link for link in inside if not (page.parent / link.partition("#")[0]).is_file()]
    assert missing == []


def test_every_picture_is_shown_somewhere():
    shown = {
        (page.parent / link).resolve()
        for page in [*PAGES, *LOOSE]
        for link in links_of(page)
        if link.endswith(".png")
    }
    assert shown == {file.resolve() for file in (DOCS / "images").iterdir()}


def words(line):
    """The commands of a line of shell, each as its words."""
    line = re.sub(r"(^|\s)#.*", "", line)
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>()")
    lexer.whitespace_split, lexer.commenters = True, ""
    command = []
    for word in lexer:
        if set(word) <= set("<>"):
            next(lexer)  # a file that the shell opens
        elif set(word) <= set("|&;()"):
            yield command
            command = []
        else:
            command.append(word)
    yield command


def program(command):
    """A command without what only starts it: settings, sudo, a container."""
    command = list(command)
    while command and re.match("[A-Z_]+=", command[0]):
        del command[0]
    if command[:1] == ["sudo"]:
        del command[0]
        while command and command[0].startswith("-"):
            del command[: 2 if command[0] == "-u" else 1]
    return command[3:] if command[:2] == ["podman", "exec"] else command


def blocks(page):
    """The lines of a page's shell blocks, a line that goes on as one."""
    text = page.read_text("utf-8").replace("\\\n", "")
    for block in re.findall(r"^ *```(?:sh)?\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL):
        yield from map(str.strip, block.splitlines())
    yield from re.findall(r"^ {4}((?:[A-Z_]+=\S+ )?(?:levqor|make)\b.*)$", text, re.MULTILINE)


PROGRAMS = ("levqor", "levqor-bot", "levqor-tray", "make")
COMMANDS = sorted(
    {
        (name(page), line, tuple(told))
        for page in [*PAGES, *LOOSE]
        for line in blocks(page)
        if re.search(r"\b(levqor|make)\b", line)
        for command in words(line)
        if (told := program(command)) and told[0] in PROGRAMS
    }
)
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
LEVQOR = typer.main.get_command(app)
OBJECT = {"session": Session(Output(as_json=False))}


def parse(told):
    """Read a command line as the program does; raises or exits where it makes no sense."""
    first, *rest = told
    if first == "make":
        assert {word for word in rest if "=" not in word} <= TARGETS
    elif first == "levqor-bot":
        parse_bot(rest)
    elif first == "levqor-tray":
        tray_app._parser().parse_args(rest)
    else:
        command, context = LEVQOR, LEVQOR.make_context("levqor", rest, obj=OBJECT)
        while hasattr(command, "list_commands"):
            rest = [*context._protected_args, *context.args]
            if not rest:
                assert command is LEVQOR, "a word is missing"
                return
            word, command, rest = command.resolve_command(context, rest)
            context = command.make_context(word, rest, parent=context)
        context.close()


@pytest.mark.parametrize("told", sorted({told for _, _, told in COMMANDS}), ids=" ".join)
def test_a_command_in_a_block_is_read_by_its_program(told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for file in ("answers.env", "levqor-backup.db", "sandbox.env"):
        (tmp_path / file).touch()
    parse(told)


@pytest.mark.parametrize(
    "told",
    ["levqor token nw", "levqor token", "levqor runs --lst 3", "levqor-bot --frob", "make frob",
     "levqor plan set ann gold", "levqor-tray --evry 3"],
)  # fmt: skip
def test_a_command_that_no_program_reads_is_found(told, capsys):
    with pytest.raises(BaseException):  # noqa: B017, PT011 - each program has its own
        parse(shlex.split(told))


def test_blocks_of_every_kind_are_read():
    told = {told for _, _, told in COMMANDS}
    for shown in (
        "make run", "levqor init", "levqor-bot slack-manifest", "levqor token new ci",
        "levqor pair telegram", "levqor --sandbox smoke",
        "levqor-tray --remote https://levqor.example.com",
    ):  # fmt: skip
        assert tuple(shown.split()) in told


def inline():
    """The commands inside sentences: their words up to the first that stands for something."""
    for page in [*PAGES, *LOOSE]:
        text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
        for told in re.findall(r"`((?:levqor|levqor-bot|levqor-tray|make) [^`]+)`", text):
            yield name(page), told


@pytest.mark.parametrize("told", sorted({told for _, told in inline()}))
def test_a_command_in_a_sentence_exists(told):
    first, *rest = told.split()
    if first == "make":
        assert {word for word in rest if re.fullmatch("[a-z-]+", word)} <= TARGETS
        return
    if first != "levqor":
        offered = {"levqor-bot": bot_help(), "levqor-tray": tray_app._parser().format_help()}
        assert all(word in offered[first] for word in rest if re.fullmatch("-*[a-z-]+", word))
        return
    command, before = LEVQOR, LEVQOR
    for word in rest:
        options = {opt for each in (*command.params, *before.params)
                   for opt in (*each.opts, *each.secondary_opts)} | {"--help"}  # fmt: skip
        if word.startswith("--"):
            assert word in options
        elif not hasattr(command, "list_commands") or not re.fullmatch("[a-z]+", word):
            break
        else:
            before, command = command, command.get_command(None, word)
            assert command is not None, word


@functools.cache
def bot_help():
    ran = subprocess.run(
        [sys.executable, "-m", "bot.app", "--help"], check=True, capture_output=True, text=True,
        cwd=ROOT,
    )  # fmt: skip
    return ran.stdout


def test_the_page_of_commands_has_every_option_of_bot_and_tray():
    page = (DOCS / "reference/commands.md").read_text()
    for text in (bot_help(), tray_app._parser().format_help()):
        for option in set(re.findall(r"--[a-z-]+", text)) - {"--help"}:
            assert f"| `{option}" in page


@contextlib.contextmanager
def serving(site):
    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            """Say nothing."""

    handler = functools.partial(Handler, directory=site)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


# The search draws itself in a shadow tree.
SEARCH = """
new Promise((done) => {
  const all = (root) => [...root.querySelectorAll('*')].flatMap(
    (node) => [node, ...(node.shadowRoot ? all(node.shadowRoot) : [])]);
  const until = (find, then) => {
    const it = find();
    it ? then(it) : setTimeout(() => until(find, then), 50);
  };
  document.querySelector('.md-search__button').click();
  until(() => all(document).find((node) => node.matches('input[aria-label=Search]')), (input) => {
    input.value = 'nginx';
    input.dispatchEvent(new InputEvent('input', {bubbles: true, composed: true}));
    until(() => all(document).find((node) => node.matches('[role=option] a, ol a, li a')
      && node.href.includes('running/proxy.html') && node.getRootNode() !== document),
      (link) => done(link.href));
  });
  setTimeout(() => done('nothing was found'), 30000);
})
"""


@pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium here: make system")
def test_a_walk_through_the_manual_asks_no_other_host(site, tmp_path):
    async def walk(base):
        async with browsing(tmp_path / "profile") as page:
            for file in NAV:
                await page.visit(f"{base}/{file.replace('.md', '.html')}")
                assert await page.value("document.querySelector('h1').textContent"), file
            await page.visit(f"{base}/index.html")
            assert f"{base}/running/proxy.html" in await page.value(SEARCH)
            return page.asked, page.faults

    with serving(site) as base:
        asked, faults = asyncio.run(walk(base))
    assert len(asked) > 2 * len(NAV)
    assert [url for url in asked if not url.startswith((f"{base}/", "data:"))] == []
    assert faults == []
